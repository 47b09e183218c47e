"""The twin of pipelines/gan.yaml."""
import torch
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy, leaky_relu

import twin


class Gan(twin.Model):
    about = "Generative adversarial network on Fashion-MNIST (Goodfellow et al. 2014)"
    epochs = 30
    range = "symmetric"
    compiled = ["generate", "discriminate"]
    noise = 100
    real_label = 0.9
    rates = {"discriminator": 2e-4, "generator": 1e-4}
    layers = {
        "generator.h1": twin.linear(noise, 256),
        "generator.h2": twin.linear(256, 512),
        "generator.image": twin.linear(512, 784),
        "discriminator.h1": twin.linear(784, 512),
        "discriminator.h2": twin.linear(512, 256),
        "discriminator.logits": twin.linear(256, 1),
    }

    def __init__(self, options):
        super().__init__(options)
        betas = (0.5, 0.999)
        self.of_discriminator = self.adam("discriminator", lr=self.rates["discriminator"], betas=betas)
        self.of_generator = self.adam("generator", lr=self.rates["generator"], betas=betas)

    def generate(self, z, training=True):
        h = leaky_relu(self.linear("generator.h1", z), 0.2)
        h = leaky_relu(self.linear("generator.h2", h), 0.2)
        return torch.tanh(self.linear("generator.image", h))

    def images(self, rows, draws):
        """Drawn from noise, [rows, 784] in [0, 1]; `draws` counts the calls."""
        z = self.draw.normal("evaluate/z", draws, rows, self.noise)
        return self.generate(z, training=False) / 2 + 0.5

    def discriminate(self, x):
        h = leaky_relu(self.linear("discriminator.h1", x), 0.2)
        h = leaky_relu(self.linear("discriminator.h2", h), 0.2)
        return self.linear("discriminator.logits", h)

    def score(self, logits, label):
        """Mean cross entropy of logits [rows, 1] with one label for all rows."""
        return binary_cross_entropy_with_logits(logits, torch.full_like(logits, label))

    def discriminator_loss(self, real, fake):
        return (self.score(self.discriminate(real), self.real_label)
                + self.score(self.discriminate(fake), 0.0))

    def generator_loss(self, fake):
        return self.score(self.discriminate(fake), 1.0)

    def learn_discriminator(self, learn):
        for name, weight in self.weights.items():
            if name.startswith("discriminator"):
                weight.requires_grad_(learn)

    def train(self, x, step):
        fake = self.generate(self.draw.normal("train/noise", step, len(x), self.noise))
        d_loss = self.discriminator_loss(x, fake.detach())
        self.descend(d_loss, optimizer=self.of_discriminator)

        self.learn_discriminator(False)
        g_loss = self.generator_loss(fake)
        self.descend(g_loss, optimizer=self.of_generator)
        self.learn_discriminator(True)
        return [d_loss, g_loss]

    def evaluate(self, samples=10000):
        """How a classifier of real images sees generated ones: percent of each class."""
        classify = classifier(self.floats, twin.idx("train", "images-idx3"),
                              twin.idx("train", "labels-idx1").long())
        noise = self.draw.normal("generate/noise", 0, samples, self.noise)
        fake = self.generate(noise, training=False)
        shares = 100 * torch.bincount(classify(fake).argmax(1), minlength=10) / samples
        return {f"class{label}": share for label, share in enumerate(shares.tolist())}


@torch.enable_grad()
def classifier(floats, images, labels, epochs=4):
    """784-256-10, as pipelines/classifier.yaml -> a function from images to logits."""
    torch.manual_seed(0)
    layers = torch.nn.Linear(784, 256), torch.nn.ReLU(), torch.nn.Linear(256, 10)
    model = torch.nn.Sequential(*layers)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    for _ in range(epochs):
        for rows in torch.randperm(len(images)).split(twin.BATCH):
            loss = cross_entropy(model(floats(images[rows])), labels[rows])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
    return model


if __name__ == "__main__":
    twin.main(Gan)
