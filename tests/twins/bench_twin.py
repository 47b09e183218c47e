"""Times the VAE twin at its best: PyTorch's speed depends on settings that weft does not have.

For 1 and 2 threads it runs `vae.py --time` in fresh processes, first over the matrix products
(BLAS library, the instruction set OpenBLAS takes, oneDNN), then over the update and over how OpenMP
threads wait, and prints the fastest as JSON: {threads: {ms, setting, peak_mib}}. PyTorch of Debian
runs GNU OpenMP, so Intel's KMP_ variables would say nothing.
"""
import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

TWIN = Path(__file__).with_name("vae.py")
LIBRARIES = Path("/usr/lib/x86_64-linux-gnu")
CLEARED = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")


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
        yield {"GOMP_SPINCOUNT": "1000"}
        yield {"GOMP_SPINCOUNT": "100000"}


def run(setting, threads, steps):
    """One process -> {ms, setting, peak_mib}, or None when it fails."""
    environment = {name: value for name, value in os.environ.items() if name not in CLEARED}
    environment |= {"OMP_NUM_THREADS": str(threads), "OPENBLAS_NUM_THREADS": str(threads)}
    command = [sys.executable, str(TWIN), "--time", f"--steps={steps}", f"--threads={threads}"]
    for name, value in setting.items():
        if name.startswith("--"):
            command += [name] + ([value] if value else [])
        else:
            environment[name] = value
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode:
        print(f"{setting}: {done.stderr.strip().splitlines()[-1:]}", file=sys.stderr)
        return None
    timed = json.loads(done.stdout)
    return {"ms": timed["ms"], "setting": setting, "peak_mib": timed["peak_mib"]}


def fastest(settings, threads, steps):
    timed = [run(setting, threads, steps) for setting in settings]
    timed = [one for one in timed if one]
    if not timed:
        raise SystemExit("the twin did not run with any setting")
    return min(timed, key=lambda one: one["ms"])


def best(threads, steps):
    product = fastest(products(), threads, steps)["setting"]
    updates = [product | {"--foreach": ""}, product]
    update = fastest(updates, threads, steps)["setting"]
    wait = fastest((update | how for how in waits(threads)), threads, steps)["setting"]
    return fastest([wait] * 3, threads, steps)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--steps", type=int, default=200)
    options = parser.parse_args()
    found = {threads: best(threads, options.steps) for threads in options.threads}
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
