"""What every family of cases is written with."""
import torch
from torch.nn import functional as F

KEY = 42  # of the random numbers of a node under test
EXTREMES = [0.0, 1e-6, -1e-6, 0.5, -0.5, 6.0, -6.0, 25.0, -25.0, 80.0, -80.0]
cases = {}  # kind -> list

ACTIVATIONS = {
    "none": lambda x, slope: x,
    "relu": lambda x, slope: F.relu(x),
    "leaky_relu": F.leaky_relu,
    "tanh": lambda x, slope: torch.tanh(x),
    "sigmoid": lambda x, slope: torch.sigmoid(x),
}


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
