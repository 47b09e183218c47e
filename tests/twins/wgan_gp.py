"""The twin of pipelines/wgan_gp.yaml."""
import torch
from torch.nn.functional import leaky_relu, relu

import gan
import twin


class WganGp(gan.Gan):
    about = "Wasserstein GAN with gradient penalty on Fashion-MNIST (Gulrajani et al. 2017)"
    epochs = 10
    batch_size = 64
    noise = 64
    penalty = 10
    every = 3
    compiled = ["generate"]  # torch.compile does not take gradients of gradients
    layers = {
        "generator.h1": twin.linear(noise, 256),
        "generator.h2": twin.linear(256, 512),
        "generator.image": twin.linear(512, 784),
        "critic.h1": twin.linear(784, 512),
        "critic.h2": twin.linear(512, 256),
        "critic.score": twin.linear(256, 1),
    }

    def __init__(self, options):
        twin.Model.__init__(self, options)
        self.of_critic, self.of_generator = (
            self.adam(module, lr=2e-4, betas=(0.0, 0.9)) for module in ("critic", "generator"))

    def generate(self, z, training=True):
        h = relu(self.linear("generator.h2", relu(self.linear("generator.h1", z))))
        return torch.tanh(self.linear("generator.image", h))

    def score(self, x):
        h = leaky_relu(self.linear("critic.h1", x), 0.2)
        h = leaky_relu(self.linear("critic.h2", h), 0.2)
        return self.linear("critic.score", h)

    def train(self, x, step):
        fake = self.generate(self.draw.normal("train/noise", step, len(x), self.noise))
        made = fake.detach()
        part = self.draw.uniform("train/part", step, len(x), 1)
        between = (x + part * (made - x)).requires_grad_()
        slope, = torch.autograd.grad(self.score(between).sum(), between, create_graph=True)
        excess = slope.norm(dim=1) - 1
        d_loss = (self.score(made) - self.score(x)).mean() + self.penalty * (excess**2).mean()
        self.descend(d_loss, optimizer=self.of_critic)
        if step % self.every == self.every - 1:
            self.learn_to_draw(fake)
        return [d_loss]

    def learn_to_draw(self, fake):
        weights = [w for name, w in self.weights.items() if name.startswith("generator")]
        g_loss = -self.score(fake).mean()
        for weight, grad in zip(weights, torch.autograd.grad(g_loss, weights)):
            weight.grad = grad
        self.of_generator.step()


if __name__ == "__main__":
    twin.main(WganGp)
