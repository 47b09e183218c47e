"""Times how the twin of pipelines/gpt.yaml writes with a key-value cache: `gpt_writing.py --batch 32`."""
import argparse
import json
import statistics
import time
from types import SimpleNamespace

import torch
from torch.nn.functional import embedding, gelu, layer_norm, linear, scaled_dot_product_attention

import gpt


class Writer:
    """One token after another; the cache is there from the start, as large as the text gets."""

    def __init__(self, batch, length):
        options = SimpleNamespace(start=None, seed=0, time=True, update="loop", linear="blas")
        self.model = gpt.Gpt(options)
        self.weights = {name: weight.detach() for name, weight in self.model.weights.items()}
        shape = (self.model.blocks, batch, self.model.heads, length,
                 self.model.features // self.model.heads)
        self.keys, self.values = torch.zeros(shape), torch.zeros(shape)
        self.batch, self.length = batch, length

    def of(self, layer):
        return self.weights[f"gpt.{layer}.weight"], self.weights[f"gpt.{layer}.bias"]

    def norm(self, layer, x):
        return layer_norm(x, x.shape[-1:], *self.of(layer))

    def step(self, token, at, seen):
        """The logits behind `token`, [batch], at place `at`; `seen` hides places to come."""
        model = self.model
        x = embedding(token, self.weights["gpt.rows.weight"]) + self.weights["gpt.sited.weight"][at]
        for i in range(model.blocks):
            def block(name):
                return f"block.{i}.{name}"

            h = self.norm(block("n1"), x)
            q, k, v = (linear(h, *self.of(block(name))).view(self.batch, model.heads, 1, -1)
                       for name in "qkv")
            self.keys[i].index_copy_(2, at, k)
            self.values[i].index_copy_(2, at, v)
            y = scaled_dot_product_attention(q, self.keys[i], self.values[i], attn_mask=seen)
            x = x + linear(y.flatten(1), *self.of(block("mix")))
            h = gelu(linear(self.norm(block("n2"), x), *self.of(block("up"))))
            x = x + linear(h, *self.of(block("down")))
        return linear(self.norm("even", x), *self.of("logits"))

    def draw(self, logits):
        """With the nucleus of 95 % and temperature 0.8."""
        p, order = logits.softmax(1).sort(dim=1, descending=True)
        nucleus = p.cumsum(1) - p < 0.95
        p = (logits.gather(1, order) / 0.8).softmax(1) * nucleus
        return order.gather(1, torch.multinomial(p, 1)).squeeze(1)

    def write(self):
        token = torch.zeros(self.batch, dtype=torch.long)
        places = torch.arange(self.length)
        for place in range(self.length - 1):
            seen = (places <= place).view(1, 1, 1, -1)
            token = self.draw(self.step(token, places[place:place + 1], seen))
        return token


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--compile", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    with torch.inference_mode():
        writer = Writer(options.batch, gpt.Gpt.length)
        if options.compile:
            writer.step = torch.compile(writer.step, dynamic=False)
            writer.draw = torch.compile(writer.draw, dynamic=False)
        times = []
        for _ in range(options.rounds + 1):
            start = time.perf_counter()
            writer.write()
            times.append((time.perf_counter() - start) / (writer.length - 1))
    print(json.dumps({"ms": round(1000 * statistics.median(times[1:]), 4)}))


if __name__ == "__main__":
    main()
