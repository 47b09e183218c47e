"""The twin of pipelines/knn.yaml; --start gives the weights of the run whose features vote."""
import torch
from torch.nn.functional import normalize, one_hot

import simclr
import twin


class Knn(simclr.SimClr):
    about = "What the nearest neighbours of a frozen encoder's features say (arXiv:1805.01978)"
    epochs = 0
    k, temperature = 20, 0.07
    layers = {name: kinds for name, kinds in simclr.SimClr.layers.items() if "encoder" in name}

    def __init__(self, options):
        twin.Model.__init__(self, options)

    def codes(self, split):
        images, = self.samples(split)
        return torch.cat([normalize(self.features(self.batch(rows))) for rows in images.split(500)])

    def evaluate(self):
        known, label = self.codes("train"), twin.idx("train", "labels-idx1").long()
        hits = 0
        for codes, right in zip(self.codes("test").split(500),
                                twin.idx("test", "labels-idx1").split(500)):
            near = (codes @ known.T).topk(self.k)
            weight = ((near.values - near.values[:, :1]) / self.temperature).exp()
            votes = (one_hot(label[near.indices], 10) * weight[..., None]).sum(1)
            hits += (votes.argmax(1) == right).sum().item()
        return {"accuracy": hits / 10000}


if __name__ == "__main__":
    twin.main(Knn)
