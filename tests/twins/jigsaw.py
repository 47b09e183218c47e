"""The twin of pipelines/jigsaw.yaml."""
import torch
from torch.nn import functional as F

import augment
import photos
import transformer
import twin


class Jigsaw(photos.Puzzle, transformer.Tokens):
    about = "Puts the nine tiles of a photograph back in order (Noroozi & Favaro 2016, arXiv:1603.09246)"
    epochs = 40
    batch_size = 128
    range = "symmetric"
    cut = (144, 48, 8)  # photos.parts
    asked = 9
    compiled = ["guess"]
    cell, tile = 16, 14
    layers = {
        "encoder.c1": twin.conv(3, 32, 3, bias=False), "encoder.n1": twin.batch_norm(32),
        "encoder.c2": twin.conv(32, 64, 3, bias=False), "encoder.n2": twin.batch_norm(64),
        "encoder.c3": twin.conv(64, 128, 3, bias=False), "encoder.n3": twin.batch_norm(128),
        "head.token": twin.linear(1152, 128),
        "head.even": twin.layer_norm(128),
        "head.logits": twin.linear(128, 9),
    }
    for i in (0, 1):
        layers |= transformer.block(f"head.block.{i}", 128, 256)

    def puzzle(self, x, section, step):
        """Tiles in any order, [9 n, 3, 14, 14], sample by sample, and the order."""
        x = photos.flipped(self, x, f"{section}/flip", step)
        n, size, tile = len(x), self.cell, self.tile
        order = self.draw.permutation(f"{section}/order", step, n, 9)
        cells = x.reshape(n, 3, 3, size, 3, size).permute(0, 2, 4, 1, 3, 5).flatten(1, 2)
        mixed = cells[torch.arange(n)[:, None], order].flatten(0, 1)
        u = self.draw.uniform(f"{section}/place.tiles.body", step, 9 * n, 4)
        share = tile**2 / size**2
        return augment.random_crop(mixed, u, (share, share), (1, 1), tile), order

    def encode(self, x, training):
        x = self.laid_out(x)
        for i in (1, 2, 3):
            x = F.relu(self.normalise(f"encoder.n{i}", self.convolve(f"encoder.c{i}", x, padding=1), training))
            x = F.max_pool2d(x, 2) if i < 3 else x
        return x.permute(0, 2, 3, 1).flatten(1)

    def guess(self, x, section, step, training):
        tiles, order = self.puzzle(x, section, step)
        code = self.encode(tiles, training).unflatten(0, (-1, 9))
        code = self.dropout("train/place.place.some", code, 0.3, step if training else None)
        x = self.linear("head.token", code)
        for i in (0, 1):
            x = self.block(f"head.block.{i}", x)
        return self.linear("head.logits", self.norm("head.even", x)).flatten(0, 1), order.flatten()


if __name__ == "__main__":
    twin.main(Jigsaw)
