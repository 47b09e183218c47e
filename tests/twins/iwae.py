"""The twin of pipelines/iwae.yaml."""
import math

import torch
from torch.nn.functional import binary_cross_entropy_with_logits

import twin
import vae


class Iwae(vae.Vae):
    about = "Importance weighted autoencoder on Fashion-MNIST (Burda et al. 2016, arXiv:1509.00519)"
    k, test_k = 5, 50

    def losses(self, x, section, step):
        """-ln of the mean of k weights of each image, in nats [rows]."""
        k = self.k if section == "train" else self.test_k
        mean, log_var = self.encode(x)
        noise = self.draw.normal(section + "/noise", step, len(x), k * self.latent)
        noise = noise.reshape(len(x), k, self.latent)
        z = mean[:, None] + torch.exp(0.5 * log_var)[:, None] * noise
        logits = self.decode(z)
        log_image = -binary_cross_entropy_with_logits(
            logits, x[:, None].expand_as(logits), reduction="none").sum(2)
        log_code = 0.5 * (noise.square() - z.square() + log_var[:, None]).sum(2)
        return math.log(k) - torch.logsumexp(log_image + log_code, 1)

    def train(self, x, step):
        return self.descend(self.losses(x, "train", step).mean())

    def evaluate(self):
        images, = self.samples("test")
        return {"loss": sum(self.losses(self.batch(rows), "evaluate", step).double().sum().item()
                            for step, rows in enumerate(images.split(twin.BATCH))) / len(images)}


if __name__ == "__main__":
    twin.main(Iwae)
