"""The twin of pipelines/dcgan.yaml."""
import torch
from torch.nn.functional import leaky_relu, relu

import gan
import twin


class Dcgan(gan.Gan):
    about = "Deep convolutional GAN on Fashion-MNIST (Radford et al. 2015, arXiv:1511.06434)"
    epochs = 8
    noise = 64
    rates = {"discriminator": 2e-4, "generator": 2e-4}
    layers = {
        "generator.flat": twin.linear(noise, 7 * 7 * 128, bias=False),
        "generator.n1": twin.batch_norm(128),
        "generator.d1": twin.conv_transpose(128, 64, 4, bias=False),
        "generator.n2": twin.batch_norm(64),
        "generator.image": twin.conv_transpose(64, 1, 4),
        "discriminator.c1": twin.conv(1, 64, 4),
        "discriminator.c2": twin.conv(64, 128, 4, bias=False),
        "discriminator.n2": twin.batch_norm(128),
        "discriminator.logits": twin.linear(7 * 7 * 128, 1),
    }

    def generate(self, z, training=True):
        h = self.linear("generator.flat", z).reshape(-1, 7, 7, 128).permute(0, 3, 1, 2)
        h = relu(self.normalise("generator.n1", h, training))
        h = self.spread("generator.d1", h, stride=2, padding=1)
        h = relu(self.normalise("generator.n2", h, training))
        return torch.tanh(self.spread("generator.image", h, stride=2, padding=1)).flatten(1)

    def discriminate(self, x):
        x = x.reshape(-1, 1, 28, 28)
        h = leaky_relu(self.convolve("discriminator.c1", x, stride=2, padding=1), 0.2)
        h = self.convolve("discriminator.c2", h, stride=2, padding=1)
        h = leaky_relu(self.normalise("discriminator.n2", h), 0.2)
        return self.linear("discriminator.logits", h.permute(0, 2, 3, 1).flatten(1))


if __name__ == "__main__":
    twin.main(Dcgan)
