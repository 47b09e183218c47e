"""Layers of images, [n, h, w, c]."""
import torch
from torch.nn import functional as F

from references.cases import ACTIVATIONS, add, numbers


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
            ("strides of many channels", (2, 9, 8, 6), 5,
             {"kernel": [4, 3], "stride": [2, 3], "padding": [2, 1]}, "none", True),
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
    leaky = channels_first(lambda x: F.max_pool2d(F.leaky_relu(x, 0.2), 2))
    add("max_pool2d", "many channels, leaky_relu", lambda i, w: {"y": leaky(i["x"])},
        {"x": numbers(1, 4, 2, 70)}, {"activation": "leaky_relu", "slope": 0.2})


FAMILIES = [convolutions, pools]
