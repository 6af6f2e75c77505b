"""The tip of a crack, to a fraction of a pixel.

**Definition.** The tip is an end of the skeleton of the primary crack (see `primary`). Thinning shortens a skeleton by
about half of the crack's width, so the end is moved outward until the crack ends: along the tangent of a blunt end, or
to the point of a sharp one.

The mouth is the end of the crack at the notch. If the notch is not given, the mouth is the end that looks least like a
tip (see `ends`). The tip is found by following the skeleton from the mouth. At a fork the branch with the larger crack
area ahead is followed, and a branch that turns counts less: a secondary crack that leaves at an angle may be longer
than the rest of the primary crack.

An end at the picture's border is not a tip. A crack has two tips if its notch is in its middle, or if it has no notch.
"""

from dataclasses import dataclass

import numpy as np

from crack_utils.geometry.arguments import as_field, check_image, check_position, check_scale
from crack_utils.geometry.centreline import arc_length, line_of, ray
from crack_utils.geometry.ends import MASK_ONLY, WITH_IMAGE, Ends, features_of, judge
from crack_utils.geometry.point import sharp_point
from crack_utils.geometry.primary import ranked

_PIXEL = 0.5  # [px] precision of an edge in a mask
_SPREAD = 0.25  # change of the threshold that gives the uncertainty of a blurred end
_BESIDE = 4.0  # half widths of the crack: distance over which its direction before and after a fork is measured
_MIDDLE = 0.15  # share of the crack's length: a notch farther than this from both ends is in the middle
_WIDTH = 0.25  # share of the skeleton over which the width at an end is measured
_SPAN = 0.8  # share of the longest path: an end from which no path is as long is that of a branch, not the mouth
_FEW = 4  # ends that are compared to choose the mouth
_MOST = 20  # ends of a crack that are examined: a mask of pure noise has thousands
_GIVEN = 0.99  # probability of the right end if the notch was given
_BORDER = 4.0  # [px] from the edge: nearer, the crack leaves the picture, as masks end early there


@dataclass(frozen=True)
class Tip:
    """The tip of the primary crack; `position` is None if there is no tip.

    Attributes
    ----------
    position : tuple of float, or None
        (row, column) [px]; None if there is no crack, if it is a closed loop, or if it leaves the picture at both ends.
    candidates : ndarray, shape (n, 2)
        (row, column) of the ends of all cracks inside the picture [px]. The tip is first, then the other ends of the
        primary crack, then those of other cracks.
    uncertainty : float
        Uncertainty of `position` along the crack [px]; NaN without a tip. It combines half a pixel with half the
        distance over which the probability falls from threshold + 0.25 to threshold - 0.25. It does not cover a part of
        the crack that the mask misses.
    mm_per_px : float, optional
        Scale of the picture.
    other_end : tuple of float, or None
        (row, column) of the opposite end [px], which is the mouth or the second tip; None without a tip.
    right_end_probability : float, or None
        Probability that the line is the primary crack and `position` its tip, not its mouth, in (0, 1); None without a
        tip. Without a photograph, the line is taken for the primary crack. A part of the crack that the mask misses is
        not covered. It was fitted and checked on drawn specimens with the default model only.
    second : tuple of float, or None
        (row, column) of the second tip [px], if the crack has two.
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
        """All tips: a list of none, one or two (row, column) [px]."""
        return [position for position in (self.position, self.second) if position is not None]

    @property
    def found(self):
        """True if there is a tip."""
        return self.position is not None


def find_tip(mask_or_probability, threshold=0.5, notch=None, mm_per_px=None, image=None):
    """Find the tip of the primary crack, to a fraction of a pixel.

    Use it to measure how far a crack has grown. Give the notch or the photograph if you have it: both help to tell the
    tip from the mouth.

    Parameters
    ----------
    mask_or_probability : (height, width) array of bool, of integers 0 and 1, or of floats in [0, 1]
    threshold : float
        In (0, 1). Pixels with at least this probability are crack; the crack's edge is the level set at this value.
    notch : (row, column), optional
        Any position in or near the notch [px].
    mm_per_px : float, optional
        Scale of the picture; it is only stored in the result.
    image : ndarray, float, shape (height, width), in [0, 1], optional
        The photograph. Its gray values around the ends of the crack help to tell a tip from a mouth.

    Returns
    -------
    Tip

    Raises
    ------
    ValueError
        If an argument has a wrong type, shape or range; the message names it and what is valid.

    Examples
    --------
    >>> mask = np.zeros((20, 40), bool)
    >>> mask[8:11, :30] = True
    >>> tuple(round(float(value), 1) for value in find_tip(mask).position)
    (9.0, 29.5)
    """
    field, threshold = as_field(mask_or_probability, threshold)
    check_scale(mm_per_px)
    notch, image = check_position("notch", notch), check_image(image, field.shape)
    field, cracks, chances = ranked(field, threshold, image)
    if not cracks:
        return Tip(None, np.empty((0, 2)), float("nan"), mm_per_px)
    others = [
        point
        for crack, way, closed in cracks[1:]
        if not closed
        for point, _ in both_ends(field, threshold, crack, way)[1]
        if not leaves(point, field.shape)
    ]
    return tip_of(field, threshold, cracks[0][0], notch, mm_per_px, image, others, chances.primary)


def tip_of(field, level, crack, notch=None, mm_per_px=None, image=None, others=(), probability=1.0):
    """Return the tip of one crack; `find_tip` without its checks and without the choice of the primary crack.

    Parameters
    ----------
    field : ndarray of float32, shape (height, width)
        Mask or probability, from `as_field`; at least `level` where there is crack.
    level : float
        Threshold of crack, in (0, 1).
    crack : Skeleton
        Of the crack whose tip is wanted.
    notch : ndarray, shape (2,), optional
        (row, column) [px].
    mm_per_px : float, optional
        Scale of the picture.
    image : ndarray, float, shape (height, width), in [0, 1], optional
        The photograph.
    others : sequence of ndarray, shape (2,)
        Ends of other cracks [px]; they are appended to the candidates.
    probability : float
        That this is the primary crack, in (0, 1].

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
    verdict = judge(*end_features(field, level, line, at_border, image), at_border)
    if notch is not None:
        verdict = Ends(1 if not at_border[1] else 0, _GIVEN, middle)
    order = [verdict.tip, 1 - verdict.tip]
    distances = crack.distances(way[0])[0]
    branches = [
        _end_of(field, level, crack, crack.path(way[0], end), -1)[0]
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
        verdict.probability * probability,
        other if verdict.both and not at_border[1 - verdict.tip] else None,
    )


def uncertainty(field, level, point, tangent):
    """Return the uncertainty of an end of a crack along the crack [px], see `Tip`.

    Parameters
    ----------
    field : ndarray of float32, shape (height, width)
        Mask or probability.
    level : float
        Threshold of crack, in (0, 1).
    point, tangent : ndarray, shape (2,)
        Position of the end (row, column) [px], and the unit vector that points out of the crack there.

    Returns
    -------
    float
    """
    inside = point - 2 * _PIXEL * tangent
    reach = float(max(field.shape))
    above, below = (
        ray(field, min(max(level + change, 1e-6), 1.0), inside, tangent, reach) for change in (_SPREAD, -_SPREAD)
    )
    back = ray(field, level + _SPREAD, inside, -tangent, reach, rising=True) if above == 0 else 0.0
    return float(np.hypot(_PIXEL, (below - above + back) / 2))


def _mouth(field, level, crack, image):
    """Return the end of the skeleton, as an index of its pixels, that looks least like a tip.

    If ends lie at the picture's border, this is the widest of them. Otherwise only the ends farthest apart are
    compared: a branch in the crack's middle does not end at a mouth, and a mask of pure noise has thousands of ends.
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
        other = leaves(_end_of(field, level, crack, way, -1)[0], field.shape)
        line = line_of(field, level, crack, way)
        # Whether this end is at the border, too, is not a feature of it.
        features, weights = end_features(field, level, line, (False, other), image)
        return float(features[0] @ list(weights.values()))

    way, _ = crack.longest_path()
    far = np.maximum(crack.distances(way[0])[0], crack.distances(way[-1])[0])[crack.ends]
    farthest, apart = [], np.full(len(far), np.inf)  # apart: distance from the nearest of them
    for end in np.argsort(-far, kind="stable"):
        if far[end] < _SPAN * far.max() or len(farthest) == _FEW:
            break
        # An end beside a farther one is a short branch there, such as beside the tip.
        if apart[end] >= (1 - _SPAN) * far.max():
            farthest.append(end)
            apart = np.minimum(apart, crack.distances(int(crack.ends[end]))[0][crack.ends])
    return int(min(crack.ends[farthest], key=likeness))


def _through(crack, mouth):
    """Return the path from the opposite end past the mouth to the tip, and whether the mouth is in its middle."""
    ahead = crack.path(mouth, _follow(crack, mouth))
    distances = crack.distances(mouth)[0]
    step = ahead[1] if len(ahead) > 1 else -1
    behind = [end for end in crack.ends if end != mouth and crack.path(mouth, end)[1] != step]
    if not behind:
        return ahead, False
    start = max(behind, key=lambda end: distances[end])
    middle = min(distances[start], distances[ahead[-1]]) > _MIDDLE * (distances[start] + distances[ahead[-1]])
    return crack.path(start, ahead[-1]), bool(middle)


def end_features(field, level, line, at_border, image):
    """Return the features of both ends of a crack, and their weights in the logistic regression of `ends`.

    Parameters
    ----------
    field : ndarray of float32, shape (height, width)
        Mask or probability.
    level : float
        Threshold of crack, in (0, 1).
    line : Centreline
        Of the crack.
    at_border : pair of bool
        Whether each end lies at the picture's border.
    image : ndarray, float, shape (height, width), in [0, 1], or None
        The photograph.

    Returns
    -------
    features : ndarray, shape (2, n)
        One row per end.
    weights : dict of str to float
        `MASK_ONLY` without a photograph, otherwise `WITH_IMAGE`.
    """
    if image is None:
        return features_of(line, at_border), MASK_ONLY
    return features_of(line, at_border, image, field >= level), WITH_IMAGE


def _follow(crack, mouth):
    """Follow the crack from its mouth; return the end that is reached, as an index of the skeleton's pixels."""
    paths = [crack.path(mouth, end) for end in crack.ends if end != mouth]
    while len(paths) > 1:
        # No path is a part of another one, because each stops at a free end.
        fork = next(step for step in range(len(crack.pixels)) if len({path[step] for path in paths}) > 1)
        branches = {}
        for path in paths:
            branches.setdefault(path[fork], []).append(path)
        paths = max(branches.values(), key=lambda branch: max(_branch_score(crack, path, fork - 1) for path in branch))
    return paths[0][-1] if paths else mouth


def _branch_score(crack, path, fork):
    """Return the score of a path beyond a fork (an index of the path): the area ahead times exp(-turn in radians).

    By area alone, one of seven forks of synthetic specimens (512×640) was followed into a secondary crack. With the
    turn it was one of a hundred. Within half a width of the fork both branches are one crack, so the direction is
    measured outside of that.
    """
    along = arc_length(crack.pixels[path])
    half_width = crack.radii[path[fork]]

    def at(distance):
        return np.array([np.interp(along[fork] + distance, along, crack.pixels[path, axis]) for axis in (0, 1)])

    before = at(-half_width) - at(-(1 + _BESIDE) * half_width)
    after = at((1 + _BESIDE) * half_width) - at(half_width)
    turn = np.abs(np.angle(complex(*after) * complex(*before).conjugate()))
    return crack.radii[path[fork:]].sum() * np.exp(-turn)


def both_ends(field, level, crack, way):
    """Return the centreline along a path of the skeleton, and the position and outward direction of its two ends.

    Parameters
    ----------
    field : ndarray of float32, shape (height, width)
        Mask or probability.
    level : float
        Threshold of crack, in (0, 1).
    crack : Skeleton
    way : ndarray of int, shape (n,)
        The path, as indices of the skeleton's pixels.

    Returns
    -------
    line : Centreline
    ends : list of two (point, direction)
        Each an ndarray of shape (2,): (row, column) [px], and a unit vector out of the crack. First of the path first.
    """
    return line_of(field, level, crack, way), [_end_of(field, level, crack, way, end) for end in (0, -1)]


def _end_of(field, level, crack, way, end):
    """Return the position and outward direction of the first (0) or the last (-1) end of a path; each is found once."""
    if way[0] > way[-1]:
        way, end = way[::-1], -1 - end
    key = way.tobytes(), end
    if key not in crack.end_points:
        line = line_of(field, level, crack, way)
        points, way = (line.points, way) if end else (line.points[::-1], way[::-1])
        outward = points[-1] - points[-2]
        outward = outward / max(np.hypot(*outward), 1e-9)
        point = sharp_point(field, level, crack.pixels[way], crack.radii[way], outward)
        point = points[-1] if point is None else point
        crack.end_points[key] = np.clip(point, -0.5, np.array(field.shape) - 0.5), outward
    return crack.end_points[key]


def leaves(point, shape):
    """Return whether a crack's end at (row, column) [px] lies at the border of a picture of shape (height, width)."""
    edges = np.array([point[0] + 0.5, point[1] + 0.5, shape[0] - 0.5 - point[0], shape[1] - 0.5 - point[1]])
    return bool(edges.min() < _BORDER)
