"""What moves, mixes or draws numbers."""
import math

import torch
from torch.nn import functional as F

import weft_random
from references.cases import KEY, add, numbers


def shapes():
    for name, shape, to in [("one row", (1, 6), [2, 3]), ("inferred", (3, 2, 4), [-1]),
                            ("in the middle", (2, 12), [2, -1, 3]), ("no axes", (3, 1), [])]:
        add("reshape", name, lambda i, w: {"y": i["x"].reshape(len(i["x"]), *to)},
            {"x": numbers(*shape)}, {"shape": to})
    for name, parts, axis in [("one part", [(2, 3)], -1), ("features", [(3, 2), (3, 5), (3, 1)], -1),
                              ("places", [(2, 1, 3), (2, 4, 3)], 1), ("last", [(1, 2, 3)] * 2, 2)]:
        add("concat", name, lambda i, w: {"y": torch.cat(i["xs"], axis)},
            {"xs": [numbers(*p) for p in parts]}, {"axis": axis})
    for name, shape, axis, begin, end in [("features", (3, 7), -1, 2, 5), ("ends", (2, 5, 3), 1, -2, 0),
                                          ("all but one", (2, 4, 3), 1, 0, -1)]:
        add("slice", name,
            lambda i, w: {"y": i["x"].narrow(axis, begin % shape[axis],
                                             (end - 1) % shape[axis] + 1 - begin % shape[axis])},
            {"x": numbers(*shape)}, {"axis": axis, "begin": begin, "end": end})
    for name, shape, axis, size, step in [("overlapping", (2, 7, 3), 1, 3, 2), ("last", (3, 2, 5), -1, 2, 1),
                                          ("gaps", (2, 9), 1, 2, 4), ("one", (1, 4), 1, 4, 3)]:
        def windows(x):
            at = axis % x.dim()
            return x.unfold(at, size, step).movedim(-1, at + 1)

        def laid(x):
            at = axis % (x.dim() - 1)
            y = x.new_zeros(*x.shape[:at], (x.shape[at] - 1) * step + size, *x.shape[at + 2:])
            for i in range(x.shape[at]):
                y.narrow(at, i * step, size).add_(x.select(at, i))
            return y
        add("unfold", name, lambda i, w: {"y": windows(i["x"])}, {"x": numbers(*shape)},
            {"axis": axis, "size": size, "step": step})
        add("fold", name, lambda i, w: {"y": laid(i["x"])}, {"x": numbers(*windows(torch.zeros(shape)).shape)},
            {"axis": axis % len(shape), "step": step})
    for name, shape, vocabulary, features in [("one", (1,), 1, 1), ("sequences", (3, 4), 7, 5),
                                              ("wide", (2, 9), 3, 17)]:
        add("embedding", name, lambda i, w: {"y": F.embedding(i["x"].long(), w["weight"])},
            {"x": torch.randint(vocabulary, shape).int()},
            {"vocabulary": vocabulary, "features": features},
            {"weight": numbers(vocabulary, features)}, fixed=["x"])
    add("stop_gradient", "odd sizes", lambda i, w: {"y": i["x"].detach()}, {"x": numbers(3, 5)},
        fixed=["x"])
    add("fill", "odd sizes", lambda i, w: {"y": torch.full_like(i["like"], -0.25)},
        {"like": numbers(3, 5)}, {"value": -0.25}, fixed=["like"])


def arithmetic():
    for shape in [(1,), (3, 5, 7)]:
        add("scale", str(shape), lambda i, w: {"y": -1.5 * i["x"]}, {"x": numbers(*shape)},
            {"by": -1.5})
        for count in [1, 3]:
            add("add_n", f"{count} of {shape}", lambda i, w: {"y": sum(i["xs"])},
                {"xs": [numbers(*shape) for _ in range(count)]})


def random():
    for name, shape, step in [("one row", (1, 3), 0), ("odd sizes", (5, 7), 2**33 % 1000)]:
        eps = weft_random.normal(KEY, step, range(shape[0]), math.prod(shape[1:]))
        eps = torch.tensor(eps).double().reshape(shape)
        add("gaussian_sample", name,
            lambda i, w: {"z": i["mean"] + torch.exp(i["log_var"] / 2) * eps},
            {"mean": numbers(*shape), "log_var": numbers(*shape)}, step=step)


def draws():
    for name, shape, step in [("one row", (1, 3), 0), ("odd sizes", (5, 7), 2**33 % 1000)]:
        size = math.prod(shape[1:])
        eps = torch.tensor(weft_random.normal(KEY, step, range(shape[0]), size)).double().reshape(shape)
        unit = torch.tensor(weft_random.uniform(KEY, step, range(shape[0]), size)).double().reshape(shape)
        words = weft_random.bits(KEY, step, range(shape[0]), 2 * size)
        wide = [[(int(a) << 32 | int(b)) * 1000 >> 64 for a, b in zip(row[::2], row[1::2])]
                for row in words]
        p = torch.rand(shape).double()
        for kind, y, inputs, params in [
                ("normal", eps, {}, {"shape": list(shape)}),
                ("normal", eps, {"like": numbers(*shape)}, {}),
                ("uniform", 3 * unit - 1, {}, {"shape": list(shape), "least": -1, "most": 2}),
                ("integers", torch.tensor(wide).int().reshape(shape), {}, {"shape": list(shape), "below": 1000}),
                ("bernoulli", (unit < 0.3).double(), {}, {"shape": list(shape), "p": 0.3}),
                ("bernoulli", (unit < p).double(), {"probabilities": p}, {})]:
            add(kind, f"{name}, {len(inputs)} inputs", lambda i, w: {"y": y}, inputs, params,
                mode="generate", step=step)


def take(x, places):
    """The places of each sample; zeros for -1."""
    rows = torch.arange(len(x))[:, None]
    kept = (places >= 0).view(*places.shape, *[1] * (x.dim() - 2))
    return x[rows, places.long().clamp(min=0)] * kept


def gather():
    for name, shape, places in [("one", (1, 1), [[0]]), ("numbers", (2, 3), [[2, 0], [-1, 1]]),
                                ("repeated", (3, 4, 5), [[1, 1, -1], [3, 0, 3], [-1, -1, -1]]),
                                ("images", (2, 3, 2, 7), [[2, 1, 0, 2], [0, 0, 0, -1]])]:
        add("gather", name, lambda i, w: {"y": take(i["x"], i["places"])},
            {"x": numbers(*shape), "places": torch.tensor(places).int()}, fixed=["places"])


def put(x, places, count):
    y = torch.zeros(len(x), count + 1, *x.shape[2:], dtype=x.dtype)  # the last for nowhere
    to = torch.where(places < 0, count, places).long()
    return torch.stack([y[i].index_add(0, to[i], x[i]) for i in range(len(x))])[:, :-1]


def scatter():
    for name, shape, places, count in [
            ("one", (1, 1), [[0]], 1), ("numbers", (2, 3), [[2, 0, -1], [-1, 1, 3]], 4),
            ("repeated", (3, 3, 5), [[1, 1, -1], [3, 0, 3], [-1, -1, -1]], 5),
            ("images", (2, 4, 2, 7), [[2, 1, 0, 3], [5, 0, 4, -1]], 6)]:
        add("scatter", name, lambda i, w: {"y": put(i["x"], i["places"], count)},
            {"x": numbers(*shape), "places": torch.tensor(places).int()}, {"count": count},
            fixed=["places"])


def argmax():
    for name, x in [("odd sizes", numbers(5, 3, 7)), ("wide", numbers(2, 65)),
                    ("equals", torch.tensor([[0.0, 2.0, 2.0], [1.0, 1.0, 1.0]]).double())]:
        add("argmax", name, lambda i, w: {"y": i["x"].argmax(-1).int()}, {"x": x},
            mode="evaluate")


def pad():
    for shape, axis, before, after in [((1, 1), 1, 0, 0), ((2, 3, 5), 1, 2, 1), ((2, 3, 5, 4), 2, 3, 0),
                                       ((3, 4, 7), -1, 0, 2)]:
        around = [0, 0] * (len(shape) - 1 - axis % len(shape)) + [before, after]
        add("pad", f"axis {axis} of {shape}", lambda i, w: {"y": torch.nn.functional.pad(i["x"], around)},
            {"x": numbers(*shape)}, {"axis": axis, "before": before, "after": after})


def whole_numbers():
    places = torch.tensor([[1, 1, -1], [3, 0, 3]]).int()
    add("scatter", "whole numbers", lambda i, w: {"y": put(i["x"], i["places"], 5).int()},
        {"x": torch.randint(-9, 9, (2, 3, 4)).int(), "places": places}, {"count": 5},
        fixed=["places"], mode="evaluate")


def more_draws():
    like, step = (5, 2), 7
    unit = torch.tensor(weft_random.uniform(KEY, step, range(5), 21)).double().reshape(5, 3, 7)
    for kind, name, y, params in [
            ("gumbel", "of a row", -torch.log(-torch.log(unit.clamp(min=2.0**-24))), {}),
            ("uniform", "of a row", unit, {}), ("bernoulli", "of a row", (unit < 0.5).double(), {}),
            ("bernoulli", "outside training", torch.full_like(unit, 0.75), {"outside_training": 0.75})]:
        add(kind, name, lambda i, w: {"y": y}, {"like": numbers(*like)}, {"shape": [3, 7], **params},
            fixed=["like"], mode="evaluate", step=step)


FAMILIES = [shapes, arithmetic, random, draws, gather, argmax, scatter, whole_numbers,
            more_draws, pad]
