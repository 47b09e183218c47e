"""The twin of pipelines/hinge.yaml."""
import torch
from torch.nn.functional import leaky_relu, normalize, relu

import dcgan
import twin


class Hinge(dcgan.Dcgan):
    about = "GAN with the hinge loss and spectral normalisation (Miyato et al. 2018, arXiv:1802.05957)"
    normed = ["discriminator.c1", "discriminator.c2", "discriminator.logits"]
    layers = dcgan.Dcgan.layers | {"discriminator.c2": twin.conv(64, 128, 4)}
    del layers["discriminator.n2"]

    def __init__(self, options):
        super().__init__(options)
        saved = twin.read_safetensors(options.start) if options.start else {}
        for layer in self.normed:
            name = layer + ".weight"
            rows = self.weights[name].flatten(1)
            u = twin.start_weight(options.seed, name + "_u", rows.shape[:1], twin.Deviation(1))
            self.states[name + "_u"] = saved.get(name + "_u", u)
            self.states[name + "_v"] = saved.get(name + "_v", torch.zeros(rows.shape[1]))
            if name + "_u" not in saved:
                for _ in range(15):
                    self.iterate(layer)

    @torch.no_grad()
    def iterate(self, layer):
        """A power iteration: u and v come nearer the first singular vectors."""
        rows = self.weights[layer + ".weight"].flatten(1)
        u, v = self.states[layer + ".weight_u"], self.states[layer + ".weight_v"]
        v.copy_(normalize(rows.T @ u, dim=0))
        u.copy_(normalize(rows @ v, dim=0))

    def of(self, layer):
        weight, bias = super().of(layer)
        if layer in self.normed:
            u, v = self.states[layer + ".weight_u"], self.states[layer + ".weight_v"]
            weight = weight / torch.dot(u, weight.flatten(1) @ v)
        return weight, bias

    def discriminate(self, x):
        x = x.reshape(-1, 1, 28, 28)
        h = leaky_relu(self.convolve("discriminator.c1", x, stride=2, padding=1), 0.2)
        h = leaky_relu(self.convolve("discriminator.c2", h, stride=2, padding=1), 0.2)
        return self.linear("discriminator.logits", h.permute(0, 2, 3, 1).flatten(1))

    def discriminator_loss(self, real, fake):
        return relu(1 - self.discriminate(real)).mean() + relu(1 + self.discriminate(fake)).mean()

    def generator_loss(self, fake):
        return -self.discriminate(fake).mean()

    def train(self, x, step):
        for layer in self.normed:
            self.iterate(layer)
        return super().train(x, step)


if __name__ == "__main__":
    twin.main(Hinge)
