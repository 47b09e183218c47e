"""Nodes that remember."""
import torch
from torch.nn import functional as F

from references.cases import add, numbers


def directions(*shape):
    return F.normalize(numbers(*shape), dim=-1).float().double()


def queue():
    def contrast(temperature, start, rows, moves=True):
        def function(i, w, s):
            q, k = F.normalize(i["x"], dim=-1), F.normalize(i["key"], dim=-1)
            own, others = (q * k).sum(-1, keepdim=True), q @ s["keys"].clone().T
            if moves:
                slots = torch.arange(start, start + rows) % len(s["keys"])
                s["keys"][slots] = k[:rows].detach()
            return {"y": torch.cat([own, others], 1) / temperature}
        return function

    for name, rows, d, size, temperature, step in [("one", 1, 1, 1, 1, 0), ("wraps", 5, 3, 7, 0.5, 1),
                                                   ("blocks", 3, 2, 259, 0.07, 86)]:
        add("queue", name, contrast(temperature, step * rows, rows),
            {"x": numbers(rows, d), "key": numbers(rows, d)},
            {"size": size, "temperature": temperature}, states={"keys": directions(size, d)},
            fixed=["key"], step=step)
    add("queue", "evaluation", contrast(0.07, 0, 5, False),
        {"x": numbers(5, 3), "key": numbers(5, 3)}, {"size": 4}, states={"keys": directions(4, 3)},
        fixed=["key"], mode="evaluate")


def vector_quantize():
    """As van den Oord et al. 2017, appendix A.1, with sums and counts apart. A codebook is the sums
    over the counts, smoothed."""
    def quantize(codes, decay, eps, rows, moves=True):
        def smooth(count):
            return (count + eps) / (count.sum() + codes * eps) * count.sum()

        def function(i, w, s):
            x, codebook = i["x"], s["codebook"].clone()
            code = torch.cdist(x.reshape(-1, x.shape[-1]), codebook).argmin(-1).view(x.shape[:-1])
            q = codebook[code]
            if moves:
                chosen = F.one_hot(code[:rows].reshape(-1), codes).double()
                sums = decay * codebook * smooth(s["count"])[:, None] + (1 - decay) * (
                    chosen.T @ x[:rows].detach().reshape(-1, x.shape[-1]))
                s["count"].mul_(decay).add_((1 - decay) * chosen.sum(0))
                s["codebook"].copy_(sums / smooth(s["count"])[:, None])
            return {"y": x + (q - x).detach(), "code": code.int(),
                    "commitment": F.mse_loss(x, q, reduction="none").flatten(1).mean(1)}
        return function

    for name, shape, codes, decay, rows in [("one", (1, 1), 1, 0.5, 1), ("vectors", (20, 3), 4, 0.9, 20),
                                            ("images", (6, 3, 2, 5), 7, 0.99, 5)]:
        add("vector_quantize", name, quantize(codes, decay, 1e-3, rows), {"x": numbers(*shape)},
            {"codes": codes, "features": shape[-1], "decay": decay, "eps": 1e-3, "revive": 0},
            states={"codebook": numbers(codes, shape[-1]),
                    "count": (3 * torch.rand(codes)).float().double()},
            rows=rows, grad_rows=rows)
    add("vector_quantize", "evaluation", quantize(7, 0.9, 1e-3, 4, False), {"x": numbers(4, 9, 3)},
        {"codes": 7, "features": 3},
        states={"codebook": numbers(7, 3), "count": torch.ones(7).double()}, mode="evaluate")


def moving_average():
    def average(decay, rows, moves=True):
        def function(i, w, s):
            if moves:
                total = s["weight"] * s["mean"] * decay + (1 - decay) * i["x"][:rows].reshape(rows, -1).mean(0)
                s["weight"].mul_(decay).add_(1 - decay)
                s["mean"].copy_(total / s["weight"])
            return {"y": s["mean"].view(i["x"].shape[1:]).expand_as(i["x"]).clone()}
        return function

    for name, shape, decay, rows, weight in [("first", (4, 3), 0.9, 4, 0.0), ("numbers", (5,), 0.5, 5, 0.75),
                                             ("short", (4, 2, 3), 0.99, 3, 0.3)]:
        size = torch.zeros(shape)[0].numel()
        add("moving_average", name, average(decay, rows), {"x": numbers(*shape)}, {"decay": decay},
            states={"mean": numbers(size), "weight": torch.tensor([weight]).double()}, fixed=["x"],
            rows=rows)


def memory():
    """What is read was there before; of equal places the last sample's stays."""
    def of(rows, writes=True):
        def function(i, w, s):
            at = i["at"].long()
            y = s["held"][at].clone()
            for row in range(rows if writes else 0):
                s["held"][at[row]] = i["x"][row]
            return {"y": y}
        return function

    for name, at, shape, rows in [("one", [0], [], 1), ("equal places", [2, 4, 2, 0], [3], 4),
                                  ("a short batch", [1, 3, 0, 2], [2, 3], 3)]:
        inputs = {"at": torch.tensor(at).int(), "x": numbers(len(at), *shape)}
        add("memory", name, of(rows), inputs, {"size": 5, "shape": shape},
            states={"held": numbers(5, *shape)}, fixed=["at", "x"], rows=rows)
    add("memory", "evaluation", of(2, False),
        {"at": torch.tensor([1, 3]).int(), "x": numbers(2, 3)}, {"size": 5, "shape": [3]},
        states={"held": numbers(5, 3)}, fixed=["at", "x"], mode="evaluate")


FAMILIES = [queue, vector_quantize, moving_average, memory]
