"""The twin of pipelines/clip.yaml; --evaluate also prints what chance finds."""
import torch
from torch.nn.functional import cross_entropy, max_pool2d, normalize, relu

import augment
import emoji
import twin


class Clip(emoji.Emoji):
    about = "Pictures of emoji and their names in one space (Radford et al. 2021, arXiv:2103.00020)"
    epochs = 40
    batch_size = 128
    drop_last = True
    lr, warmup = 1e-3, 50
    compiled = ["loss"]
    data = emoji.DATA.replace("label: category, ", "")
    layers = {
        "image_encoder.c1": twin.conv(3, 32, 3, bias=False), "image_encoder.n1": twin.batch_norm(32),
        "image_encoder.c2": twin.conv(32, 64, 3, bias=False), "image_encoder.n2": twin.batch_norm(64),
        "image_encoder.c3": twin.conv(64, 128, 3, bias=False), "image_encoder.n3": twin.batch_norm(128),
        "image_encoder.h": twin.linear(2048, 128),
        "text_encoder.rows": twin.embedding(1024, 128, 0.1),
        "text_encoder.h": twin.linear(128, 256),
        "text_encoder.z": twin.linear(256, 128),
        "sharpness.moved": {"weight": ((1,), 0.0)},
    }

    def __init__(self, options):
        super().__init__(options)
        self.optimizer = self.optimize(torch.optim.AdamW, self.weights.values(), lr=1e-3, weight_decay=0.1)

    def of_image(self, x, step):
        x = self.laid_out(x)
        for i in (1, 2, 3):
            x = self.convolve(f"image_encoder.c{i}", x, padding=1)
            x = max_pool2d(relu(self.normalise(f"image_encoder.n{i}", x, step is not None)), 2)
        x = self.dropout("train/image.some", x.permute(0, 2, 3, 1).flatten(1), 0.3, step)
        return normalize(self.linear("image_encoder.h", x))

    def of_text(self, words, step):
        x = self.look_up("text_encoder.rows", words).mean(1)
        x = relu(self.linear("text_encoder.h", self.dropout("train/text.some", x, 0.3, step)))
        return normalize(self.linear("text_encoder.z", x))

    def loss(self, rows, step):
        view = augment.random_crop(rows[0], self.draw.uniform("train/view", step, len(rows[0]), 4), (0.6, 1))
        sharp = (2.6593 + self.weights["sharpness.moved.weight"]).clamp(max=4.6052).exp()
        scores = sharp * (self.of_image(view, step) @ self.of_text(rows[1], step).T)
        own = torch.arange(len(scores))
        return (cross_entropy(scores, own) + cross_entropy(scores.T, own)) / 2

    def train(self, rows, step):
        return self.descend(self.loss(rows, step), self.lr_at(step))

    def evaluate(self):
        image, words, _ = self.samples("test")
        scores = self.of_text(words, None) @ self.of_image(image, None).T
        found = {}
        for name, of in (("image", scores), ("name", scores.T)):
            before = (of >= of.diagonal()[:, None]).sum(1)
            found |= {f"{name}_at_{k}": (before <= k).float().mean().item() for k in (1, 5, 10)}
        return found | {f"chance_at_{k}": k / len(scores) for k in (1, 5, 10)}


if __name__ == "__main__":
    twin.main(Clip)
