"""The twin of pipelines/fusion_model.yaml."""
import torch
from torch.nn.functional import max_pool2d, relu

import emoji
import transformer
import twin


class FusionModel(emoji.Emoji):
    about = "The category of an emoji by words and patches that attend to each other"
    lr = 1e-3
    features, rate = 64, 0.3
    layers = {
        "words.rows": twin.embedding(1024, features, 0.1),
        "words.sited": twin.positions(16, features),
        "patches.c1": twin.conv(3, 64, 3),
        "patches.c2": twin.conv(64, features, 3),
        "patches.sited": twin.positions(64, features),
        "joint.even": twin.layer_norm(features),
        "joint.logits": twin.linear(features, 10),
    }
    for name in ("w1", "p1"):
        layers |= transformer.block(f"joint.{name}", features, 2 * features, cross=True)
    layers |= transformer.block("joint.block", features, 2 * features)
    clip_norm = 1

    def __init__(self, options):
        super().__init__(options)
        self.optimizer = self.optimize(torch.optim.AdamW, self.weights.values(), lr=1e-3, weight_decay=0.05)

    def classify(self, rows, step):
        image, words, _ = rows
        w = self.look_up("words.rows", words) + self.weights["words.sited.weight"]
        w = self.dropout("train/w.y", w, self.rate, step)
        p = max_pool2d(relu(self.convolve("patches.c1", image, padding=1)), 2)
        p = max_pool2d(relu(self.convolve("patches.c2", p, padding=1)), 2)
        p = p.permute(0, 2, 3, 1).flatten(1, 2) + self.weights["patches.sited.weight"]
        p = self.dropout("train/p.y", p, self.rate, step)
        w1 = self.block("joint.w1", w, context=p, rate=self.rate, path="train/class.w1", step=step)
        p1 = self.block("joint.p1", p, context=w, keys=words, rate=self.rate,
                        path="train/class.p1", step=step)
        x = self.block("joint.block", torch.cat([w1, p1], 1), rate=self.rate,
                       path="train/class.block", step=step)
        return self.linear("joint.logits", self.norm("joint.even", x).mean(1))


if __name__ == "__main__":
    twin.main(FusionModel)
