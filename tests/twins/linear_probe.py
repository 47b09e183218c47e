"""The twin of pipelines/linear_probe.yaml; --start gives the weights of the run that it probes."""
import torch
from torch.nn.functional import batch_norm, cross_entropy

import simclr
import twin


class LinearProbe(simclr.SimClr):
    about = "What a frozen encoder's features tell a linear classifier"
    epochs = 10
    batch_size = 256
    drop_last = False
    layers = {name: kinds for name, kinds in simclr.SimClr.layers.items() if "encoder" in name} | {
        "probe.even": twin.batch_norm(1152),
        "probe.logits": twin.linear(1152, 10),
    }

    def __init__(self, options):
        twin.Model.__init__(self, options)
        self.steps = self.epochs * self.batches_of(60000)
        self.optimizer = self.adam("probe", lr=3e-3)
        self.running = torch.zeros(1152), torch.ones(1152)

    def samples(self, split):
        return [twin.idx(split, "images-idx3"), twin.idx(split, "labels-idx1")]

    def batch(self, images, labels):
        return super().batch(images), labels.long()

    def classify(self, images, training):
        with torch.no_grad():
            x = self.features(images)
        x = batch_norm(x, *self.running, *self.of("probe.even"), training=training)
        return self.linear("probe.logits", x)

    def train(self, rows, step):
        for group in self.optimizer.param_groups:
            group["lr"] = twin.cosine(step, self.steps, 3e-3)
        loss = cross_entropy(self.classify(rows[0], True), rows[1])
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        return [loss]

    def evaluate(self):
        images, labels = self.batch(*self.samples("test"))
        logits = torch.cat([self.classify(rows, False) for rows in images.split(1000)])
        return {"loss": cross_entropy(logits, labels).item(),
                "accuracy": (logits.argmax(1) == labels).float().mean().item()}


if __name__ == "__main__":
    twin.main(LinearProbe)
