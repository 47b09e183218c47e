"""The twin of pipelines/vicreg.yaml."""
import torch
from torch.nn.functional import mse_loss, relu

import twin
import views


class Vicreg(views.Views):
    about = "Variance, invariance and covariance (Bardes et al. 2022, arXiv:2105.04906)"
    layers = (views.Views.encoder
              | views.dense("expander.h.0", 1152, 256) | views.dense("expander.h.1", 256, 256)
              | {"expander.z": twin.linear(256, 256)})

    def expand(self, x, training):
        for layer in "01":
            x = self.dense("expander.h." + layer, x, training)
        return self.linear("expander.z", x)

    def loss(self, x, section, step):
        views = [self.expand(self.features(self.view(x, name, section, step)), section == "train")
                 for name in "ab"]
        loss = 25 * mse_loss(*views)
        for z in views:
            loss = loss + 25 * relu(1 - (z.var(0) + 1e-4).sqrt()).mean()
            z = z - z.mean(0)
            c = z.T @ z / (len(z) - 1)
            loss = loss + (c.square().sum() - c.diagonal().square().sum()) / len(c)
        return loss


if __name__ == "__main__":
    twin.main(Vicreg)
