"""The twin of pipelines/flow_matching.yaml."""
import torch
from torch.nn.functional import layer_norm, one_hot, relu, silu

import twin

RATES = [1, 1.5, 2.3, 3.4, 5, 7.6, 11, 17, 26, 38, 58, 86, 130, 195, 290, 440]


def res_block(name, channels, features, condition):
    return {
        f"{name}.n1": twin.layer_norm(channels),
        f"{name}.c1": twin.conv(channels, features, 3),
        f"{name}.n2": twin.layer_norm(features),
        f"{name}.told.scale": twin.linear(condition, features),
        f"{name}.told.shift": twin.linear(condition, features),
        f"{name}.c2": twin.conv(features, features, 3),
        f"{name}.skip": twin.conv(channels, features, 1),
    }


class FlowMatching(twin.Model):
    about = "Flow matching on Fashion-MNIST, by class (Lipman et al. 2023, arXiv:2210.02747)"
    epochs = 5
    range = "symmetric"
    clip_norm = 1
    compiled = ["loss", "turn"]
    classes, kept, peak, warmup, decay = 10, 0.9, 2e-3, 100, 0.995
    turns, guidance = 50, 1.5
    layers = {
        "unet.c.layer.0": twin.linear(2 * len(RATES) + classes, 64),
        "unet.c.layer.1": twin.linear(64, 64),
        "unet.first": twin.conv(1, 16, 3),
        **res_block("unet.d1", 16, 16, 64),
        "unet.half": twin.conv(16, 32, 3),
        **res_block("unet.d2", 32, 32, 64),
        "unet.fourth": twin.conv(32, 64, 3),
        **res_block("unet.middle", 64, 64, 64),
        "unet.up2": twin.conv_transpose(64, 32, 2),
        **res_block("unet.u2", 64, 32, 64),
        "unet.up1": twin.conv_transpose(32, 16, 2),
        **res_block("unet.u1", 32, 16, 64),
        "unet.y": twin.conv(16, 1, 3),
    }

    def __init__(self, options):
        super().__init__(options)
        self.steps = self.epochs * self.batches_of(60000)
        self.optimizer = self.adam("", lr=self.peak)
        self.rates = torch.tensor(RATES)
        saved = twin.read_safetensors(options.start) if options.start else {}
        for name, weight in self.weights.items():
            follower = self.follower(name)
            self.states[follower] = saved.get(follower, weight.detach().clone())

    @staticmethod
    def follower(name):
        return name.replace("unet", "average", 1)

    def samples(self, split):
        return [twin.idx(split, "images-idx3"), twin.idx(split, "labels-idx1")]

    def batch(self, images, labels):
        return (self.laid_out(self.floats(images).reshape(-1, 1, 28, 28)),
                one_hot(labels.long(), self.classes).float())

    def norm(self, layer, x):
        weight, bias = self.of(layer)
        return layer_norm(x.permute(0, 2, 3, 1), weight.shape, weight, bias).permute(0, 3, 1, 2)

    def res_block(self, name, x, condition):
        h = self.convolve(f"{name}.c1", silu(self.norm(f"{name}.n1", x)), padding=1)
        scale, shift = (self.linear(f"{name}.told.{part}", condition)[:, :, None, None]
                        for part in ("scale", "shift"))
        h = silu(self.norm(f"{name}.n2", h) * (1 + scale) + shift)
        return self.convolve(f"{name}.skip", x) + self.convolve(f"{name}.c2", h, padding=1)

    def unet(self, x, t, label):
        angle = t[:, None] * self.rates
        c = torch.cat([angle.sin(), angle.cos(), label], 1)
        c = relu(self.linear("unet.c.layer.1", relu(self.linear("unet.c.layer.0", c))))
        d1 = self.res_block("unet.d1", self.convolve("unet.first", x, padding=1), c)
        d2 = self.res_block("unet.d2", self.convolve("unet.half", d1, stride=2, padding=1), c)
        h = self.convolve("unet.fourth", d2, stride=2, padding=1)
        h = self.spread("unet.up2", self.res_block("unet.middle", h, c), stride=2)
        h = self.res_block("unet.u2", torch.cat([h, d2], 1), c)
        h = self.spread("unet.up1", h, stride=2)
        h = self.res_block("unet.u1", torch.cat([h, d1], 1), c)
        return self.convolve("unet.y", h, padding=1)

    def loss(self, image, noise, t, label):
        """Of each image, [rows]."""
        way = image - noise
        v = self.unet(noise + way * t[:, None, None, None], t, label)
        return (v - way).square().mean((1, 2, 3))

    def noise(self, path, step, shape):
        """[rows, channels, height, width]"""
        rows, channels, *extent = shape
        noise = self.draw.normal(path, step, rows, channels * extent[0] * extent[1])
        return noise.view(rows, *extent, channels).permute(0, 3, 1, 2)

    def drawn(self, x, section, step):
        """Noise, times and classes of which some are hidden, for a batch."""
        image, label = x
        noise = self.noise(f"{section}/noise", step, image.shape)
        t = self.draw.uniform(f"{section}/t", step, len(image), 1)[:, 0]
        keep = self.draw.uniform(f"{section}/keep", step, len(image), 1) < self.kept
        return image, noise, t, label * keep

    def train(self, x, step):
        loss = self.loss(*self.drawn(x, "train", step)).mean()
        self.descend(loss, twin.cosine(step, self.steps, self.peak, warmup=self.warmup))
        with torch.no_grad():
            torch._foreach_lerp_(list(self.states.values()), list(self.weights.values()),
                                 1 - self.decay)
        return [loss]

    def evaluate(self):
        samples = self.samples("test")
        losses = [self.loss(*self.drawn(self.batch(*rows), "evaluate", step))
                  for step, rows in enumerate(zip(*(t.split(self.batch_size) for t in samples)))]
        return {"loss": torch.cat(losses).double().mean().item()}

    # What draws

    def guided(self, x, t, label, guidance):
        """With the weights that follow; both answers in one batch."""
        asked, free = self.unet(torch.cat([x, x]), torch.cat([t, t]),
                                torch.cat([label, torch.zeros_like(label)])).chunk(2)
        return guidance * asked + (1 - guidance) * free

    def turn(self, x, t, label):
        return x + self.guided(x, t, label, self.guidance) / self.turns

    def start(self, rows, path, step):
        """Noise and classes; from here on the weights are those that follow."""
        self.weights = {name: self.states[self.follower(name)] for name in self.weights}
        noise = self.noise(path, step, (rows, 1, 28, 28))
        label = one_hot(torch.arange(rows) % self.classes, self.classes).float()
        return self.laid_out(noise), label

    def drawn_from(self, x, label):
        for i in range(self.turns):
            x = self.turn(x, torch.full((len(x),), i / self.turns), label)
        return x

    def sample(self, rows):
        return self.drawn_from(*self.start(rows, "generate/noise", 0))

    def images(self, rows, draws, turns=10):
        """Drawn by the midpoint method, [rows, 784] in [0, 1]; `draws` counts the calls."""
        x, label = self.start(rows, "evaluate/z", draws)
        for i in range(turns):
            t = torch.full((rows,), i / turns)
            half = x + self.guided(x, t, label, self.guidance) / (2 * turns)
            x = x + self.guided(half, t + 1 / (2 * turns), label, self.guidance) / turns
        return x.flatten(1) / 2 + 0.5


if __name__ == "__main__":
    twin.main(FlowMatching)
