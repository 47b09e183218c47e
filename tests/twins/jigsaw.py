"""The twin of pipelines/jigsaw.yaml."""
import torch
from torch.nn import functional as F

import augment
import puzzle
import transformer
import twin


class Jigsaw(puzzle.Puzzle, transformer.Tokens):
    about = "Puts the nine tiles of a garment back in order (Noroozi & Favaro 2016, arXiv:1603.09246)"
    epochs = 5
    batch_size = 128
    range = "unit"
    asked = 9
    compiled = ["guess"]
    cell, tile = 10, 8
    layers = {
        "maps.c1": twin.conv(1, 32, 3), "maps.c2": twin.conv(32, 64, 3), "maps.c3": twin.conv(64, 128, 3),
        "head.token": twin.linear(512, 128),
        "head.even": twin.layer_norm(128),
        "head.logits": twin.linear(128, 9),
    }
    for i in (0, 1):
        layers |= transformer.block(f"head.block.{i}", 128, 256)

    def pictures(self, split):
        return twin.idx(split, "images-idx3").reshape(-1, 1, 28, 28)

    def mixed(self, x, section, step):
        """Tiles in any order, [9 n, 1, 8, 8], sample by sample, and the order."""
        n, size, tile = len(x), self.cell, self.tile
        order = self.draw.permutation(f"{section}/order", step, n, 9)
        cells = F.pad(x, [1] * 4).reshape(n, 3, size, 3, size).permute(0, 1, 3, 2, 4).flatten(1, 2)
        tiles = cells[torch.arange(n)[:, None], order].flatten(0, 1)[:, None]
        u = self.draw.uniform(f"{section}/place.tiles.body", step, 9 * n, 4)
        share = tile**2 / size**2
        return augment.random_crop(tiles, u, (share, share), (1, 1), tile), order

    def maps(self, x):
        x = self.laid_out(x)
        for i in (1, 2, 3):
            x = F.relu(self.convolve(f"maps.c{i}", x, padding=1))
            x = F.max_pool2d(x, 2) if i < 3 else x
        return x.permute(0, 2, 3, 1).flatten(1)

    def guess(self, x, section, step, training):
        tiles, order = self.mixed(x, section, step)
        x = self.linear("head.token", self.maps(tiles).unflatten(0, (-1, 9)))
        for i in (0, 1):
            x = self.block(f"head.block.{i}", x)
        return self.linear("head.logits", self.norm("head.even", x)).flatten(0, 1), order.flatten()


if __name__ == "__main__":
    twin.main(Jigsaw)
