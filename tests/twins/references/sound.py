"""From spectrograms to sound."""
import math

import torch

import weft_random
from references.cases import KEY, add, numbers


def triangles(rate, window, mels):
    """[window / 2 + 1, mels], of height 1, even on the scale of O'Shaughnessy."""
    top = math.log1p(rate / 2 / 700)
    edge = 700 * torch.expm1(top * torch.arange(mels + 2, dtype=torch.float64) / (mels + 1))
    f = torch.arange(window // 2 + 1, dtype=torch.float64)[:, None] * rate / window
    rise = (f - edge[:-2]) / (edge[1:-1] - edge[:-2])
    fall = (edge[2:] - f) / (edge[2:] - edge[1:-1])
    return torch.minimum(rise, fall).clamp(min=0)


def griffin_lim(x, rate, seconds, window, hop, mels, iterations, momentum, step):
    """Perraudin et al. 2013, from random phases: log-mel spectrograms [n, frames, mels] -> [n, samples]."""
    n, frames, _ = x.shape
    samples, bins = round(seconds * rate), window // 2 + 1
    bank, taper = triangles(rate, window, mels), torch.hann_window(window, dtype=torch.float64)
    aim = (torch.exp(x) - 1e-6).clamp(min=0)
    power = torch.ones(n, frames, bins, dtype=torch.float64)
    gain = bank.sum(1)
    for _ in range(50):  # Lee & Seung 2001, for the divergence
        ratios = aim / (power @ bank).clamp(min=1e-20)
        power = torch.where(gain > 0, power * (ratios @ bank.T) / gain, 0)
    heights = power.sqrt()

    begins = [t * hop - window // 2 for t in range(frames)]
    inside = [slice(max(0, b), min(samples, b + window)) for b in begins]

    def analyse(sound):
        all = torch.zeros(n, frames, window, dtype=torch.float64)
        for t, (b, s) in enumerate(zip(begins, inside)):
            all[:, t, s.start - b:s.stop - b] = sound[:, s]
        return torch.fft.rfft(all * taper)

    def combine(spectrum):
        parts = torch.fft.irfft(spectrum, n=window) * taper
        sound, squares = torch.zeros(n, samples, dtype=torch.float64), torch.zeros(samples).double()
        for t, (b, s) in enumerate(zip(begins, inside)):
            sound[:, s] += parts[:, t, s.start - b:s.stop - b]
            squares[s] += taper[s.start - b:s.stop - b] ** 2
        return torch.where(squares < 1e-6, 0, sound / squares.clamp(min=1e-6))

    blocks = (bins + 3) // 4 * 4  # each frame draws whole blocks
    unit = weft_random.uniform(KEY, step, range(n), frames * blocks)
    unit = torch.tensor(unit).double().reshape(n, frames, blocks)[:, :, :bins]
    spectrum, last = torch.polar(heights, 2 * math.pi * unit), 0
    for _ in range(iterations):
        now = analyse(combine(spectrum))
        ahead = now + momentum * (now - last)
        spectrum, last = heights * ahead / ahead.abs().clamp(min=1e-300), now
    return combine(spectrum)


def sounds():
    for name, n, form, iterations, momentum in [
            ("phases as drawn", 2, (1000, 0.1, 32, 20, 5), 0, 0.99),
            ("Griffin & Lim", 3, (1000, 0.11, 64, 25, 9), 3, 0.0),
            ("with momentum", 2, (4000, 0.05, 60, 15, 8), 4, 0.99)]:
        rate, seconds, window, hop, mels = form
        frames = (round(seconds * rate) + hop - 1) // hop
        params = dict(zip(["rate", "seconds", "window", "hop", "mels"], form),
                      iterations=iterations, momentum=momentum)
        add("griffin_lim", name, lambda i, w: {"y": griffin_lim(i["x"], **params, step=7)},
            {"x": numbers(n, frames, mels, scale=2.0)}, params, mode="generate", step=7,
            tolerance=1e-3)


FAMILIES = [sounds]
