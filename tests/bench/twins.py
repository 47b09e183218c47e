"""Times pipelines beside their PyTorch twins, each twin at its best: `./dev bench`.

For each pipeline and number of threads the twin's settings are tried first, in fresh processes: over
the matrix products (every BLAS library that PyTorch can load, or the one it was built with; the
instruction set OpenBLAS takes; oneDNN), then over the layout of images, the update, how OpenMP threads
wait, and torch.compile. Then weft, in f32 and in bf16, and the twin take turns, and medians are told.
PyTorch is that of $WEFT_PYTHON. Debian's and PyPI's run GNU OpenMP, so Intel's KMP_ variables would say
nothing.
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
PYTHON = os.environ.get("WEFT_PYTHON", sys.executable)
CLEARED = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
MISSION = ["vae", "gan", "autoencoder", "fusion_feature", "simclr", "masked_lm"]
COLUMNS = ["pipeline", "threads", "ms", "samples/s", "floor %", "bf16 ms", "f32 ÷ bf16", "twin ms",
           "twin ÷ weft", "MiB", "twin MiB", "first step s"]


def pytorch():
    """{version, blas, onednn}; `blas` is empty where PyTorch takes the system's."""
    ask = ("import json, re, torch; told = torch.__config__.show(); "
           "mkl = re.search(r'Math Kernel Library Version (\\S+)', told); "
           "dnn = re.search(r'(?:MKL-DNN|oneDNN) v(\\S+)', told); "
           "print(json.dumps({'version': torch.__version__, 'blas': mkl and 'MKL ' + mkl[1], "
           "'onednn': dnn and dnn[1]}))")
    done = subprocess.run([PYTHON, "-c", ask], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{PYTHON} has no PyTorch: apt-get install python3-torch")
    return json.loads(done.stdout)


def products(blas):
    """Ways to multiply matrices: [setting], each {name: value} of variables and --options."""
    yield {"--linear": "mkldnn"}
    folders = [] if blas else [file.parent for file in sorted(LIBRARIES.glob("*/libblas.so.3"))]
    if not folders:
        yield {}
    for folder in folders:
        yield {"LD_LIBRARY_PATH": str(folder)}
        if folder.name.startswith("openblas"):
            for core in ("Haswell", "SkylakeX"):
                yield {"LD_LIBRARY_PATH": str(folder), "OPENBLAS_CORETYPE": core}


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
    command = [PYTHON, str(TWINS / f"{name}.py"), "--time", f"--steps={steps}",
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


def best_setting(name, threads, steps, torch):
    def choose(best, *ways):
        return fastest(name, [best | way for way in ways], threads, steps)

    major, minor = (int(number) for number in torch["version"].split(".")[:2])
    layouts = [{"--layout": kind} for kind in ("nhwc", "nchw")]
    updates = ["loop", "foreach"] + ["fused"] * ((major, minor) >= (2, 4))
    best = choose({}, *products(torch["blas"]))
    best = choose(best, *layouts)
    best = choose(best, *({"--update": way} for way in updates))
    best = choose(best, *waits(threads))
    if major >= 2:
        blas = best | {"--linear": "blas"}
        best = fastest(name, [best] + [blas | layout | {"--compile": ""} for layout in layouts],
                       threads, steps)
    return best


def time_weft(name, precision, threads, steps):
    return weft.bench(weft.ROOT / f"pipelines/{name}.yaml", threads, steps, "--set",
                      f"precision={precision}")


def compare(name, threads, steps, rounds, torch):
    """A line of the table."""
    setting = best_setting(name, threads, max(10, steps // 4), torch)
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
    torch = pytorch()
    print(f"PyTorch {torch['version']}, {torch['blas'] or 'BLAS of the system'}, "
          f"its oneDNN {torch['onednn']}; {weft.version()}")
    print_line(COLUMNS)
    with tempfile.TemporaryDirectory() as cache:
        os.environ["WEFT_TWIN_CACHE"] = cache
        for name in options.pipelines or MISSION:
            for threads in options.threads:
                line = compare(Path(name).stem, threads, options.steps, options.rounds, torch)
                lines.append(line)
                print_line([text(line[column]) for column in COLUMNS])
    print("settings of the twins:")
    for line in lines:
        print(f"  {line['pipeline']}, {line['threads']}: "
              + " ".join(f"{key}={value}" for key, value in line["setting"].items()))
    for ratio in ("twin ÷ weft", "f32 ÷ bf16"):
        of_all = [line[ratio] for line in lines if line[ratio]]
        if of_all:
            print(f"{ratio}: geometric mean {math.exp(statistics.mean(map(math.log, of_all))):.2f}, "
                  f"worst {min(of_all):.2f}")
    if options.json:
        options.json.write_text(json.dumps({"pytorch": torch, "lines": lines}, indent=2))


if __name__ == "__main__":
    main()
