"""The twin of pipelines/fusion_feature.yaml."""
import torch
from torch.nn.functional import max_pool2d, relu

import emoji
import twin


class FusionFeature(emoji.Emoji):
    about = "The category of an emoji from features of its picture and its name"
    layers = {
        "text_encoder.rows": twin.embedding(1024, 64, 0.1),
        "text_encoder.h": twin.linear(64, 256),
        "text_encoder.y": twin.linear(256, 512),
        "image_encoder.c1": twin.conv(3, 64, 3),
        "image_encoder.c2": twin.conv(64, 128, 3),
        "decoder.both.y": twin.linear(640, 256),
        "decoder.h": twin.linear(256, 128),
        "decoder.logits": twin.linear(128, 10),
    }

    def __init__(self, options):
        super().__init__(options)
        self.optimizer = self.optimize(torch.optim.AdamW, self.weights.values(), lr=2e-3, weight_decay=0.05)

    def classify(self, rows, step):
        image, words, _ = rows
        t = self.look_up("text_encoder.rows", words).mean(1)
        t = self.dropout("train/t.some", t, 0.5, step)
        t = relu(self.linear("text_encoder.y", relu(self.linear("text_encoder.h", t))))
        i = max_pool2d(relu(self.convolve("image_encoder.c1", image, padding=1)), 2)
        i = relu(self.convolve("image_encoder.c2", i, padding=1)).mean((2, 3))
        both = relu(self.linear("decoder.both.y", torch.cat([t, i], 1)))
        both = self.dropout("train/class.even", both, 0.5, step)
        return self.linear("decoder.logits", relu(self.linear("decoder.h", both)))


if __name__ == "__main__":
    twin.main(FusionFeature)
