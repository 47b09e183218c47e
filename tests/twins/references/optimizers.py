"""Optimizers: the weight after each of some gradients."""
import torch

from references.cases import array, cases, numbers


class Lion(torch.optim.Optimizer):
    """Chen et al. 2023, program 1."""
    def __init__(self, params, lr, betas=(0.9, 0.99), weight_decay=0.0):
        super().__init__(params, {"lr": lr, "betas": betas, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            (b1, b2), lr = group["betas"], group["lr"]
            for w in group["params"]:
                m = self.state[w].setdefault("m", torch.zeros_like(w))
                w -= lr * (torch.sign(b1 * m + (1 - b1) * w.grad) + group["weight_decay"] * w)
                m.copy_(b2 * m + (1 - b2) * w.grad)


class Lamb(torch.optim.Optimizer):
    """You et al. 2020, algorithm 2."""
    def __init__(self, params, lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            b1, b2 = group["betas"]
            for w in group["params"]:
                state = self.state[w]
                t = state["t"] = state.get("t", 0) + 1
                m, v = (state.setdefault(name, torch.zeros_like(w)) for name in "mv")
                m.copy_(b1 * m + (1 - b1) * w.grad)
                v.copy_(b2 * v + (1 - b2) * w.grad**2)
                r = (m / (1 - b1**t)) / ((v / (1 - b2**t)).sqrt() + group["eps"])
                step = r + group["weight_decay"] * w
                w -= group["lr"] * w.norm() / step.norm() * step


def optimizers():
    sgd, adam, adamw = torch.optim.SGD, torch.optim.Adam, torch.optim.AdamW
    rmsprop = torch.optim.RMSprop
    for kind, name, make, params in [
            ("sgd", "plain", sgd, {"lr": 0.1}),
            ("sgd", "momentum", sgd, {"lr": 0.1, "momentum": 0.9}),
            ("sgd", "nesterov", sgd, {"lr": 0.05, "momentum": 0.8, "nesterov": True}),
            ("sgd", "weight decay", sgd, {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.3}),
            ("adam", "defaults", adam, {"lr": 1e-3}),
            ("adam", "weight decay", adam, {"lr": 0.1, "betas": [0.5, 0.99], "eps": 1e-4,
                                            "weight_decay": 0.3}),
            ("adamw", "defaults", adamw, {"lr": 1e-3}),
            ("adamw", "weight decay", adamw, {"lr": 0.1, "betas": [0.5, 0.99], "weight_decay": 0.3}),
            ("rmsprop", "defaults", rmsprop, {"lr": 1e-2}),
            ("rmsprop", "momentum", rmsprop, {"lr": 0.05, "alpha": 0.9, "momentum": 0.8}),
            ("rmsprop", "centered", rmsprop, {"lr": 0.05, "alpha": 0.9, "eps": 1e-3, "momentum": 0.8,
                                              "centered": True, "weight_decay": 0.3}),
            ("lion", "defaults", Lion, {"lr": 1e-3}),
            ("lion", "weight decay", Lion, {"lr": 0.1, "betas": [0.8, 0.95], "weight_decay": 0.3}),
            ("lamb", "defaults", Lamb, {"lr": 1e-2}),
            ("lamb", "weight decay", Lamb, {"lr": 0.1, "betas": [0.5, 0.99], "eps": 1e-4,
                                            "weight_decay": 0.3})]:
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
