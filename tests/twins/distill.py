"""The twin of pipelines/distill.yaml; --start gives the weights of the teacher, a run of
classifier_conv."""
import torch
from torch.nn.functional import cross_entropy, log_softmax, relu

import classifier_conv
import twin


class Distill(classifier_conv.ClassifierConv):
    about = "A small network learns what a larger one says (Hinton et al. 2015, arXiv:1503.02531)"
    epochs = 60
    lr, warmup = 3e-3, 0
    compiled = ["loss"]
    temperature, soft, images, hidden = 4, 0.9, 1800, 256
    layers = classifier_conv.ClassifierConv.layers | {
        "student.h": twin.linear(784, hidden),
        "student.logits": twin.linear(hidden, 10),
    }

    def __init__(self, options):
        twin.Model.__init__(self, options)
        self.steps = self.epochs * self.batches_of(self.images)
        self.optimizer = self.adam("student", lr=self.lr)

    def samples(self, split):
        samples = super().samples(split)
        return [rows[:self.images] for rows in samples] if split == "train" else samples

    def guess(self, x):
        return self.linear("student.logits", relu(self.linear("student.h", x)))

    def loss(self, x, label):
        with torch.no_grad():
            told = (self.classify(x, False) / self.temperature).softmax(1)
        logits = self.guess(x)
        soft = -(told * log_softmax(logits / self.temperature, 1)).sum(1).mean() * self.temperature**2
        return self.soft * soft + (1 - self.soft) * cross_entropy(logits, label)

    def train(self, rows, step):
        return self.descend(self.loss(*rows), twin.cosine(step, self.steps, self.lr))

    def evaluate(self):
        images, label = self.batch(*self.samples("test"))
        return {"accuracy": (self.guess(images).argmax(1) == label).float().mean().item()}


if __name__ == "__main__":
    twin.main(Distill)
