"""How the cost of a step grows with nodes, batch, width, depth and threads: `./dev scale`.

Times small pipelines that it writes itself, on random numbers, one thread unless threads are what grows,
prints a table for each and draws docs/pictures/scale.svg.
"""
import argparse
import math
import tempfile
from pathlib import Path

import weft

ONE = "{inputs: [x], nodes: {y: {node: linear, x: x, features: 1}}, outputs: {y: y}}"
SGD = "[{minimize: loss, update: m, optimizer: {node: sgd, lr: 1e-6}}]"


def pipeline(module, nodes):
    lines = "".join(f"    {name}: {node}\n" for name, node in nodes.items())
    return (f"weft: 1\nname: scale\nmodules:\n  m: {module}\ntrain:\n  nodes:\n{lines}"
            f"  phases: {SGD}\n  steps: 100000\n")


def chain(count):
    """One number through `count` nodes, forward and backward."""
    nodes = {"x": "{node: normal, shape: [1, 1]}", "n0": "{use: m, x: x}"}
    for i in range(count):
        nodes[f"n{i + 1}"] = f"{{node: scale, x: n{i}, by: 0.9}}"
    return pipeline(ONE, nodes | {"loss": f"{{node: mse, x: n{count}, target: x}}"})


def fan(count):
    """One number to `count` nodes beside each other, and from all of them to one."""
    nodes = {"x": "{node: normal, shape: [1, 1]}", "n0": "{use: m, x: x}"}
    names = [f"n{i + 1}" for i in range(count)]
    nodes |= {name: "{node: scale, x: n0, by: 0.9}" for name in names}
    nodes |= {"all": f"{{node: concat, xs: [{', '.join(names)}]}}",
              "zero": "{node: fill, like: all, value: 0}"}
    return pipeline(ONE, nodes | {"loss": "{node: mse, x: all, target: zero}"})


def whole(count):
    """Nodes that see the whole batch, one after the other: each call is a task of its own."""
    inner = "".join(f"n{i}: {{node: batch_norm, x: {f'n{i - 1}' if i else 'x'}}}, "
                    for i in range(count))
    module = f"{{inputs: [x], nodes: {{{inner}}}, outputs: {{y: n{count - 1}}}}}"
    return pipeline(module, {"x": "{node: normal, shape: [2, 1]}", "y": "{use: m, x: x}",
                             "loss": "{node: mse, x: y, target: x}"})


def layers(batch=128, width=512, depth=4):
    inner = "".join(f"h{i}: {{node: linear, x: {f'h{i - 1}' if i else 'x'}, features: {width}, "
                    "activation: relu}, " for i in range(depth))
    module = f"{{inputs: [x], nodes: {{{inner}}}, outputs: {{y: h{depth - 1}}}}}"
    return pipeline(module, {"x": f"{{node: normal, shape: [{batch}, {width}]}}",
                             "y": "{use: m, x: x}", "loss": "{node: mse, x: y, target: x}"})


def timed(text, steps, threads=1):
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "scale.yaml"
        file.write_text(text)
        told = weft.bench(file, threads, steps)
    return told | told["timings"][0]


def per_call(text, calls, steps=200):
    told = timed(text, steps)
    return [1e6 * told["median_ms"] / calls, told["first_step_seconds"]]  # ns, s


def per_step(text, steps, threads=1):
    told = timed(text, steps, threads)
    return [told["median_ms"], 100 * told["floor_share"]]


SERIES = {  # name: (what grows, units of the two numbers, a value -> the numbers, values)
    "a chain of nodes": ("nodes", "ns a call", "first step, s",
                         lambda n: per_call(chain(n), 2 * n), [1, 10, 100, 1000, 10000]),
    "a fan of nodes": ("nodes", "ns a call", "first step, s",
                       lambda n: per_call(fan(n), 2 * n), [1, 10, 100, 1000]),
    "a chain of whole-batch nodes": ("nodes", "ns a call", "first step, s",
                                     lambda n: per_call(whole(n), 3 * n), [1, 10, 100, 1000]),
    "batch": ("rows", "ms", "floor, %", lambda n: per_step(layers(batch=n), 20),
              [8, 32, 128, 512, 2048]),
    "width": ("features", "ms", "floor, %", lambda n: per_step(layers(width=n), 20),
              [32, 128, 512, 2048]),
    "depth": ("layers", "ms", "floor, %", lambda n: per_step(layers(depth=n), 20), [1, 4, 16, 64]),
    "threads": ("threads", "ms", "floor, %",
                lambda n: per_step(layers(batch=512, depth=8), 20, n), [1, 2, 4]),
}


def draw(results, file):
    """A small log-log plot of the first number of each series, side by side."""
    side, gap, out = 150, 46, []
    for place, (name, points) in enumerate(results.items()):
        left, top = gap + place % 4 * (side + gap), 24 + place // 4 * (side + 56)
        logs = [(math.log10(n), math.log10(max(numbers[0], 1e-9))) for n, numbers in points.items()]
        low_x, high_x = logs[0][0], max(logs[-1][0], logs[0][0] + 1)
        low_y = math.floor(min(y for _, y in logs))
        high_y = max(math.ceil(max(y for _, y in logs)), low_y + 1)
        at = [(left + side * (x - low_x) / (high_x - low_x),
               top + side * (high_y - y) / (high_y - low_y)) for x, y in logs]
        unit = SERIES[name][1]
        out.append(f'<rect x="{left}" y="{top}" width="{side}" height="{side}" fill="none" '
                   'stroke="#999"/>')
        out.append('<polyline points="' + " ".join(f"{x:.1f},{y:.1f}" for x, y in at) +
                   '" fill="none" stroke="#06c"/>')
        out += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.5" fill="#06c"/>' for x, y in at]
        for n, (x, _) in zip(points, at):
            out.append(f'<text x="{x:.1f}" y="{top + side + 12}" text-anchor="middle">{n}</text>')
        for y in range(low_y, high_y + 1):
            height = top + side * (high_y - y) / (high_y - low_y) + 3
            out.append(f'<text x="{left - 4}" y="{height:.1f}" text-anchor="end">{10 ** y:g}</text>')
        out.append(f'<text x="{left + side / 2}" y="{top - 6}" text-anchor="middle">'
                   f'{name}: {unit}</text>')
    rows = -(-len(results) // 4)
    size = f"{4 * (side + gap) + 20} {rows * (side + 56) + 10}"
    file.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size}" font-family="sans-serif" '
        'font-size="9">'
        '<rect width="100%" height="100%" fill="#fff"/>' + "".join(out) + "</svg>\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("series", nargs="*", help=f"of {', '.join(SERIES)}; all if there are none")
    options = parser.parse_args()
    results = {}
    for name in options.series or SERIES:
        what, first, second, measure, values = SERIES[name]
        print(f"\n{name}\n{what:>10} {first:>14} {second:>14}")
        results[name] = {}
        for value in values:
            results[name][value] = measure(value)
            print(f"{value:>10} {results[name][value][0]:>14.4g} {results[name][value][1]:>14.3g}",
                  flush=True)
    if not options.series:
        draw(results, weft.ROOT / "docs/pictures/scale.svg")


if __name__ == "__main__":
    main()
