"""The twin of pipelines/linear_probe_emoji.yaml; --start gives the weights of the patch_position
run that it probes."""
import torch
from torch.nn.functional import avg_pool2d, cross_entropy, max_pool2d, relu

import emoji
import patch_position
import twin


class LinearProbeEmoji(emoji.Emoji):
    about = "What a frozen encoder's features of an emoji tell a linear classifier"
    epochs = 20
    lr, warmup = 1e-3, 0
    data = emoji.DATA.replace("size: 32", "size: 28, range: symmetric")
    layers = {name: kinds for name, kinds in patch_position.PatchPosition.layers.items()
              if "encoder" in name} | {
        "probe.even": twin.batch_norm(2304 // 2),
        "probe.logits": twin.linear(2304 // 2, 10),
    }

    def __init__(self, options):
        super().__init__(options)
        mine = [w for name, w in self.weights.items() if name.startswith("probe")]
        self.optimizer = self.optimize(torch.optim.AdamW, mine, lr=self.lr, weight_decay=1)

    def features(self, x):
        for i in (1, 2, 3):
            x = self.convolve(f"encoder.c{i}", x, padding=1)
            x = relu(self.normalise(f"encoder.n{i}", x, training=False))
            x = max_pool2d(x, 2) if i < 3 else avg_pool2d(x, 3, 2)
        return x.permute(0, 2, 3, 1).flatten(1)

    def classify(self, rows, step):
        with torch.no_grad():
            x = self.features(rows[0])
        x = self.normalise("probe.even", x, step is not None)
        return self.linear("probe.logits", self.dropout("train/class.some", x, 0.5, step))


if __name__ == "__main__":
    twin.main(LinearProbeEmoji)
