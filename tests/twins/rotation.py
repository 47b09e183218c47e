"""The twin of pipelines/rotation.yaml."""
import torch
from torch.nn.functional import cross_entropy, relu

import simclr
import twin


class Rotation(simclr.SimClr):
    about = "By which of four turns a garment is turned (Gidaris et al. 2018, arXiv:1803.07728)"
    batch_size = 128
    drop_last = False
    compiled = ["guess"]
    layers = {name: kinds for name, kinds in simclr.SimClr.layers.items() if "encoder" in name} | {
        "head.h": twin.linear(1152, 256),
        "head.four": twin.linear(256, 4),
    }

    def turned(self, x, section, step):
        """Images, each turned to the left by some quarters, and by how many."""
        quarters = self.draw.integers(f"{section}/quarters", step, len(x), 1, 4)[:, 0]
        all_four = torch.stack([torch.rot90(x, k, (2, 3)) for k in range(4)], 1)
        return all_four[torch.arange(len(x)), quarters], quarters

    def guess(self, x):
        return self.linear("head.four", relu(self.linear("head.h", self.features(x))))

    def loss(self, x, section, step):
        x, quarters = self.turned(x, section, step)
        return cross_entropy(self.guess(x), quarters)

    def evaluate(self):
        images = self.batch(*self.samples("test"))
        loss = hits = 0
        for step, rows in enumerate(images.split(self.batch_size)):
            x, quarters = self.turned(rows, "evaluate", step)
            logits = self.guess(x)
            loss += cross_entropy(logits, quarters, reduction="sum").item()
            hits += (logits.argmax(1) == quarters).sum().item()
        return {"loss": loss / len(images), "accuracy": hits / len(images)}


if __name__ == "__main__":
    twin.main(Rotation)
