"""The twin of pipelines/patch_position.yaml."""
import numpy as np
import torch
from torch.nn import functional as F

import photos
import twin


class PatchPosition(twin.Model):
    about = "In which of eight places a patch lies beside another (Doersch et al. 2015)"
    epochs = 60
    batch_size = 128
    range = "symmetric"
    compiled = ["guess"]
    patch, gap, jitter = 28, 1, 1
    layers = {
        "encoder.c1": twin.conv(3, 32, 3, bias=False), "encoder.n1": twin.batch_norm(32),
        "encoder.c2": twin.conv(32, 64, 3, bias=False), "encoder.n2": twin.batch_norm(64),
        "encoder.c3": twin.conv(64, 128, 3, bias=False), "encoder.n3": twin.batch_norm(128),
        "head.h": twin.linear(2304, 256),
        "head.logits": twin.linear(256, 8),
    }

    def __init__(self, options):
        super().__init__(options)
        self.optimizer = self.optimize(torch.optim.AdamW, self.weights.values(), lr=1e-3, weight_decay=0.05)

    def samples(self, split):
        images = photos.parts(288, 96, 16, split)
        self.steps = self.epochs * self.batches_of(len(images))
        return [images]

    def pair(self, x, section, step):
        """Two patches, and which of the eight places the second has."""
        x = photos.flipped(self, x, f"{section}/flip", step)
        u = self.draw.uniform(f"{section}/pair", step, len(x), 5)
        move = (u[:, 1:] * np.float32(2 * self.jitter + 1)).long() - self.jitter
        which = (u[:, 0] * 8).long()
        cell = which + (which >= 4)
        first, pitch = (x.shape[2] - self.patch) // 2, self.patch + self.gap
        a = photos.windows(x, first + move[:, 0], first + move[:, 1], self.patch)
        b = photos.windows(x, first + (torch.div(cell, 3, rounding_mode="floor") - 1) * pitch
                           + move[:, 2], first + (cell % 3 - 1) * pitch + move[:, 3], self.patch)
        return a, b, which

    def encode(self, x, training):
        x = self.laid_out(x)
        for i in (1, 2, 3):
            x = self.convolve(f"encoder.c{i}", x, padding=1)
            x = F.relu(self.normalise(f"encoder.n{i}", x, training))
            x = F.max_pool2d(x, 2) if i < 3 else F.avg_pool2d(x, 3, 2)
        return x.permute(0, 2, 3, 1).flatten(1)

    def guess(self, x, section, step, training):
        a, b, which = self.pair(x, section, step)
        both = torch.cat([self.encode(a, training), self.encode(b, training)], 1)
        both = self.dropout("train/place.some", both, 0.3, step if training else None)
        return self.linear("head.logits", F.relu(self.linear("head.h", both))), which

    def train(self, x, step):
        for group in self.optimizer.param_groups:
            group["lr"] = twin.cosine(step, self.steps, 1e-3, warmup=100)
        loss = F.cross_entropy(*self.guess(x, "train", step, True))
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        return [loss]

    def evaluate(self):
        images, = self.samples("test")
        loss = hits = 0
        for step, rows in enumerate(images.split(self.batch_size)):
            logits, which = self.guess(self.batch(rows), "evaluate", step, False)
            loss += F.cross_entropy(logits, which, reduction="sum").item()
            hits += (logits.argmax(1) == which).sum().item()
        return {"loss": loss / len(images), "accuracy": hits / len(images)}


if __name__ == "__main__":
    twin.main(PatchPosition)
