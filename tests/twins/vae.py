"""The twin of pipelines/vae.yaml."""
import torch
from torch.nn.functional import binary_cross_entropy_with_logits, relu

import twin


class Vae(twin.Model):
    about = "Variational autoencoder on Fashion-MNIST (Kingma & Welling 2013, arXiv:1312.6114)"
    epochs = 10
    range = "unit"
    compiled = ["losses"]
    latent = 20
    layers = {
        "encoder.h": twin.linear(784, 400),
        "encoder.mean": twin.linear(400, latent),
        "encoder.log_var": twin.linear(400, latent),
        "decoder.h": twin.linear(latent, 400),
        "decoder.logits": twin.linear(400, 784),
    }

    def __init__(self, options):
        super().__init__(options)
        self.optimizer = self.adam("", lr=1e-3)

    def encode(self, x):
        h = relu(self.linear("encoder.h", x))
        return self.linear("encoder.mean", h), self.linear("encoder.log_var", h)

    def decode(self, z):
        return self.linear("decoder.logits", relu(self.linear("decoder.h", z)))

    def losses(self, x, section, step):
        """bce and kl of each image, in nats [rows]."""
        mean, log_var = self.encode(x)
        noise = self.draw.normal(section + "/z", step, len(x), self.latent)
        z = mean + torch.exp(0.5 * log_var) * noise
        logits = self.decode(z)
        bce = binary_cross_entropy_with_logits(logits, x, reduction="none").sum(1)
        kl = 0.5 * (mean.square() + log_var.exp() - 1 - log_var).sum(1)
        return bce, kl

    def images(self, rows, draws):
        """Drawn from noise, [rows, 784] in [0, 1]; `draws` counts the calls."""
        z = self.draw.normal("evaluate/z", draws, rows, self.latent)
        return torch.sigmoid(self.decode(z))

    def train(self, x, step):
        bce, kl = self.losses(x, "train", step)
        return self.descend((bce + kl).mean())

    def evaluate(self):
        samples = self.samples("test")
        total = torch.zeros(2, dtype=torch.float64)
        for step, rows in enumerate(zip(*(t.split(twin.BATCH) for t in samples))):
            bce, kl = self.losses(self.batch(*rows), "evaluate", step)
            total += torch.stack([bce.double().sum(), kl.double().sum()])
        bce, kl = (total / len(samples[0])).tolist()
        return {"loss": bce + kl, "bce": bce, "kl": kl}


if __name__ == "__main__":
    twin.main(Vae)
