"""The twin of pipelines/autoencoder.yaml."""
import torch
from torch.nn.functional import max_pool2d, relu

import twin

DATA = ('{node: images, folder: emoji/google, size: 32, group: "^[0-9a-f]+", split: %s, batch: 256}')


class Autoencoder(twin.Model):
    about = "Convolutional autoencoder of emoji"
    epochs = 30
    batch_size = 64
    compiled = ["again"]
    layers = {
        "encoder.c1": twin.conv(3, 32, 3),
        "encoder.c2": twin.conv(32, 64, 3),
        "decoder.d1": twin.conv_transpose(64, 32, 2),
        "decoder.d2": twin.conv_transpose(32, 3, 2),
    }

    def __init__(self, options):
        super().__init__(options)
        self.optimizer = self.adam("", lr=1e-3)

    def samples(self, split):
        images, = twin.weft_samples(DATA % split, {"image": "data.image"})
        return [self.laid_out(images.permute(0, 3, 1, 2))]

    def batch(self, images):
        return images

    def again(self, x):
        code = max_pool2d(relu(self.convolve("encoder.c1", x, padding=1)), 2)
        code = max_pool2d(relu(self.convolve("encoder.c2", code, padding=1)), 2)
        h = relu(self.spread("decoder.d1", code, stride=2))
        return torch.sigmoid(self.spread("decoder.d2", h, stride=2))

    def train(self, x, step):
        return self.descend((self.again(x) - x).square().mean())

    def evaluate(self):
        images, = self.samples("test")
        error = (self.again(images) - images).square().flatten(1).mean(1).double()
        return {"loss": error.mean().item(), "psnr": (-10 * error.log10()).mean().item()}


if __name__ == "__main__":
    twin.main(Autoencoder)
