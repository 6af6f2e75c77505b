"""Small plates with a notch and a crack, drawn by other means than the package's specimens: NumPy alone."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage


@dataclass(frozen=True)
class Plate:
    image: np.ndarray
    crack: np.ndarray
    notch: np.ndarray
    tips: list


def plate(seed=0, gap=0.15, notch_gray=0.05, arms=1, opening=0.9, finish="grain", length=90):
    """A plate that fills 200×260 px, a slot of 14 px and a wavy crack that opens as a square root.

    Parameters
    ----------
    gap, notch_gray : float
        Gray value within the crack, and within the slot.
    arms : int
        1: the slot comes from the left edge; 2: it lies in the middle, with a crack at either end.
    finish : str
        "grain", "brushed" or "speckle".
    length : float
        Of the crack [px].
    """
    random = np.random.default_rng(seed)
    rows, columns = np.mgrid[:200, :260].astype(float)
    middle = 100 + 4 * np.sin(columns / 23 + seed) + 1.5 * np.sin(columns / 7)
    image = 0.6 + _finish(random, finish, rows.shape)
    start, stop = (0, 90) if arms == 1 else (100, 160)
    notch = (columns >= start) & (columns <= stop) & (np.abs(rows - 100) <= 7)
    ends = [stop + length] if arms == 1 else [stop + 0.6 * length, start - 0.6 * length]
    half = np.zeros_like(rows)
    for end in ends:
        side = np.sign(end - (stop if end > stop else start))
        ahead = (end - columns) * side
        beyond = (columns - stop) * side > 0 if side > 0 else (start - columns) > 0
        half = np.where(beyond & (ahead > 0), opening / 2 * np.sqrt(np.maximum(ahead, 0)), half)
    crack = (np.abs(rows - middle) <= np.maximum(half, 0.5)) & (half > 0) & ~notch
    image[notch] = notch_gray
    shade = ndimage.gaussian_filter(np.float64(crack), 0.6)
    image = image * (1 - shade) + gap * shade
    image = ndimage.gaussian_filter(image, 0.5) + random.normal(0, 0.01, rows.shape)
    tips = [(100 + 4 * np.sin(end / 23 + seed) + 1.5 * np.sin(end / 7), end) for end in ends]
    return Plate(np.float32(np.clip(image, 0, 1)), crack, notch, tips)


def _finish(random, finish, shape):
    if finish == "grain":
        return random.normal(0, 0.04, shape)
    if finish == "brushed":
        return np.repeat(random.normal(0, 0.05, (shape[0], 1)), shape[1], axis=1)
    blobs = ndimage.gaussian_filter(random.normal(size=shape), 2.0)
    return 0.12 * np.sign(blobs / blobs.std() - 0.3)
