"""The twin of pipelines/fusion_audio.yaml."""
import torch
from torch.nn.functional import cross_entropy, max_pool2d, relu

import transformer
import twin

DATA = ("{node: table, file: stamps/stamps, image: .png, size: 48, fit: stretch, text: .txt, "
        "words: 1024, audio: _desc_fr.ogg, seconds: 2, hop: 320, label: folder, "
        "missing: leave_out, group: .txt, test_share: 0.25, split: %s, batch: 256}")
PORTS = {"image": "data.image", "words": "{node: to_float, x: data.words}",
         "sound": "data.spectrogram", "label": "{node: to_float, x: data.label}"}


class FusionAudio(transformer.Tokens):
    about = "The kind of a stamp, from its picture, name and voice"
    epochs = 40
    compiled = ["guess"]
    batch_size = 32
    layers = {
        "image_encoder.c1": twin.conv(3, 32, 3),
        "image_encoder.c2": twin.conv(32, 64, 3),
        "text_encoder.rows": twin.embedding(1024, 64, 0.1),
        "text_encoder.y": twin.linear(64, 128),
        "audio_encoder.c1": twin.conv(1, 32, 3),
        "audio_encoder.c2": twin.conv(32, 64, 3),
        "decoder.h": twin.linear(64 + 128 + 64, 128),
        "decoder.logits": twin.linear(128, 16),
    }

    def __init__(self, options):
        super().__init__(options)
        self.optimizer = self.optimize(torch.optim.AdamW, self.weights.values(), lr=2e-3, weight_decay=0.05)

    def samples(self, split):
        image, words, sound, label = twin.weft_samples(DATA % split, PORTS)
        self.steps = self.epochs * self.batches_of(len(label))
        return [image.permute(0, 3, 1, 2), words.long(), sound[:, None], label.long()]

    def batch(self, *rows):
        return rows

    def convolved(self, module, x):
        x = max_pool2d(relu(self.convolve(f"{module}.c1", x, padding=1)), 2)
        return relu(self.convolve(f"{module}.c2", x, padding=1))

    def guess(self, image, words, sound, step=None):
        i = self.convolved("image_encoder", image).mean((2, 3))
        t = self.look_up("text_encoder.rows", words).mean(1)
        t = relu(self.linear("text_encoder.y", self.dropout("train/t.some", t, 0.5, step)))
        a = max_pool2d(self.convolved("audio_encoder", sound), 2).mean((2, 3))
        both = self.dropout("train/kind.some", torch.cat([i, t, a], 1), 0.5, step)
        return self.linear("decoder.logits", relu(self.linear("decoder.h", both)))

    def train(self, rows, step):
        *x, label = rows
        loss = cross_entropy(self.guess(*x, step), label)
        return self.descend(loss, twin.cosine(step, self.steps, 2e-3, warmup=50))

    def evaluate(self):
        *x, label = self.samples("test")
        logits = self.guess(*x)
        return {"loss": cross_entropy(logits, label).item(),
                "accuracy": (logits.argmax(1) == label).double().mean().item(),
                "largest": label.bincount().max().item() / len(label)}


if __name__ == "__main__":
    twin.main(FusionAudio)
