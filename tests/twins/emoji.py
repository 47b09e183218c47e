"""What the twins of the fusion pipelines share: emoji, the words of their names, their categories."""
import torch
from torch.nn.functional import cross_entropy

import transformer
import twin

DATA = ("{node: table, file: emoji/emoji.json, image: image, folder: google, size: 32, "
        "text: [name, short_names], words: 1024, label: category, group: name, "
        "test_share: 0.2, split: %s, batch: 256}")


class Emoji(transformer.Tokens):
    epochs = 40
    batch_size = 64
    compiled = ["classify"]
    lr, warmup = 2e-3, 50
    data = DATA

    def samples(self, split):
        image, words, label = twin.weft_samples(self.data % split, {
            "image": "data.image", "words": "{node: to_float, x: data.words}",
            "label": "{node: to_float, x: data.label}"})
        self.steps = self.epochs * self.batches_of(len(image))
        image = self.laid_out(image.permute(0, 3, 1, 2))
        return [image, words.long(), label.long()]

    def batch(self, *rows):
        return rows

    def lr_at(self, step):
        return twin.cosine(step, self.steps, self.lr, self.warmup)

    def train(self, rows, step):
        return self.descend(cross_entropy(self.classify(rows, step), rows[2]), self.lr_at(step))

    def evaluate(self):
        rows = self.samples("test")
        logits = self.classify(rows, None)
        return {"loss": cross_entropy(logits, rows[2]).item(),
                "accuracy": (logits.argmax(1) == rows[2]).float().mean().item()}
