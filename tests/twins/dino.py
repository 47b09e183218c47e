"""The twin of pipelines/dino.yaml."""
import torch
from torch.nn.functional import normalize

import twin
import views


class Dino(views.Views):
    about = "Self-distillation without labels (Caron et al. 2021, arXiv:2104.14294)"
    layers = (views.Views.encoder
              | views.dense("student.h.0", 1152, 256) | views.dense("student.h.1", 256, 256)
              | {"student.b": twin.linear(256, 64), "student.scores": twin.linear(64, 512, bias=False)})
    followers = {"teacher": "student", "teacher_encoder": "encoder"}
    compiled = ["compare"]

    def __init__(self, options):
        super().__init__(options)
        self.mean, self.share = torch.zeros(512), torch.ones(())

    def scores(self, network, encoder, x, training):
        h = self.features(x, encoder)
        for layer in "01":
            h = self.dense(f"{network}.h.{layer}", h, training)
        return self.linear(network + ".scores", normalize(self.linear(network + ".b", h)))

    def compare(self, x, section, step):
        """The loss and the centre."""
        training = section == "train"
        a, b = (self.view(x, name, section, step) for name in "ab")
        sa, sb = ((self.scores("student", "encoder", x, training) / 0.1).log_softmax(1)
                  for x in (a, b))
        with torch.no_grad():
            ta, tb = (self.scores("teacher", "teacher_encoder", x, training) for x in (a, b))
            centre = self.mean
            if training:
                centre = centre.lerp((ta + tb).mean(0) / 2, self.share)
            pa, pb = (((t - centre) / 0.04).softmax(1) for t in (ta, tb))
        return -((pa * sb).sum(1) + (pb * sa).sum(1)).mean() / 2, centre

    def loss(self, x, section, step):
        loss, self.mean = self.compare(x, section, step)
        return loss

    def train(self, x, step):
        self.share = torch.tensor(0.1 / (1 - 0.9**(step + 1)))
        losses = super().train(x, step)
        self.follow(1 - twin.cosine(step, self.steps, 0.01))
        return losses


if __name__ == "__main__":
    twin.main(Dino)
