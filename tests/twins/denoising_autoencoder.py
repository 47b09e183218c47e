"""The twin of pipelines/denoising_autoencoder.yaml."""
import torch
from torch.nn.functional import binary_cross_entropy_with_logits

import twin


class DenoisingAutoencoder(twin.Model):
    about = "Denoising autoencoder on Fashion-MNIST, one layer of features (Vincent et al. 2008)"
    epochs = 10
    range = "unit"
    compiled = ["losses"]
    features, corruption = 1000, 0.4
    layers = {
        "encoder.h": twin.linear(784, features),
        "decoder.flat": twin.linear(features, 784),
    }

    def __init__(self, options):
        super().__init__(options)
        self.steps = self.epochs * self.batches_of(60000)
        self.optimizer = self.adam("", lr=5e-3)

    def corrupt(self, x, section, step):
        u = self.draw.uniform(f"{section}/keep", step, len(x), 784)
        return x * (u < 1 - self.corruption)

    def losses(self, corrupt, x):
        """Of each image, [rows], and what is made of it."""
        logits = self.linear("decoder.flat", torch.sigmoid(self.linear("encoder.h", corrupt)))
        return binary_cross_entropy_with_logits(logits, x, reduction="none").mean(1), logits

    def train(self, x, step):
        loss = self.losses(self.corrupt(x, "train", step), x)[0].mean()
        return self.descend(loss, twin.cosine(step, self.steps, 5e-3))

    def evaluate(self):
        def psnr(a, b):
            return -10 * (a - b).square().mean(1).double().log10()

        numbers = []
        for step, rows in enumerate(self.samples("test")[0].split(self.batch_size)):
            x = self.batch(rows)
            corrupt = self.corrupt(x, "evaluate", step)
            loss, logits = self.losses(corrupt, x)
            restored = torch.sigmoid(logits)
            numbers.append(torch.stack([loss.double(), psnr(restored, x), psnr(corrupt, x)], 1))
        return dict(zip(["loss", "psnr", "before"], torch.cat(numbers).mean(0).tolist()))


if __name__ == "__main__":
    twin.main(DenoisingAutoencoder)
