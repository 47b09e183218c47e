"""What the twins share that tell where parts of pictures belong."""
import torch
from torch.nn.functional import cross_entropy

import twin


class Puzzle(twin.Model):
    """Of pictures(split), guess(x, section, step, training) gives logits and what is right, `asked` of each."""
    asked = 1

    def __init__(self, options):
        super().__init__(options)
        self.optimizer = self.optimize(torch.optim.AdamW, self.weights.values(), lr=1e-3, weight_decay=0.05)

    def samples(self, split):
        images = self.pictures(split)
        self.steps = self.epochs * self.batches_of(len(images))
        return [images]

    def train(self, x, step):
        loss = cross_entropy(*self.guess(x, "train", step, True))
        return self.descend(loss, twin.cosine(step, self.steps, 1e-3, warmup=100))

    def evaluate(self):
        images, = self.samples("test")
        loss = hits = 0
        for step, rows in enumerate(images.split(self.batch_size)):
            logits, right = self.guess(self.batch(rows), "evaluate", step, False)
            loss += cross_entropy(logits, right, reduction="sum").item()
            hits += (logits.argmax(1) == right).sum().item()
        count = len(images) * self.asked
        return {"loss": loss / count, "accuracy": hits / count}
