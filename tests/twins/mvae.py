"""The twin of pipelines/mvae.yaml."""
import torch
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy, one_hot, relu

import twin


class Mvae(twin.Model):
    about = "Variational autoencoder of garments and their classes (Wu & Goodman 2018, arXiv:1802.05335)"
    epochs = 10
    range = "unit"
    compiled = ["losses"]
    latent, classes, label_weight = 20, 10, 10
    layers = {
        "image_encoder.h": twin.linear(784, 400),
        "image_encoder.mean": twin.linear(400, latent),
        "image_encoder.log_var": twin.linear(400, latent),
        "label_encoder.h": twin.linear(classes, 100),
        "label_encoder.mean": twin.linear(100, latent),
        "label_encoder.log_var": twin.linear(100, latent),
        "image_decoder.h": twin.linear(latent, 400),
        "image_decoder.logits": twin.linear(400, 784),
        "label_decoder.h": twin.linear(latent, 100),
        "label_decoder.logits": twin.linear(100, classes),
    }

    def __init__(self, options):
        super().__init__(options)
        self.optimizer = self.adam("", lr=1e-3)

    def samples(self, split):
        return [twin.idx(split, "images-idx3"), twin.idx(split, "labels-idx1")]

    def batch(self, images, labels):
        return self.floats(images), labels.long()

    def expert(self, kind, x):
        """A Gaussian's 1 / variance, and its mean times that."""
        h = relu(self.linear(f"{kind}_encoder.h", x))
        precision = torch.exp(-self.linear(f"{kind}_encoder.log_var", h))
        return precision, self.linear(f"{kind}_encoder.mean", h) * precision

    def decode(self, kind, z):
        return self.linear(f"{kind}_decoder.logits", relu(self.linear(f"{kind}_decoder.h", z)))

    def posterior(self, experts, path, step):
        """The mean of the experts' product and the prior's, a sample, and how far from the prior."""
        total = 1 + sum(precision for precision, _ in experts)
        mean, log_var = sum(pull for _, pull in experts) / total, -total.log()
        noise = self.draw.normal(path + ".z", step, len(mean), self.latent)
        kl = 0.5 * (mean.square() + log_var.exp() - 1 - log_var).sum(1)
        return mean, mean + torch.exp(0.5 * log_var) * noise, kl

    def losses(self, x, label, section, step):
        """Of each sample: the loss, the ELBO of the image alone, and what it is called."""
        by_image = self.expert("image", x)
        by_label = self.expert("label", one_hot(label, self.classes).float())
        _, both, both_kl = self.posterior([by_image, by_label], section + "/both", step)
        mean, image, image_kl = self.posterior([by_image], section + "/image", step)
        _, name, label_kl = self.posterior([by_label], section + "/label", step)

        def bce(z):
            return binary_cross_entropy_with_logits(self.decode("image", z), x, reduction="none").sum(1)

        def nats(z):
            return cross_entropy(self.decode("label", z), label, reduction="none")

        pixels = [bce(z) for z in (both, image, name)]
        missed = sum(nats(z) for z in (both, image, name))
        loss = sum(pixels) + self.label_weight * missed + both_kl + image_kl + label_kl
        return loss, pixels[1] + image_kl, self.decode("label", mean)

    def train(self, rows, step):
        return self.descend(self.losses(*rows, "train", step)[0].mean())

    def evaluate(self):
        samples = self.samples("test")
        total = torch.zeros(3, dtype=torch.float64)
        for step, rows in enumerate(zip(*(t.split(twin.BATCH) for t in samples))):
            x, label = self.batch(*rows)
            loss, elbo, said = self.losses(x, label, "evaluate", step)
            total += torch.stack([t.double().sum() for t in (loss, elbo, said.argmax(1) == label)])
        return dict(zip(("loss", "elbo", "accuracy"), (total / len(samples[0])).tolist()))


if __name__ == "__main__":
    twin.main(Mvae)
