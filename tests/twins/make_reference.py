"""Writes tests/nodes/reference/KIND.json: what PyTorch computes for each kind of node.

    python3 tests/twins/make_reference.py [KIND ...]

Numbers are computed in float64 from inputs that are exact in float32. A case holds inputs, weights
and the outputs' gradients, and what must follow: outputs, gradients, states. A case of an optimizer
holds a weight, gradients, and the weight after each of them.
"""
import json
import sys
from pathlib import Path

import torch

from references import fusion, images, layers, losses, math, memory, metrics, optimizers, shapes, sound
from references.cases import cases

FOLDER = Path(__file__).parent.parent / "nodes" / "reference"


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
    for family in [f for module in [layers, images, shapes, math, fusion, losses, memory, metrics,
                                     optimizers, sound]
                   for f in module.FAMILIES]:
        torch.manual_seed(1)  # each family draws the same numbers whatever else is written
        family()
    wanted = sys.argv[1:] or list(cases)
    FOLDER.mkdir(parents=True, exist_ok=True)
    for kind in wanted:
        (FOLDER / f"{kind}.json").write_text(text({"kind": kind, "cases": cases[kind]}) + "\n")


if __name__ == "__main__":
    main()
