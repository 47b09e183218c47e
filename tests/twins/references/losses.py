"""Losses: one value for each sample."""
import math

import torch
from torch.nn import functional as F

from references.cases import EXTREMES, add, numbers


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


def left_out():
    """Labels of -1: they are in no sum and in no number of places."""
    def mean(logits, label):
        each = F.cross_entropy(logits.movedim(-1, 1), label.long(), ignore_index=-1,
                               label_smoothing=0.2, reduction="none")
        return each.sum(1) / (label >= 0).sum(1).clamp(min=1)
    label = torch.tensor([[4, -1, 0, 2], [-1, -1, -1, -1], [1, 3, 5, 5]]).int()
    add("cross_entropy", "left out", lambda i, w: {"y": mean(i["logits"], i["label"])},
        {"logits": numbers(3, 4, 6, scale=3), "label": label}, {"label_smoothing": 0.2},
        fixed=["label"])


def focal_of(logits, label, gamma, alpha):
    """Lin et al. 2017, eq. 5, with softmax: mean over a sample's labels other than -1."""
    right = label.long().clamp(min=0)
    log_p = F.log_softmax(logits, -1).gather(-1, right[..., None])[..., 0]
    loss = -(1 - log_p.exp())**gamma * log_p * (torch.tensor(alpha)[right] if alpha else 1)
    kept = (label >= 0).reshape(len(label), -1)
    return (loss.reshape(kept.shape) * kept).sum(1) / kept.sum(1).clamp(min=1)


def focal():
    for name, shape, least, gamma, alpha in [
            ("one row", (1, 3), 0, 2.0, []), ("cross entropy", (5, 7), 0, 0.0, []),
            ("weighed classes", (5, 4), 0, 2.0, [0.25, 0.5, 1.0, 2.0]),
            ("sequences", (3, 5, 6), -1, 0.5, []), ("sharp", (2, 2, 3, 4), 0, 5.0, [])]:
        add("focal", name,
            lambda i, w: {"y": focal_of(i["logits"], i["label"], gamma, alpha)},
            {"logits": numbers(*shape, scale=2),
             "label": torch.randint(least, shape[-1], shape[:-1]).int()},
            {"gamma": gamma, "alpha": alpha}, fixed=["label"])


def cosine():
    for name, shape in [("a plane", (1, 2)), ("odd sizes", (5, 7)), ("places", (3, 2, 5)),
                        ("wide", (2, 65))]:
        add("cosine", name,
            lambda i, w: {"y": per_sample(1 - F.cosine_similarity(i["a"], i["b"], -1)[:, None],
                                          "mean_per_sample")},
            {"a": numbers(*shape), "b": numbers(*shape)})


def hinge():
    for name, shape, margin, sign in [("one number", (1, 1), 1.0, 1), ("real", (5,), 1.0, 1),
                                      ("generated", (4, 3), 1.0, -1),
                                      ("margin", (2, 5, 7), 0.25, -1)]:
        add("hinge", name,
            lambda i, w: {"y": per_sample(F.relu(margin - sign * i["x"])[:, None],
                                          "mean_per_sample")},
            {"x": numbers(*shape)}, {"margin": margin, "sign": sign})


def gaussian_log_density():
    def of(i, axes):
        zero = torch.zeros((), dtype=torch.float64)
        each = torch.distributions.Normal(
            i.get("mean", zero), torch.exp(i.get("log_var", zero) / 2)).log_prob(i["x"])
        return each.sum(axes or list(range(1, each.dim())))
    for name, shape, mean, log_var, axes in [
            ("one number", (1, 1), (1, 1), (1, 1), []), ("samples", (3, 5, 4), (3, 1, 4), (3, 1, 4), [-1]),
            ("standard", (4, 7), None, None, []), ("of each", (2, 3, 2, 5), (2, 1, 1, 5), None, [1, 2]),
            ("several means", (3, 1, 6), (3, 4, 6), (3, 4, 1), [2])]:
        inputs = {"x": numbers(*shape, scale=2)}
        if mean:
            inputs["mean"] = numbers(*mean)
        if log_var:
            inputs["log_var"] = numbers(*log_var)
        add("gaussian_log_density", name, lambda i, w: {"y": of(i, axes)}, inputs, {"axes": axes})


def priors():
    def divergence(i, w):
        zero = torch.zeros((), dtype=torch.float64)
        own = torch.distributions.Normal(i["mean"], torch.exp(i["log_var"] / 2))
        prior = torch.distributions.Normal(i.get("prior_mean", zero),
                                           torch.exp(i.get("prior_log_var", zero) / 2))
        return {"y": torch.distributions.kl_divergence(own, prior).flatten(1).sum(1)}

    for name, shape, mean, log_var in [("of each", (3, 5), (3, 5), (3, 5)), ("shared", (4, 7), (1, 7), (1, 7)),
                                       ("a mean", (2, 3, 5), (2, 1, 5), None),
                                       ("a variance", (2, 3, 5), None, (1, 3, 1))]:
        inputs = {"mean": numbers(*shape), "log_var": numbers(*shape)}
        if mean:
            inputs["prior_mean"] = numbers(*mean)
        if log_var:
            inputs["prior_log_var"] = numbers(*log_var)
        add("gaussian_kl", name, divergence, inputs)


FAMILIES = [losses, contrastive, left_out, focal, cosine, hinge, gaussian_log_density, priors]
