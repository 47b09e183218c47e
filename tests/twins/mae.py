"""The twin of pipelines/mae.yaml."""
import torch
from torch.nn.functional import mse_loss

import transformer
import twin


class Mae(transformer.Tokens):
    about = "Masked autoencoder of garments (He et al. 2022, arXiv:2111.06377)"
    epochs = 10
    compiled = ["loss"]
    patch, places, seen, features, narrow, blocks = 4, 49, 12, 96, 64, 3
    layers = {
        "patches.rows": twin.linear(patch**2, features),
        "patches.sited": twin.positions(places, features),
        "blocks.y": twin.layer_norm(features),
        "decoder.narrow": twin.linear(features, narrow),
        "decoder.at_seen": twin.embedding(places, narrow, 0.02),
        "decoder.blank": twin.embedding(places, narrow, 0.02),
        "decoder.even": twin.layer_norm(narrow),
        "decoder.patches": twin.linear(narrow, patch**2),
    }
    for i in range(blocks):
        layers |= transformer.block(f"blocks.block.{i}", features, 4 * features)
    layers |= transformer.block("decoder.block", narrow, 4 * narrow)
    range = "unit"

    def __init__(self, options):
        super().__init__(options)
        self.steps = self.epochs * self.batches_of(60000)
        self.optimizer = self.optimize(torch.optim.AdamW, self.weights.values(), lr=1e-3,
                                       betas=(0.9, 0.95), weight_decay=0.05)

    def cut(self, x):
        """Patches row by row, [n, 49, 16]."""
        return x.reshape(-1, 7, 4, 7, 4).transpose(2, 3).flatten(3).flatten(1, 2)

    def tokens(self, cut):
        return self.linear("patches.rows", cut) + self.weights["patches.sited.weight"]

    def encode(self, x):
        for i in range(self.blocks):
            x = self.block(f"blocks.block.{i}", x)
        return self.norm("blocks.y", x)

    def features_of(self, x):
        """Of whole images: what is kept of the model."""
        return self.encode(self.tokens(self.cut(x))).mean(1)

    def decode(self, x, seen, hidden):
        known = self.linear("decoder.narrow", x) + self.look_up("decoder.at_seen", seen)
        x = torch.cat([known, self.look_up("decoder.blank", hidden)], 1)
        x = self.norm("decoder.even", self.block("decoder.block", x))
        return self.linear("decoder.patches", x[:, self.seen:])

    def loss(self, x, section, step):
        seen, hidden = self.draw.subset(f"{section}/mask", step, len(x), self.places, self.seen)
        cut, rows = self.cut(x), torch.arange(len(x))[:, None]
        code = self.encode(self.tokens(cut)[rows, seen])
        return mse_loss(self.decode(code, seen, hidden), cut[rows, hidden])

    def train(self, x, step):
        return self.descend(self.loss(x, "train", step), twin.cosine(step, self.steps, 1e-3, warmup=400))

    def evaluate(self):
        images = self.batch(*self.samples("test"))
        loss = sum(self.loss(rows, "evaluate", step).item() * len(rows)
                   for step, rows in enumerate(images.split(self.batch_size)))
        return {"loss": loss / len(images)}


if __name__ == "__main__":
    twin.main(Mae)
