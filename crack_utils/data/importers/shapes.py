"""Masks of shapes that were drawn on photographs: polygons, lines, runs of pixels.

Points are (x, y) [px] from the corner of the picture at the top left, as in all these formats: the first pixel reaches
from 0 to 1, and its centre is (0.5, 0.5).
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from pycocotools import mask as coco
from scipy.ndimage import binary_dilation, label
from skimage.draw import line as line_of_pixels

from crack_utils.geometry.skeleton import EIGHT

NEAR = 2  # [px] largest distance of a polygon's outline from its pixels, reached at corners
LONGEST = 5_000_000  # [px] length of an outline or a line: a hundred times that in the largest photograph


@dataclass(frozen=True)
class Annotated:
    """A photograph and what was drawn on it.

    Attributes
    ----------
    file : pathlib.Path
        The annotation file, for messages.
    image : pathlib.Path or callable
        The file of the photograph, or a function that returns its bytes if they are in the annotation.
    labels : Counter
        Number of shapes of each class, or 1 for each class in a mask of pixels.
    mask : callable
        ``mask(labels, size)`` returns the mask of some classes, bool, of a photograph of size (height, width); a
        ValueError says why it cannot. If the annotation is a mask of pixels, it keeps its own size.
    drawn_on : (height, width) [px], optional
        Size of the photograph according to the annotation.
    """

    file: Path
    image: Path | Callable
    labels: Counter
    mask: Callable
    drawn_on: tuple[int, int] | None = None


@dataclass(frozen=True)
class Options:
    """Options for what annotations do not contain; see `import_annotations`."""

    line_width: float | None = None
    crack: str | None = None
    traced: bool = False


def polygon(points, size, traced=False):
    """Return the pixels of a polygon: those whose centre is inside it, as in pycocotools.

    A crack is often thinner than a pixel, so that few or no centres are inside. There, pixels on the outline are added.
    Then the crack has its drawn length and is one piece.

    Parameters
    ----------
    points : sequence of (x, y) [px]
        At least three.
    size : (height, width) [px]
    traced : bool
        The points are the pixels (column, row) along the border of a mask, as in contours of OpenCV; these pixels are
        part of the mask.

    Returns
    -------
    ndarray, bool, shape `size`

    Raises
    ------
    ValueError
        If these are not points, or far outside the picture.
    """
    points = _points(points, size, least=1 if traced else 3) + traced * 0.5
    first, last = _box(points, size)
    mask = np.zeros(size, bool)
    inside = np.s_[first[1] : last[1], first[0] : last[0]]
    if not mask[inside].size:
        return mask
    points = points - first
    corners = points.repeat(3 if len(points) < 3 else 1, axis=0)  # frPyObjects needs at least three
    encoded = coco.frPyObjects([corners.ravel().tolist()], *mask[inside].shape)
    filled = coco.decode(encoded[0]).astype(bool)
    outline = _outline(points, filled.shape)
    bare = outline & ~binary_dilation(filled, EIGHT, NEAR)
    filled |= outline & binary_dilation(bare, EIGHT, NEAR)
    if traced or label(filled, EIGHT)[1] != 1:
        filled |= outline
    mask[inside] = filled
    return mask


def line(points, width, size):
    """Return the pixels whose centre is at most half a width from a line through some points; its ends are round.

    Parameters
    ----------
    points : sequence of (x, y) [px]
        At least two.
    width : float [px]
        At least 1, because a thinner line would be broken. None if it was not given, which is an error.
    size : (height, width) [px]

    Returns
    -------
    ndarray, bool, shape `size`

    Raises
    ------
    ValueError
        If these are not points, if they are far outside the picture, or if there is no width.
    """
    if width is None:
        raise ValueError("a line has no width: give it in pixels with --line-width")
    points = _points(points, size, least=2)
    mask = np.zeros(size, bool)
    for start, end in pairwise(points):
        first, last = _box(np.stack([start, end]), size, margin=width)
        x, y = np.meshgrid(*(np.arange(first[axis], last[axis]) + 0.5 for axis in (0, 1)))
        along = end - start
        place = ((x - start[0]) * along[0] + (y - start[1]) * along[1]) / max(along @ along, 1e-12)
        place = place.clip(0, 1)
        distance = np.hypot(x - start[0] - place * along[0], y - start[1] - place * along[1])
        mask[first[1] : last[1], first[0] : last[0]] |= distance <= width / 2 + 1e-9
    return mask


def runs(counts, size):
    """Return the pixels of a run-length encoding.

    pycocotools is not used, because it does not check the lengths: a damaged file would overwrite memory.

    Parameters
    ----------
    counts : sequence of int
        Lengths of the runs, row by row: background, crack, background, and so on.
    size : (height, width) [px]

    Returns
    -------
    ndarray, bool, shape `size`

    Raises
    ------
    ValueError
        If the runs do not fill the picture exactly.
    """
    if not all(type(count) is int and 0 <= count <= size[0] * size[1] for count in counts):
        raise ValueError("a run-length encoding has an entry that is not a length")
    if sum(counts) != size[0] * size[1]:
        raise ValueError(f"a run-length encoding of {sum(counts)} pixels, but there are {size[0]}×{size[1]}")
    return np.repeat(np.arange(len(counts)) % 2 == 1, counts).reshape(size)


def paste(part, left, top, size):
    """Return a mask of the whole picture from the mask of a part.

    Parameters
    ----------
    part : ndarray of bool, shape (h, w)
    left, top : int
        Position of its first pixel in the picture [px].
    size : (height, width) [px]
        Of the picture.

    Returns
    -------
    ndarray of bool, shape `size`

    Raises
    ------
    ValueError
        If the part reaches out of the picture.
    """
    height, width = part.shape
    if not (0 <= top <= size[0] - height and 0 <= left <= size[1] - width):
        raise ValueError(f"a mask of {height}×{width} pixels at ({left}, {top}) reaches out of the picture")
    mask = np.zeros(size, bool)
    mask[top : top + height, left : left + width] = part
    return mask


def union(shapes):
    """Return a function as `Annotated.mask`, from a list of (label, function of the size that returns a mask)."""

    def mask(labels, size):
        result = np.zeros(size, bool)
        for name, draw in shapes:
            if name in labels:
                result |= draw(size)
        return result

    return mask


def refuse_shape(kind):
    """Return a function that raises a ValueError: for shapes without a mask, when their class is used."""

    def draw(size):
        article = "an" if kind[:1] in "aeiou" else "a"
        raise ValueError(
            f"a crack is marked by {article} {kind}, which does not outline it; draw polygons, lines or masks"
        )

    return draw


def _points(points, size, least):
    """Return points as an array of shape (n, 2), after a check that all are finite and not far outside the picture."""
    try:
        points = np.array(points, float)
    except (TypeError, ValueError, OverflowError):
        points = np.empty(0)
    if points.ndim != 2 or points.shape[1] != 2 or not np.isfinite(points).all():
        raise ValueError("an outline that is not a list of points (x, y)")
    if len(points) < least:
        raise ValueError(f"an outline of {len(points)} point(s); expected {least} or more")
    sides = np.array(size[::-1])
    if (points < -sides).any() or (points > 2 * sides).any():
        raise ValueError(f"an outline that reaches far out of the picture of {size[0]}×{size[1]} pixels")
    if np.hypot(*np.diff(points, axis=0).T).sum() > LONGEST:
        raise ValueError(f"an outline longer than {LONGEST} pixels")
    return points


def _box(points, size, margin=1):
    """Return a box around points, within the picture: two arrays (x, y), the first pixel and the one after the last."""
    sides = np.array(size[::-1])
    first = np.floor(points.min(axis=0) - margin).astype(int).clip(0, sides)
    return first, np.ceil(points.max(axis=0) + margin).astype(int).clip(first, sides)


def _outline(points, size):
    """Return the pixels that a closed outline passes through."""
    mask = np.zeros(size, bool)
    columns, rows = np.floor(points).astype(int).T
    for index in range(len(points)):
        row, column = line_of_pixels(rows[index - 1], columns[index - 1], rows[index], columns[index])
        inside = (row >= 0) & (row < size[0]) & (column >= 0) & (column < size[1])
        mask[row[inside], column[inside]] = True
    return mask
