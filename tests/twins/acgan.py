"""The twin of pipelines/acgan.yaml."""
import torch
from torch.nn.functional import cross_entropy, leaky_relu, one_hot

import gan
import twin


class Acgan(gan.Gan):
    about = "GAN told the class, whose discriminator tells it too (Odena et al. 2017, arXiv:1610.09585)"
    classes = 10
    layers = gan.Gan.layers | {
        "generator.h1": twin.linear(gan.Gan.noise + classes, 256),
        "discriminator.class": twin.linear(256, classes),
    }

    def samples(self, split):
        return [twin.idx(split, "images-idx3"), twin.idx(split, "labels-idx1")]

    def batch(self, images, labels):
        return self.floats(images), labels.long()

    def discriminate(self, x):
        h = leaky_relu(self.linear("discriminator.h1", x), 0.2)
        h = leaky_relu(self.linear("discriminator.h2", h), 0.2)
        return self.linear("discriminator.logits", h), self.linear("discriminator.class", h)

    def drawn(self, path, step, labels):
        noise = self.draw.normal(path, step, len(labels), self.noise)
        return torch.cat([noise, one_hot(labels, self.classes)], 1)

    def losses(self, x, labels, source):
        """Of the source and of the class."""
        logits, classes = self.discriminate(x)
        return self.score(logits, source) + cross_entropy(classes, labels)

    def train(self, rows, step):
        x, labels = rows
        asked = self.draw.integers("train/label", step, len(x), 1, self.classes)[:, 0]
        fake = self.generate(self.drawn("train/noise", step, asked))
        d_loss = self.losses(x, labels, self.real_label) + self.losses(fake.detach(), asked, 0.0)
        self.descend(d_loss, optimizer=self.of_discriminator)

        self.learn_discriminator(False)
        g_loss = self.losses(fake, asked, 1.0)
        self.descend(g_loss, optimizer=self.of_generator)
        self.learn_discriminator(True)
        return [d_loss, g_loss]

    def images(self, rows, draws):
        z = self.drawn("evaluate/z", draws, torch.arange(rows) % self.classes)
        return self.generate(z, training=False) / 2 + 0.5

    def evaluate(self):
        """How often the discriminator sees in an image the class that was asked for."""
        asked = torch.arange(10000) % self.classes
        _, classes = self.discriminate(self.generate(self.drawn("generate/noise", 0, asked)))
        return {"accuracy": (classes.argmax(1) == asked).float().mean().item()}


if __name__ == "__main__":
    twin.main(Acgan)
