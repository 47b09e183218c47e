"""The twin of pipelines/ddpm.yaml."""
import torch

import flow_matching
import twin


def level(t):
    """Signal and noise at a time, [rows, 1, 1, 1]."""
    angle = (t * 1.55 + 0.012)[:, None, None, None]
    return angle.cos(), angle.sin()


class Ddpm(flow_matching.FlowMatching):
    about = "Denoising diffusion on Fashion-MNIST, by class (Ho et al. 2020, arXiv:2006.11239)"

    def loss(self, image, noise, t, label):
        a, b = level(t)
        return (self.unet(a * image + b * noise, t, label) - noise).square().mean((1, 2, 3))

    def turn(self, x, t, label):
        """Of DDIM (Song et al. 2021)."""
        (a, b), (next_a, next_b) = level(t), level(t - 1 / self.turns)
        image = ((x - b * self.unet(x, t, label)) / a).clamp(-1, 1)
        return next_a * image + next_b * (x - a * image) / b

    def drawn_from(self, x, label):
        for i in range(self.turns):
            x = self.turn(x, torch.full((len(x),), 1 - i / self.turns), label)
        return x

    def images(self, rows, draws):
        """Drawn from noise, [rows, 784] in [0, 1]; `draws` counts the calls."""
        return self.drawn_from(*self.start(rows, "evaluate/z", draws)).flatten(1) / 2 + 0.5


if __name__ == "__main__":
    twin.main(Ddpm)
