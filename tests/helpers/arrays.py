"""Random pictures and masks, and pictures of a few pixels whose values are given."""

import numpy as np


def images(*shape, seed=0):
    """Return random gray pictures, float32 of shape (*shape, 1), in [0, 1)."""
    return np.random.default_rng(seed).random((*shape, 1), dtype="float32")


def image(*pixels, dtype="float32"):
    """Return one image of 2×2 pixels as a batch."""
    return np.array(pixels, dtype).reshape(1, 2, 2, 1)


def random_masks(seed=0, shape=(24, 30)):
    """Return a wandering crack three pixels wide and a shifted, incomplete prediction of it."""
    rng = np.random.default_rng(seed)
    rows = np.clip(12 + np.cumsum(rng.integers(-1, 2, shape[1])), 2, shape[0] - 3)
    true = np.abs(np.arange(shape[0])[:, None] - rows) <= 1
    predicted = np.roll(true, 1, axis=0) & (rng.random(shape) < 0.8)
    return true, predicted
