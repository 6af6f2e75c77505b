"""Regions of interest drawn by hand: rectangle, polygon, freehand line and disk (R12).

A pixel belongs to a region if its centre lies inside or on the outline. Points are rounded to 1/16 px, and the rest is
integer arithmetic, so a mirrored or rotated region gives exactly the mirrored or rotated mask. MATLAB's ``poly2mask``
and scikit-image's ``polygon2mask`` treat outline pixels differently on opposite sides.
"""

from collections.abc import Sized
from numbers import Real

import numpy as np

from crack_utils.labelling.arrays import FARTHEST, GRID, as_mask, check_mode, check_points

SHAPES = {"rectangle": 2, "polygon": 3, "freehand": 3, "disk": 1}  # shape: smallest number of points
MOST_POINTS = 100_000


def draw_roi(mask, shape, points, radius=None, mode="add"):
    """Add a hand-drawn region to a mask, or remove it (R12).

    Parameters
    ----------
    mask : bool array of shape (H, W)
    shape : {"rectangle", "polygon", "freehand", "disk"}
    points : sequence of (row, column) [px]
        Two opposite corners of a rectangle; the corners of a polygon or a freehand line, closed automatically; the
        centre of a disk. They may lie between pixels and outside the image. If an outline crosses itself, the even-odd
        rule applies.
    radius : float [px]
        Radius of the disk; None for the other shapes.
    mode : {"add", "subtract"}

    Returns
    -------
    bool array of shape (H, W)

    Raises
    ------
    ValueError
        If shape or mode is unknown, there are too few points, the radius is missing or not allowed, or the region is
        completely outside the image.

    Examples
    --------
    >>> import numpy as np
    >>> draw_roi(np.zeros((3, 4), bool), "rectangle", [(1, 1), (2, 2)]).astype(int)
    array([[0, 0, 0, 0],
           [0, 1, 1, 0],
           [0, 1, 1, 0]])
    """
    mask = as_mask(mask)
    points = check_roi(shape, points, radius, mode)
    grid = np.rint(np.asarray(points, dtype=float) * GRID).astype(np.int64)
    if shape == "disk":
        region = _disk(mask.shape, grid[0], round(radius * GRID))
    else:
        if shape == "rectangle":
            (top, left), (bottom, right) = grid
            grid = np.array([(top, left), (top, right), (bottom, right), (bottom, left)])
        region = _polygon(mask.shape, grid)
    return mask | region if mode == "add" else mask & ~region


def check_roi(shape, points, radius, mode):
    """Check the arguments of `draw_roi` other than the mask.

    Parameters
    ----------
    shape, points, radius, mode
        As for `draw_roi`.

    Returns
    -------
    list of (float, float)
        The points, (row, column) [px].

    Raises
    ------
    ValueError
        If an argument is invalid; the message says what is valid.
    """
    if shape not in tuple(SHAPES):  # also where it is not a text
        raise ValueError(f"unknown shape {shape!r}; valid are {', '.join(SHAPES)}")
    check_mode(mode)
    if isinstance(points, Sized) and len(points) > MOST_POINTS:
        raise ValueError(f"{len(points)} points; at most {MOST_POINTS} are taken")
    points = check_points(points)
    needed = SHAPES[shape]
    if len(points) < needed or (shape in ("rectangle", "disk") and len(points) > needed):
        least = "at least " if shape in ("polygon", "freehand") else ""
        raise ValueError(f"a {shape} needs {least}{needed} point{'s' * (needed > 1)}, not {len(points)}")
    if shape == "rectangle" and points[0] == points[1]:
        raise ValueError("the rectangle's corners coincide")
    if shape == "disk" and not (isinstance(radius, Real) and 0 < radius <= FARTHEST):
        raise ValueError(f"a disk needs a radius above 0 and at most {FARTHEST}, not {radius!r}")
    if shape != "disk" and radius is not None:
        raise ValueError(f"a {shape} takes no radius")
    return points


def _disk(size, centre, radius):
    """Return the pixels with centres within a radius of a point; centre and radius in grid steps."""
    row = np.arange(size[0], dtype=np.int64)[:, None] * GRID - centre[0]
    column = np.arange(size[1], dtype=np.int64)[None, :] * GRID - centre[1]
    region = row**2 + column**2 <= radius**2
    _check_inside(size, centre - radius, centre + radius)
    return region


def _polygon(size, points):
    """Return the pixels inside or on a closed outline; points of shape (N, 2) in grid steps.

    Where an edge crosses a pixel row, inside and outside change. A cumulative "exclusive or" along the row then gives
    the inside. Pixel centres exactly on an edge are marked separately.
    """
    _check_inside(size, points.min(axis=0), points.max(axis=0))
    height, width = size
    flips = np.zeros((height, width + 1), dtype=bool)
    outline = np.zeros((height, width), dtype=bool)
    for (row_a, column_a), (row_b, column_b) in zip(points, np.roll(points, -1, axis=0), strict=True):
        if row_a > row_b:
            row_a, column_a, row_b, column_b = row_b, column_b, row_a, column_a
        rows = np.arange(max(-(-row_a // GRID), 0), min(row_b // GRID, height - 1) + 1)
        if row_a == row_b:
            left, right = sorted((column_a, column_b))
            outline[rows, max(-(-left // GRID), 0) : max(right // GRID + 1, 0)] = True
            continue
        # The edge crosses a pixel row at column = numerator / denominator, an exact fraction.
        denominator = (row_b - row_a) * GRID
        numerator = column_a * (row_b - row_a) + (rows * GRID - row_a) * (column_b - column_a)
        column, rest = numerator // denominator, numerator % denominator
        hit = (rest == 0) & (column >= 0) & (column < width)
        outline[rows[hit], column[hit]] = True
        below = rows * GRID < row_b  # half-open, so that a corner counts once
        flips[rows[below], np.clip(column[below] + 1, 0, width)] ^= True
    return np.logical_xor.accumulate(flips, axis=1)[:, :width] | outline


def _check_inside(size, lowest, highest):
    """Raise a ValueError if a region is completely outside the image; limits in grid steps."""
    if (highest < 0).any() or (lowest > (np.array(size) - 1) * GRID).any():
        raise ValueError(f"the region lies outside the image of {size[0]}×{size[1]} px")
