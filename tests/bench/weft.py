"""`weft bench`, as the scripts beside this one ask for it."""
import json
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]


def bench(pipeline, threads, steps, *more):
    """What it tells, of one number of threads."""
    done = subprocess.run([ROOT / "build/release/bin/weft", "bench", pipeline, f"--threads={threads}",
                           f"--steps={steps}", "--json", *more], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr)
    return json.loads(done.stdout)
