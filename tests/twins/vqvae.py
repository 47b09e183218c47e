"""The twin of pipelines/vqvae.yaml."""
import torch
from torch.nn.functional import relu

import twin

class VectorQuantizer:
    """A codebook that follows its vectors (van den Oord et al. 2017, appendix A.1); codes that are
    hardly used become vectors of the batch."""

    def __init__(self, model, layer, codes, features, decay=0.99, eps=1e-5, revive=0.01):
        self.model, self.codes, self.decay, self.eps, self.revive = model, codes, decay, eps, revive
        start = {"codebook": twin.start_weight(model.options.seed, f"{layer}.codebook",
                                               (codes, features), twin.Deviation(1)),
                 "count": torch.ones(codes)}
        saved = twin.read_safetensors(model.options.start) if model.options.start else {}
        for kind, value in start.items():
            model.states[f"{layer}.{kind}"] = saved.get(f"{layer}.{kind}", value)
        self.codebook, self.count = (model.states[f"{layer}.{kind}"] for kind in start)

    def nearest(self, x):
        """The code of each vector of [n, features]."""
        half = self.codebook.square().sum(1) / 2
        return torch.addmm(half, x, self.codebook.T, alpha=-1).argmin(1)

    def smooth(self, count):
        return (count + self.eps) / (count.sum() + self.codes * self.eps) * count.sum()

    @torch.no_grad()
    def learn(self, x, code, path, step):
        sums = self.decay * self.codebook * self.smooth(self.count)[:, None]
        sums.index_add_(0, code, x, alpha=1 - self.decay)
        self.count.mul_(self.decay).add_(torch.bincount(code, minlength=self.codes),
                                         alpha=1 - self.decay)
        self.codebook.copy_(sums / self.smooth(self.count)[:, None])
        even = self.count.sum() / self.codes
        rare = torch.nonzero(self.count < self.revive * even)[:, 0]
        if len(rare):
            self.codebook[rare] = x[self.model.draw.below(path, step, len(rare), len(x))]
            self.count[rare] = even


class Vqvae(twin.Model):
    about = "VQ-VAE of garments, each 49 of 128 codes (van den Oord et al. 2017, arXiv:1711.00937)"
    epochs = 4
    range = "unit"
    compiled = ["encode", "loss"]
    codes, features, beta = 128, 32, 0.25
    layers = {
        "encoder.c1": twin.conv(1, 32, 4),
        "encoder.c2": twin.conv(32, 64, 4),
        "encoder.z": twin.conv(64, features, 1),
        "decoder.c1": twin.conv(features, 64, 3),
        "decoder.d1": twin.conv_transpose(64, 32, 4),
        "decoder.d2": twin.conv_transpose(32, 1, 4),
    } | {f"{module}.blocks.{i}.{conv}": twin.conv(64, 64, kernel)
         for module in ("encoder", "decoder") for i in range(2)
         for conv, kernel in (("c1", 3), ("c2", 1))}

    def __init__(self, options):
        super().__init__(options)
        self.optimizer = self.adam("", lr=1e-3)
        self.quantizer = VectorQuantizer(self, "codebook.vq", self.codes, self.features)

    def batch(self, images):
        return self.laid_out(self.floats(images).reshape(-1, 1, 28, 28))

    def blocks(self, module, x):
        for i in range(2):
            h = relu(self.convolve(f"{module}.blocks.{i}.c1", relu(x), padding=1))
            x = x + self.convolve(f"{module}.blocks.{i}.c2", h)
        return x

    def encode(self, x):
        """[n, 7, 7, features]"""
        h = relu(self.convolve("encoder.c1", x, stride=2, padding=1))
        h = self.blocks("encoder", self.convolve("encoder.c2", h, stride=2, padding=1))
        return self.convolve("encoder.z", h).permute(0, 2, 3, 1)

    def decode(self, z):
        h = self.blocks("decoder", self.convolve("decoder.c1", z.permute(0, 3, 1, 2), padding=1))
        h = relu(self.spread("decoder.d1", relu(h), stride=2, padding=1))
        return torch.sigmoid(self.spread("decoder.d2", h, stride=2, padding=1))

    def loss(self, x, z, q):
        """error and commitment; the gradient of q is that of z"""
        image = self.decode(z + (q - z).detach())
        return (image - x).square().mean(), (z - q).square().mean()

    def train(self, x, step):
        z = self.encode(x)
        vectors = z.detach().reshape(-1, self.features)
        code = self.quantizer.nearest(vectors)
        error, commitment = self.loss(x, z, self.quantizer.codebook[code].view_as(z))
        loss = error + self.beta * commitment
        self.quantizer.learn(vectors, code, "train/q.vq", step)
        return self.descend(loss)

    def evaluate(self):
        numbers = []
        for rows in self.samples("test")[0].split(1000):
            x = self.batch(rows)
            z = self.encode(x)
            code = self.quantizer.nearest(z.reshape(-1, self.features))
            q = self.quantizer.codebook[code].view_as(z)
            error = (self.decode(q) - x).square().mean((1, 2, 3))
            share = torch.bincount(code, minlength=self.codes) / len(code)
            nats = -(share * (share + 1e-10).log()).sum()
            psnr = (-10 * error.log10()).mean()
            numbers.append(torch.stack([error.mean(), psnr, (z - q).square().mean(),
                                        (share > 0).float().mean(), nats.exp()]))
        names = ["error", "psnr", "commitment", "used", "perplexity"]
        return dict(zip(names, torch.stack(numbers).mean(0).tolist()))


if __name__ == "__main__":
    twin.main(Vqvae)
