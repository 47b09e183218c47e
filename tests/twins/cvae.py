"""The twin of pipelines/cvae.yaml."""
import torch
from torch.nn.functional import one_hot, relu

import twin
import vae


class Cvae(vae.Vae):
    about = "Conditional variational autoencoder, told which garment (Sohn et al. 2015)"
    latent = 20
    layers = {
        "encoder.h": twin.linear(794, 400),
        "encoder.mean": twin.linear(400, latent),
        "encoder.log_var": twin.linear(400, latent),
        "decoder.h": twin.linear(latent + 10, 400),
        "decoder.logits": twin.linear(400, 784),
    }

    def samples(self, split):
        return [twin.idx(split, "images-idx3"), twin.idx(split, "labels-idx1")]

    def batch(self, images, labels):
        self.classes = one_hot(labels.long(), 10).float()
        return self.floats(images)

    def encode(self, x):
        h = relu(self.linear("encoder.h", torch.cat([x, self.classes], 1)))
        return self.linear("encoder.mean", h), self.linear("encoder.log_var", h)

    def images(self, rows, draws):
        self.classes = one_hot(torch.arange(rows) % 10, 10).float()
        return super().images(rows, draws)

    def decode(self, z):
        h = relu(self.linear("decoder.h", torch.cat([z, self.classes], 1)))
        return self.linear("decoder.logits", h)


if __name__ == "__main__":
    twin.main(Cvae)
