"""The twin of pipelines/barlow_twins.yaml."""
import torch

import twin
import views


class BarlowTwins(views.Views):
    about = "Barlow twins (Zbontar et al. 2021, arXiv:2103.03230)"
    redundancy = 5e-3
    layers = (views.Views.encoder
              | views.dense("projector.h.0", 1152, 256) | views.dense("projector.h.1", 256, 256)
              | {"projector.z": twin.linear(256, 256, bias=False)})

    def project(self, x, training):
        for layer in "01":
            x = self.dense("projector.h." + layer, x, training)
        return self.linear("projector.z", x)

    def loss(self, x, section, step):
        za, zb = (self.project(self.features(self.view(x, name, section, step)), section == "train")
                  for name in "ab")
        za, zb = ((z - z.mean(0)) / z.std(0, unbiased=False) for z in (za, zb))
        c = za.T @ zb / len(x)
        own = c.diagonal()
        return (1 - own).square().sum() + self.redundancy * (c.square().sum() - own.square().sum())


if __name__ == "__main__":
    twin.main(BarlowTwins)
