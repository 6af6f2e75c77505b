"""Checks of images and masks that all tools use."""

import numpy as np

__all__ = ["as_mask", "bounding_box", "check_same_size"]


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


def bounding_box(mask, margin):
    """Return the slices of the smallest box around the mask's pixels, widened by a margin and clipped at the border.

    Parameters
    ----------
    mask : bool array of shape (H, W) with at least one True
    margin : int [px]

    Returns
    -------
    tuple of two slices
    """
    box = []
    for axis, size in zip((1, 0), mask.shape, strict=True):
        inside = np.flatnonzero(mask.any(axis=axis))
        box.append(slice(max(inside[0] - margin, 0), min(inside[-1] + 1 + margin, size)))
    return tuple(box)


def _size(array):
    return f"{array.shape[0]}×{array.shape[1]}"
