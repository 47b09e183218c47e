"""The twin of pipelines/audio_vae.yaml."""
import math

import torch
from torch.nn.functional import one_hot, relu

import speech
import twin


def decibels(a, b):
    """How far logarithms of power are apart, root of the mean square [rows]."""
    return (a - b).square().mean(1).sqrt() * 10 / math.log(10)


class AudioVae(speech.Speech):
    about = "Conditional variational autoencoder of one second of speech"
    epochs = 30
    compiled = ["losses"]
    batch_size = 32
    latent, deviation, classes = 32, 4, 5
    layers = {
        "encoder.c1": twin.conv(1, 16, 4),
        "encoder.c2": twin.conv(16, 32, 4),
        "encoder.c3": twin.conv(32, 64, 4),
        "encoder.mean": twin.linear(2560 + classes, latent),
        "encoder.log_var": twin.linear(2560 + classes, latent),
        "decoder.h": twin.linear(latent + classes, 2560),
        "decoder.d1": twin.conv_transpose(64, 32, 4),
        "decoder.d2": twin.conv_transpose(32, 16, 4),
        "decoder.d3": twin.conv_transpose(16, 1, 4),
    } | {f"{module}.told.{name}": twin.linear(5, 40)
         for module in ("encoder", "decoder") for name in ("scale", "shift")}

    def __init__(self, options):
        super().__init__(options)
        self.optimizer = self.adam("", lr=2e-3)

    def batch(self, sound, label):
        return sound, one_hot(label, self.classes).float()

    def tell(self, layer, x, told):
        """FiLM: bands louder or softer by language."""
        scale, shift = (self.linear(f"{layer}.{name}", told)[:, None] for name in ("scale", "shift"))
        return x * (1 + scale) + shift

    def encode(self, sound, told):
        h = self.laid_out(self.tell("encoder.told", sound * 0.25 + 2, told)[:, None])
        for layer in ("encoder.c1", "encoder.c2", "encoder.c3"):
            h = relu(self.convolve(layer, h, stride=2, padding=1))
        both = torch.cat([h.permute(0, 2, 3, 1).flatten(1), told], 1)
        return self.linear("encoder.mean", both), self.linear("encoder.log_var", both)

    def decode(self, z, told):
        h = relu(self.linear("decoder.h", torch.cat([z, told], 1)))
        h = h.view(-1, 8, 5, 64).permute(0, 3, 1, 2)
        for layer in ("decoder.d1", "decoder.d2"):
            h = relu(self.spread(layer, h, stride=2, padding=1))
        h = self.spread("decoder.d3", h, stride=2, padding=1)[:, 0]
        return self.tell("decoder.told", h, told) * 4 - 8

    def losses(self, sound, told, noise):
        """error and kl of each sound, in nats [rows]; the means."""
        mean, log_var = self.encode(sound, told)
        z = mean + torch.exp(0.5 * log_var) * noise
        error = (self.decode(z, told) - sound).square().sum((1, 2)) / (2 * self.deviation**2)
        return error, 0.5 * (mean.square() + log_var.exp() - 1 - log_var).sum(1), mean

    def noise(self, section, step, rows):
        return self.draw.normal(section + "/z", step, rows, self.latent)

    def train(self, rows, step):
        error, kl, _ = self.losses(*rows, self.noise("train", step, len(rows[0])))
        return self.descend((error + kl).mean())

    def floors(self, sound, label):
        """How far sounds are from the mean of their language, from principal components, as many as
        the code has, and from the nearest sound of the training set."""
        known, of = self.samples("train")
        means = torch.stack([known[of == i].mean(0) for i in range(self.classes)])
        mean = known.mean(0).flatten()
        seen, unseen = known.flatten(1), sound.flatten(1)
        axes = torch.linalg.eigh((seen - mean).T @ (seen - mean))[1][:, -self.latent:]
        again = {"mean": means[label].flatten(1), "pca": (unseen - mean) @ axes @ axes.T + mean,
                 "nearest": seen[torch.cdist(unseen, seen).argmin(1)]}
        return {name: decibels(x, unseen).mean().item() for name, x in again.items()}

    def evaluate(self):
        samples = self.samples("test")
        total = torch.zeros(3, dtype=torch.float64)
        for step, rows in enumerate(zip(*(t.split(self.batch_size) for t in samples))):
            sound, told = self.batch(*rows)
            error, kl, mean = self.losses(sound, told, self.noise("evaluate", step, len(sound)))
            apart = decibels(self.decode(mean, told).flatten(1), sound.flatten(1))
            total += torch.stack([error.double().sum(), kl.double().sum(), apart.double().sum()])
        error, kl, distance = (total / len(samples[0])).tolist()
        return {"loss": error + kl, "error": error, "kl": kl, "distance": distance
                } | self.floors(*samples)


if __name__ == "__main__":
    twin.main(AudioVae)
