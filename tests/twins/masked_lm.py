"""The twin of pipelines/masked_lm.yaml; --evaluate also prints what counting pieces would guess."""
import numpy as np
import torch
from torch.nn.functional import cross_entropy, gelu

import transformer
import twin

class MaskedLm(transformer.Tokens):
    about = "Fills blanks in the novels of Jane Austen (Devlin et al. 2019, arXiv:1810.04805)"
    epochs = 16
    clip_norm = 1
    batch_size = 64
    compiled = ["guess"]
    data = ("{node: text, file: austen/austen.txt, vocabulary: austen-2048, pieces: 2048, "
            "length: 64, split: %s, batch: 512}")
    length, pieces, features, blocks, blanks = 64, 2048, 128, 3, 10
    layers = {
        "encoder.rows": twin.embedding(pieces, features, 0.02),
        "encoder.sited": twin.positions(length, features),
        "encoder.y": twin.layer_norm(features),
        "head.h": twin.linear(features, features),
        "head.even": twin.layer_norm(features),
        "head.logits": twin.linear(features, pieces),
    }
    for i in range(blocks):
        layers |= transformer.block(f"encoder.block.{i}", features, 4 * features)

    def __init__(self, options):
        super().__init__(options)
        self.optimizer = self.adamw(0.05, lr=1e-3)

    def samples(self, split):
        tokens, = twin.weft_samples(self.data % split,
                                    {"tokens": "{node: to_float, x: data.tokens}"})
        self.steps = self.epochs * self.batches_of(len(tokens))
        return [tokens.long()]

    def batch(self, tokens):
        return tokens

    def mask(self, tokens, section, step):
        """The text with blanks, their places and what stood there."""
        t, m = self.length, self.blanks
        u = self.draw.uniform(f"{section}/blank", step, len(tokens), t + 2 * m)
        places = u[:, :t].sort(dim=1, stable=True).indices[:, :m].sort(dim=1).values
        label = tokens.gather(1, places)
        other = 4 + (u[:, t + m:] * np.float32(self.pieces - 4)).long()
        fate = u[:, t:t + m]
        said = torch.where(fate < 0.8, 3, torch.where(fate < 0.9, other, label))
        return tokens.scatter(1, places, said), places, label

    def guess(self, tokens, section, step):
        seen, places, label = self.mask(tokens, section, step)
        x = self.look_up("encoder.rows", seen) + self.weights["encoder.sited.weight"]
        for i in range(self.blocks):
            x = self.block(f"encoder.block.{i}", x)
        x = self.norm("encoder.y", x)
        x = x.gather(1, places[..., None].expand(-1, -1, x.shape[2]))
        h = self.norm("head.even", gelu(self.linear("head.h", x)))
        return self.linear("head.logits", h), label

    def train(self, tokens, step):
        logits, label = self.guess(tokens, "train", step)
        loss = cross_entropy(logits.flatten(0, 1), label.flatten())
        return self.descend(loss, twin.cosine(step, self.steps, 1e-3, warmup=300))

    def evaluate(self):
        test, = self.samples("test")
        loss = hits = 0
        for step, tokens in enumerate(test.split(self.batch_size)):
            logits, label = self.guess(tokens, "evaluate", step)
            loss += cross_entropy(logits.flatten(0, 1), label.flatten(), reduction="sum").item()
            hits += (logits.argmax(2) == label).sum().item()
        n = len(test) * self.blanks
        return {"loss": loss / n, "accuracy": hits / n, "perplexity": np.exp(loss / n)} | counted(
            self.samples("train")[0], test, self.pieces)


def counted(train, test, pieces):
    """Perplexity and accuracy of guessing a piece by how often it occurs, and by the one before."""
    n = torch.bincount(train.flatten(), minlength=pieces).double() + 1
    alone = n / n.sum()
    pairs = torch.zeros(pieces, pieces, dtype=torch.double)
    pairs.index_put_((train[:, :-1].flatten(), train[:, 1:].flatten()),
                     torch.ones((), dtype=torch.double), accumulate=True)
    seen = pairs.sum(1, keepdim=True)
    trust = seen / (seen + 200)  # back off to the frequencies alone
    after = trust * pairs / seen.clamp(min=1) + (1 - trust) * alone
    left, right = test[:, :-1].flatten(), test[:, 1:].flatten()
    p1, p2 = alone[right], after[left, right]
    return {"unigram_accuracy": (right == alone.argmax()).double().mean().item(),
            "unigram_perplexity": (-p1.log().mean()).exp().item(),
            "bigram_accuracy": (after.argmax(1)[left] == right).double().mean().item(),
            "bigram_perplexity": (-p2.log().mean()).exp().item()}


if __name__ == "__main__":
    twin.main(MaskedLm)
