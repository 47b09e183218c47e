"""The twin of pipelines/classifier_conv.yaml."""
from torch.nn.functional import max_pool2d, relu

import classifier
import twin


class ClassifierConv(classifier.Classifier):
    about = "Convolutional classifier of garments"
    epochs = 3
    lr, warmup = 2e-3, 100
    layers = {
        "classifier.c1": twin.conv(1, 32, 3, bias=False), "classifier.n1": twin.batch_norm(32),
        "classifier.c2": twin.conv(32, 64, 3, bias=False), "classifier.n2": twin.batch_norm(64),
        "classifier.c3": twin.conv(64, 128, 3, bias=False), "classifier.n3": twin.batch_norm(128),
        "classifier.logits": twin.linear(1152, 10),
    }
    step = None

    def classify(self, x, training):
        x = self.laid_out(x.reshape(-1, 1, 28, 28))
        for i in (1, 2, 3):
            x = self.convolve(f"classifier.c{i}", x, padding=1)
            x = relu(max_pool2d(self.normalise(f"classifier.n{i}", x, training), 2))
        x = x.permute(0, 2, 3, 1).flatten(1)
        x = self.dropout("train/class.some", x, 0.5, self.step if training else None)
        return self.linear("classifier.logits", x)

    def train(self, rows, step):
        self.step = step
        return super().train(rows, step)


if __name__ == "__main__":
    twin.main(ClassifierConv)
