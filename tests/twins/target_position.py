"""The twin of pipelines/target_position.yaml."""
import numpy as np
import torch
from torch.nn.functional import huber_loss, max_pool2d, relu

import photos
import twin
import weft_random

EMOJI = ('{node: images, folder: emoji/google, size: 20, channels: 4, group: "^[0-9a-f]+", '
         "split: %s, batch: 256}")


class TargetPosition(twin.Model):
    about = "Where an emoji lies that was pasted on a photograph"
    epochs = 60
    batch_size = 64
    range = "unit"
    compiled = ["guess"]
    side = 64
    layers = {
        "encoder.c1": twin.conv(3, 16, 3),
        "encoder.c2": twin.conv(16, 32, 3),
        "encoder.c3": twin.conv(32, 64, 3),
        "head.h": twin.linear(4096, 128),
        "head.unit": twin.linear(128, 2),
    }

    def __init__(self, options):
        super().__init__(options)
        self.optimizer = self.adam("", lr=1e-3)

    def samples(self, split):
        images = photos.parts(512, self.side, self.side, split)
        self.emoji, = twin.weft_samples(EMOJI % split, {"emoji": "data.image"})
        self.steps = self.epochs * self.batches_of(len(images))
        return [images]

    def targets(self, section, step, rows):
        """Emoji go on from batch to batch: a new order each time that all have been seen."""
        n, key = len(self.emoji), weft_random.key(self.options.seed, f"{section}/puzzle.emoji")
        at = step * self.batch_size + np.arange(self.batch_size)
        order = np.concatenate([weft_random.permuted(at[at // n == epoch] % n, n, key, epoch)
                                for epoch in range(at[0] // n, at[-1] // n + 1)])
        return self.emoji[order[:rows]].permute(0, 3, 1, 2)

    def puzzle(self, x, section, step):
        x = photos.flipped(self, x, f"{section}/puzzle.flip", step)
        target = self.targets(section, step, len(x))
        size = target.shape[2]
        u = self.draw.uniform(f"{section}/puzzle.pasted", step, len(x), 2)
        place = (u * np.float32(self.side - size + 1)).long()
        i = torch.arange(size)
        where = (torch.arange(len(x))[:, None, None], slice(None),
                 (place[:, :1] + i)[:, :, None], (place[:, 1:] + i)[:, None, :])
        under, over, shown = x[where], target[:, :3], target[:, 3:]
        x = x.clone()
        x[where] = under * (1 - shown.permute(0, 2, 3, 1)) + over.permute(0, 2, 3, 1)
        return x, place + size / 2

    def guess(self, x):
        x = self.laid_out(x)
        for i in (1, 2, 3):
            x = max_pool2d(relu(self.convolve(f"encoder.c{i}", x, padding=1)), 2)
        h = relu(self.linear("head.h", x.permute(0, 2, 3, 1).flatten(1)))
        return torch.tanh(self.linear("head.unit", h)) * (self.side / 2) + self.side / 2

    def train(self, x, step):
        x, position = self.puzzle(x, "train", step)
        loss = huber_loss(self.guess(x), position)
        return self.descend(loss, twin.cosine(step, self.steps, 1e-3, warmup=50))

    def evaluate(self):
        images, = self.samples("test")
        error = 0
        for step, rows in enumerate(images.split(self.batch_size)):
            x, position = self.puzzle(self.batch(rows), "evaluate", step)
            error += (self.guess(x) - position).norm(dim=1).sum().item()
        return {"error": error / len(images)}


if __name__ == "__main__":
    twin.main(TargetPosition)
