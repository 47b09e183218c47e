"""weft, as the scripts beside this one ask it."""
import json
import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROGRAM = os.environ.get("WEFT", ROOT / "build/release/bin/weft")


def version():
    """What it runs on: "oneDNN 3.7.2 (AVX512_CORE_BF16), oneTBB 2022.1"."""
    told = subprocess.run([PROGRAM, "version"], capture_output=True, text=True).stdout
    return next(line.removeprefix("running").strip() for line in told.splitlines()
                if line.startswith("running"))


def told(word, pipeline, threads, steps, *more):
    """What `weft WORD` tells of a pipeline, of one number of threads."""
    done = subprocess.run([PROGRAM, word, pipeline, f"--threads={threads}", f"--steps={steps}", "--json", *more],
                          capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr)
    return json.loads(done.stdout)


def bench(pipeline, threads, steps, *more):
    return told("bench", pipeline, threads, steps, *more)
