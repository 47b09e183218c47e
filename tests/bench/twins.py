"""Times pipelines beside their PyTorch twins, each twin at its best: `./dev bench`.

For each pipeline and number of threads the twin's settings are tried first, in fresh processes: over
the matrix products (BLAS library, the instruction set OpenBLAS takes, oneDNN), then over the layout of
images, the update and how OpenMP threads wait. Then weft, in f32 and in bf16, and the twin take turns,
and medians are told. PyTorch of Debian runs GNU OpenMP, so Intel's KMP_ variables would say nothing.
"""
import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import weft

TWINS = weft.ROOT / "tests/twins"
LIBRARIES = Path("/usr/lib/x86_64-linux-gnu")
CLEARED = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
MISSION = ["vae", "gan", "autoencoder", "fusion_feature", "simclr", "masked_lm"]
COLUMNS = ["pipeline", "threads", "ms", "samples/s", "floor %", "bf16 ms", "f32 ÷ bf16", "twin ms",
           "twin ÷ weft", "MiB", "twin MiB", "first step s"]


def products():
    """Ways to multiply matrices: [setting], each {name: value} of variables and --options."""
    yield {"--linear": "mkldnn"}
    for folder in sorted(LIBRARIES.glob("openblas-*")):
        for core in (None, "Haswell", "SkylakeX"):
            yield {"LD_LIBRARY_PATH": str(folder)} | ({"OPENBLAS_CORETYPE": core} if core else {})
    if not any(LIBRARIES.glob("openblas-*")):
        print("no OpenBLAS here (libopenblas0-pthread): the twin would be slow", file=sys.stderr)
        yield {}


def waits(threads):
    """Ways for OpenMP threads to wait for each other."""
    yield {}
    if threads > 1:
        yield {"OMP_WAIT_POLICY": "active"}
        yield {"OMP_WAIT_POLICY": "passive"}
        yield {"GOMP_SPINCOUNT": "100000"}


def time_twin(name, setting, threads, steps):
    """One process -> {ms, setting, peak_mib}, or None when it fails."""
    environment = {key: value for key, value in os.environ.items() if key not in CLEARED}
    environment |= {"OMP_NUM_THREADS": str(threads), "OPENBLAS_NUM_THREADS": str(threads)}
    command = [sys.executable, str(TWINS / f"{name}.py"), "--time", f"--steps={steps}",
               f"--threads={threads}"]
    for key, value in setting.items():
        if key.startswith("--"):
            command += [key] + ([value] if value else [])
        else:
            environment[key] = value
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode:
        print(f"{name} {setting}: {done.stderr.strip().splitlines()[-1:]}", file=sys.stderr)
        return None
    return json.loads(done.stdout) | {"setting": setting}


def fastest(name, settings, threads, steps):
    timed = [one for one in (time_twin(name, setting, threads, steps) for setting in settings) if one]
    if not timed:
        raise SystemExit(f"the twin of {name} did not run with any setting")
    return min(timed, key=lambda one: one["ms"])["setting"]


def best_setting(name, threads, steps):
    product = fastest(name, products(), threads, steps)
    product = fastest(name, [product | {"--layout": kind} for kind in ("nhwc", "nchw")], threads, steps)
    update = fastest(name, [product | {"--foreach": ""}, product], threads, steps)
    return fastest(name, (update | how for how in waits(threads)), threads, steps)


def time_weft(name, precision, threads, steps):
    return weft.bench(weft.ROOT / f"pipelines/{name}.yaml", threads, steps, "--set",
                      f"precision={precision}")


def compare(name, threads, steps, rounds):
    """A line of the table."""
    setting = best_setting(name, threads, max(10, steps // 4))
    ours, half, twin = [], [], []
    for _ in range(rounds):
        ours.append(time_weft(name, "f32", threads, steps))
        if not half or half[0]["precision"] == "bf16":  # else the CPU has none
            half.append(time_weft(name, "auto", threads, steps))
        twin.append(time_twin(name, setting, threads, steps))

    def of(key, runs=ours):
        return statistics.median(one["timings"][0][key] for one in runs)

    ms, twin_ms = of("median_ms"), statistics.median(one["ms"] for one in twin)
    half_ms = of("median_ms", half) if half[0]["precision"] == "bf16" else None
    return {"pipeline": name, "threads": threads, "ms": ms, "samples/s": of("samples_per_second"),
            "floor %": 100 * of("floor_share"), "bf16 ms": half_ms, "f32 ÷ bf16": ms / half_ms if half_ms else None,
            "twin ms": twin_ms, "twin ÷ weft": twin_ms / ms,
            "MiB": max(one["peak_rss_mib"] for one in ours),
            "twin MiB": max(one["peak_mib"] for one in twin),
            "first step s": min(one["first_step_seconds"] for one in ours), "setting": setting}


def text(value):
    if not isinstance(value, float):
        return str(value)
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def print_line(cells):
    print(f"{cells[0]:<18}" + "".join(f"{cell:>13}" for cell in cells[1:]), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pipelines", nargs="*", help=f"names; {' '.join(MISSION)} if there are none")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--steps", type=int, default=60, help="of each turn")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures there")
    options = parser.parse_args()
    lines = []
    print_line(COLUMNS)
    with tempfile.TemporaryDirectory() as cache:
        os.environ["WEFT_TWIN_CACHE"] = cache
        for name in options.pipelines or MISSION:
            for threads in options.threads:
                line = compare(Path(name).stem, threads, options.steps, options.rounds)
                lines.append(line)
                print_line([text(line[column]) for column in COLUMNS])
    for ratio in ("twin ÷ weft", "f32 ÷ bf16"):
        of_all = [line[ratio] for line in lines if line[ratio]]
        if of_all:
            print(f"{ratio}: geometric mean {math.exp(statistics.mean(map(math.log, of_all))):.2f}, "
                  f"worst {min(of_all):.2f}")
    if options.json:
        options.json.write_text(json.dumps(lines, indent=2))


if __name__ == "__main__":
    main()
