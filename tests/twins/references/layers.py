"""Layers of rows of features."""
import math

import numpy as np
import torch
from torch.nn import functional as F

import weft_random
from references.cases import ACTIVATIONS, EXTREMES, KEY, add, numbers


def linear():
    for name, shape, features, activation, bias in [
            ("one number", (1, 1), 1, "none", True), ("odd sizes", (5, 7), 3, "none", True),
            ("rank 3", (3, 2, 4), 6, "relu", True), ("no bias", (4, 9), 17, "tanh", False),
            ("leaky", (6, 5), 4, "leaky_relu", True), ("wide", (2, 33), 65, "sigmoid", True)]:
        weights = {"weight": numbers(features, shape[-1])}
        if bias:
            weights["bias"] = numbers(features)
        add("linear", name,
            lambda i, w: {"y": ACTIVATIONS[activation](F.linear(i["x"], w["weight"], w.get("bias")),
                                                       0.2)},
            {"x": numbers(*shape)},
            {"features": features, "activation": activation, "bias": bias, "slope": 0.2}, weights)


def activations():
    functions = {
        "relu": (F.relu, {}), "leaky_relu": (lambda x: F.leaky_relu(x, 0.2), {"slope": 0.2}),
        "tanh": (torch.tanh, {}), "sigmoid": (torch.sigmoid, {}), "gelu": (F.gelu, {}),
        "softplus": (lambda x: F.softplus(x, threshold=1e9), {}), "silu": (F.silu, {})}
    for kind, (function, params) in functions.items():
        for name, x in [("one number", numbers(1)), ("odd sizes", numbers(5, 7, 3, scale=2)),
                        ("extremes", torch.tensor([EXTREMES]).float().double())]:
            add(kind, name, lambda i, w: {"y": function(i["x"])}, {"x": x}, params)


def dropout():
    for name, shape, rate, step in [("one row", (1, 5), 0.5, 0), ("odd sizes", (3, 7, 3), 0.3, 9),
                                    ("nothing dropped", (2, 3), 0.0, 1)]:
        u = weft_random.uniform(KEY, step, range(shape[0]), math.prod(shape[1:]))
        keep = torch.tensor(u >= np.float32(rate)).reshape(shape)
        add("dropout", name, lambda i, w: {"y": i["x"] * keep / (1 - rate)},
            {"x": numbers(*shape)}, {"rate": rate}, step=step)
    add("dropout", "evaluation", lambda i, w: {"y": i["x"]}, {"x": numbers(3, 5)}, mode="evaluate")


def batch_norm_of(i, w, s, rows, momentum, eps, training):
    x = i["x"].movedim(-1, 1)  # PyTorch has its features on axis 1
    real = x[:rows]
    mean, var = s["running_mean"].clone(), s["running_var"].clone()
    if training:
        F.batch_norm(real.detach(), s["running_mean"], s["running_var"], training=True,
                     momentum=momentum)
        axes = [a for a in range(x.dim()) if a != 1]
        mean, var = real.mean(axes), real.var(axes, unbiased=False)
    to = [1, -1] + [1] * (x.dim() - 2)
    y = (x - mean.view(to)) / torch.sqrt(var.view(to) + eps)
    y = y * w["weight"].view(to) + w["bias"].view(to)
    if training and rows == len(x):  # the formula above is what PyTorch computes
        own = F.batch_norm(x, None, None, w["weight"], w["bias"], True, momentum, eps)
        assert torch.allclose(own, y)
    return {"y": y.movedim(1, -1)}


def batch_norm():
    for name, shape, rows, momentum, eps, mode in [
            ("odd sizes", (5, 3), 5, 0.1, 1e-5, "train"),
            ("images", (3, 2, 3, 4), 3, 0.3, 1e-3, "train"),
            ("one row of places", (1, 6, 2), 1, 0.1, 1e-5, "train"),
            ("wide", (9, 37), 9, 0.1, 1e-5, "train"),
            ("padded", (7, 2, 3), 5, 0.1, 1e-5, "train"),
            ("evaluation", (4, 3, 5), 4, 0.1, 1e-5, "evaluate")]:
        c = shape[-1]
        add("batch_norm", name,
            lambda i, w, s: batch_norm_of(i, w, s, rows, momentum, eps, mode == "train"),
            {"x": numbers(*shape, scale=2, centre=3)}, {"momentum": momentum, "eps": eps},
            {"weight": numbers(c, centre=1), "bias": numbers(c)},
            {"running_mean": numbers(c), "running_var": numbers(c).abs()}, mode=mode, rows=rows,
            grad_rows=rows)


def layer_norm():
    for name, shape, eps in [("one row", (1, 5), 1e-5), ("odd sizes", (3, 2, 7), 1e-5),
                             ("wide", (4, 67), 1e-3), ("far from 0", (3, 16), 1e-5)]:
        c = shape[-1]
        add("layer_norm", name,
            lambda i, w: {"y": F.layer_norm(i["x"], [c], w["weight"], w["bias"], eps)},
            {"x": numbers(*shape, scale=2, centre=20 if name == "far from 0" else 1)}, {"eps": eps},
            {"weight": numbers(c, centre=1), "bias": numbers(c)})


def group_norm():
    for name, shape, groups, eps in [("one row", (1, 10), 2, 1e-5), ("images", (3, 5, 2, 6), 3, 1e-5),
                                     ("one group", (2, 7, 9), 1, 1e-3),
                                     ("wide", (2, 3, 3, 66), 11, 1e-5),
                                     ("far from 0", (3, 16, 4), 2, 1e-5)]:
        c = shape[-1]
        add("group_norm", name,
            lambda i, w: {"y": F.group_norm(i["x"].movedim(-1, 1), groups, w["weight"], w["bias"],
                                            eps).movedim(1, -1)},
            {"x": numbers(*shape, scale=2, centre=20 if name == "far from 0" else 1)},
            {"groups": groups, "eps": eps}, {"weight": numbers(c, centre=1), "bias": numbers(c)})


def attend(q, k, v, heads, causal, hidden=None):
    def split(t):
        return t.reshape(*t.shape[:2], heads, -1).transpose(1, 2)
    q, k, v = split(q), split(k), split(v)
    scores = q @ k.transpose(2, 3) / math.sqrt(q.shape[-1])
    if hidden is not None:
        scores = scores.masked_fill(hidden[:, None, None], -math.inf)
    if causal:
        scores = scores.masked_fill(torch.ones_like(scores, dtype=torch.bool).triu(1), -math.inf)
    return (scores.softmax(-1) @ v).transpose(1, 2).flatten(2)


def attention():
    for name, n, tq, tk, d, heads, causal in [
            ("one place", 1, 1, 1, 1, 1, False), ("one head", 2, 3, 5, 7, 1, False),
            ("heads", 2, 5, 4, 6, 3, False), ("causal", 3, 5, 5, 8, 2, True),
            ("long", 1, 33, 33, 20, 2, True), ("in parts", 1, 130, 130, 2, 1, True)]:
        add("attention", name,
            lambda i, w: {"y": attend(i["q"], i["k"], i["v"], heads, causal)},
            {"q": numbers(n, tq, d), "k": numbers(n, tk, d), "v": numbers(n, tk, d)},
            {"heads": heads, "causal": causal})
    keys = torch.tensor([[4, -1, 0, 7, -1], [-1, 2, 2, -1, -1]], dtype=torch.int32)
    add("attention", "keys unseen",
        lambda i, w: {"y": attend(i["q"], i["k"], i["v"], 2, False, hidden=i["keys"] < 0)},
        {"q": numbers(2, 3, 6), "k": numbers(2, 5, 6), "v": numbers(2, 5, 6), "keys": keys},
        {"heads": 2}, fixed=("keys",))
    add("attention", "a few samples at a time",
        lambda i, w: {"y": attend(i["q"], i["k"], i["v"], 1, False)},
        {"q": numbers(4, 100, 1), "k": numbers(4, 100, 1), "v": numbers(4, 100, 1)})


def softmax():
    for kind, function in [("softmax", F.softmax), ("log_softmax", F.log_softmax)]:
        for name, x, temperature in [
                ("one number", numbers(1, 1), 1.0), ("odd sizes", numbers(3, 2, 7, scale=3), 1.0),
                ("warm", numbers(4, 33, scale=3), 2.5),
                ("far from 0", numbers(2, 5, centre=100), 0.5),
                ("extremes", torch.tensor([EXTREMES]).float().double(), 1.0)]:
            add(kind, name, lambda i, w: {"y": function(i["x"] / temperature, -1)}, {"x": x},
                {"temperature": temperature})


def positions():
    for name, shape in [("one number", (1, 1, 1)), ("odd sizes", (5, 7, 3))]:
        add("positions", name, lambda i, w: {"y": i["x"] + w["weight"]}, {"x": numbers(*shape)},
            {"deviation": 0.1}, {"weight": numbers(*shape[1:])})


def modulate():
    for name, shape in [("rows", (3, 5)), ("places", (1, 7, 2)), ("images", (2, 3, 5, 17))]:
        between = [shape[0]] + [1] * (len(shape) - 2) + [shape[-1]]
        add("modulate", name,
            lambda i, w: {"y": i["x"] * (1 + i["scale"].view(between)) + i["shift"].view(between)},
            {"x": numbers(*shape), "scale": numbers(shape[0], shape[-1]),
             "shift": numbers(shape[0], shape[-1])})


def norms():
    """Without learned numbers, or without a mean."""
    for shape, eps in [((3, 2, 7), 1e-5), ((4, 66), 1e-3)]:
        c = shape[-1]
        add("layer_norm", f"{shape} alone", lambda i, w: {"y": F.layer_norm(i["x"], [c], eps=eps)},
            {"x": numbers(*shape, scale=2, centre=1)}, {"eps": eps, "affine": False})
        groups = 1 if c == 7 else 3
        add("group_norm", f"{shape} alone",
            lambda i, w: {"y": F.group_norm(i["x"].movedim(-1, 1), groups, eps=eps).movedim(1, -1)},
            {"x": numbers(*shape, scale=2, centre=1)}, {"groups": groups, "eps": eps, "affine": False})
        for affine in [True, False]:
            add("rms_norm", f"{shape} {affine}",
                lambda i, w: {"y": F.rms_norm(i["x"], [c], w.get("weight"), eps)},
                {"x": numbers(*shape, scale=2, centre=1)}, {"eps": eps, "affine": affine},
                {"weight": numbers(c, centre=1)} if affine else {})


FAMILIES = [linear, activations, dropout, batch_norm, layer_norm, attention, softmax, positions,
            modulate, group_norm, norms]
