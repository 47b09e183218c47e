"""Optimizers: the weight after each of some gradients."""
import torch

from references.cases import array, cases, numbers


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


FAMILIES = [optimizers]
