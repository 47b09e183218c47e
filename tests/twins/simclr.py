"""The twin of pipelines/simclr.yaml."""
import torch
from torch.nn.functional import avg_pool2d, cross_entropy, max_pool2d, normalize, relu

import augment
import twin


class SimClr(twin.Model):
    about = "Contrastive learning of garments (Chen et al. 2020, arXiv:2002.05709)"
    epochs = 10
    batch_size = 256
    drop_last = True
    range = "unit"
    compiled = ["loss"]
    temperature = 0.2
    warmup = 100
    layers = {
        "encoder.c1": twin.conv(1, 32, 3),
        "encoder.c2": twin.conv(32, 64, 3),
        "encoder.c3": twin.conv(64, 128, 3),
        "head.h": twin.linear(1152, 256),
        "head.z": twin.linear(256, 64),
    }

    def __init__(self, options):
        super().__init__(options)
        self.steps = self.epochs * self.batches_of(60000)
        self.optimizer = self.adam("", lr=1e-3)

    def batch(self, images):
        return self.floats(images).reshape(-1, 1, 28, 28)

    def view(self, x, name, section, step):
        def u(node, size):
            return self.draw.uniform(f"{section}/{name}.{node}", step, len(x), size)

        x = augment.random_crop(x, u("part", 4), scale=(0.3, 1))
        x = augment.random_flip(x, u("side", 1))
        x = augment.color_jitter(x, u("light", 4))
        return augment.gaussian_blur(x, u("focus", 2), sigma=(0.1, 1), probability=0.3)

    def features(self, x):
        x = self.laid_out(x)
        h = max_pool2d(relu(self.convolve("encoder.c1", x, padding=1)), 2)
        h = max_pool2d(relu(self.convolve("encoder.c2", h, padding=1)), 2)
        h = avg_pool2d(relu(self.convolve("encoder.c3", h, padding=1)), 3, 2)
        return h.permute(0, 2, 3, 1).flatten(1)

    def embed(self, x):
        return self.linear("head.z", relu(self.linear("head.h", self.features(x))))

    def loss(self, x, section, step):
        a, b = (self.embed(self.view(x, name, section, step)) for name in "ab")
        z = normalize(torch.stack([a, b], 1).flatten(0, 1))
        scores = (z @ z.T / self.temperature).fill_diagonal_(-torch.inf)
        return cross_entropy(scores, torch.arange(len(z)) ^ 1)

    def train(self, x, step):
        for group in self.optimizer.param_groups:
            group["lr"] = twin.cosine(step, self.steps, 1e-3, warmup=self.warmup)
        loss = self.loss(x, "train", step)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        return [loss]

    def evaluate(self):
        images = self.batch(*self.samples("test"))
        losses = [self.loss(rows, "evaluate", step).item()
                  for step, rows in enumerate(images.split(self.batch_size))
                  if len(rows) == self.batch_size]
        return {"loss": sum(losses) / len(losses)}


if __name__ == "__main__":
    twin.main(SimClr)
