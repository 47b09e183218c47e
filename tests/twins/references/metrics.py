"""Metrics of each sample."""
import torch
from torch.nn import functional as F

from references.cases import add, numbers


def ssim(x, target, peak):
    """Wang et al. 2004 over valid windows: images [n, c, h, w] -> [n]."""
    line = torch.exp(-(torch.arange(11, dtype=torch.float64) - 5) ** 2 / (2 * 1.5 ** 2))
    window = torch.outer(line, line)[None, None] / line.sum() ** 2
    blur = lambda t: F.conv2d(t.flatten(0, 1)[:, None], window)
    c1, c2 = (0.01 * peak) ** 2, (0.03 * peak) ** 2
    x_mean, t_mean = blur(x), blur(target)
    x_var, t_var = blur(x * x) - x_mean ** 2, blur(target * target) - t_mean ** 2
    both = blur(x * target) - x_mean * t_mean
    similar = ((2 * x_mean * t_mean + c1) * (2 * both + c2)
               / ((x_mean ** 2 + t_mean ** 2 + c1) * (x_var + t_var + c2)))
    return similar.reshape(len(x), -1).mean(1)


def similarities():
    for name, shape, peak, noise in [("one window", (2, 11, 11, 1), 1, 0.1),
                                     ("colours", (3, 13, 17, 3), 1, 0.5),
                                     ("symmetric range", (2, 28, 28, 1), 2, 0.2)]:
        x = numbers(*shape).clamp(0, 1)
        target = (x + noise * numbers(*shape)).float().double()
        add("ssim", name,
            lambda i, w: {"y": ssim(i["x"].permute(0, 3, 1, 2), i["target"].permute(0, 3, 1, 2),
                                    peak)},
            {"x": x, "target": target}, {"peak": peak}, mode="evaluate")


FAMILIES = [similarities]
