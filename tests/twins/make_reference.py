"""Writes tests/nodes/reference/KIND.json: what PyTorch computes for each kind of node.

    python3 tests/twins/make_reference.py [KIND ...]

Numbers are computed in float64 from inputs that are exact in float32. A case holds inputs, weights
and the outputs' gradients, and what must follow: outputs, gradients, states. A case of an optimizer
holds a weight, gradients, and the weight after each of them.
"""
import json
import math
import sys
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

import weft_random

FOLDER = Path(__file__).parent.parent / "nodes" / "reference"
KEY = 42  # of the random numbers of a node under test
EXTREMES = [0.0, 1e-6, -1e-6, 0.5, -0.5, 6.0, -6.0, 25.0, -25.0, 80.0, -80.0]
cases = {}  # kind -> list


def numbers(*shape, scale=1.0, centre=0.0):
    """Normal numbers, exact in float32, as float64."""
    x = centre + scale * torch.randn(shape, dtype=torch.float64)
    return x.float().double()


def array(t):
    t = t.detach()
    if t.dtype in (torch.int32, torch.int64):
        return {"shape": list(t.shape), "i32": t.flatten().tolist()}
    return {"shape": list(t.shape), "f32": [float(f"{v:.9g}") for v in t.flatten().tolist()]}


def arrays(named):
    return {name: [array(t) for t in value] if isinstance(value, list) else array(value)
            for name, value in named.items()}


def leaves(named):
    return [t for value in named.values() for t in (value if isinstance(value, list) else [value])]


def gradients(named, fixed):
    return {name: [t.grad for t in value] if isinstance(value, list) else value.grad
            for name, value in named.items() if name not in fixed}


def add(kind, name, function, inputs, params=None, weights=None, states=None, fixed=(), mode="train",
        grad_rows=None, **extra):
    """`function(inputs, weights)` gives {output: tensor}; `fixed` inputs take no gradient."""
    weights = weights or {}
    for key, value in (*inputs.items(), *weights.items()):
        for t in value if isinstance(value, list) else [value]:
            t.requires_grad_(t.is_floating_point() and key not in fixed and mode == "train")
    case = {"name": name, "mode": mode, "params": params or {}, "inputs": arrays(inputs),
            "weights": arrays(weights), **extra}
    if states:
        case["states"] = arrays(states)
        states = {key: value.clone() for key, value in states.items()}
        outputs = function(inputs, weights, states)
        case["states_after"] = arrays(states)
    else:
        outputs = function(inputs, weights)
    case["outputs"] = arrays(outputs)
    if mode == "train":
        grads = {key: numbers(*value.shape) for key, value in outputs.items()}
        for key, grad in grads.items():
            if grad_rows is not None:
                grad[grad_rows:] = 0
            for t in leaves(inputs) + leaves(weights):
                if t.requires_grad and t.grad is None:
                    t.grad = torch.zeros_like(t)
            if outputs[key].requires_grad:
                outputs[key].backward(grad, retain_graph=True)
        case["output_grads"] = arrays(grads)
        case["input_grads"] = arrays(gradients(inputs, fixed))
        case["weight_grads"] = arrays(gradients(weights, ()))
    cases.setdefault(kind, []).append(case)


ACTIVATIONS = {
    "none": lambda x, slope: x,
    "relu": lambda x, slope: F.relu(x),
    "leaky_relu": F.leaky_relu,
    "tanh": lambda x, slope: torch.tanh(x),
    "sigmoid": lambda x, slope: torch.sigmoid(x),
}


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


def channels_first(function):
    """Applies a PyTorch function of [n, c, h, w] to images [n, h, w, c]."""
    return lambda x, *rest: function(x.permute(0, 3, 1, 2), *rest).permute(0, 2, 3, 1)


def convolutions():
    for name, shape, features, params, activation, bias in [
            ("one number", (1, 1, 1, 1), 1, {"kernel": [1, 1]}, "none", True),
            ("odd sizes", (3, 7, 5, 3), 5, {"kernel": [3, 3], "padding": [1, 1]}, "relu", True),
            ("strides", (2, 9, 8, 4), 6, {"kernel": [4, 3], "stride": [2, 3], "padding": [2, 1]},
             "leaky_relu", True),
            ("windows that end early", (2, 6, 8, 2), 3, {"kernel": [3, 3], "stride": [2, 2]}, "none",
             False),
            ("dilated groups", (2, 8, 9, 4), 6, {"kernel": [3, 2], "dilation": [2, 3],
                                                 "groups": 2}, "tanh", True),
            ("one group for each channel", (2, 5, 5, 16), 16, {"kernel": [3, 3], "groups": 16},
             "sigmoid", True),
            ("wide", (1, 4, 4, 17), 33, {"kernel": [3, 3], "padding": [1, 1]}, "none", True)]:
        settings = {key: params.get(key, otherwise) for key, otherwise in [
            ("stride", 1), ("padding", 0), ("dilation", 1), ("groups", 1)]}
        weights = {"weight": numbers(features, shape[3] // settings["groups"], *params["kernel"])}
        if bias:
            weights["bias"] = numbers(features)
        convolve = channels_first(lambda x, w: F.conv2d(x, w["weight"], w.get("bias"), **settings))
        add("conv2d", name, lambda i, w: {"y": ACTIVATIONS[activation](convolve(i["x"], w), 0.2)},
            {"x": numbers(*shape)},
            {"features": features, "activation": activation, "bias": bias, "slope": 0.2, **params},
            weights)
    for name, shape, features, params, activation, bias in [
            ("one number", (1, 1, 1, 1), 1, {"kernel": [1, 1], "stride": [1, 1]}, "none", True),
            ("doubling", (3, 3, 5, 4), 3, {"kernel": [2, 2], "stride": [2, 2]}, "relu", True),
            ("dcgan", (2, 4, 3, 17), 5, {"kernel": [4, 4], "stride": [2, 2], "padding": [1, 1]},
             "tanh", False),
            ("one channel", (2, 3, 4, 5), 1, {"kernel": [3, 3], "stride": [1, 1]}, "sigmoid", True),
            ("dilated groups", (2, 3, 4, 4), 6, {"kernel": [3, 2], "stride": [2, 3],
                                                 "padding": [1, 0], "output_padding": [1, 2],
                                                 "dilation": [2, 1], "groups": 2},
             "leaky_relu", True)]:
        settings = {key: params.get(key, otherwise) for key, otherwise in [
            ("stride", 1), ("padding", 0), ("output_padding", 0), ("dilation", 1), ("groups", 1)]}
        weights = {"weight": numbers(shape[3], features // settings["groups"], *params["kernel"])}
        if bias:
            weights["bias"] = numbers(features)
        spread = channels_first(
            lambda x, w: F.conv_transpose2d(x, w["weight"], w.get("bias"), **settings))
        add("conv_transpose2d", name,
            lambda i, w: {"y": ACTIVATIONS[activation](spread(i["x"], w), 0.2)},
            {"x": numbers(*shape)},
            {"features": features, "activation": activation, "bias": bias, "slope": 0.2, **params},
            weights)


def pools():
    for name, shape, params in [
            ("halving", (3, 6, 4, 5), {}), ("odd sizes", (2, 7, 5, 3), {"kernel": [3, 2]}),
            ("overlapping", (2, 7, 6, 17), {"kernel": [3, 3], "stride": [2, 1], "padding": [1, 1]})]:
        kernel = params.get("kernel", [2, 2])
        settings = {"kernel_size": kernel, "stride": params.get("stride", kernel),
                    "padding": params.get("padding", 0)}
        for kind, pool in [("max_pool2d", F.max_pool2d), ("avg_pool2d", F.avg_pool2d)]:
            function = channels_first(lambda x: pool(x, **settings))
            add(kind, name, lambda i, w: {"y": function(i["x"])}, {"x": numbers(*shape)}, params)
    for shape in [(1, 1, 1, 1), (3, 4, 5, 7), (2, 6, 3)]:
        add("global_avg_pool", str(shape), lambda i, w: {"y": i["x"].flatten(1, -2).mean(1)},
            {"x": numbers(*shape)})
    for name, shape, factor in [("doubling", (2, 3, 5, 3), [2, 2]), ("uneven", (3, 2, 1, 4), [3, 4])]:
        enlarge = channels_first(lambda x: F.interpolate(x, scale_factor=factor))
        add("upsample", name, lambda i, w: {"y": enlarge(i["x"])}, {"x": numbers(*shape)},
            {"factor": factor})


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


def attend(q, k, v, heads, causal):
    def split(t):
        return t.reshape(*t.shape[:2], heads, -1).transpose(1, 2)
    q, k, v = split(q), split(k), split(v)
    scores = q @ k.transpose(2, 3) / math.sqrt(q.shape[-1])
    if causal:
        scores = scores.masked_fill(torch.ones_like(scores, dtype=torch.bool).triu(1), -math.inf)
    return (scores.softmax(-1) @ v).transpose(1, 2).flatten(2)


def attention():
    for name, n, tq, tk, d, heads, causal in [
            ("one place", 1, 1, 1, 1, 1, False), ("one head", 2, 3, 5, 7, 1, False),
            ("heads", 2, 5, 4, 6, 3, False), ("causal", 3, 5, 5, 8, 2, True),
            ("long", 1, 33, 33, 20, 2, True)]:
        add("attention", name,
            lambda i, w: {"y": attend(i["q"], i["k"], i["v"], heads, causal)},
            {"q": numbers(n, tq, d), "k": numbers(n, tk, d), "v": numbers(n, tk, d)},
            {"heads": heads, "causal": causal})


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
        for kind, function in [("add", torch.add), ("subtract", torch.sub), ("multiply", torch.mul)]:
            add(kind, str(shape), lambda i, w: {"y": function(i["a"], i["b"])},
                {"a": numbers(*shape), "b": numbers(*shape)})
        add("scale", str(shape), lambda i, w: {"y": -1.5 * i["x"]}, {"x": numbers(*shape)},
            {"by": -1.5})
        for count in [1, 3]:
            add("sum", f"{count} of {shape}", lambda i, w: {"y": sum(i["xs"])},
                {"xs": [numbers(*shape) for _ in range(count)]})


def random():
    for name, shape, step in [("one row", (1, 3), 0), ("odd sizes", (5, 7), 2**33 % 1000)]:
        eps = weft_random.normal(KEY, step, range(shape[0]), math.prod(shape[1:]))
        eps = torch.tensor(eps).double().reshape(shape)
        add("gaussian_sample", name,
            lambda i, w: {"z": i["mean"] + torch.exp(i["log_var"] / 2) * eps},
            {"mean": numbers(*shape), "log_var": numbers(*shape)}, step=step)
        add("normal", name, lambda i, w: {"y": eps}, {}, {"shape": list(shape)}, mode="generate",
            step=step)


def per_sample(loss, reduce):
    loss = loss.flatten(1)
    return loss.mean(1) if reduce == "mean_per_sample" else loss.sum(1)


def losses():
    for name, shape, reduce in [("one number", (1, 1), "mean_per_sample"),
                                ("odd sizes", (3, 5), "sum_per_sample"),
                                ("images", (2, 3, 7), "mean_per_sample")]:
        bce = F.binary_cross_entropy_with_logits
        add("bce_with_logits", name,
            lambda i, w: {"y": per_sample(bce(i["x"], i["target"], reduction="none"), reduce)},
            {"x": numbers(*shape, scale=3), "target": torch.sigmoid(numbers(*shape)).float().double()},
            {"reduce": reduce}, fixed=["target"])
        add("mse", name,
            lambda i, w: {"y": per_sample((i["x"] - i["target"])**2, reduce)},
            {"x": numbers(*shape), "target": numbers(*shape)}, {"reduce": reduce})
        add("gaussian_kl", name,
            lambda i, w: {"y": per_sample(
                torch.distributions.kl_divergence(
                    torch.distributions.Normal(i["mean"], torch.exp(i["log_var"] / 2)),
                    torch.distributions.Normal(0.0, 1.0)), "sum_per_sample")},
            {"mean": numbers(*shape), "log_var": numbers(*shape)})
    for kind, function in [("l1", F.l1_loss),
                           ("huber", lambda x, t, reduction: F.huber_loss(x, t, reduction, 0.7))]:
        for shape, reduce in [((3, 5), "mean_per_sample"), ((2, 3, 7), "sum_per_sample")]:
            add(kind, str(shape),
                lambda i, w: {"y": per_sample(function(i["x"], i["target"], reduction="none"),
                                              reduce)},
                {"x": numbers(*shape), "target": numbers(*shape)},
                {"reduce": reduce} | ({"delta": 0.7} if kind == "huber" else {}))
    x = torch.tensor([EXTREMES]).float().double()
    add("bce_with_logits", "extremes",
        lambda i, w: {"y": F.binary_cross_entropy_with_logits(i["x"], i["target"])[None]},
        {"x": x, "target": (x > 1).double()}, fixed=["target"])
    for name, shape, smoothing in [("one row", (1, 3), 0.0), ("odd sizes", (5, 7), 0.0),
                                   ("smoothed", (4, 10), 0.1), ("sequences", (3, 4, 6), 0.2)]:
        add("cross_entropy", name,
            lambda i, w: {"y": F.cross_entropy(i["logits"].movedim(-1, 1), i["label"].long(),
                                               label_smoothing=smoothing,
                                               reduction="none").reshape(shape[0], -1).mean(1)},
            {"logits": numbers(*shape, scale=3),
             "label": torch.randint(shape[-1], shape[:-1]).int()},
            {"label_smoothing": smoothing}, fixed=["label"])


def nt_xent(a, b, temperature):
    """Chen et al. 2020, eq. 1: a value for each sample."""
    z = F.normalize(torch.stack([a, b], 1).flatten(0, 1))
    scores = (z @ z.T / temperature).fill_diagonal_(-math.inf)
    partner = torch.arange(len(z)) ^ 1
    return F.cross_entropy(scores, partner, reduction="none").reshape(-1, 2).mean(1)


def contrastive():
    for name, shape, temperature in [("a pair", (2, 3), 1.0), ("odd sizes", (5, 7), 0.5),
                                     ("sharp", (9, 16), 0.1)]:
        add("nt_xent", name, lambda i, w: {"y": nt_xent(i["a"], i["b"], temperature)},
            {"a": numbers(*shape), "b": numbers(*shape)}, {"temperature": temperature})


def optimizers():
    sgd, adam, adamw = torch.optim.SGD, torch.optim.Adam, torch.optim.AdamW
    for kind, name, make, params in [
            ("sgd", "plain", sgd, {"lr": 0.1}),
            ("sgd", "momentum", sgd, {"lr": 0.1, "momentum": 0.9}),
            ("sgd", "nesterov", sgd, {"lr": 0.05, "momentum": 0.8, "nesterov": True}),
            ("sgd", "weight decay", sgd, {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.3}),
            ("adam", "defaults", adam, {"lr": 1e-3}),
            ("adam", "weight decay", adam, {"lr": 0.1, "betas": [0.5, 0.99], "eps": 1e-4,
                                            "weight_decay": 0.3}),
            ("adamw", "defaults", adamw, {"lr": 1e-3}),
            ("adamw", "weight decay", adamw, {"lr": 0.1, "betas": [0.5, 0.99], "weight_decay": 0.3})]:
        weight, grads, after = numbers(3, 5), [numbers(3, 5) for _ in range(5)], []
        learned = torch.nn.Parameter(weight.clone())
        optimizer = make([learned], **params)
        for grad in grads:
            learned.grad = grad.clone()
            optimizer.step()
            after.append(array(learned))
        cases.setdefault(kind, []).append(
            {"name": name, "params": params,
             "update": {"weight": array(weight), "grads": [array(g) for g in grads],
                        "weights_after": after}})


def text(value, indent=""):
    """JSON with one line for each array."""
    nested = isinstance(value, (dict, list)) and any(isinstance(v, (dict, list)) for v in (
        value.values() if isinstance(value, dict) else value))
    if not nested or (isinstance(value, dict) and "shape" in value and len(value) == 2):
        return json.dumps(value)
    inner = indent + " "
    if isinstance(value, list):
        return "[\n" + ",\n".join(inner + text(v, inner) for v in value) + "]"
    return "{\n" + ",\n".join(f"{inner}{json.dumps(k)}: {text(v, inner)}"
                              for k, v in value.items()) + "}"


def main():
    for family in [linear, convolutions, pools, activations, dropout, batch_norm, layer_norm, attention, shapes,
                   arithmetic, random, losses, contrastive, optimizers]:
        torch.manual_seed(1)  # each family draws the same numbers whatever else is written
        family()
    wanted = sys.argv[1:] or list(cases)
    FOLDER.mkdir(parents=True, exist_ok=True)
    for kind in wanted:
        (FOLDER / f"{kind}.json").write_text(text({"kind": kind, "cases": cases[kind]}) + "\n")


if __name__ == "__main__":
    main()
