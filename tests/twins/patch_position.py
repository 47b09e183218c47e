"""The twin of pipelines/patch_position.yaml."""
import numpy as np
import torch
from torch.nn import functional as F

import photos
import puzzle
import twin


class PatchPosition(puzzle.Puzzle):
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

    def pictures(self, split):
        return photos.parts(288, 96, 16, split)

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


if __name__ == "__main__":
    twin.main(PatchPosition)
