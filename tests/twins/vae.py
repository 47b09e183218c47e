"""The twin of pipelines/vae.yaml."""
import torch
from torch.nn.functional import binary_cross_entropy_with_logits, relu

import twin


class Vae(twin.Model):
    about = "Variational autoencoder on Fashion-MNIST (Kingma & Welling 2013, arXiv:1312.6114)"
    epochs = 10
    range = "unit"
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

    def losses(self, x, section, step):
        """bce and kl of each image, in nats [rows]."""
        h = relu(self.linear("encoder.h", x))
        mean, log_var = self.linear("encoder.mean", h), self.linear("encoder.log_var", h)
        noise = self.draw.normal(section + "/z", step, len(x), self.latent)
        z = mean + torch.exp(0.5 * log_var) * noise
        logits = self.linear("decoder.logits", relu(self.linear("decoder.h", z)))
        bce = binary_cross_entropy_with_logits(logits, x, reduction="none").sum(1)
        kl = 0.5 * (mean.square() + log_var.exp() - 1 - log_var).sum(1)
        return bce, kl

    def train(self, x, step):
        bce, kl = self.losses(x, "train", step)
        loss = (bce + kl).mean()
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        return [loss]

    def evaluate(self):
        images = twin.idx("test", "images-idx3")
        total = torch.zeros(2, dtype=torch.float64)
        for step, rows in enumerate(images.split(twin.BATCH)):
            bce, kl = self.losses(self.floats(rows), "evaluate", step)
            total += torch.stack([bce.double().sum(), kl.double().sum()])
        bce, kl = (total / len(images)).tolist()
        return {"loss": bce + kl, "bce": bce, "kl": kl}


if __name__ == "__main__":
    twin.main(Vae)
