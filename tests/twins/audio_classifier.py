"""The twin of pipelines/audio_classifier.yaml."""
import torch
from torch.nn.functional import cross_entropy, max_pool2d, relu

import speech
import twin


class AudioClassifier(speech.Speech):
    about = "Which of five languages is spoken"
    epochs = 12
    compiled = ["classify"]
    layers = {f"classifier.blocks.{i}.{name}": layer for i, (channels, features) in
              enumerate([(1, 16), (16, 32), (32, 64)])
              for name, layer in (("c", twin.conv(channels, features, 3, bias=False)),
                                  ("n", twin.batch_norm(features)))
              } | {"classifier.logits": twin.linear(64, 5)}

    def __init__(self, options):
        super().__init__(options)
        self.optimizer = self.adam("", lr=3e-3)

    def features(self, sound, training=False):
        x = self.laid_out(sound[:, None])
        for block in ("classifier.blocks.0", "classifier.blocks.1", "classifier.blocks.2"):
            x = self.normalise(block + ".n", self.convolve(block + ".c", x, padding=1), training)
            x = relu(max_pool2d(x, 2))
        return x.mean((2, 3))

    def classify(self, sound, step=None):
        x = self.features(sound, step is not None)
        return self.linear("classifier.logits", self.dropout("train/class.some", x, 0.5, step))

    def train(self, rows, step):
        loss = cross_entropy(self.classify(rows[0], step), rows[1])
        return self.descend(loss, twin.cosine(step, self.steps, 3e-3, warmup=50))

    def linear_floor(self, sound, label):
        """What a linear classifier makes of the mean over time, of voices rather than words."""
        known, right = self.samples("train")
        known, unseen = known.mean(1), sound.mean(1)
        even = torch.nn.BatchNorm1d(40, momentum=None, affine=False)
        even(known)
        even.eval()
        layer = torch.nn.Linear(40, 5)
        optimizer = torch.optim.LBFGS(layer.parameters(), max_iter=200)

        def loss():
            optimizer.zero_grad()
            value = cross_entropy(layer(even(known)), right)
            value.backward()
            return value

        with torch.enable_grad():
            optimizer.step(loss)
        return (layer(even(unseen)).argmax(1) == label).double().mean().item()

    def evaluate(self):
        sound, label = self.samples("test")
        logits = self.classify(sound)
        return {"loss": cross_entropy(logits, label).item(),
                "accuracy": (logits.argmax(1) == label).double().mean().item(),
                "largest": label.bincount().max().item() / len(label),
                "linear": self.linear_floor(sound, label)}


if __name__ == "__main__":
    twin.main(AudioClassifier)
