"""The twin of pipelines/gpt.yaml; --evaluate also prints the bits of counting."""
import math

import torch
from torch.nn.functional import cross_entropy, gelu, scaled_dot_product_attention

import transformer
import twin


def sized(pieces, length, features=128, blocks=4):
    """The layers of a model of so many pieces, whose texts are so long."""
    layers = {
        "gpt.rows": twin.embedding(pieces, features, 0.02),
        "gpt.sited": twin.positions(length, features),
        "gpt.even": twin.layer_norm(features),
        "gpt.logits": twin.linear(features, pieces),
    }
    for i in range(blocks):
        layers |= transformer.block(f"gpt.block.{i}", features, 4 * features)
    return layers


class Gpt(transformer.Tokens):
    about = "Writes novels of Jane Austen character by character (Radford et al. 2018)"
    epochs = 3
    clip_norm = 1
    batch_size = 16
    compiled = ["loss", "turn_of_all"]
    data = ("{node: text, file: austen/austen.txt, vocabulary: austen-characters, kind: characters, "
            "pieces: 96, length: 129, split: %s, batch: 512}")
    length, pieces, features, blocks, heads = 128, 96, 128, 4, 4
    layers = sized(pieces, length, features, blocks)

    def __init__(self, options):
        super().__init__(options)
        self.optimizer = self.adamw(0.1, lr=1e-3, betas=(0.9, 0.99))

    def samples(self, split):
        tokens, = twin.weft_samples(self.data % split,
                                    {"tokens": "{node: to_float, x: data.tokens}"})
        self.steps = self.epochs * self.batches_of(len(tokens))
        return [tokens.long()]

    def batch(self, tokens):
        return tokens

    def attend(self, q, k, v, heads, keys=None):
        q, k, v = (x.unflatten(2, (heads, -1)).transpose(1, 2) for x in (q, k, v))
        seen = scaled_dot_product_attention(q, k, v, is_causal=q.shape[2] == k.shape[2])
        return seen.transpose(1, 2).flatten(2)

    def logits(self, tokens):
        x = self.weights["gpt.rows.weight"][tokens] + self.weights["gpt.sited.weight"]
        for i in range(self.blocks):
            x = self.block(f"gpt.block.{i}", x, heads=self.heads)
        return self.linear("gpt.logits", self.norm("gpt.even", x))

    def loss(self, tokens):
        return cross_entropy(self.logits(tokens[:, :-1]).flatten(0, 1), tokens[:, 1:].flatten())

    # Writing: token by token, from keys and values of the tokens before

    def sample(self, rows):
        """Goes on for as many texts, from one token each."""
        heads = self.features // self.heads
        past = [[torch.zeros(rows, self.heads, self.length, heads) for _ in "kv"] for _ in range(self.blocks)]
        token = torch.full((rows, 1), 4)
        for at in range(self.length - 1):
            if self.options.compile:
                token = self.turn_of_all(token, torch.tensor([at]), past)
            else:
                token = self.turn(token, at, past)

    def turn(self, token, at, past):
        """Sees the keys there are."""
        def attend(i, q, k, v):
            keys, values = past[i]
            keys[:, :, at], values[:, :, at] = k[:, :, 0], v[:, :, 0]
            return scaled_dot_product_attention(q, keys[:, :, :at + 1], values[:, :, :at + 1])

        return self.next(token, self.weights["gpt.sited.weight"][at], attend)

    def turn_of_all(self, token, at, past):
        """Sees all places, of which those to come are hidden: for torch.compile, whose shapes are fixed."""
        seen = (torch.arange(self.length) <= at)[None]

        def attend(i, q, k, v):
            keys, values = past[i]
            keys[:, :, at], values[:, :, at] = k, v
            return scaled_dot_product_attention(q, keys, values, attn_mask=seen)

        return self.next(token, self.weights["gpt.sited.weight"][at], attend)

    def next(self, token, place, attend):
        x = self.weights["gpt.rows.weight"][token] + place
        for i in range(self.blocks):
            block = f"gpt.block.{i}"
            h = self.norm(f"{block}.n1", x)
            q, k, v = (self.linear(f"{block}.{name}", h).unflatten(2, (self.heads, -1)).transpose(1, 2)
                       for name in "qkv")
            x = x + self.linear(f"{block}.mix", attend(i, q, k, v).transpose(1, 2).flatten(2))
            h = gelu(self.linear(f"{block}.up", self.norm(f"{block}.n2", x)))
            x = x + self.linear(f"{block}.down", h)
        return self.draw_of(self.linear("gpt.logits", self.norm("gpt.even", x))[:, 0])

    def draw_of(self, logits, temperature=0.8, top_p=0.95):
        p, places = (logits / temperature).softmax(1).sort(1, descending=True)
        p = torch.where(p.cumsum(1) - p < top_p, p, 0)
        return places.gather(1, torch.multinomial(p, 1))

    def train(self, tokens, step):
        return self.descend(self.loss(tokens), twin.cosine(step, self.steps, 1e-3, warmup=100, to=1e-4))

    def evaluate(self):
        test, = self.samples("test")
        losses = [self.loss(rows).item() * len(rows) for rows in test.split(self.batch_size)]
        loss = sum(losses) / len(test)
        return {"loss": loss, "bits": loss / math.log(2)} | counted(self.samples("train")[0], test)


def counted(train, test, longest=6):
    """Bits of a token, guessed from the n - 1 before by counting: Witten-Bell, from short to long."""
    base = int(max(train.max(), test.max())) + 1
    found = {}
    text, asked = train.flatten(), test
    p = torch.full(asked[:, 1:].shape, 1 / base, dtype=torch.double)
    for n in range(1, longest + 1):
        def keys(x, size):
            width = x.shape[-1] - n + 1
            key = torch.zeros(*x.shape[:-1], width, dtype=torch.long)
            for i in range(size):
                key = key * base + x[..., i:i + width]
            return key
        whole, counts = keys(text, n).unique(return_counts=True)
        before, kinds = (whole // base).unique(return_counts=True)
        seen = torch.zeros(len(before), dtype=torch.long).index_add_(
            0, torch.searchsorted(before, whole // base), counts)
        def look(table, values, key):
            at = torch.searchsorted(table, key).clamp(max=len(table) - 1)
            return torch.where(table[at] == key, values[at], 0)
        key = keys(asked, n)
        hits, of, sorts = look(whole, counts, key), look(before, seen, key // base), look(before, kinds, key // base)
        first = max(n - 2, 0)  # of p; the first tokens of a row have fewer before them
        key_first = 1 if n == 1 else 0
        hits, of, sorts = (x[:, key_first:].double() for x in (hits, of, sorts))
        trust = of / (of + sorts).clamp(min=1)
        tail = p[:, first:]
        p[:, first:] = trust * hits / of.clamp(min=1) + (1 - trust) * tail
        found[f"bits_of_{n}"] = -p.log2().mean().item()
    return found


if __name__ == "__main__":
    twin.main(Gpt)
