"""Sub-pixel centreline of a crack: from a path of pixels to its middle, its ends and its width.

A skeleton's pixels zigzag around the middle of the crack and stop before its ends. Here each point of the path is moved
to the middle between the two edges of the crack, measured across the path. Then the path is smoothed, and its ends are
extended along the tangent until the crack ends. An edge is where the mask or the probability, interpolated linearly
between pixels, falls below the threshold.

Positions are (row, column) [px], lengths are in pixels.
"""

import weakref
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy import ndimage

from crack_utils.geometry.skeleton import EIGHT

_STEP = 0.25  # [px] between samples along a line; the edge is interpolated between two of them
_NEAR = 64  # samples along a line that are looked at first
_CORNER = 1.5  # radii: the corner of a flat end is √2 radii from the centre of the last disc
_SHARP = 0.7  # share of a flat end's area: an end with less is sharp; a half disc has about this share
_RAGGED = 1.5  # [px] from an end: nearer, the width would be measured along the pixel steps of the end
_SMOOTH = 2.0  # [px] standard deviation; it removes the zigzag of pixels and keeps bends of 10 px


@dataclass(frozen=True)
class Centreline:
    """The middle line of a crack from end to end, with its width.

    Attributes
    ----------
    points : ndarray, shape (n, 2)
        (row, column) about 1 px apart [px], n ≥ 2.
    widths : ndarray, shape (n,)
        Width across the path at each point [px].
    closed : bool
        True for a loop, whose last point equals its first.
    extensions : tuple of float
        Distances of the first and the last point from the ends of the skeleton [px].
    forward : Centreline, optional
        The line of which this one is the reverse.
    """

    points: np.ndarray
    widths: np.ndarray
    closed: bool
    extensions: tuple
    forward: "Centreline | None" = None

    @cached_property
    def reverse(self):
        """The same line from its last point to its first, a Centreline."""
        if self.forward is not None:
            return self.forward
        return replace(
            self, points=self.points[::-1], widths=self.widths[::-1], extensions=self.extensions[::-1], forward=self
        )

    def once(self, image, measured):
        """Return what a function measures at both ends of this line in a photograph; the result is cached.

        The result for the last photograph is kept, because ranking the cracks and finding their tips need the same
        features of the same lines.

        Parameters
        ----------
        image : ndarray
            The photograph. All else that `measured` uses must be the same in each call.
        measured : callable
            Takes a Centreline and returns an array with a row for each end, the row of the first point first.
        """
        if self.forward is not None:
            return self.forward.once(image, measured)[::-1]
        of, values = self.__dict__.get("_measured", (lambda: None, None))
        if of() is not image:
            self.__dict__["_measured"] = weakref.ref(image), (values := measured(self))
        return values

    def __getstate__(self):
        """Return what is pickled: neither the cached measurement, which needs the photograph, nor the reverse line."""
        return {name: value for name, value in self.__dict__.items() if name not in ("_measured", "reverse")}

    @property
    def along(self):
        """Length along the path from the first point to each point [px], shape (n,)."""
        return arc_length(self.points)

    @property
    def length(self):
        """Length of the path [px]."""
        return float(self.along[-1])


def arc_length(points):
    """Return the length along a path, an array of points of shape (n, 2), up to each of them; shape (n,)."""
    return np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))])


def points_at(points, distances):
    """Return the points of a path at some distances along it, by linear interpolation.

    Parameters
    ----------
    points : ndarray, shape (n, 2)
    distances : ndarray, shape (m,)
        From the first point, in the unit of the points; beyond the ends, the first or the last point is returned.

    Returns
    -------
    ndarray, shape (m, 2)
    """
    along = arc_length(points)
    return np.stack([np.interp(distances, along, points[:, axis]) for axis in (0, 1)], axis=1)


def trace(field, level, pixels, radii, closed=False, heading=(0.0, 1.0)):
    """Find the centreline, the ends and the widths of a crack along a path of its skeleton.

    Parameters
    ----------
    field : ndarray of float32, shape (height, width)
        Mask or probability, at least `level` where there is crack.
    level : float
        Threshold of crack, in (0, 1).
    pixels : ndarray, shape (n, 2)
        (row, column) of the path's pixels, n ≥ 1.
    radii : ndarray, shape (n,)
        Distance of each pixel from the background [px].
    closed : bool
        True if the last pixel is a neighbour of the first.
    heading : tuple of float
        Unit vector (row, column): the line along which a path goes that is too short to have a direction.

    Returns
    -------
    Centreline
    """
    radii = np.minimum(radii, max(field.shape))  # finite in a picture that is crack all over
    extensions = (0.0, 0.0)
    if closed:
        points = _centred(field, level, pixels.astype(float), radii, closed)
        points, radii = np.concatenate([points, points[:1]]), np.append(radii, radii[0])
    else:
        start, stop = _blunt(pixels, radii)
        points = _centred(field, level, pixels[start : stop + 1].astype(float), radii[start : stop + 1], closed)
        cut = radii[start : stop + 1]
        heading = np.asarray(heading)
        if heading @ (pixels[-1] - pixels[0]) < 0:
            heading = -heading
        first, before = _end(field, level, points, cut, pixels[start::-1], -heading)
        last, after = _end(field, level, points[::-1], cut[::-1], pixels[stop:], heading)
        points = np.concatenate([first[::-1], points, last])
        radii = np.concatenate([np.repeat(cut[0], len(first)), cut, np.repeat(cut[-1], len(last))])
        extensions = before, after
    along = arc_length(points)
    even = np.linspace(0, along[-1], max(2, round(along[-1]) + 1))
    points = points_at(points, even)
    return Centreline(points, _widths(field, level, points, np.interp(even, along, radii), closed), closed, extensions)


def line_of(field, level, crack, way, closed=False):
    """Return the centreline along a path of a crack's skeleton, as `trace` does; each path is traced in one direction.

    Parameters
    ----------
    field : ndarray of float32, shape (height, width)
        The one that the skeleton was made of.
    level : float
    crack : Skeleton
    way : ndarray of int
        Indices of the skeleton's pixels.
    closed : bool
        True where the last pixel neighbours the first.

    Returns
    -------
    Centreline
    """
    if way[0] > way[-1]:
        return line_of(field, level, crack, way[::-1], closed).reverse
    key = way.tobytes(), closed
    if key not in crack.lines:
        crack.lines[key] = trace(field, level, crack.pixels[way], crack.radii[way], closed, crack.heading)
    return crack.lines[key]


def ray(field, level, start, direction, reach, rising=False):
    """Return the distance from a point in a crack to the edge of the crack or of the picture, in one direction [px].

    Parameters
    ----------
    field : ndarray of float32, shape (height, width)
        Mask or probability, at least `level` where there is crack.
    level : float
        Threshold of crack, in (0, 1).
    start : array, shape (2,)
        (row, column) [px].
    direction : array, shape (2,)
        Unit vector.
    reach : float
        Largest distance to search; it is returned if there is no edge up to it [px].
    rising : bool
        Search for where the field rises above the level, from a point that lies below it.

    Returns
    -------
    float
    """
    way = np.asarray(start)[None], np.asarray(direction)[None], np.array([reach])
    return float(_way_out(field, level, *way, rising)[0])


def _blunt(pixels, radii):
    """Return the first and last index of a path without its ends, where a corner may pull the skeleton aside."""
    along = arc_length(pixels)
    first = np.flatnonzero(along >= _CORNER * radii)
    last = np.flatnonzero(along[-1] - along >= _CORNER * radii)
    if not first.size or not last.size or first[0] > last[-1]:  # wider than long
        return len(pixels) // 2, len(pixels) // 2
    return first[0], last[-1]


def _end(field, level, points, radii, skeleton, heading):
    """Return points from the start of a path outward to the end of the crack, and the end's distance from the skeleton.

    A blunt end is where the tangent leaves the crack. A sharp end is often curved, so the tangent would leave it too
    early; its end is the farthest crack pixel in the direction of the tangent, and it is reached along the skeleton.
    Masks mark every pixel that the crack touches, so a sharp end lies inside the last pixel, not at its edge.
    """
    # The direction is taken over about one width: a shorter part follows the ragged edge, a longer one misses bends.
    far = np.searchsorted(arc_length(points), max(2 * radii[0], 3 * _SMOOTH))
    outward = _direction(points[min(far, len(points) - 1)], points[0], heading)
    apex, sharp = _apex(field, level, skeleton[-1], outward, radii[0])
    stop = points[0] + ray(field, level, points[0], outward, 3 * radii[0] + 2) * outward
    short = (apex - stop) @ outward  # the tangent left the crack through its side
    if len(points) == 1 or (not sharp and short <= 0.5 + 0.1 * radii[0]):
        return stop[None], float(np.hypot(*(stop - skeleton[-1])))
    stop = apex + (ray(field, level, apex, outward, 1.0) - 0.5) * outward
    return np.concatenate([skeleton[1::2].astype(float), [stop]]), float(np.hypot(*(stop - skeleton[-1])))


def _direction(start, stop, otherwise):
    """Return the unit vector from one point to another; `otherwise` if they are less than a pixel apart."""
    way = np.asarray(stop, float) - start
    length = np.hypot(*way)
    return way / length if length >= 1 else np.asarray(otherwise)


def _apex(field, level, pixel, direction, radius):
    """Return the crack's farthest point in a direction, and whether the end is sharp.

    An end is blunt if the crack keeps about its width up to that point.
    """
    reach = int(3 * radius + 2)
    low = np.maximum(pixel - reach, 0)
    window = field[tuple(slice(a, b + reach + 1) for a, b in zip(low, pixel, strict=True))] >= level
    labels, _ = ndimage.label(window, EIGHT)
    near = np.argwhere(labels == labels[tuple(pixel - low)]) + low - pixel
    near = near[np.hypot(*near.T) <= reach]
    ahead = near @ direction
    return pixel + near[ahead >= ahead.max() - 0.5].mean(axis=0), is_sharp(ahead, radius)


def is_sharp(ahead, radius):
    """Return whether an end is sharp: few of its pixels are nearly as far out as the farthest.

    Parameters
    ----------
    ahead : ndarray, shape (n,)
        How far out each pixel of the end lies [px].
    radius : float
        Half width of the crack before the end [px].

    Returns
    -------
    bool
    """
    depth = max(2.0, 0.7 * radius)
    return np.count_nonzero(ahead > ahead.max() - depth) < _SHARP * depth * (2 * radius - 1)


def _centred(field, level, points, radii, closed):
    """Move points to the middle between the edges, and smooth their path."""
    # The skeleton of a wide crack deviates more from the middle, so it is smoothed more.
    width = _SMOOTH + 0.25 * float(np.median(radii))
    points = _smooth(points, width, closed)
    if len(points) > 2:
        left, right = _edges(field, level, points, radii, closed)
        points = points + 0.5 * (left - right)[:, None] * _normals(points, closed)
        points = _smooth(points, width, closed)
    return points


def _edges(field, level, points, radii, closed):
    """Return the distances from each point of a path to the crack's edges on its left and on its right [px].

    The width is limited to that of the largest disc, 2·radius + 1. Without this limit, a line across the crack would
    run far into a branch.
    """
    normals = _normals(points, closed)
    reach = 2 * radii + 1
    both = np.concatenate([points, points]), np.concatenate([normals, -normals]), np.concatenate([reach, reach])
    left, right = np.split(_way_out(field, level, *both), 2)
    beyond = np.maximum(left + right - reach, 0)
    from_left = 0.5 * (1 + np.sign(left - right))  # cut off the longer side, or half of it from each
    return left - beyond * from_left, right - beyond * (1 - from_left)


def _widths(field, level, points, radii, closed):
    """Return the width across a path at each of its points [px]."""
    left, right = _edges(field, level, points, radii, closed)
    widths = left + right
    if not closed:
        along = arc_length(points)
        inner = np.minimum(_RAGGED, along[-1] / 2)
        widths = np.interp(np.clip(along, inner, along[-1] - inner), along, widths)
    return _smooth(widths, 1.0, closed)


def _way_out(field, level, points, directions, reach, rising=False):
    """Return the distance from each point, in its direction, to where the field falls below the level [px].

    No distance is larger than the point's `reach`.
    """
    steps = np.arange(0, reach.max() + _STEP, _STEP)
    distances, ended = _falls(field, level, points, directions, steps[:_NEAR], rising)
    if not ended.all():  # few ways are long
        distances[~ended], _ = _falls(field, level, points[~ended], directions[~ended], steps, rising)
    return np.minimum(distances, reach)


def _falls(field, level, points, directions, steps, rising):
    """Return the distance at which the field falls below the level, and whether it does so within the steps at all."""
    places = points.T[..., None] + steps * directions.T[..., None]  # (2, points, steps)
    values = ndimage.map_coordinates(field, places, order=1, mode="nearest", output=np.float32)
    if rising:  # the few values, not the field: of a large photograph its negative takes a second for each crack
        values, level = -values, -level
    below, outside = values < level, np.zeros(values.shape, bool)
    last = np.array(field.shape)[:, None, None] - 0.5
    ends = places[..., [0, -1]]
    if (ends < -0.5).any() or (ends > last).any():  # some leave the picture
        outside = ((places < -0.5) | (places > last)).any(axis=0)
        below |= outside
    ended = below.any(axis=1)
    first = np.where(ended, below.argmax(axis=1), len(steps) - 1)
    index = np.arange(len(points))
    before, after = values[index, np.maximum(first - 1, 0)], values[index, first]
    fall = np.where(outside[index, first] | (before <= after), np.inf, before - after)
    share = np.where(np.isinf(fall), 0.5, np.clip((before - level) / fall, 0, 1))
    return np.where(first > 0, (first - 1 + share) * _STEP, 0.0), ended


def _normals(points, closed):
    """Return unit vectors across a path, to its left."""
    if closed:
        along = np.roll(points, -1, axis=0) - np.roll(points, 1, axis=0)
    else:
        along = np.gradient(points, axis=0) if len(points) > 1 else np.array([[0.0, 1.0]])
    along = along / np.maximum(np.hypot(*along.T), 1e-9)[:, None]
    return np.stack([-along[:, 1], along[:, 0]], axis=1)


def _smooth(values, width, closed):
    """Smooth values along a path; the values at its ends do not change."""
    count = len(values)
    if count < 3:
        return values
    margin = min(int(4 * width) + 1, count - 1)
    if closed:
        return ndimage.gaussian_filter1d(values, width, axis=0, mode="wrap")
    # Mirrored at the end points, so that a straight path stays straight up to its ends.
    before, after = 2 * values[0] - values[margin:0:-1], 2 * values[-1] - values[-2 : -2 - margin : -1]
    longer = np.concatenate([before, values, after])
    return ndimage.gaussian_filter1d(longer, width, axis=0, mode="nearest")[margin : margin + count]
