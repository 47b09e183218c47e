"""The twin of pipelines/simsiam.yaml."""
from torch.nn.functional import cosine_similarity

import twin
import views


class SimSiam(views.Views):
    about = "Simple siamese representations (Chen & He 2021, arXiv:2011.10566)"
    layers = (views.Views.encoder
              | views.dense("projector.h.0", 1152, 256) | views.dense("projector.h.1", 256, 256)
              | {"projector.l": twin.linear(256, 256, bias=False), "projector.z": twin.batch_norm(256)}
              | views.dense("predictor.h", 256, 64) | {"predictor.p": twin.linear(64, 256)})

    def project(self, x, training):
        for layer in "01":
            x = self.dense("projector.h." + layer, x, training)
        return self.normalise("projector.z", self.linear("projector.l", x), training)

    def predict(self, z, training):
        return self.linear("predictor.p", self.dense("predictor.h", z, training))

    def loss(self, x, section, step):
        training = section == "train"
        za, zb = (self.project(self.features(self.view(x, name, section, step)), training)
                  for name in "ab")
        pa, pb = self.predict(za, training), self.predict(zb, training)
        alike = cosine_similarity(pa, zb.detach()) + cosine_similarity(pb, za.detach())
        return (1 - alike / 2).mean()


if __name__ == "__main__":
    twin.main(SimSiam)
