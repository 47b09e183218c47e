"""The twin of pipelines/frechet*.yaml: how far what a twin draws is from test images, as a classifier
sees them (Heusel et al. 2017, arXiv:1706.08500, equation 6).

    frechet.py vae_conv --start WEIGHTS --judge runs/classifier/checkpoints/last/model.safetensors
"""
import argparse
import importlib

import numpy as np
import torch
from torch.nn.functional import linear, relu

import twin

KINDS = {"vae": "Vae", "vae_conv": "VaeConv", "cvae": "Cvae", "iwae": "Iwae", "gan": "Gan",
         "dcgan": "Dcgan", "lsgan": "Lsgan", "wgan": "Wgan", "acgan": "Acgan", "vae_gan": "VaeGan",
         "flow_matching": "FlowMatching", "ddpm": "Ddpm",
         "vqvae_prior": "VqvaePrior", "hinge": "Hinge"}


def moments(features):
    return features.mean(0), np.cov(features, rowvar=False)


def distance(a, b):
    """Between two sets of features, [n, d]."""
    (mean_a, c), (mean_b, d) = moments(a), moments(b)
    root = np.sqrt(np.linalg.eigvals(c @ d).real.clip(0)).sum()  # tr (C D)^(1/2)
    return np.square(mean_a - mean_b).sum() + np.trace(c) + np.trace(d) - 2 * root


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("twin", choices=KINDS)
    parser.add_argument("--start", required=True, metavar="FILE", help="weights of what draws")
    parser.add_argument("--judge", required=True, metavar="FILE", help="weights of the classifier")
    parser.add_argument("--rows", type=int, default=500, help="of a batch")
    options = parser.parse_args()
    model = getattr(importlib.import_module(options.twin), KINDS[options.twin])(
        argparse.Namespace(start=options.start, seed=0, time=False, time_sampling=None,
                           update="loop", linear="blas", layout="nhwc"))
    missing = set(model.weights | model.states) - set(twin.read_safetensors(options.start))
    if missing:
        raise SystemExit(f"{options.start} has no {sorted(missing)[0]}: it is of another model")
    judge = twin.read_safetensors(options.judge)

    def features(images):
        return relu(linear(images, judge["classifier.h.weight"], judge["classifier.h.bias"])
                    ).double().numpy()

    with torch.no_grad():
        real = twin.idx("test", "images-idx3").float() / 255
        drawn = [model.images(options.rows, i) for i in range(len(real) // options.rows)]
        print(f"distance {distance(features(torch.cat(drawn)), features(real)):.6g}")


if __name__ == "__main__":
    main()
