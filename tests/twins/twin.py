"""What the twins share: data, weights, random numbers, the training loop and the command line.

A twin is a PyTorch model that does, number for number, what a weft pipeline does. Its model is a
class with
    about, epochs            a sentence; the pipeline's epochs
    layers                   {"module.node": linear(…), conv(…), …}
    range                    "unit" ([0, 1]) or "symmetric" ([-1, 1]) images
    train(x, step)           one training step -> the objectives of its phases
    evaluate()               {name: number}
    compiled                 names of the functions that --compile compiles: from a batch to losses
    followers                {"module": the module that it follows}
and, unless they are those of Fashion-MNIST,
    samples(split)           tensors of one length
    batch(rows...)           what train() is given of some of their rows
and, for --time-sampling,
    sample(rows)             what it draws
"""
import argparse
import gzip
import hashlib
import inspect
import json
import math
import os
import resource
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

import weft_random
from draw import Draw

BATCH = 128
PACKAGED = Path("/usr/share/datasets/fashion-mnist")  # Debian's dataset-fashion-mnist


def data_dir():
    default = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local/share") / "weft"
    return Path(os.environ.get("WEFT_DATA_DIR") or default) / "fashion_mnist"


def idx(split, kind):
    """An idx file's bytes: [n, 784] of images, [n] of labels. uint8."""
    name = f"{'train' if split == 'train' else 't10k'}-{kind}-ubyte"
    plain, packed = data_dir() / name, PACKAGED / (name + ".gz")
    if not plain.exists() and not packed.exists():
        raise SystemExit(f"{plain} is missing: run `weft data fetch fashion_mnist`")
    if plain.exists():
        raw = np.fromfile(plain, np.uint8)
    else:
        raw = np.frombuffer(bytearray(gzip.decompress(packed.read_bytes())), np.uint8)
    axes = int(raw[3])
    samples = int(raw[4:8].view(">u4")[0])
    return torch.from_numpy(raw[4 + 4 * axes:].reshape(samples, -1).squeeze())


def read_safetensors(path):
    raw = Path(path).read_bytes()
    end = 8 + int.from_bytes(raw[:8], "little")
    tensors = {}
    for name, entry in json.loads(raw[8:end]).items():
        if name == "__metadata__":
            continue
        begin, stop = entry["data_offsets"]
        values = np.frombuffer(raw[end + begin:end + stop], "<f4")
        tensors[name] = torch.from_numpy(values.reshape(entry["shape"]).copy())
    return tensors


def weft_samples(data, ports, pack=lambda x: x):
    """The samples of a source as weft reads them, in order: a tensor for each of `ports`. `data` is
    the text of a `data:` section, `ports` {name: an output, or the text of a node that makes it};
    `pack` makes the arrays of large sets smaller."""
    weft = os.environ.get("WEFT") or Path(__file__).parents[2] / "build/release/bin/weft"
    asked = hashlib.sha256(f"{data} {ports}".encode()).hexdigest()
    cache = os.environ.get("WEFT_TWIN_CACHE")  # timings start many processes
    kept = Path(cache) / f"{asked}.npz" if cache else None
    if kept and kept.exists():
        with np.load(kept) as arrays:
            return [torch.from_numpy(arrays[name]) for name in ports]
    nodes = ""
    for name, node in ports.items():
        if node.startswith("{"):
            nodes += f"    {name}: {node}\n"
        x = name if node.startswith("{") else node
        nodes += f"    save_{name}: {{node: npy_file, x: {x}, path: {name}.npy}}\n"
    with tempfile.TemporaryDirectory() as folder:
        pipeline = Path(folder) / "dump.yaml"
        pipeline.write_text(f"weft: 1\nname: dump\ngenerate:\n  data: {data}\n  nodes:\n{nodes}")
        done = subprocess.run([weft, "generate", pipeline, "-o", folder], capture_output=True,
                              text=True)
        if done.returncode:
            raise SystemExit(done.stderr)
        arrays = {name: np.concatenate(
            [pack(np.load(file)) for file in sorted(Path(folder).glob(f"{name}*.npy"),
                                                    key=lambda file: (len(file.name), file.name))])
            for name in ports}
    if kept:
        np.savez(kept, **arrays)
    return [torch.from_numpy(array) for array in arrays.values()]


def write_safetensors(path, tensors):
    header, body = {}, b""
    for name, tensor in sorted(tensors.items()):
        values = tensor.detach().numpy().astype("<f4").tobytes()
        header[name] = {"dtype": "F32", "shape": list(tensor.shape),
                        "data_offsets": [len(body), len(body) + len(values)]}
        body += values
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    Path(path).write_bytes(len(text).to_bytes(8, "little") + text + body)


def learned(shape, features, fan_in, bias):
    return {"weight": (shape, fan_in)} | ({"bias": ((features,), fan_in)} if bias else {})


def linear(fan_in, features, bias=True):
    return learned((features, fan_in), features, fan_in, bias)


def conv(channels, features, kernel, bias=True):
    return learned((features, channels, kernel, kernel), features, channels * kernel**2, bias)


def conv_transpose(channels, features, kernel, bias=True):
    return learned((channels, features, kernel, kernel), features, features * kernel**2, bias)


def layer_norm(features):
    return {"weight": ((features,), 1.0), "bias": ((features,), 0.0)}


class batch_norm(dict):
    """A layer that also has running statistics."""

    def __init__(self, features):
        super().__init__(layer_norm(features))
        self.start = {"running_mean": torch.zeros(features), "running_var": torch.ones(features)}


def embedding(vocabulary, features, deviation):
    return {"weight": ((vocabulary, features), Deviation(deviation))}


def positions(places, features, deviation=0.02):
    return {"weight": ((places, features), Deviation(deviation))}


class Deviation(float):
    """A weight that starts normal."""


def start_weight(seed, name, shape, init):
    """By weft's rule: normal; a number, if it is a float; else uniform by the number of inputs."""
    if isinstance(init, Deviation):
        return torch.from_numpy(weft_random.start_normal(seed, name, shape, init))
    if isinstance(init, float):
        return torch.full(shape, init)
    return torch.from_numpy(weft_random.start(seed, name, shape, init))


def start_weights(layers, seed, saved):
    """The weights at step 0: those saved, the others by weft's rule."""
    weights = {}
    for layer, kinds in layers.items():
        for kind, (shape, init) in kinds.items():
            name = f"{layer}.{kind}"
            value = saved.get(name)
            if value is None:
                value = start_weight(seed, name, shape, init)
            elif tuple(value.shape) != shape:
                raise SystemExit(f"{name} was saved with shape {list(value.shape)}, not {list(shape)}")
            weights[name] = value.requires_grad_()
    return weights


def cosine(step, steps, peak, warmup=0, to=0):
    """A param's value on the schedule {schedule: cosine, from: peak, to: …, warmup: …}."""
    if step < warmup:
        return peak * (step + 1) / (warmup + 1)
    return to + (peak - to) * 0.5 * (1 + math.cos(math.pi * (step - warmup) / (steps - warmup)))


class Model:
    """A twin's weights, random numbers and choice of kernels."""

    def __init__(self, options):
        saved = read_safetensors(options.start) if options.start else {}
        self.weights = start_weights(self.layers, options.seed, saved)
        self.states = {f"{layer}.{kind}": saved.get(f"{layer}.{kind}", value).clone()
                       for layer, norm in self.layers.items() if isinstance(norm, batch_norm)
                       for kind, value in norm.start.items()}
        for follower, leader in self.followers.items():
            for kept in (self.weights, self.states):
                kept |= {follower + name.removeprefix(leader): saved.get(
                    follower + name.removeprefix(leader), value.detach()).clone()
                    for name, value in kept.items() if name.startswith(leader + ".")}
        self.draw = Draw(options.seed, exact=not (options.time or options.time_sampling))
        self.options = options

    @torch.no_grad()
    def follow(self, decay):
        """Followers become decay · own + (1 - decay) · their leaders'; they have states of their own."""
        for follower, leader in self.followers.items():
            names = [name for name in self.weights if name.startswith(follower + ".")]
            own = [self.weights[name] for name in names]
            theirs = [self.weights[leader + name.removeprefix(follower)] for name in names]
            torch._foreach_mul_(own, decay)
            torch._foreach_add_(own, theirs, alpha=1 - decay)

    def dropout(self, path, x, rate, step):
        """weft's: `step` is None outside training."""
        if step is None:
            return x
        u = self.draw.uniform(path, step, len(x), x[0].numel()).reshape(x.shape)
        return torch.where(u < rate, 0, x / (1 - rate))

    def optimize(self, kind, weights, **settings):
        """An optimizer that updates in the way that is asked for; some have no fused one."""
        way = self.options.update
        if way == "fused" and way not in inspect.signature(kind).parameters:
            way = "foreach"
        ways = {"loop": {"foreach": False}, "foreach": {"foreach": True}, "fused": {"fused": True}}
        return kind(weights, **ways[way], **settings)

    clip_norm = None  # of the gradients of all weights

    def descend(self, loss, lr=None, optimizer=None):
        """Moves the weights of an optimizer, which is the model's own if none is given."""
        optimizer = optimizer or self.optimizer
        for group in optimizer.param_groups if lr is not None else []:
            group["lr"] = lr
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        if self.clip_norm:
            torch.nn.utils.clip_grad_norm_(list(self.weights.values()), self.clip_norm)
        optimizer.step()
        return [loss]

    def of_module(self, module):
        return [weight for name, weight in self.weights.items()
                if name.startswith(module) and weight.requires_grad]

    def adam(self, module, **settings):
        return self.optimize(torch.optim.Adam, self.of_module(module), **settings)

    def linear(self, layer, x):
        weight, bias = self.of(layer)
        if self.options.linear == "mkldnn":
            return torch._C._nn.mkldnn_linear(x.to_mkldnn(), weight, bias).to_dense()
        return functional.linear(x, weight, bias)

    def normalise(self, layer, x, training=True):
        mean, var = self.states[layer + ".running_mean"], self.states[layer + ".running_var"]
        return functional.batch_norm(x, mean, var, *self.of(layer), training=training)

    def laid_out(self, images):
        """[n, c, h, w], in the layout that is asked for."""
        kinds = {"nhwc": torch.channels_last, "nchw": torch.contiguous_format}
        return images.contiguous(memory_format=kinds[self.options.layout])

    def floats(self, images):
        unit = images.float() / 255
        return unit if self.range == "unit" else unit * 2 - 1

    batch_size = BATCH
    drop_last = False
    followers = {}

    def batches_of(self, count):
        return count // self.batch_size if self.drop_last else -(-count // self.batch_size)

    def samples(self, split):
        return [idx(split, "images-idx3")]

    def batch(self, images):
        return self.floats(images)

    def of(self, layer):
        return self.weights[layer + ".weight"], self.weights.get(layer + ".bias")

    def convolve(self, layer, x, **settings):
        return functional.conv2d(x, *self.of(layer), **settings)

    def spread(self, layer, x, **settings):
        return functional.conv_transpose2d(x, *self.of(layer), **settings)


def batches(model, samples, steps):
    """(step, batch), in the order of the pipeline's epochs."""
    count, size = len(samples[0]), model.batch_size
    per_epoch = model.batches_of(count)
    for step in range(steps):
        epoch, place = divmod(step, per_epoch)
        if place == 0:
            order = model.draw.order(count, epoch)
        rows = order[place * size:(place + 1) * size]
        yield step, model.batch(*(tensor[rows] for tensor in samples))


def train(model, samples, steps, log):
    for step, x in batches(model, samples, steps):
        losses = model.train(x, step)
        if log:
            print(step, *(f"{loss.item():.9g}" for loss in losses), file=log)


def median_step(model, samples, steps):
    """Milliseconds of a step: its batch, its phases, its updates."""
    warm_up = min(20, steps // 2)
    times, last = [], time.perf_counter()
    for step, x in batches(model, samples, warm_up + steps):
        model.train(x, step)
        now = time.perf_counter()
        times.append(1000 * (now - last))
        last = now
    return statistics.median(times[warm_up:])


def median_sampling(model, rows):
    """Milliseconds of drawing so many samples."""
    times = []
    with torch.no_grad():
        for _ in range(6):
            last = time.perf_counter()
            model.sample(rows)
            times.append(1000 * (time.perf_counter() - last))
    return statistics.median(times[1:])


def peak_mib():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def arguments(kind):
    parser = argparse.ArgumentParser(description=kind.about)
    parser.add_argument("--start", metavar="FILE", help="start from these weights (safetensors)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=kind.epochs)
    parser.add_argument("--steps", type=int, help="train for no more steps; with --time: 200")
    parser.add_argument("--losses", metavar="FILE", help="a line for each step: step, objectives")
    parser.add_argument("--evaluate", action="store_true", help="print numbers at the end")
    parser.add_argument("--save-weights", metavar="FILE", help="write the weights (safetensors)")
    parser.add_argument("--time", action="store_true", help="print the median time of a step")
    parser.add_argument("--time-sampling", type=int, metavar="N",
                        help="print the median time of drawing N")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--linear", choices=["blas", "mkldnn"], default="blas")
    parser.add_argument("--layout", choices=["nhwc", "nchw"], default="nhwc", help="of images")
    parser.add_argument("--update", choices=["loop", "foreach", "fused"], default="loop",
                        help="weight by weight, all in each operation, or all in one")
    parser.add_argument("--compile", action="store_true", help="torch.compile, from batch to losses")
    return parser.parse_args()


def main(kind):
    options = arguments(kind)
    torch.set_num_threads(options.threads)
    model = kind(options)
    if options.compile:
        for name in model.compiled:
            setattr(model, name, torch.compile(getattr(model, name), dynamic=False))
    if options.time_sampling:
        print(json.dumps({"ms": round(median_sampling(model, options.time_sampling), 3)}))
        return
    samples = model.samples("train")
    if options.time:
        ms = median_step(model, samples, options.steps or 200)
        print(json.dumps({"ms": round(ms, 3), "peak_mib": round(peak_mib(), 1)}))
        return
    steps = options.epochs * model.batches_of(len(samples[0]))
    if options.steps is not None:
        steps = min(steps, options.steps)
    log = open(options.losses, "w") if options.losses else None
    train(model, samples, steps, log)
    if log:
        log.close()
    if options.save_weights:
        write_safetensors(options.save_weights, model.weights | model.states)
    if options.evaluate:
        with torch.no_grad():
            print(*(f"{name} {value:.6g}" for name, value in model.evaluate().items()))
    print(f"peak {peak_mib():.1f} MiB")
