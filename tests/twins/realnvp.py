"""The twin of pipelines/realnvp.yaml."""
import math

import torch
from torch.nn.functional import pixel_unshuffle, relu

import twin


def squeeze(x):
    """Squares of 2 × 2 as channels, place by place."""
    rows, channels, height, width = x.shape
    places = pixel_unshuffle(x, 2).reshape(rows, channels, 4, height // 2, width // 2)
    return places.transpose(1, 2).flatten(1, 2)


def net(name, features, channels):
    return {f"{name}.net.h": twin.conv(channels, features, 3),
            f"{name}.net.h2": twin.conv(features, features, 3),
            f"{name}.net.log_scale": twin.conv(features, channels, 3),
            f"{name}.net.shift": twin.conv(features, channels, 3)}


class RealNvp(twin.Model):
    about = "Flow of affine couplings on Fashion-MNIST (Dinh et al. 2017, arXiv:1605.08803)"
    epochs = 3
    batch_size = 64
    range = "unit"
    compiled = ["nats"]
    layers = {}
    for name in ["s1", "s2", "s3", "s4"]:
        layers |= net(name, 32, 2)
    for name in ["s5", "s6", "s7", "s8"]:
        layers |= net(name, 64, 8)

    def __init__(self, options):
        super().__init__(options)
        self.steps = self.epochs * self.batches_of(60000)
        self.optimizer = self.adam("", lr=1e-3)

    def convolution(self, layer, x):
        return self.convolve(layer, x, padding=1)

    def couplings(self, names, x):
        """Each scales and shifts one half of the channels by the other, in turns -> x, log_det."""
        stays, moves = x.chunk(2, 1)
        log_det = 0
        for name in names:
            h = relu(self.convolution(name + ".net.h", stays))
            h = relu(self.convolution(name + ".net.h2", h))
            log_scale = torch.tanh(self.convolution(name + ".net.log_scale", h))
            moves = moves * log_scale.exp() + self.convolution(name + ".net.shift", h)
            log_det = log_det + log_scale.flatten(1).sum(1)
            stays, moves = moves, stays
        return torch.cat([stays, moves], 1), log_det

    def nats(self, x, noise):
        """-ln of the density of noisy images at what noise made of them [rows], [rows, 784] both."""
        p = 0.05 + 0.9 / 256 * (255 * x + noise)
        log_p, log_q = p.log(), (1 - p).log()
        z = self.laid_out((log_p - log_q).reshape(-1, 1, 28, 28))
        z, first = self.couplings(["s1", "s2", "s3", "s4"], squeeze(z).roll(1, 1))
        z, last = self.couplings(["s5", "s6", "s7", "s8"], squeeze(z))
        return 0.5 * z.square().flatten(1).sum(1) + (log_p + log_q).sum(1) - first - last

    def bits(self, x, section, step):
        """Of a pixel of each image [rows]."""
        nats = self.nats(x, self.draw.uniform(section + "/noise", step, *x.shape))
        return nats / (784 * math.log(2)) + 0.5 * math.log2(2 * math.pi) + math.log2(256 / 0.9)

    def train(self, x, step):
        return self.descend(self.bits(x, "train", step).mean(), twin.cosine(step, self.steps, 1e-3))

    def evaluate(self):
        images, = self.samples("test")
        return {"bits": sum(self.bits(self.batch(rows), "evaluate", step).double().sum().item()
                            for step, rows in enumerate(images.split(self.batch_size))) / len(images)}


if __name__ == "__main__":
    twin.main(RealNvp)
