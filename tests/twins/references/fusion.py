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


FAMILIES = [fusion]
