"""The twin of pipelines/simclr.yaml."""
import torch
from torch.nn.functional import cross_entropy, normalize, relu

import twin
import views


class SimClr(views.Views):
    about = "Contrastive learning of garments (Chen et al. 2020, arXiv:2002.05709)"
    epochs = 10
    temperature = 0.2
    layers = views.Views.encoder | {
        "head.h": twin.linear(1152, 256),
        "head.z": twin.linear(256, 64),
    }

    def embed(self, x):
        return self.linear("head.z", relu(self.linear("head.h", self.features(x))))

    def loss(self, x, section, step):
        a, b = (self.embed(self.view(x, name, section, step)) for name in "ab")
        z = normalize(torch.stack([a, b], 1).flatten(0, 1))
        scores = (z @ z.T / self.temperature).fill_diagonal_(-torch.inf)
        return cross_entropy(scores, torch.arange(len(z)) ^ 1)


if __name__ == "__main__":
    twin.main(SimClr)
