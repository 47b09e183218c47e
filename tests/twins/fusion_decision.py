"""The twin of pipelines/fusion_decision.yaml."""
import torch
from torch.nn.functional import cross_entropy, max_pool2d, one_hot, relu

import emoji
import twin


class FusionDecision(emoji.Emoji):
    about = "The category of an emoji by a model of its picture and one of its name"
    layers = {
        "text_model.rows": twin.embedding(1024, 64, 0.1),
        "text_model.h": twin.linear(64, 256),
        "text_model.logits": twin.linear(256, 10),
        "image_model.c1": twin.conv(3, 64, 3),
        "image_model.c2": twin.conv(64, 128, 3),
        "image_model.logits": twin.linear(128, 10),
        "weights.y": {"weight": ((2,), 0.0)},
    }

    compiled = ["experts"]

    def __init__(self, options):
        super().__init__(options)
        models = [w for name, w in self.weights.items() if "model." in name]
        self.optimizer = self.optimize(torch.optim.AdamW, models, lr=2e-3, weight_decay=0.05)
        self.trust = self.adam("weights", lr=1e-3)

    def experts(self, rows, step):
        image, words, _ = rows
        t = self.look_up("text_model.rows", words).mean(1)
        t = self.dropout("train/text.some", t, 0.5, step)
        t = self.dropout("train/text.even", relu(self.linear("text_model.h", t)), 0.5, step)
        i = max_pool2d(relu(self.convolve("image_model.c1", image, padding=1)), 2)
        i = relu(self.convolve("image_model.c2", i, padding=1)).mean((2, 3))
        i = self.dropout("train/image.even", i, 0.5, step)
        return self.linear("text_model.logits", t), self.linear("image_model.logits", i)

    def weighted(self, text, image):
        share = self.weights["weights.y.weight"].softmax(0)
        return share[0] * text + share[1] * image

    def train(self, rows, step):
        text, image = self.experts(rows, step)
        loss = cross_entropy(text, rows[2]) + cross_entropy(image, rows[2])
        self.descend(loss, self.lr_at(step))
        text, image = (x.detach() for x in self.experts(rows, step))  # by the new weights
        trust = cross_entropy(self.weighted(text, image), rows[2])
        return [loss] + self.descend(trust, optimizer=self.trust)

    def evaluate(self):
        rows = self.samples("test")
        text, image = self.experts(rows, None)
        p = [x.softmax(1) for x in (text, image)]
        votes = sum(one_hot(x.argmax(1), 10) for x in (text, image)) + sum(p) / 4
        said = {"by_text": text, "by_image": image, "by_average": sum(p) / 2,
                "by_weighted": self.weighted(text, image),
                "by_product": sum(x.log_softmax(1) for x in (text, image)), "by_vote": votes}
        return {name: (x.argmax(1) == rows[2]).float().mean().item() for name, x in said.items()}


if __name__ == "__main__":
    twin.main(FusionDecision)
