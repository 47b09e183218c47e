"""The twin of pipelines/byol.yaml."""
import torch
from torch.nn.functional import cosine_similarity

import twin
import views


class Byol(views.Views):
    about = "Bootstrap your own latent (Grill et al. 2020, arXiv:2006.07733)"
    layers = (views.Views.encoder
              | views.dense("online.h", 1152, 256) | {"online.z": twin.linear(256, 64)}
              | views.dense("predictor.h", 64, 256) | {"predictor.q": twin.linear(256, 64)})
    followers = {"target": "online", "target_encoder": "encoder"}

    def project(self, network, encoder, x, training):
        return self.linear(network + ".z",
                           self.dense(network + ".h", self.features(x, encoder), training))

    def predict(self, z, training):
        return self.linear("predictor.q", self.dense("predictor.h", z, training))

    def loss(self, x, section, step):
        training = section == "train"
        a, b = (self.view(x, name, section, step) for name in "ab")
        qa, qb = (self.predict(self.project("online", "encoder", x, training), training)
                  for x in (a, b))
        with torch.no_grad():
            ta, tb = (self.project("target", "target_encoder", x, training) for x in (a, b))
        return (2 - cosine_similarity(qa, tb) - cosine_similarity(qb, ta)).mean()

    def train(self, x, step):
        losses = super().train(x, step)
        self.follow(1 - twin.cosine(step, self.steps, 0.01))
        return losses


if __name__ == "__main__":
    twin.main(Byol)
