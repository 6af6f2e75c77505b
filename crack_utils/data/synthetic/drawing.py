"""Draw anti-aliased lines and shapes: compute the share of each pixel that they cover.

Positions are (row, column) in pixels, and the origin is the centre of the top left pixel. A pixel is a square of side
1. A straight edge with unit normal `n` touches it if its distance from the pixel's centre is at most `(|n_row| +
|n_column|) / 2`. This is exact for straight edges, so no supersampling is needed.
"""

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from crack_utils.geometry.centreline import arc_length, points_at

SPACING = 0.5  # [px] between the points of a resampled path
_CHUNK = 32  # [px] length of path per search window, because the bounding box of a long diagonal path is large
_ROUGHEST = 1.4  # largest half width of an uneven edge, as a multiple of the even one


@dataclass(frozen=True)
class Stroke:
    """The pixels of a line with a width.

    Attributes
    ----------
    window : tuple of slice
        Rows and columns of the picture that the arrays cover.
    coverage : ndarray of float32, shape of the window
        Covered share of each pixel, in [0, 1].
    touched : ndarray of bool, shape of the window
        True for each pixel that the line touches. Pixels on its middle always count, so the line is at least one pixel
        wide.
    """

    window: tuple
    coverage: np.ndarray
    touched: np.ndarray


def densify(points, values):
    """Resample a path at equal distances, so densely that its shape changes by hundredths of a pixel at most.

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
    at = np.linspace(0.0, length[-1], max(2, int(np.ceil(length[-1] / SPACING)) + 1))
    return points_at(points, at), np.interp(at, length, values)


def stroke(shape, points, half_width, edge=None):
    """Compute the pixels of a line whose width varies along it.

    Parameters
    ----------
    shape : tuple of int
        Size of the picture (height, width).
    points : ndarray, shape (n, 2)
        (row, column) of the path's points, n ≥ 2 [px].
    half_width : float or ndarray, shape (n,)
        Half of the width at each point [px]; 0 is allowed.
    edge : function, optional
        For uneven edges. Its arguments are points (row, column) on the even edge, shape (m, 2), and the half widths
        there, shape (m,) [px]; it returns the half widths to draw, at most 1.4 times as large.

    Returns
    -------
    Stroke or None
        None if the path is outside the picture.
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
    # Windows overlap by the margin. For a wide line they must be long, or pixels would be searched many times.
    step = int(max(_CHUNK, 2 * margin) / SPACING)
    for start in range(0, len(points) - 1, step):
        part = _window(shape, points[start : start + step + 1], margin)
        if part is None:
            continue
        rows, columns = np.mgrid[part]
        pixels = np.stack([rows.ravel(), columns.ravel()], axis=1).astype(float)
        near, offset, index = nearest(pixels, margin)
        wide = half[index]
        if edge:
            # Evaluated on the edge, not at the pixel, so that an uneven edge stays connected to the line.
            outwards = offset / np.maximum(np.hypot(*offset.T), 1e-9)[:, None]
            wide = edge(pixels[near] - offset + wide[:, None] * outwards, wide)
        covered, any_covered = _cover(offset, wide)
        at = rows.ravel()[near] - window[0].start, columns.ravel()[near] - window[1].start
        coverage[at], touched[at] = covered, any_covered
    return Stroke(window, coverage, touched)


class _Nearest:
    """Finds the nearest point of a resampled path for each pixel."""

    def __init__(self, points, straight):
        self.points = points
        along = np.gradient(points, axis=0)
        self.along = along / np.maximum(np.hypot(*along.T), 1e-12)[:, None]
        self.tree = None if straight else cKDTree(points)

    def __call__(self, pixels, reach):
        """Return the indices of pixels within `reach` of the path, their offsets from it, and its nearest points."""
        if self.tree is None:  # a straight line: the nearest point follows from the projection
            step = np.hypot(*(self.points[1] - self.points[0]))
            index = np.rint((pixels - self.points[0]) @ self.along[0] / step).astype(int).clip(0, len(self.points) - 1)
            near = np.hypot(*(pixels - self.points[index]).T) < reach
        else:
            distance, index = self.tree.query(pixels, distance_upper_bound=reach)
            near = np.isfinite(distance)
        near = np.flatnonzero(near)
        index = index[near]
        offset, along = pixels[near] - self.points[index], self.along[index]
        # The nearest position on the path is usually between two of its points.
        slide = np.clip((offset * along).sum(1), -SPACING / 2, SPACING / 2)
        return near, offset - slide[:, None] * along, index


def _cover(offset, half):
    """Return coverage and touch of pixels at an offset from the middle of a line with a half width."""
    distance = np.hypot(*offset.T)
    # On the middle of the line the offset has no direction; any value is right there.
    reach = np.where(distance > 0.02, np.abs(offset).sum(1) / np.maximum(distance, 0.02), 1.0)
    covered = np.clip(0.5 + (half - distance) / reach, 0, 1) - np.clip(0.5 - (half + distance) / reach, 0, 1)
    return covered, distance <= half + reach / 2


def _window(shape, points, margin):
    """Return the slices of the picture around some points, or None if they are outside."""
    low = np.maximum(np.floor(points.min(0) - margin).astype(int), 0)
    high = np.minimum(np.ceil(points.max(0) + margin).astype(int) + 1, shape)
    return (slice(low[0], high[0]), slice(low[1], high[1])) if np.all(high > low) else None


def paint(image, stroke_, value, opacity=1.0):
    """Draw a line over an image, in place.

    Parameters
    ----------
    image : ndarray of float32, shape (height, width)
    stroke_ : Stroke or None
        With None the image stays unchanged.
    value : float or ndarray of the window's shape
        Gray value of the line, in [0, 1].
    opacity : float
        In [0, 1]; 1 covers the image completely.
    """
    if stroke_ is not None:
        image[stroke_.window] += opacity * stroke_.coverage * (value - image[stroke_.window])


def solid(distance):
    """Return the share of each pixel that a solid shape covers.

    Parameters
    ----------
    distance : ndarray
        Signed distance of each pixel's centre from the shape's edge [px], negative inside.

    Returns
    -------
    ndarray of the same shape, in [0, 1]
    """
    return np.clip(0.5 - distance, 0.0, 1.0)


def box(x, y, centre, half_size, radius=0.0):
    """Return the signed distance from a rectangle with rounded corners, negative inside.

    Parameters
    ----------
    x, y : ndarray
        Positions, of one shape; the result has the same shape and unit.
    centre, half_size : (x, y)
    radius : float
        Of the corners.
    """
    dx = np.abs(x - centre[0]) - (half_size[0] - radius)
    dy = np.abs(y - centre[1]) - (half_size[1] - radius)
    return np.hypot(np.maximum(dx, 0), np.maximum(dy, 0)) + np.minimum(np.maximum(dx, dy), 0) - radius


def disc(x, y, centre, radius):
    """Return the signed distance of positions `x` and `y`, arrays of one shape, from a disc (centre (x, y), radius)."""
    return np.hypot(x - centre[0], y - centre[1]) - radius
