"""What the plugin SDK promises, measured: `./dev bench-plugin`.

Installs weft into a folder of its own, then times `weft plugin new`, the build and a training with the new nodes;
counts the lines of two nodes; and compares a node in a plugin with the same loops in one program.
"""
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
BUILD = Path(sys.argv[1]).resolve()


def run(*words, where, env=None):
    return subprocess.run([str(word) for word in words], cwd=where, env=env, check=True, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT).stdout


def machine_seconds():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def line(what, value, target, good):
    print(f"{what:60} {value:>16}   target {target:10} {'met' if good else 'missed'}")
    return good


def first_training(folder):
    for component in ("weft", "dev"):
        run("cmake", "--install", BUILD, "--prefix", folder / "weft", "--component", component, where=folder)
    env = os.environ | {"PATH": f"{folder / 'weft/bin'}:{os.environ['PATH']}", "CCACHE_DISABLE": "1"}
    start, used = time.monotonic(), machine_seconds()
    run("weft", "plugin", "new", "my_nodes", where=folder, env=env)
    for command in ("cmake -S . -B build", "cmake --build build", "weft train denoise.yaml",
                    "weft evaluate runs/denoise", "weft generate runs/denoise"):
        run(*command.split(), where=folder / "my_nodes", env=env)
    wall, machine = time.monotonic() - start, machine_seconds() - used
    return line("from `weft plugin new` to trained, evaluated, generated", f"{wall:.0f} s, {machine:.0f} CPU s",
                "< 120 s", machine < 120)


def lines(file, most):
    count = len((ROOT / "plugins/template/nodes" / file).read_text().splitlines())
    return line(f"lines of {file}", str(count), f"<= {most}", count <= most)


def overhead():
    plugin = BUILD / "template/lib/weft/plugins/libweft_my_nodes.so"
    good = True
    for row in run(BUILD / "bin/plugin_call", plugin, where=ROOT).splitlines():
        size, there, here = int(row.split()[0]), *map(float, row.split()[1:])
        more = there - here
        good &= line(f"{size} floats in a plugin {there:.3f} us, in the program {here:.3f} us",
                     f"{1000 * more:+.0f} ns, {100 * more / here:+.1f} %", "< 3 %, 1 us",
                     more < 1 or more / here < 0.03)
    return good


def main():
    with tempfile.TemporaryDirectory() as folder:
        good = [first_training(Path(folder)), lines("snake.cpp", 35), lines("dense.cpp", 70), overhead()]
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
