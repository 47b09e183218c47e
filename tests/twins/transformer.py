"""The blocks of nodes/layers/*_block.yaml and what goes with them, for twins with tokens."""
import torch
from torch.nn.functional import gelu, layer_norm

import twin


def block(prefix, features, hidden, cross=False):
    """The layers of transformer_block or cross_attention_block, by name."""
    layers = {f"{prefix}.{name}": twin.linear(features, features) for name in ("q", "k", "v", "mix")}
    layers |= {f"{prefix}.{name}": twin.layer_norm(features)
               for name in (("n1", "c1", "n2") if cross else ("n1", "n2"))}
    return layers | {f"{prefix}.up": twin.linear(features, hidden),
                     f"{prefix}.down": twin.linear(hidden, features)}


class Tokens(twin.Model):
    """A model whose values are tokens, [n, t, features]."""

    def norm(self, layer, x):
        weight, bias = self.of(layer)
        return layer_norm(x, weight.shape, weight, bias)

    def look_up(self, layer, places):
        """Rows of an embedding; zeros where the place is -1."""
        weight, _ = self.of(layer)
        return weight[places.clamp(min=0)] * (places >= 0)[..., None]

    def attend(self, q, k, v, heads, keys=None):
        """Of the keys, tokens below 0 are not seen."""
        def split(x):
            return x.unflatten(2, (heads, -1)).transpose(1, 2)

        q, k, v = split(q), split(k), split(v)
        scores = q @ k.transpose(2, 3) / q.shape[3] ** 0.5
        if keys is not None:
            scores = scores.masked_fill((keys < 0)[:, None, None], -1e30)
        return (scores.softmax(3) @ v).transpose(1, 2).flatten(2)

    def block(self, prefix, x, heads=4, context=None, keys=None, rate=0, path=None, step=None):
        """`path` is that of the block's use in the pipeline, for dropout."""
        def dropped(name, x):
            return self.dropout(f"{path}.{name}", x, rate, step) if rate else x

        h = self.norm(f"{prefix}.n1", x)
        c = h if context is None else self.norm(f"{prefix}.c1", context)
        q, k, v = (self.linear(f"{prefix}.{name}", y) for name, y in (("q", h), ("k", c), ("v", c)))
        x = x + dropped("mix_d", self.linear(f"{prefix}.mix", self.attend(q, k, v, heads, keys)))
        h = gelu(self.linear(f"{prefix}.up", self.norm(f"{prefix}.n2", x)))
        return x + dropped("down_d", self.linear(f"{prefix}.down", h))

    def adamw(self, decay, **settings):
        """`decay` applies to all but biases."""
        groups = [{"params": [w for name, w in self.weights.items() if not name.endswith(".bias")],
                   "weight_decay": decay},
                  {"params": [w for name, w in self.weights.items() if name.endswith(".bias")],
                   "weight_decay": 0}]
        return self.optimize(torch.optim.AdamW, groups, **settings)
