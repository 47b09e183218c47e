"""What the twins of the pipelines that include views.yaml share."""
from torch.nn.functional import avg_pool2d, max_pool2d, relu

import augment
import twin


def dense(name, fan_in, features):
    return {f"{name}.h": twin.linear(fan_in, features, bias=False),
            f"{name}.y": twin.batch_norm(features)}


class Views(twin.Model):
    """Learns from `loss(images, section, step)`, a number."""
    epochs = 5
    batch_size = 256
    drop_last = True
    range = "unit"
    compiled = ["loss"]
    warmup = 100
    encoder = {
        "encoder.c1": twin.conv(1, 32, 3),
        "encoder.c2": twin.conv(32, 64, 3),
        "encoder.c3": twin.conv(64, 128, 3),
    }

    def __init__(self, options):
        super().__init__(options)
        self.steps = self.epochs * self.batches_of(60000)
        self.optimizer = self.adam("", lr=1e-3)

    def batch(self, images):
        return self.floats(images).reshape(-1, 1, 28, 28)

    def view(self, x, name, section, step):
        def u(node, size):
            return self.draw.uniform(f"{section}/{name}.{node}", step, len(x), size)

        x = augment.random_crop(x, u("part", 4), scale=(0.3, 1))
        x = augment.random_flip(x, u("side", 1))
        x = augment.color_jitter(x, u("light", 4))
        return augment.gaussian_blur(x, u("focus", 2), sigma=(0.1, 1), probability=0.3)

    def features(self, x, encoder="encoder"):
        x = self.laid_out(x)
        h = max_pool2d(relu(self.convolve(encoder + ".c1", x, padding=1)), 2)
        h = max_pool2d(relu(self.convolve(encoder + ".c2", h, padding=1)), 2)
        h = avg_pool2d(relu(self.convolve(encoder + ".c3", h, padding=1)), 3, 2)
        return h.permute(0, 2, 3, 1).flatten(1)

    def dense(self, name, x, training):
        return relu(self.normalise(name + ".y", self.linear(name + ".h", x), training))

    def train(self, x, step):
        loss = self.loss(x, "train", step)
        return self.descend(loss, twin.cosine(step, self.steps, 1e-3, warmup=self.warmup))

    def evaluate(self):
        images = self.batch(*self.samples("test"))
        losses = [self.loss(rows, "evaluate", step).item()
                  for step, rows in enumerate(images.split(self.batch_size))
                  if len(rows) == self.batch_size]
        return {"loss": sum(losses) / len(losses)}
