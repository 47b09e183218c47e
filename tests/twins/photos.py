"""What the twins share that look at parts of photographs."""
import numpy as np
import torch

import augment
import twin

DATA = ("{node: patches, folder: [photos/backgrounds, photos_nature/nature], side: %d, size: %d, "
        "stride: %d, test_share: 0.25, split: %s, batch: 64}")


def parts(side, size, stride, split):
    """Bytes, [n, channels, size, size]."""
    image, = twin.weft_samples(DATA % (side, size, stride, split), {"image": "data.image"},
                               pack=lambda x: np.rint(x * 255).astype(np.uint8))
    return image.permute(0, 3, 1, 2)


def flipped(model, x, path, step):
    return augment.random_flip(x, model.draw.uniform(path, step, len(x), 1))


def windows(x, top, left, size):
    """The squares of each image that start there."""
    i = torch.arange(size)
    return x.permute(0, 2, 3, 1)[torch.arange(len(x))[:, None, None],
                                 (top[:, None] + i)[:, :, None],
                                 (left[:, None] + i)[:, None, :]].permute(0, 3, 1, 2)
