"""The twin of pipelines/pixelcnn.yaml."""
import math

import torch
from torch.nn.functional import cross_entropy, pad, relu

import twin


def conv(channels, features, height, width):
    return {"weight": ((features, channels, height, width), channels * height * width),
            "bias": ((features,), channels * height * width)}


class PixelCnn(twin.Model):
    about = "Images pixel by pixel, Fashion-MNIST in 8 levels (van den Oord et al. 2016, arXiv:1606.05328)"
    epochs = 1
    batch_size = 64
    range = "unit"
    compiled = ["bits"]
    levels, features = 8, 32
    blocks = ["net.l1", "net.l2", "net.l3"]
    layers = {
        "net.v0.all": conv(1, features, 3, 7),
        "net.left.all": conv(1, features, 1, 3),
        "net.last": conv(features, 2 * features, 1, 1),
        "net.logits": conv(2 * features, levels, 1, 1),
    }
    for block in blocks:
        layers |= {block + ".v_more.all": conv(features, features, 2, 3),
                   block + ".h_more.all": conv(features, features, 2, 2),
                   block + ".seen": conv(features, features, 1, 1)}

    def __init__(self, options):
        super().__init__(options)
        self.steps = self.epochs * self.batches_of(60000)
        self.optimizer = self.adam("", lr=2e-3)

    def shifted(self, layer, x, left, right, top):
        """A convolution that sees what zeros on these sides let it see."""
        return self.convolve(layer, pad(x, (left, right, top, 0)))

    def logits(self, x):
        v = self.shifted("net.v0.all", x[:, :, :-1], 3, 3, 3)
        h = self.shifted("net.left.all", x[:, :, :, :-1], 3, 0, 0) + v
        for block in self.blocks:
            v = v + self.shifted(block + ".v_more.all", relu(v), 1, 1, 1)
            h = (h + self.shifted(block + ".h_more.all", relu(h), 1, 0, 1)
                 + self.convolve(block + ".seen", v))
        return self.convolve("net.logits", relu(self.convolve("net.last", relu(h))))

    def bits(self, images):
        """Of a pixel of each image [rows]."""
        level = torch.round(images * (self.levels - 1)).reshape(-1, 28, 28)
        x = self.laid_out((level * (2 / (self.levels - 1)) - 1)[:, None])
        nats = cross_entropy(self.logits(x), level.long(), reduction="none")
        return nats.mean((1, 2)) / math.log(2)

    def train(self, images, step):
        return self.descend(self.bits(images).mean(), twin.cosine(step, self.steps, 2e-3))

    def evaluate(self):
        images, = self.samples("test")
        return {"bits": sum(self.bits(self.batch(rows)).double().sum().item()
                            for rows in images.split(self.batch_size)) / len(images)}


if __name__ == "__main__":
    twin.main(PixelCnn)
