"""The twin of pipelines/classifier.yaml."""
import torch
from torch.nn.functional import cross_entropy, relu

import twin


class Classifier(twin.Model):
    about = "Classifier of garments with one hidden layer"
    epochs = 8
    range = "unit"
    compiled = ["classify"]
    lr, warmup = 3e-3, 0
    layers = {
        "classifier.h": twin.linear(784, 256),
        "classifier.logits": twin.linear(256, 10),
    }

    def __init__(self, options):
        super().__init__(options)
        self.steps = self.epochs * self.batches_of(60000)
        self.optimizer = self.adam("", lr=self.lr)

    def samples(self, split):
        return [twin.idx(split, "images-idx3"), twin.idx(split, "labels-idx1")]

    def batch(self, images, labels):
        return self.floats(images), labels.long()

    def classify(self, x, training):
        return self.linear("classifier.logits", relu(self.linear("classifier.h", x)))

    def train(self, rows, step):
        loss = cross_entropy(self.classify(rows[0], True), rows[1])
        return self.descend(loss, twin.cosine(step, self.steps, self.lr, self.warmup))

    def evaluate(self):
        images, labels = self.batch(*self.samples("test"))
        logits = torch.cat([self.classify(rows, False) for rows in images.split(1000)])
        return {"loss": cross_entropy(logits, labels).item(),
                "accuracy": (logits.argmax(1) == labels).float().mean().item()}


if __name__ == "__main__":
    twin.main(Classifier)
