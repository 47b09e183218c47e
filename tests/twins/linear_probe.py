"""The twin of pipelines/linear_probe.yaml; --start gives the weights of the run that it probes."""
import torch

import classifier
import simclr
import twin


class LinearProbe(classifier.Classifier, simclr.SimClr):
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

    def batch(self, images, labels):
        return simclr.SimClr.batch(self, images), labels.long()

    def classify(self, images, training):
        with torch.no_grad():
            x = self.features(images)
        return self.linear("probe.logits", self.normalise("probe.even", x, training))


if __name__ == "__main__":
    twin.main(LinearProbe)
