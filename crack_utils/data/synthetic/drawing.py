"""Anti-aliased shapes on a pixel grid: what part of every pixel does a stroke or a solid shape cover?

Positions are (row, column) in pixels, origin at the top-left pixel's centre; lengths are in pixels. A pixel is a square
of side one, so its reach towards a straight edge with unit normal `n` is `(|n_row| + |n_column|) / 2`: that tells which
pixels an edge touches, exactly where it is straight, at any resolution and without supersampling.
"""

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from crack_utils.geometry.centreline import arc_length

_SPACING = 0.5  # [px] between the points of a densified path
_CHUNK = 32  # [px] of path per search window, so that a long diagonal path does not search its whole bounding box
_ROUGHEST = 1.4  # times the half width, that an uneven edge may reach


@dataclass(frozen=True)
class Stroke:
    """A path with a width, rasterised.

    Attributes
    ----------
    window : tuple of slice
        Rows and columns of the picture that the arrays belong to.
    coverage : ndarray of float32, shape (window)
        Covered share of each pixel, in [0, 1].
    touched : ndarray of bool, shape (window)
        True where any of the pixel is covered; the path itself counts, so a stroke is never thinner than one pixel.
    """

    window: tuple
    coverage: np.ndarray
    touched: np.ndarray


def densify(points, values):
    """Resample a path evenly, fine enough that it keeps its shape to hundredths of a pixel.

    Parameters
    ----------
    points : ndarray, shape (n, 2)
        Corners of the path [px].
    values : ndarray, shape (n,)
        A quantity along the path, interpolated linearly.

    Returns
    -------
    points : ndarray, shape (m, 2)
    values : ndarray, shape (m,)
    """
    length = arc_length(points)
    at = np.linspace(0.0, length[-1], max(2, int(np.ceil(length[-1] / _SPACING)) + 1))
    dense = np.stack([np.interp(at, length, points[:, axis]) for axis in (0, 1)], axis=1)
    return dense, np.interp(at, length, values)


def stroke(shape, points, half_width, edge=None):
    """Rasterise a path whose half width varies along it.

    Parameters
    ----------
    shape : tuple of int
        Picture size (height, width).
    points : ndarray, shape (n, 2)
        The path's corners, n ≥ 2 [px].
    half_width : float or ndarray, shape (n,)
        Half of the local width [px]; zero is allowed.
    edge : function, optional
        For uneven edges: given points (row, column) of the even edge, shape (m, 2), and the half widths there, shape
        (m,) [px], it returns the half widths that hold instead, at most 1.4 times as wide.

    Returns
    -------
    Stroke or None
        None where the path lies outside the picture.
    """
    straight = len(points) == 2
    points, half = densify(np.asarray(points, float), np.broadcast_to(np.asarray(half_width, float), len(points)))
    margin = half.max() * (_ROUGHEST if edge else 1) + 2.0
    window = _window(shape, points, margin)
    if window is None:
        return None
    nearest = _Nearest(points, straight)
    size = tuple(part.stop - part.start for part in window)
    coverage, touched = np.zeros(size, np.float32), np.zeros(size, bool)
    # Windows overlap by the margin: of a wide stroke they must be long, or each pixel would be searched many times.
    step = int(max(_CHUNK, 2 * margin) / _SPACING)
    for start in range(0, len(points) - 1, step):
        part = _window(shape, points[start : start + step + 1], margin)
        if part is None:
            continue
        rows, columns = np.mgrid[part]
        pixels = np.stack([rows.ravel(), columns.ravel()], axis=1).astype(float)
        found, offset, index = nearest(pixels, margin)
        wide = half[index]
        if edge:
            # Asked for on the edge itself, not at the pixel: what reaches out then stays in one piece with the stroke.
            outwards = offset / np.maximum(np.hypot(*offset.T), 1e-9)[:, None]
            wide = edge(pixels[found] - offset + wide[:, None] * outwards, wide)
        covered, any_covered = _cover(offset, wide)
        at = rows.ravel()[found] - window[0].start, columns.ravel()[found] - window[1].start
        coverage[at], touched[at] = covered, any_covered
    return Stroke(window, coverage, touched)


class _Nearest:
    """The nearest point of a densified path to any pixel."""

    def __init__(self, points, straight):
        self.points = points
        along = np.gradient(points, axis=0)
        self.along = along / np.maximum(np.hypot(*along.T), 1e-12)[:, None]
        self.tree = None if straight else cKDTree(points)

    def __call__(self, pixels, reach):
        """Which pixels lie within `reach` of the path, their offsets from it, and the indices of its points nearest."""
        if self.tree is None:  # most strokes: the projection tells the nearest point
            step = np.hypot(*(self.points[1] - self.points[0]))
            index = np.rint((pixels - self.points[0]) @ self.along[0] / step).astype(int).clip(0, len(self.points) - 1)
            near = np.hypot(*(pixels - self.points[index]).T) < reach
        else:
            distance, index = self.tree.query(pixels, distance_upper_bound=reach)
            near = np.isfinite(distance)
        found = np.flatnonzero(near)
        index = index[found]
        offset, along = pixels[found] - self.points[index], self.along[index]
        # Between two path points the foot of the perpendicular is nearer than either of them.
        slide = np.clip((offset * along).sum(1), -_SPACING / 2, _SPACING / 2)
        return found, offset - slide[:, None] * along, index


def _cover(offset, half):
    """Coverage and touch of pixels at an offset from a path of a half width."""
    distance = np.hypot(*offset.T)
    # On the path itself the direction across is not defined by the offset, nor does it matter.
    reach = np.where(distance > 0.02, np.abs(offset).sum(1) / np.maximum(distance, 0.02), 1.0)
    covered = np.clip(0.5 + (half - distance) / reach, 0, 1) - np.clip(0.5 - (half + distance) / reach, 0, 1)
    return covered, distance <= half + reach / 2


def _window(shape, points, margin):
    """Slices of the picture around some points, or None if that is empty."""
    low = np.maximum(np.floor(points.min(0) - margin).astype(int), 0)
    high = np.minimum(np.ceil(points.max(0) + margin).astype(int) + 1, shape)
    return (slice(low[0], high[0]), slice(low[1], high[1])) if np.all(high > low) else None


def paint(image, stroke_, value, opacity=1.0):
    """Lay a stroke of gray `value` over an image, in place.

    Parameters
    ----------
    image : ndarray of float32, shape (height, width)
    stroke_ : Stroke or None
        Nothing happens with None.
    value : float or ndarray of the window's shape
        Gray value in [0, 1].
    opacity : float
        Share of the covered area that takes the value, in [0, 1].
    """
    if stroke_ is not None:
        image[stroke_.window] += opacity * stroke_.coverage * (value - image[stroke_.window])


def solid(distance):
    """Coverage of a pixel by a solid shape.

    Parameters
    ----------
    distance : ndarray
        Signed distance of the pixel's centre from the shape's edge [px], negative inside.

    Returns
    -------
    ndarray
        In [0, 1].
    """
    return np.clip(0.5 - distance, 0.0, 1.0)


def box(x, y, centre, half_size, radius=0.0):
    """Signed distance from a rectangle with rounded corners, in the units of `x` and `y` (negative inside)."""
    dx = np.abs(x - centre[0]) - (half_size[0] - radius)
    dy = np.abs(y - centre[1]) - (half_size[1] - radius)
    return np.hypot(np.maximum(dx, 0), np.maximum(dy, 0)) + np.minimum(np.maximum(dx, dy), 0) - radius


def disc(x, y, centre, radius):
    """Signed distance from a disc, in the units of `x` and `y` (negative inside)."""
    return np.hypot(x - centre[0], y - centre[1]) - radius
