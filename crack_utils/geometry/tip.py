"""Where a crack ends: its tip, to a fraction of a pixel, and how far found tips lie from true ones.

**The tip** is an end of the primary crack's skeleton, moved on until the crack ends, since thinning shortens a skeleton
by about the local half width: along the tangent, or to the point of an end that has one. The primary crack is the
component with the longest skeleton. Its mouth is where the notch is; if that is not given, the end that looks most like
one by the signs of `ends`. The tip is the end that one comes to from the mouth. Where the crack forks, the primary
crack goes on where there is most crack ahead, straight ahead: a secondary crack that leaves it at an angle may be
longer. An end at the picture's border is no tip. A crack with a notch in its middle, or without one, has two.
"""

from dataclasses import dataclass

import numpy as np

from crack_utils.geometry.centreline import Centreline, arc_length, line_of, ray
from crack_utils.geometry.ends import MASK_ONLY, WITH_IMAGE, Ends, judge, signs_of
from crack_utils.geometry.point import sharp_point
from crack_utils.geometry.primary import ranked
from crack_utils.geometry.skeleton import without_pores

_PIXEL = 0.5  # [px] a mask tells an edge no better
_SPREAD = 0.25  # of probability to either side of the threshold: how far a blurred end may lie off
_BESIDE = 4.0  # half widths of the crack, over which its direction before and after a fork is taken
_MIDDLE = 0.15  # of the crack's length from either end: a notch farther from both lies in its middle
_WIDTH = 0.25  # of the skeleton: how far from an end at the border its width is taken
_FEW = 4  # ends of which one may be the mouth
_MOST = 20  # ends of a crack that are looked at: a mask that is all noise has thousands
_GIVEN = 0.99  # probability of the right end where somebody has said where the notch is
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
    other_end : tuple of float, or None
        (row, column) of the end where the crack begins [px], its mouth or its second tip; None without a tip.
    right_end_probability : float, or None
        That `position` is at a tip, and not at the mouth, in (0, 1); None without a tip. It says nothing about a crack
        that the mask misses.
    second : tuple of float, or None
        (row, column) of the second tip [px], of a crack that begins at no notch or border, or in its middle.
    """

    position: tuple | None
    candidates: np.ndarray
    uncertainty: float
    mm_per_px: float | None = None
    other_end: tuple | None = None
    right_end_probability: float | None = None
    second: tuple | None = None

    @property
    def positions(self):
        """The tips, none, one or two: a list of (row, column) [px]."""
        return [position for position in (self.position, self.second) if position is not None]

    @property
    def found(self):
        """Whether there is a tip."""
        return self.position is not None


def find_tip(mask_or_probability, threshold=0.5, notch=None, mm_per_px=None, image=None):
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
    image : ndarray, float, shape (height, width), in [0, 1], optional
        The photograph: what it shows beyond the crack's ends tells a tip from a mouth.

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
    notch, image = _check_notch(notch), check_image(image, field.shape)
    field, cracks = ranked(field, threshold, image)
    if not cracks:
        return Tip(None, np.empty((0, 2)), float("nan"), mm_per_px)
    others = [
        point
        for crack, way, closed in cracks[1:]
        if not closed
        for point, _ in both_ends(field, threshold, crack, way)[1]
        if not leaves(point, field.shape)
    ]
    return tip_of(field, threshold, cracks[0][0], notch, mm_per_px, image, others)


def tip_of(field, level, crack, notch=None, mm_per_px=None, image=None, others=()):
    """Return the tip of one crack.

    Parameters
    ----------
    field : ndarray of float32, shape (height, width)
        At least `level` where there is crack.
    level : float
    crack : Skeleton
    notch : ndarray, shape (2,), optional
    mm_per_px : float, optional
    image : ndarray, float, shape (height, width), optional
    others : sequence of ndarray, shape (2,)
        Ends of other cracks, to be put behind the candidates.

    Returns
    -------
    Tip
    """
    way, closed = crack.longest_path()
    if closed:
        return Tip(None, np.array(others).reshape(-1, 2), float("nan"), mm_per_px)
    middle = False  # whether the notch is in the crack's middle
    if len(crack.ends) >= 2:
        mouth = _mouth(field, level, crack, image) if notch is None else np.argmin(np.hypot(*(crack.pixels - notch).T))
        way, middle = _through(crack, int(mouth))
    line, pair = both_ends(field, level, crack, way)
    at_border = [leaves(point, field.shape) for point, _ in pair]
    verdict = judge(*end_signs(field, level, line, at_border, image), at_border)
    if notch is not None:
        verdict = Ends(1 if not at_border[1] else 0, _GIVEN, middle)
    order = [verdict.tip, 1 - verdict.tip]
    distances = crack.distances(way[0])[0]
    branches = [
        _last_end(field, level, crack, crack.path(way[0], end))[0]
        for end in sorted(crack.ends, key=lambda pixel: -distances[pixel])[:_MOST]
        if end not in (way[0], way[-1])
    ]
    ends = [pair[end][0] for end in order] + branches + list(others)
    candidates = np.array([point for point in ends if not leaves(point, field.shape)]).reshape(-1, 2)
    if at_border[verdict.tip]:
        return Tip(None, candidates, float("nan"), mm_per_px)
    first, other = (tuple(map(float, pair[end][0])) for end in order)
    return Tip(
        first,
        candidates,
        uncertainty(field, level, *pair[verdict.tip]),
        mm_per_px,
        other,
        verdict.probability,
        other if verdict.both and not at_border[1 - verdict.tip] else None,
    )


def uncertainty(field, level, point, tangent):
    """Return how uncertain an end is [px], see `Tip`; `tangent` is the unit vector out of the crack."""
    inside = point - 2 * _PIXEL * tangent
    reach = float(max(field.shape))
    above, below = (
        ray(field, min(max(level + change, 1e-6), 1.0), inside, tangent, reach) for change in (_SPREAD, -_SPREAD)
    )
    back = ray(-field, -(level + _SPREAD), inside, -tangent, reach) if above == 0 else 0.0
    return float(np.hypot(_PIXEL, (below - above + back) / 2))


def _mouth(field, level, crack, image):
    """The end, as an index of the skeleton's pixels, that looks least like a tip.

    The widest of those at the border; if there is none, one of those farthest out: a mask that is all noise has
    thousands of ends.
    """
    pixels, radii = crack.pixels[crack.ends], crack.radii[crack.ends]
    to_border = np.concatenate([pixels, np.array(field.shape) - 1 - pixels], axis=1).min(axis=1)
    at_border = to_border <= radii + _BORDER
    if at_border.any():
        reach = _WIDTH * len(crack.pixels)

        def width(end):
            return crack.radii[crack.distances(end)[0] <= reach].mean()

        widest = np.argsort(-np.where(at_border, radii, 0))[: min(_MOST, at_border.sum())]
        return int(max(crack.ends[widest], key=width))

    def likeness(end):
        way = crack.path(end, int(np.argmax(crack.distances(end)[0])))
        line, pair = both_ends(field, level, crack, way)
        signs, weights = end_signs(field, level, line, [leaves(point, field.shape) for point, _ in pair], image)
        return float(signs[0] @ list(weights.values()))

    way, _ = crack.longest_path()
    far = np.maximum(crack.distances(way[0])[0], crack.distances(way[-1])[0])[crack.ends]
    return int(min(crack.ends[np.argsort(-far, kind="stable")[:_FEW]], key=likeness))


def _through(crack, mouth):
    """The path from the crack's other end past its mouth to its tip, and whether the mouth is in its middle."""
    ahead = crack.path(mouth, _follow(crack, mouth))
    distances = crack.distances(mouth)[0]
    step = ahead[1] if len(ahead) > 1 else -1
    behind = [end for end in crack.ends if end != mouth and crack.path(mouth, end)[1] != step]
    if not behind:
        return ahead, False
    start = max(behind, key=lambda end: distances[end])
    middle = min(distances[start], distances[ahead[-1]]) > _MIDDLE * (distances[start] + distances[ahead[-1]])
    return crack.path(start, ahead[-1]), bool(middle)


def end_signs(field, level, line, at_border, image):
    """The signs of both ends of a line, and their weights."""
    if image is None:
        return signs_of(line, at_border), MASK_ONLY
    return signs_of(line, at_border, image, field >= level), WITH_IMAGE


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


def both_ends(field, level, crack, way):
    """The middle of a path, and the position and outward tangent of both of its ends."""
    line = line_of(field, level, crack, way)
    backwards = Centreline(line.points[::-1], line.widths[::-1], False, line.extensions[::-1])
    return line, [_end_of(field, level, crack, way[::-1], backwards), _end_of(field, level, crack, way, line)]


def _last_end(field, level, crack, way):
    """Position and outward tangent of the last end of a path."""
    return both_ends(field, level, crack, way)[1][1]


def _end_of(field, level, crack, way, line):
    outward = line.points[-1] - line.points[-2]
    outward = outward / max(np.hypot(*outward), 1e-9)
    point = sharp_point(field, level, crack.pixels[way], crack.radii[way], outward)
    return line.points[-1] if point is None else point, outward


def leaves(point, shape):
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


def check_image(image, shape):
    """Refuse a photograph of another shape than the mask."""
    if image is None:
        return None
    image = np.asarray(image)
    if image.shape != shape or not np.issubdtype(image.dtype, np.floating):
        raise ValueError(
            f"image is {image.dtype} of shape {image.shape}: floats of the mask's shape {shape} are needed"
        )
    return image
