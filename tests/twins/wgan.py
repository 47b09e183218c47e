"""The twin of pipelines/wgan.yaml."""
import torch

import gan
import twin


class Wgan(gan.Gan):
    about = "Wasserstein GAN on Fashion-MNIST (Arjovsky et al. 2017, arXiv:1701.07875)"
    epochs = 10
    batch_size = 64
    rate, clip, critic_steps = 5e-4, 0.01, 5

    def __init__(self, options):
        super().__init__(options)
        self.of_discriminator, self.of_generator = (
            self.optimize(torch.optim.RMSprop, self.of_module(module), lr=self.rate)
            for module in ["discriminator", "generator"])

    def discriminator_loss(self, real, fake):
        return self.discriminate(fake).mean() - self.discriminate(real).mean()

    def generator_loss(self, fake):
        return -self.discriminate(fake).mean()

    def train(self, x, step):
        turn = (step + 1) % self.critic_steps == 0  # of the generator
        with torch.set_grad_enabled(turn):
            fake = self.generate(self.draw.normal("train/noise", step, len(x), self.noise))
        d_loss = self.discriminator_loss(x, fake.detach())
        self.descend(d_loss, optimizer=self.of_discriminator)
        with torch.no_grad():
            for weight in self.of_module("discriminator"):
                weight.clamp_(-self.clip, self.clip)
        if turn:
            self.learn_discriminator(False)
            self.descend(self.generator_loss(fake), optimizer=self.of_generator)
            self.learn_discriminator(True)
        return [d_loss]


if __name__ == "__main__":
    twin.main(Wgan)
