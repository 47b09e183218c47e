"""Several tensors made one."""
import torch
from torch.nn import functional as F

from references.cases import add, numbers


def fusion():
    for count, shape in [(1, (1, 1)), (3, (4, 5)), (2, (2, 3, 17))]:
        name = f"{count} of {shape}"
        add("average", name, lambda i, w: {"y": torch.stack(i["xs"]).mean(0)},
            {"xs": [numbers(*shape) for _ in range(count)]})
        add("weighted_fusion", name,
            lambda i, w: {"y": torch.tensordot(w["weight"].softmax(0), torch.stack(i["xs"]), 1)},
            {"xs": [numbers(*shape) for _ in range(count)]}, weights={"weight": numbers(count)})


def votes(xs):
    logits = torch.stack(xs)
    best = F.one_hot(logits.argmax(-1), logits.shape[-1]).sum(0)
    return best + logits.softmax(-1).mean(0) / 2


def experts():
    for count, shape in [(1, (1, 3)), (3, (5, 7)), (4, (2, 3, 33))]:
        name = f"{count} of {shape}"
        add("product_of_experts", name,
            lambda i, w: {"y": F.log_softmax(torch.stack(i["xs"]), -1).sum(0)},
            {"xs": [numbers(*shape, scale=2) for _ in range(count)]})
        add("vote", name, lambda i, w: {"y": votes(i["xs"])},
            {"xs": [numbers(*shape, scale=2) for _ in range(count)]}, fixed=["xs"])


FAMILIES = [fusion, experts]
