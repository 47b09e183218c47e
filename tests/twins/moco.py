"""The twin of pipelines/moco.yaml."""
import torch
from torch.nn.functional import cross_entropy, normalize, relu

import twin
import views


class Moco(views.Views):
    about = "Momentum contrast (He et al. 2020, arXiv:1911.05722)"
    epochs = 10
    compiled = ["compare"]
    temperature = 0.2
    layers = views.Views.encoder | {
        "query.h": twin.linear(1152, 256),
        "query.q": twin.linear(256, 64),
        "queue.logits": {"keys": ((4096, 64), twin.Deviation(64**-0.5))},
    }
    followers = {"key": "query", "key_encoder": "encoder"}

    def __init__(self, options):
        super().__init__(options)
        self.queue = self.weights["queue.logits.keys"].requires_grad_(False)

    def embed(self, network, encoder, x):
        h = relu(self.linear(network + ".h", self.features(x, encoder)))
        return normalize(self.linear(network + ".q", h))

    def compare(self, x, section, step):
        """The loss and the keys of the batch."""
        q = self.embed("query", "encoder", self.view(x, "a", section, step))
        with torch.no_grad():
            k = self.embed("key", "key_encoder", self.view(x, "b", section, step))
        logits = torch.cat([(q * k).sum(1, keepdim=True), q @ self.queue.T], 1) / self.temperature
        return cross_entropy(logits, torch.zeros(len(x), dtype=torch.long)), k

    def loss(self, x, section, step):
        loss, key = self.compare(x, section, step)
        if section == "train":
            self.key = key
        return loss

    def train(self, x, step):
        losses = super().train(x, step)
        place = step * len(x) % len(self.queue)
        self.queue[place:place + len(x)] = self.key
        self.follow(0.99)
        return losses


if __name__ == "__main__":
    twin.main(Moco)
