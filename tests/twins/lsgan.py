"""The twin of pipelines/lsgan.yaml."""
import torch
from torch.nn.functional import mse_loss

import gan
import twin


class Lsgan(gan.Gan):
    about = "Least squares GAN on Fashion-MNIST (Mao et al. 2017, arXiv:1611.04076)"
    real_label = 1.0

    def score(self, logits, label):
        return 0.5 * mse_loss(logits, torch.full_like(logits, label))


if __name__ == "__main__":
    twin.main(Lsgan)
