"""The twin of pipelines/vae_pretrained.yaml; --start gives the weights of the encoder, a run of
rotation or simclr."""
from torch.nn.functional import relu

import simclr
import twin
import vae


class VaePretrained(vae.Vae):
    about = "A VAE of 2,000 garments, whose encoder has learned without labels from 60,000"
    epochs = 30
    shown = 2000
    latent = 20
    layers = {name: kinds for name, kinds in simclr.SimClr.layers.items() if "encoder" in name} | {
        "code.h": twin.linear(1152, 400),
        "code.mean": twin.linear(400, latent),
        "code.log_var": twin.linear(400, latent),
        "decoder.h": twin.linear(latent, 400),
        "decoder.logits": twin.linear(400, 784),
    }
    features = simclr.SimClr.features

    def samples(self, split):
        return [rows[:self.shown] for rows in super().samples(split)]

    def encode(self, x):
        h = relu(self.linear("code.h", self.features(x.reshape(-1, 1, 28, 28))))
        return self.linear("code.mean", h), self.linear("code.log_var", h)


if __name__ == "__main__":
    twin.main(VaePretrained)
