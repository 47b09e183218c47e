"""The twin of pipelines/vae_conv.yaml."""
import torch
from torch.nn.functional import relu

import twin
import vae


class VaeConv(vae.Vae):
    about = "Convolutional variational autoencoder of garments"
    latent = 32
    layers = {
        "encoder.c1": twin.conv(1, 32, 4),
        "encoder.c2": twin.conv(32, 64, 4),
        "encoder.h": twin.linear(7 * 7 * 64, 256),
        "encoder.mean": twin.linear(256, latent),
        "encoder.log_var": twin.linear(256, latent),
        "decoder.h": twin.linear(latent, 256),
        "decoder.flat": twin.linear(256, 7 * 7 * 64),
        "decoder.d1": twin.conv_transpose(64, 32, 4),
        "decoder.logits": twin.conv_transpose(32, 1, 4),
    }

    def encode(self, x):
        x = x.reshape(-1, 1, 28, 28)
        h = relu(self.convolve("encoder.c1", x, stride=2, padding=1))
        h = relu(self.convolve("encoder.c2", h, stride=2, padding=1))
        h = relu(self.linear("encoder.h", h.permute(0, 2, 3, 1).flatten(1)))
        return self.linear("encoder.mean", h), self.linear("encoder.log_var", h)

    def decode(self, z):
        h = relu(self.linear("decoder.flat", relu(self.linear("decoder.h", z))))
        h = h.reshape(-1, 7, 7, 64).permute(0, 3, 1, 2)
        h = relu(self.spread("decoder.d1", h, stride=2, padding=1))
        return self.spread("decoder.logits", h, stride=2, padding=1).flatten(1)


if __name__ == "__main__":
    twin.main(VaeConv)
