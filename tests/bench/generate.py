"""Times what pipelines generate beside their PyTorch twins: `./dev bench-generate`.

weft and the twin, eager or compiled, whichever is faster, take turns; medians are told. Both draw with weights
that are not trained. Texts do not end early, so that each has all its tokens. Then how long a token of `gpt` takes
as texts grow, and how much of that attention takes, which alone may grow with them.
"""
import argparse
import json
import os
import statistics
import subprocess

import weft
from twins import PYTHON, TWINS

ENDLESS = ["generate.nodes.text.loop.until=null"]
LENGTHS = [64, 128, 256, 512, 1024]


def texts(rows):
    return ENDLESS + [f"prompts={json.dumps(['a'] * rows)}", f"generate.data.batch={rows}"]


CASES = [("gpt", 1, texts(1)), ("gpt", 32, texts(32)), ("flow_matching", 64, ["count=64"])]


def time_weft(name, sets, threads, steps=8):
    """{ms, ms of attention} of a batch."""
    words = [word for one in sets for word in ("--set", one)]
    told = weft.told("profile", weft.ROOT / f"pipelines/{name}.yaml", threads, steps, "--section=generate", *words)
    kinds = {kind["name"]: kind["ms"] for kind in told["kinds"]}
    return {"ms": told["step_ms"], "attention": kinds.get("attention", 0)}


def time_twin(name, rows, threads, compiled):
    command = [PYTHON, TWINS / f"{name}.py", f"--time-sampling={rows}", f"--threads={threads}"]
    environment = os.environ | {"OMP_NUM_THREADS": str(threads), "WEFT": str(weft.PROGRAM)}
    done = subprocess.run(command + ["--compile"] * compiled, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr)
    return json.loads(done.stdout)["ms"]


def compare(name, rows, sets, threads, rounds):
    compiled = min((False, True), key=lambda way: time_twin(name, rows, threads, way))
    ours, twin = [], []
    for _ in range(rounds):
        ours.append(time_weft(name, sets, threads)["ms"])
        twin.append(time_twin(name, rows, threads, compiled))
    ours, twin = statistics.median(ours), statistics.median(twin)
    print(f"{name:<16}{rows:>8}{threads:>9}{ours:>10.1f}{twin:>10.1f}{twin / ours:>14.2f}"
          f"{'   compiled' if compiled else '   eager'}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, nargs="+", default=[1])
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    print(f"{'pipeline':<16}{'samples':>8}{'threads':>9}{'ms':>10}{'twin ms':>10}{'twin ÷ weft':>14}")
    for threads in options.threads:
        for case in CASES:
            compare(*case, threads, options.rounds)
    print(f"\n{'length':>6}{'ms a token':>14}{'attention':>12}{'the rest':>12}")
    for length in LENGTHS:
        told = time_weft("gpt", texts(1) + [f"length={length}"], 1)
        token, attention = told["ms"] / (length - 1), told["attention"] / (length - 1)
        print(f"{length:>6}{token:>14.3f}{attention:>12.3f}{token - attention:>12.3f}", flush=True)


main()
