"""What the twins share that look at parts of photographs."""
import numpy as np
import torch
from torch.nn.functional import cross_entropy

import augment
import twin

DATA = ("{node: patches, folder: [photos/backgrounds, photos_nature/nature], side: %d, size: %d, "
        "stride: %d, test_share: 0.25, split: %s, batch: 64}")


def parts(side, size, stride, split):
    """Bytes, [n, channels, size, size]."""
    image, = twin.weft_samples(DATA % (side, size, stride, split), {"image": "data.image"},
                               pack=lambda x: np.rint(x * 255).astype(np.uint8))
    return image.permute(0, 3, 1, 2)


def flipped(model, x, path, step):
    return augment.random_flip(x, model.draw.uniform(path, step, len(x), 1))


def windows(x, top, left, size):
    """The squares of each image that start there."""
    i = torch.arange(size)
    return x.permute(0, 2, 3, 1)[torch.arange(len(x))[:, None, None],
                                 (top[:, None] + i)[:, :, None],
                                 (left[:, None] + i)[:, None, :]].permute(0, 3, 1, 2)


class Puzzle(twin.Model):
    """guess(x, section, step, training) gives logits and what is right, `asked` of each sample."""
    asked = 1

    def __init__(self, options):
        super().__init__(options)
        self.optimizer = self.optimize(torch.optim.AdamW, self.weights.values(), lr=1e-3, weight_decay=0.05)

    def samples(self, split):
        images = parts(*self.cut, split)
        self.steps = self.epochs * self.batches_of(len(images))
        return [images]

    def train(self, x, step):
        for group in self.optimizer.param_groups:
            group["lr"] = twin.cosine(step, self.steps, 1e-3, warmup=100)
        loss = cross_entropy(*self.guess(x, "train", step, True))
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        return [loss]

    def evaluate(self):
        images, = self.samples("test")
        loss = hits = 0
        for step, rows in enumerate(images.split(self.batch_size)):
            logits, right = self.guess(self.batch(rows), "evaluate", step, False)
            loss += cross_entropy(logits, right, reduction="sum").item()
            hits += (logits.argmax(1) == right).sum().item()
        count = len(images) * self.asked
        return {"loss": loss / count, "accuracy": hits / count}
