"""Checks of images, masks and numbers that all tools use."""

import numbers

import numpy as np


def as_mask(mask):
    """Return a mask as booleans; raise a ValueError unless it has two axes and only 0 and 1 (or booleans)."""
    mask = np.asarray(mask)
    if mask.ndim != 2 or mask.size == 0:
        raise ValueError(f"mask must have shape (height, width), not {mask.shape}")
    if mask.dtype != bool and not np.isin(mask, (0, 1)).all():
        raise ValueError("mask must be boolean, or contain only 0 and 1")
    return mask.astype(bool)


def check_same_size(image, mask):
    """Raise ValueError unless the mask has the image's height and width."""
    if image.shape[:2] != mask.shape:
        raise ValueError(f"the mask of {_size(mask)} does not fit the image of {_size(image)}")


def check_count(value, name, most):
    """Check a whole number of at least one, and return it."""
    if isinstance(value, bool) or not isinstance(value, numbers.Integral) or not 1 <= value <= most:
        raise ValueError(f"{name} must be a whole number from 1 to {most}, not {value!r}")
    return int(value)


def _size(array):
    return f"{array.shape[0]}×{array.shape[1]}"
