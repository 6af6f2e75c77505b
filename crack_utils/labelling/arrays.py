"""Checks of images, masks, points and numbers that all tools use."""

import numbers

import numpy as np

MODES = ("add", "subtract")
GRID = 16  # steps per pixel for the rounding of points
FARTHEST = 10**6  # [px] that a point may lie from the image's corner: no picture is as large


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


def check_mode(mode):
    """Raise ValueError unless the mode is "add" or "subtract"."""
    if mode not in MODES:
        raise ValueError(f"unknown mode {mode!r}; valid are {', '.join(MODES)}")


def check_points(points):
    """Return points as a list of (row, column) of float [px]; a ValueError if they are not points, or too far away."""
    try:
        points = [(float(row), float(column)) for row, column in points]
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"points must be (row, column) pairs: {error}") from None
    if not all(abs(value) <= FARTHEST for point in points for value in point):
        raise ValueError(f"points must be finite, from -{FARTHEST} to {FARTHEST}")
    return points


def check_count(value, name, most):
    """Return a whole number from 1 to `most`; raise a ValueError, which begins with its name, for any other value."""
    if isinstance(value, bool) or not isinstance(value, numbers.Integral) or not 1 <= value <= most:
        raise ValueError(f"{name} must be a whole number from 1 to {most}, not {value!r}")
    return int(value)


def _size(array):
    return f"{array.shape[0]}×{array.shape[1]}"
