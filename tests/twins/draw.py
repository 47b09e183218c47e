"""What the twins draw."""
import numpy as np
import torch

import weft_random


class Draw:
    """Random numbers as weft draws them, or PyTorch's own: a timing must measure PyTorch."""

    def __init__(self, seed, exact=True):
        self.seed, self.exact = seed, exact

    def normal(self, path, step, rows, size):
        if not self.exact:
            return torch.randn(rows, size)
        key = weft_random.key(self.seed, path)
        return torch.from_numpy(weft_random.normal(key, step, np.arange(rows), size))

    def uniform(self, path, step, rows, size):
        if not self.exact:
            return torch.rand(rows, size)
        key = weft_random.key(self.seed, path)
        return torch.from_numpy(weft_random.uniform(key, step, np.arange(rows), size))

    def integers(self, path, step, rows, size, n):
        """Whole numbers below `n`."""
        if not self.exact:
            return torch.randint(n, (rows, size))
        key = weft_random.key(self.seed, path)
        return torch.from_numpy(weft_random.integers(key, step, np.arange(rows), size, n))

    def below(self, path, step, size, n):
        """Integers below n, as a node draws them for the whole batch."""
        if not self.exact:
            return torch.randint(n, (size,))
        return torch.from_numpy(
            weft_random.below_by_blocks(weft_random.key(self.seed, path), step, 0, size, n))

    def permutation(self, path, step, rows, n):
        """An order of `n` positions for each row."""
        if not self.exact:
            return torch.rand(rows, n).argsort(1)
        key = weft_random.key(self.seed, path)
        return torch.from_numpy(weft_random.shuffled(key, step, np.arange(rows), n, n))

    def subset(self, path, step, rows, n, k):
        """`k` of `n` positions for each row, and the rest, both in ascending order."""
        if self.exact:
            key = weft_random.key(self.seed, path)
            order = torch.from_numpy(weft_random.shuffled(key, step, np.arange(rows), n, k))
        else:
            order = torch.rand(rows, n).argsort(1)
        return order[:, :k].sort(1).values, order[:, k:].sort(1).values

    def order(self, samples, epoch):
        if not self.exact:
            return torch.randperm(samples)
        key = weft_random.key(self.seed, "train/data")
        return torch.from_numpy(weft_random.permuted(np.arange(samples), samples, key, epoch))
