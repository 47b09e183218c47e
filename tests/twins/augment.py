"""The nodes of nodes/augment, in PyTorch: images are [n, c, h, w], u the uniform numbers of a node."""
import math

import torch
from torch.nn import functional as F

LUMA = torch.tensor([0.299, 0.587, 0.114]).reshape(1, 3, 1, 1)


def places(begin, extent, to, size):
    """Pixels first and second, and the share of the second, for each place of the result [n, to]."""
    at = begin[:, None] + (torch.arange(to) + 0.5) * extent[:, None] / to - 0.5
    at = at.clamp(0, size - 1)
    first = at.long()
    return first, (first + 1).clamp(max=size - 1), at - first


def random_crop(x, u, scale=(0.2, 1), ratio=(0.75, 4 / 3), size=None):
    """To `size` pixels each way, or to those of x."""
    n, c, h, w = x.shape
    to_h, to_w = (size, size) if size else (h, w)
    area = (scale[0] + u[:, 0] * (scale[1] - scale[0])) * h * w
    low, high = math.log(ratio[0]), math.log(ratio[1])
    proportion = torch.exp(low + u[:, 1] * (high - low))
    height = (area / proportion).sqrt().clamp(max=h)
    width = (area * proportion).sqrt().clamp(max=w)
    top, below, v = places(u[:, 2] * (h - height), height, to_h, h)
    left, right, s = places(u[:, 3] * (w - width), width, to_w, w)

    def pixels(rows, cols):
        image = torch.arange(n)[:, None, None]
        return x.permute(0, 2, 3, 1)[image, rows[:, :, None], cols[:, None, :]].permute(0, 3, 1, 2)

    v, s = v[:, None, :, None], s[:, None, None, :]
    return ((pixels(top, left) * (1 - s) + pixels(top, right) * s) * (1 - v)
            + (pixels(below, left) * (1 - s) + pixels(below, right) * s) * v)


def random_flip(x, u, probability=0.5):
    return torch.where((u[:, 0] < probability)[:, None, None, None], x.flip(3), x)


def color_jitter(x, u, brightness=0.4, contrast=0.4, saturation=0.4, gray=0.2):
    u = u[:, :, None, None, None]
    bright, steep, vivid = (1 + strength * (2 * u[:, i] - 1)
                            for i, strength in enumerate((brightness, contrast, saturation)))
    vivid = torch.where(u[:, 3] < gray, torch.zeros(()), vivid)
    luma = x if x.shape[1] == 1 else (x * LUMA).sum(1, keepdim=True)
    mean = bright * luma.mean((1, 2, 3), keepdim=True)
    own, colours = (mean + steep * (bright * of - mean) for of in (luma, x))
    return (own + vivid * (colours - own)).clamp(0, 1)


def gaussian_blur(x, u, radius=1, sigma=(0.1, 2), probability=0.5):
    n, c, h, w = x.shape
    deviation = sigma[0] + u[:, 1] * (sigma[1] - sigma[0])
    z = torch.arange(-radius, radius + 1) / deviation[:, None]
    share = torch.exp(-0.5 * z * z)
    share = (share / share.sum(1, keepdim=True)).repeat_interleave(c, 0)[:, None]
    images = F.pad(x, [radius] * 4, "replicate").reshape(1, n * c, h + 2 * radius, w + 2 * radius)
    blurred = F.conv2d(images, share[:, :, None], groups=n * c)
    blurred = F.conv2d(blurred, share[..., None], groups=n * c).reshape(x.shape)
    return torch.where((u[:, 0] < probability)[:, None, None, None], blurred, x)
