"""Where a crack ends: its tip, to a fraction of a pixel, and how far found tips lie from true ones.

**The tip** is an end of the primary crack's skeleton, moved on until the crack ends, since thinning shortens a skeleton
by about the local half width: along the tangent, or to the point of an end that has one. The primary crack is the
component with the longest skeleton. Its mouth is where the notch is; if that is not given, where the crack leaves the
picture; if it does not, the widest end, since a crack opens from its tip to its mouth. The tip is the end that one
comes to from the mouth. Where the crack forks, the primary crack goes on where there is most crack ahead, straight
ahead: a secondary crack that leaves it at an angle may be longer. An end at the picture's border is no tip.
"""

from dataclasses import dataclass

import numpy as np

from crack_utils.geometry.centreline import arc_length, principal_axis, ray, trace
from crack_utils.geometry.point import sharp_point
from crack_utils.geometry.skeleton import skeletons, without_pores

_PIXEL = 0.5  # [px] a mask tells an edge no better
_SPREAD = 0.25  # of probability to either side of the threshold: how far a blurred end may lie off
_BESIDE = 4.0  # half widths of the crack, over which its direction before and after a fork is taken
_MOUTH = 0.25  # of the longest path: how far from an end its width is taken
_BORDER = 1.0  # [px] from the picture's edge: nearer ends are where the crack leaves the picture


@dataclass(frozen=True)
class Tip:
    """The tip of the primary crack, or that there is none.

    Attributes
    ----------
    position : tuple of float, or None
        (row, column) [px]; None if there is no tip: no crack, a loop, or one that leaves the picture at each end.
    candidates : ndarray, shape (n, 2)
        Ends of all cracks within the picture [px], those of the primary crack first, from the tip on.
    uncertainty : float
        Half a pixel, and half of the way on which a probability falls through the threshold ± 0.25 [px]; NaN without a
        tip. It says nothing about a crack that the mask misses.
    mm_per_px : float, optional
    """

    position: tuple | None
    candidates: np.ndarray
    uncertainty: float
    mm_per_px: float | None = None

    @property
    def found(self):
        """Whether there is a tip."""
        return self.position is not None

    @property
    def position_mm(self):
        """(row, column) [mm], from the top left pixel's centre; None without a tip or a scale."""
        if self.position is None or self.mm_per_px is None:
            return None
        return tuple(value * self.mm_per_px for value in self.position)


def find_tip(mask_or_probability, threshold=0.5, notch=None, mm_per_px=None):
    """Find the tip of the primary crack.

    Parameters
    ----------
    mask_or_probability : (height, width) array of bool, of integers 0 and 1, or of floats in [0, 1]
    threshold : float
        In (0, 1): a probability at least as large is crack. The edge is the level set of the probability there.
    notch : (row, column), optional
        Any position in or near the notch [px].
    mm_per_px : float, optional
        Scale of the picture.

    Returns
    -------
    Tip

    Raises
    ------
    ValueError
        If an argument is of the wrong kind or out of range.

    Examples
    --------
    >>> mask = np.zeros((20, 40), bool)
    >>> mask[8:11, :30] = True
    >>> tuple(round(float(value), 1) for value in find_tip(mask).position)
    (9.0, 29.5)
    """
    field, threshold = as_field(mask_or_probability, threshold)
    check_scale(mm_per_px)
    notch = _check_notch(notch)
    cracks = skeletons(field >= threshold)
    if not cracks:
        return Tip(None, np.empty((0, 2)), float("nan"), mm_per_px)
    paths = [crack.longest_path() for crack in cracks]
    primary = int(
        np.argmax([crack.distances(way[0])[0][way[-1]] for crack, (way, _) in zip(cracks, paths, strict=True)])
    )
    ends = primary_ends(field, threshold, cracks[primary], notch)
    others = [
        end
        for index, (crack, (way, closed)) in enumerate(zip(cracks, paths, strict=True))
        if index != primary and not closed
        for end in _both_ends(field, threshold, crack, way)
    ]
    candidates = np.array([point for point, _ in ends + others]).reshape(-1, 2)
    if not ends:
        return Tip(None, candidates, float("nan"), mm_per_px)
    return Tip(tuple(map(float, ends[0][0])), candidates, uncertainty(field, threshold, *ends[0]), mm_per_px)


def primary_ends(field, level, crack, notch=None):
    """Return the ends of a crack within the picture: its tip, then the others, the farthest from its mouth first.

    Parameters
    ----------
    field : ndarray of float32, shape (height, width)
    level : float
    crack : Skeleton
    notch : ndarray, shape (2,), optional

    Returns
    -------
    list of (point, tangent)
        Positions [px] and unit vectors out of the crack.
    """
    way, closed = crack.longest_path()
    if closed:
        return []
    if len(crack.ends) < 2:
        return _both_ends(field, level, crack, way)
    if notch is not None:
        mouth = int(np.argmin(np.hypot(*(crack.pixels - notch).T)))
    else:
        mouth = _mouth(field, level, crack, way)
    distances = crack.distances(mouth)[0]
    tip = _follow(crack, mouth)
    found = []
    for end in sorted(crack.ends, key=lambda pixel: (pixel != tip, -distances[pixel])):
        start = mouth if end != mouth else int(np.argmax(distances))
        point, tangent = _last_end(field, level, crack, crack.path(start, end))
        if not _at_border(point, field.shape):
            found.append((point, tangent))
    return found


def uncertainty(field, level, point, tangent):
    """Return how uncertain an end is [px], see `Tip`; `tangent` is the unit vector out of the crack."""
    inside = point - 2 * _PIXEL * tangent
    reach = float(max(field.shape))
    above, below = (
        ray(field, min(max(level + change, 1e-6), 1.0), inside, tangent, reach) for change in (_SPREAD, -_SPREAD)
    )
    back = ray(-field, -(level + _SPREAD), inside, -tangent, reach) if above == 0 else 0.0
    return float(np.hypot(_PIXEL, (below - above + back) / 2))


def _mouth(field, level, crack, way):
    """The end, as an index of the skeleton's pixels, where a crack begins."""
    leaving = [
        end
        for end in crack.ends
        if _at_border(
            _last_end(field, level, crack, crack.path(way[0] if end != way[0] else way[-1], end))[0], field.shape
        )
    ]
    reach = _MOUTH * crack.distances(way[0])[0][way[-1]]

    def width(end):
        return crack.radii[crack.distances(end)[0] <= reach].mean()

    return int(max(leaving or crack.ends, key=width))


def _follow(crack, mouth):
    """The end, as an index of the skeleton's pixels, that one comes to from the mouth."""
    ways = [crack.path(mouth, end) for end in crack.ends if end != mouth]
    while len(ways) > 1:
        # None of the ways is part of another, as each ends in an end.
        fork = next(step for step in range(len(crack.pixels)) if len({way[step] for way in ways}) > 1)
        branches = {}
        for way in ways:
            branches.setdefault(way[fork], []).append(way)
        ways = max(branches.values(), key=lambda branch: max(_worth(crack, way, fork - 1) for way in branch))
    return ways[0][-1] if ways else mouth


def _worth(crack, way, fork):
    """How much speaks for a way on from a fork, a step of it: its area ahead, less by the factor e a radian it turns.

    By size alone, one of seven forks of synthetic specimens (512×640) was followed into a secondary crack; with the
    turn, one of a hundred. The direction is not looked at within the fork's half width, where both branches are one.
    """
    along = arc_length(crack.pixels[way])
    half = crack.radii[way[fork]]

    def at(distance):
        return np.array([np.interp(along[fork] + distance, along, crack.pixels[way, axis]) for axis in (0, 1)])

    before, after = at(-half) - at(-(1 + _BESIDE) * half), at((1 + _BESIDE) * half) - at(half)
    turn = np.abs(np.angle(complex(*after) * complex(*before).conjugate()))
    return crack.radii[way[fork:]].sum() * np.exp(-turn)


def _both_ends(field, level, crack, way):
    """The two ends of a path that lie within the picture."""
    found = [_last_end(field, level, crack, each) for each in (way, way[::-1])]
    if len(way) == 1:  # no direction: the opposite way
        line = trace(field, level, crack.pixels[way], crack.radii[way])
        found = [(point, sign * np.array([0.0, 1.0])) for point, sign in ((line.points[-1], 1), (line.points[0], -1))]
    return [(point, tangent) for point, tangent in found if not _at_border(point, field.shape)]


def _last_end(field, level, crack, way):
    """Position and outward tangent of the last end of a path."""
    line = trace(field, level, crack.pixels[way], crack.radii[way], heading=principal_axis(crack.pixels))
    outward = line.points[-1] - line.points[-2]
    outward = outward / max(np.hypot(*outward), 1e-9)
    point = sharp_point(field, level, crack.pixels[way], crack.radii[way], outward)
    return line.points[-1] if point is None else point, outward


def _at_border(point, shape):
    edges = np.array([point[0] + 0.5, point[1] + 0.5, shape[0] - 0.5 - point[0], shape[1] - 0.5 - point[1]])
    return bool(edges.min() < _BORDER)


def as_field(mask_or_probability, threshold=0.5):
    """Return a mask or a probability as float32, pores of its mask filled, and the threshold; or refuse them."""
    values = np.asarray(mask_or_probability)
    if values.ndim != 2 or not values.size:
        raise ValueError(f"mask_or_probability has shape {values.shape}: (height, width) is needed")
    if not 0 < threshold < 1:
        raise ValueError(f"threshold={threshold}: valid is a number between 0 and 1, both excluded")
    if not (values.min() >= 0 and values.max() <= 1):
        raise ValueError(f"mask_or_probability lies in {values.min()} … {values.max()}, not in [0, 1]; try mask > 127")
    threshold = threshold if np.issubdtype(values.dtype, np.floating) else 0.5
    field = values.astype(np.float32)
    mask = field >= threshold
    field[without_pores(mask) & ~mask] = 1
    return field, float(threshold)


def check_scale(mm_per_px):
    """Refuse a scale that is none."""
    if mm_per_px is not None and not (np.isfinite(mm_per_px) and mm_per_px > 0):
        raise ValueError(f"mm_per_px={mm_per_px}: valid is a positive number, or None")


def _check_notch(notch):
    if notch is None:
        return None
    notch = np.asarray(notch, float)
    if notch.shape != (2,) or not np.all(np.isfinite(notch)):
        raise ValueError(f"notch={notch}: valid is (row, column) in pixels, or None")
    return notch
