"""Sub-pixel centreline of a crack: from a path of pixels to its middle, its ends and its width.

A skeleton's pixels zigzag around the middle of the crack and stop short of its ends. Here each point of the path moves
to the middle between the crack's two edges, measured across the path; the path is smoothed; and its ends move on along
the tangent until the crack ends. The edges are where a map, interpolated linearly between pixels, falls below a level:
the outline of a mask, or the level set of a probability.

Positions are (row, column) [px], lengths are in pixels.
"""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

_STEP = 0.25  # [px] between the samples of a map along a line; the edge is interpolated between two of them
_CORNER = 1.5  # radii: the way from the middle of a flat end's last disc into its corner is √2 of them
_SMOOTH = 2.0  # [px] standard deviation that takes out the pixels' zigzag and keeps bends of 10 px


@dataclass(frozen=True)
class Centreline:
    """The middle of a crack from end to end.

    Attributes
    ----------
    points : ndarray, shape (n, 2)
        Positions about 1 px apart, n ≥ 2.
    widths : ndarray, shape (n,)
        Width across the path [px].
    closed : bool
        True for a loop; its last point is its first.
    extensions : tuple of float
        How far the first and the last point lie beyond the skeleton [px].
    """

    points: np.ndarray
    widths: np.ndarray
    closed: bool
    extensions: tuple

    @property
    def along(self):
        """Length from the first point to each point [px]; shape (n,)."""
        return arc_length(self.points)

    @property
    def length(self):
        """Length of the path [px]."""
        return float(self.along[-1])


def arc_length(points):
    """Return the length along a path at each of its points; shape (n, 2) in, (n,) out."""
    return np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))])


def trace(field, level, pixels, radii, closed=False, heading=(0.0, 1.0)):
    """Find the middle, the ends and the widths of a crack along a path of its skeleton.

    Parameters
    ----------
    field : ndarray of float32, shape (height, width)
        At least `level` where there is crack.
    level : float
    pixels : ndarray, shape (n, 2)
        The path, n ≥ 1.
    radii : ndarray, shape (n,)
        Distance of each pixel from the background [px].
    closed : bool
        True where the last pixel neighbours the first.
    heading : tuple of float
        Unit vector, (row, column), of a path that is too short to have a direction.

    Returns
    -------
    Centreline
    """
    radii = np.minimum(radii, max(field.shape))  # finite in a picture that is crack all over
    if not closed:
        pixels, radii = _without_corners(pixels, radii)
    points = _centred(field, level, pixels.astype(float), radii, closed)
    extensions = (0.0, 0.0)
    if closed:
        points, radii = np.concatenate([points, points[:1]]), np.append(radii, radii[0])
    else:
        first, start = _end(field, level, points, radii, -np.asarray(heading))
        last, stop = _end(field, level, points[::-1], radii[::-1], np.asarray(heading))
        extensions = start, stop
        points = np.concatenate([[first], points, [last]])
        radii = np.concatenate([radii[:1], radii, radii[-1:]])
    along = arc_length(points)
    even = np.linspace(0, along[-1], max(2, round(along[-1]) + 1))
    points = np.stack([np.interp(even, along, points[:, axis]) for axis in (0, 1)], axis=1)
    left, right = _edges(field, level, points, np.interp(even, along, radii), closed)
    return Centreline(points, _smooth(left + right, 1.0, closed), closed, extensions)


def ray(field, level, start, direction, reach):
    """Return how far one can go from a point inside a crack before it, or the picture, ends [px].

    Parameters
    ----------
    field : ndarray of float32, shape (height, width)
    level : float
    start : array, shape (2,)
    direction : array, shape (2,)
        Unit vector.
    reach : float
        Where to stop at the latest [px].
    """
    return float(_way_out(field, level, np.asarray(start)[None], np.asarray(direction)[None], np.array([reach]))[0])


def principal_axis(points):
    """Return the unit vector, (row, column), along which points spread most; to the right if they spread evenly.

    Parameters
    ----------
    points : ndarray, shape (n, 2)
    """
    spread = np.cov(points.T, bias=True)
    values, vectors = np.linalg.eigh(spread)
    if values[1] - values[0] < 1e-9:
        return np.array([0.0, 1.0])
    axis = vectors[:, 1]
    return -axis if axis[1] < 0 or (axis[1] == 0 and axis[0] > 0) else axis


def _without_corners(pixels, radii):
    """Cut a path's ends back: within the last disc a skeleton turns into a corner of the outline, where there is one."""
    along = arc_length(pixels)
    first = np.flatnonzero(along >= _CORNER * radii)
    last = np.flatnonzero(along[-1] - along >= _CORNER * radii)
    start, stop = (first[0] if first.size else len(pixels)), (last[-1] if last.size else -1)
    if start > stop:  # wider than long
        start = stop = len(pixels) // 2
    return pixels[start : stop + 1], radii[start : stop + 1]


def _end(field, level, points, radii, heading):
    """The end of a crack beyond the first of some points, and how far beyond."""
    # Over about one width of the crack: less follows its ragged edge, more misses its bends.
    far = np.searchsorted(arc_length(points), max(2 * radii[0], 3 * _SMOOTH))
    outward = points[0] - points[min(far, len(points) - 1)]
    norm = np.hypot(*outward)
    outward = outward / norm if norm >= 1 else heading
    extension = ray(field, level, points[0], outward, 3 * radii[0] + 2)
    return points[0] + extension * outward, extension


def _centred(field, level, points, radii, closed):
    """Move points to the middle between the edges, and smooth their path."""
    # A wide crack's edges are as ragged as a thin one's, but its skeleton wanders further.
    width = _SMOOTH + 0.25 * float(np.median(radii))
    points = _smooth(points, width, closed)
    if len(points) > 2:
        left, right = _edges(field, level, points, radii, closed)
        points = points + 0.5 * (left - right)[:, None] * _normals(points, closed)
        points = _smooth(points, width, closed)
    return points


def _edges(field, level, points, radii, closed):
    """Distances from each point of a path to the crack's edge on its left and on its right [px].

    The width is at most that of the largest disc there, 2·radius + 1: where a crack branches, the line across runs far
    into the branch.
    """
    normals = _normals(points, closed)
    reach = 2 * radii + 1
    left = _way_out(field, level, points, normals, reach)
    right = _way_out(field, level, points, -normals, reach)
    beyond = np.maximum(left + right - reach, 0)  # cut off the longer side
    return left - beyond * (left >= right), right - beyond * (left < right)


def _way_out(field, level, points, directions, reach):
    """Distance from each point along its direction to where the field falls below the level, at most `reach` [px]."""
    steps = np.arange(0, reach.max() + _STEP, _STEP)
    rows, columns = (points[:, axis, None] + steps * directions[:, axis, None] for axis in (0, 1))
    values = ndimage.map_coordinates(field, [rows, columns], order=1, mode="nearest", output=np.float32)
    height, width = field.shape
    outside = (rows < -0.5) | (rows > height - 0.5) | (columns < -0.5) | (columns > width - 0.5)
    below = outside | (values < level)
    first = np.where(below.any(axis=1), below.argmax(axis=1), len(steps) - 1)
    index = np.arange(len(points))
    before, after = values[index, np.maximum(first - 1, 0)], values[index, first]
    fall = np.where(outside[index, first] | (before <= after), np.inf, before - after)
    share = np.where(np.isinf(fall), 0.5, np.clip((before - level) / fall, 0, 1))
    return np.minimum(np.where(first > 0, (first - 1 + share) * _STEP, 0.0), reach)


def _normals(points, closed):
    """Unit vectors across a path, to its left."""
    if closed:
        along = np.roll(points, -1, axis=0) - np.roll(points, 1, axis=0)
    else:
        along = np.gradient(points, axis=0) if len(points) > 1 else np.array([[0.0, 1.0]])
    along = along / np.maximum(np.hypot(*along.T), 1e-9)[:, None]
    return np.stack([-along[:, 1], along[:, 0]], axis=1)


def _smooth(values, width, closed):
    """Smooth values along a path; its ends stay where they are."""
    count = len(values)
    if count < 3:
        return values
    margin = min(int(4 * width) + 1, count - 1)
    if closed:
        return ndimage.gaussian_filter1d(values, width, axis=0, mode="wrap")
    # Mirrored through the end points, so that a straight path stays straight up to its ends.
    before, after = 2 * values[0] - values[margin:0:-1], 2 * values[-1] - values[-2 : -2 - margin : -1]
    longer = np.concatenate([before, values, after])
    return ndimage.gaussian_filter1d(longer, width, axis=0, mode="nearest")[margin : margin + count]
