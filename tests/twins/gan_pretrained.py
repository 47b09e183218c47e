"""The twin of pipelines/gan_pretrained.yaml; --start gives the weights of the encoder, a run of
rotation or simclr."""
import torch
from torch.nn.functional import leaky_relu

import dcgan
import simclr
import twin


class GanPretrained(dcgan.Dcgan):
    about = "A GAN whose discriminator looks through an encoder that learned without labels"
    epochs = 100
    range = "unit"
    layers = {name: kinds for name, kinds in simclr.SimClr.layers.items() if "encoder" in name} | {
        name: kinds for name, kinds in dcgan.Dcgan.layers.items() if "generator" in name} | {
        "discriminator.h": twin.linear(1152, 256),
        "discriminator.logits": twin.linear(256, 1),
    }
    features = simclr.SimClr.features

    def __init__(self, options):
        super().__init__(options)
        for name, weight in self.weights.items():
            weight.requires_grad_("encoder" not in name)

    def samples(self, split):
        return [twin.idx(split, "images-idx3")[:2000]]

    def generate(self, z, training=True):
        return super().generate(z, training) / 2 + 0.5

    def images(self, rows, draws):
        z = self.draw.normal("evaluate/z", draws, rows, self.noise)
        return self.generate(z, training=False)

    def discriminate(self, x):
        h = self.features(x.reshape(-1, 1, 28, 28))
        return self.linear("discriminator.logits", leaky_relu(self.linear("discriminator.h", h), 0.2))


if __name__ == "__main__":
    twin.main(GanPretrained)
