"""The twin of pipelines/vae_gan.yaml."""
import torch
from torch.nn.functional import leaky_relu

import gan
import twin


class VaeGan(gan.Gan):
    about = "Variational autoencoder and GAN with one decoder (Larsen et al. 2016, arXiv:1512.09300)"
    epochs = 10
    compiled = ["encode", "generate", "discriminate"]
    noise = 32
    gamma = 0.1
    layers = gan.Gan.layers | {
        "generator.h1": twin.linear(noise, 256),
        "encoder.h1": twin.linear(784, 512),
        "encoder.h2": twin.linear(512, 256),
        "encoder.mean": twin.linear(256, noise),
        "encoder.log_var": twin.linear(256, noise),
    }

    def __init__(self, options):
        super().__init__(options)
        self.of_encoder = self.adam("encoder", lr=2e-4, betas=(0.5, 0.999))

    def encode(self, x):
        h = leaky_relu(self.linear("encoder.h1", x), 0.2)
        h = leaky_relu(self.linear("encoder.h2", h), 0.2)
        return self.linear("encoder.mean", h), self.linear("encoder.log_var", h)

    def discriminate(self, x):
        """Logits, and features of the first layer."""
        features = leaky_relu(self.linear("discriminator.h1", x), 0.2)
        h = leaky_relu(self.linear("discriminator.h2", features), 0.2)
        return self.linear("discriminator.logits", h), features

    def train(self, x, step):
        self.learn_discriminator(False)
        _, seen = self.discriminate(x)
        eps = self.draw.normal("train/z", step, len(x), self.noise)
        mean, log_var = self.encode(x)
        _, features = self.discriminate(self.generate(mean + torch.exp(0.5 * log_var) * eps))
        kl = 0.5 * (mean.square() + log_var.exp() - 1 - log_var).sum(1)
        e_loss = (kl + 0.5 * (features - seen).square().sum(1)).mean()
        self.descend(e_loss, optimizer=self.of_encoder)

        with torch.no_grad():
            mean, log_var = self.encode(x)
            z = mean + torch.exp(0.5 * log_var) * eps
        noise = self.draw.normal("train/noise", step, len(x), self.noise)
        fake, again = self.discriminate(self.generate(noise)), self.discriminate(self.generate(z))
        alike = 0.5 * (again[1] - seen).square().sum(1).mean()
        g_loss = self.score(fake[0], 1.0) + self.score(again[0], 1.0) + self.gamma * alike
        self.descend(g_loss, optimizer=self.of_generator)

        self.learn_discriminator(True)
        with torch.no_grad():
            drawn = self.generate(noise), self.generate(z)
        d_loss = self.score(self.discriminate(x)[0], self.real_label) + sum(
            self.score(self.discriminate(images)[0], 0.0) for images in drawn)
        self.descend(d_loss, optimizer=self.of_discriminator)
        return [e_loss, g_loss, d_loss]


if __name__ == "__main__":
    twin.main(VaeGan)
