"""Crack lengths from tips in photographs: scale, and growth in the direction of the notch."""

from dataclasses import dataclass

import numpy as np

from crack_utils.geometry.sequence import rising

_WIDER = 1.5  # times a notch's length: largest gap between the halves of a crack
AROUND = 5  # frames with about the same direction of growth
LAST = 3  # frames that show in which direction a crack has grown
ASIDE, ASIDE_LEAST = 0.1, 10.0  # share of the longest growth, and [px]: a tip farther aside may be on another line
MOVED, STILL = 10.0, 3.0  # [px] smallest movement of a growing tip; how many times farther it moves than the other end
STEADY = 0.1  # smallest share of the growth in each half of a test
LARGEST_TURN = 20.0  # [degrees] largest angle between crack and notch (E647 8.8)


class NoLengthError(ValueError):
    """The frames of a test have no length that can be measured, for example because none shows a crack."""


@dataclass(frozen=True)
class Lengths:
    """Crack lengths in the n frames of a test.

    Attributes
    ----------
    tips : ndarray, shape (n, 1) or (n, 2)
        Crack length for each tip: length of the notch plus growth at that tip [mm]; NaN without a crack.
    uncertainty : ndarray, shape (n,)
        Standard uncertainty of the mean over the tips [mm], from the uncertainties of the tips and of the scale.
    turned : ndarray, shape (n,)
        Angle between the crack and the direction of the notch [degrees].
    mm_per_px : float
        Median of the scales of all frames; all lengths use it.
    residual : float
        Standard deviation of the frames' scales, relative to their median.
    exchanged : ndarray of bool, shape (n,)
        With one tip: where the given tip lies at the end that the crack grows from, and the other end was taken.
    together : ndarray, shape (n,)
        Crack length a if all frames are used, which never decreases [mm]; NaN without a crack. Where a frame
        contradicts the others, it lies between those of its neighbours.
    outliers : ndarray of bool, shape (n,)
        Where a frame contradicts the others: a crack does not become shorter at either tip, and a tip far to the side
        of the path of the others belongs to another line.
    backwards : bool
        With one tip: whether the end where the crack should begin is the one that clearly moves. Then the direction or
        the notch of the specimen is wrong, or the line is not a crack.
    """

    tips: np.ndarray
    uncertainty: np.ndarray
    turned: np.ndarray
    mm_per_px: float
    residual: float
    exchanged: np.ndarray
    together: np.ndarray
    outliers: np.ndarray
    backwards: bool = False

    @property
    def a(self):
        """Crack length a: mean over the tips [mm], shape (n,); NaN if a tip is missing."""
        return self.tips.mean(axis=1)

    @property
    def sides(self):
        """Length at the first tip minus length at the second [mm], shape (n,); None with one tip."""
        return self.tips[:, 0] - self.tips[:, 1] if self.tips.shape[1] == 2 else None


def crack_lengths(specimen, tips, others, mm_per_px, uncertainty, weights=None):
    """Compute the crack length in each frame of a test.

    With one tip, a = a_n + growth. The growth is the vector from the notch's tip to the crack's tip, projected on the
    direction of the notch. The notch's tip is `specimen.notch`; by default it is the median of the positions where the
    cracks begin. A crack grows in one direction, so its tip is at the same end in all frames. Where most of the given
    tips contradict `specimen.direction` and the end at `specimen.notch`, or these are not known, the tip is at the end
    that moves while the other one stays. Where no end clearly does, direction and notch decide, then most frames. Where
    the given tip is the wrong end, the other end is taken. Lengths are measured along `specimen.direction`; by default
    it points from the notch's tip to the mean tip of the last three frames that agree with the others.

    With two tips, the length at a tip is its distance from the centre, projected on the mean line through both tips of
    these three frames. The centre is `specimen.notch`; by default it is the midpoint between the tips of the first
    frame that agrees with the others.

    Parameters
    ----------
    specimen : Specimen
    tips, others : array, shape (n, 2)
        (row, column) of the crack's tip, and of its other end or second tip [px]; NaN if there is none.
    mm_per_px : array, shape (n,)
        Scale of each frame.
    uncertainty : array, shape (n,)
        Uncertainty of each tip [px].
    weights : array, shape (n,), optional
        Of each frame where frames contradict each other, such as the probability that its tip is right; by default all
        are equal.

    Returns
    -------
    Lengths

    Raises
    ------
    NoLengthError
        If no frame has a crack with its tips, the position of the notch is unknown, or the crack does not leave the
        notch.
    """
    tips, others = (np.asarray(points, float).reshape(-1, 2) for points in (tips, others))
    scales = np.asarray(mm_per_px, float)
    scale = float(np.median(scales))
    residual = float(np.std(scales / scale).round(12))
    cracked = np.isfinite(tips).all(axis=1) & (np.isfinite(others).all(axis=1) | (not specimen.two_tips))
    if not cracked.any():
        raise NoLengthError(f"{specimen.name}: no frame shows a crack with its tip{'s' * specimen.two_tips}")
    weights = np.ones(len(tips)) if weights is None else np.asarray(weights, float)
    exchanged, backwards = np.zeros(len(tips), bool), False
    if specimen.two_tips:
        tips, others = _matched(tips, others, cracked, weights)
        ways = tips - others
    else:
        tips, others, exchanged, backwards = _turned_to_the_tip(specimen, tips, others, weights)
        ways = tips - _notch(specimen, others, cracked)
    axis, places, together, outliers = _along_the_growth(specimen, tips, others, ways, cracked, weights)
    if specimen.two_tips:
        centre = _centre(specimen, tips, others, cracked & ~outliers) @ axis * np.array([1, -1])
        ends, together = (scale * (values - centre) for values in (places, together))
    else:
        ends, together = (specimen.a_n + scale * values for values in (places, together))
    across = np.abs(ways @ np.array([-axis[1], axis[0]]))
    turned = np.degrees(np.arctan2(across, np.abs(ways @ axis))).round(9)
    grown = ends.mean(axis=1) - specimen.a_n
    spread = np.hypot(np.asarray(uncertainty, float) * scale / np.sqrt(ends.shape[1]), residual * grown)
    return Lengths(
        tips=ends,
        uncertainty=spread,
        turned=turned,
        mm_per_px=scale,
        residual=residual,
        exchanged=exchanged,
        together=together.mean(axis=1),
        outliers=outliers,
        backwards=backwards,
    )


def _turned_to_the_tip(specimen, tips, others, weights):
    """Return tips and other ends with the tip at the same end of all cracks, `Lengths.exchanged` and `backwards`."""
    way = _way(specimen, tips, others, weights)
    exchanged = (tips - others) @ way < 0  # False where one is not known
    tips, others = (np.where(exchanged[:, None], *ends) for ends in ((others, tips), (tips, others)))
    known = np.isfinite(tips - others).all(axis=1)
    return tips, others, exchanged, _growing_side(tips[known] @ way, -others[known] @ way) < 0


def _along_the_growth(specimen, tips, others, ways, cracked, weights):
    """Return the direction of growth, how far each tip is along it [px], the same fitted to all frames, and outliers.

    With two tips, the place of each is counted outwards, so that both rise while the crack grows.
    """
    agreeing, middle = cracked, np.median  # at first, one of the last frames may be wrong
    for _ in range(2):
        axis = _axis(specimen, middle(ways[agreeing][-LAST:], axis=0))
        places = np.stack([tips @ axis, -others @ axis], axis=1) if specimen.two_tips else (ways @ axis)[:, None]
        together, outliers = _together(places, _aside(ways, axis, weights), weights)
        agreeing, middle = cracked & ~outliers, np.mean
    return axis, places, together, outliers


def _aside(ways, axis, weights):
    """Return which ways, from the notch to a tip or from tip to tip [px], lead aside from those of the frames around.

    The usual direction is the median over a few frames, as a crack may turn while it grows.
    """
    known = np.flatnonzero(np.isfinite(ways).all(axis=1))
    length = np.hypot(*ways[known].T)
    turned = np.angle((ways[known] @ (1, 1j)) / (axis @ (1, 1j)))
    # The direction of a crack that has hardly grown is that of its noise.
    sure = weights[known] * np.minimum(length, ASIDE_LEAST) + 1e-9
    usual = np.empty(len(known))
    for place in range(len(known)):
        first = min(max(place - AROUND // 2, 0), max(len(known) - AROUND, 0))
        around = np.s_[first : first + AROUND]
        usual[place] = np.quantile(turned[around], 0.5, weights=sure[around], method="inverted_cdf")
    away = turned - usual
    limit = max(ASIDE_LEAST, ASIDE * (length * np.cos(away)).max())
    aside = np.zeros(len(ways), bool)
    aside[known] = (length * np.abs(np.sin(away)) > limit) & (np.abs(away) > np.radians(LARGEST_TURN))
    return aside & ~aside[known].all()  # where all are, none is usual


def _together(places, aside, weights):
    """Return places of the tips that never fall, as `Lengths.together` needs them, and `Lengths.outliers`.

    `places` are how far the tips are along the crack's axis in each frame, shape (n, k) [px].
    """
    along, kept = rising(np.where(aside[:, None], np.nan, places), weights)
    missing = np.isnan(places).any(axis=1)
    return np.where(missing[:, None], np.nan, along), ~kept & ~missing


def both_halves(specimen, tip, other, lines, mm_per_px):
    """Return both tips of a crack that a notch in its middle divides into two lines.

    Parameters
    ----------
    specimen : Specimen
    tip, other : (row, column)
        The ends of the primary crack, either of them at the notch [px].
    lines : list of list of (row, column)
        The ends of the other cracks [px].
    mm_per_px : float
        Scale: the lines are no farther apart than the notch, with some allowance, is long.

    Returns
    -------
    tip, other : (row, column)
        As given, where no line goes on beyond the notch in the same direction, within `LARGEST_TURN`. The longest one
        that does is the other half.
    """
    gap = _WIDER * 2 * specimen.a_n / mm_per_px
    for outer, inner in ((tip, other), (other, tip)):
        if found := _beyond(outer, inner, lines, gap):
            return outer, found
    return tip, other


def _beyond(tip, other, lines, gap):
    """Return the far end of the longest line that goes on beyond the end `other` of a crack; None if none does."""
    if tip is None or other is None or tip == other:
        return None
    start = np.array(other)
    way = (start - tip) / np.hypot(*(start - tip))
    best, longest = None, 0.0
    for ends in lines:
        ends = sorted(ends, key=lambda end: (end - start) @ way)
        near, far = np.array(ends[0]), np.array(ends[-1])
        length = float(np.hypot(*(far - near)))
        # Its near end may lie anywhere on the edge of the notch.
        ways = (near + far) / 2 - start, far - start, far - near
        close = (near - start) @ way <= gap
        if close and all(_turn(each, way) <= LARGEST_TURN for each in ways) and length > longest:
            best, longest = ends[-1], length
    return best


def _turn(way, axis):
    """Return the angle between a way and a unit vector [degrees]; 180 of no way at all."""
    size = np.hypot(*way)
    return float(np.degrees(np.arccos(np.clip(way @ axis / size, -1, 1)))) if size else 180.0


def _way(specimen, tips, others, weights):
    """Return the direction from the beginning of a crack with one tip to its tip: (row, column), of length 1."""
    known = np.isfinite(tips - others).all(axis=1)
    if not known.any():
        return np.zeros(2)
    tips, others = tips[known], others[known]
    line = _line(tips - others, weights[known])
    along = (tips - others) @ line
    front, back = (np.where((side * along > 0)[:, None], tips, others) for side in (1, -1))
    given, usual = _given_side(specimen, line, front, back), np.sign(np.median(along))
    if given and given == usual:
        return given * line
    return (_growing_side(front @ line, -back @ line) or given or usual or 1) * line


def _line(ways, weights):
    """Return along which line most cracks lie, of either direction: (row, column), of length 1.

    However long a crack is, it counts no more than another one: in one frame, a long edge may be taken for the crack.
    """
    length = np.hypot(*ways.T)
    sure = weights * np.minimum(length, ASIDE_LEAST)  # the direction of a crack that has hardly grown is noise
    units = ways / np.maximum(length, 1e-9)[:, None]
    return np.linalg.svd(np.sqrt(sure)[:, None] * units, full_matrices=False)[2][0]


def _given_side(specimen, line, front, back):
    """Return 1 if direction or notch say that a crack grows along a line, −1 if against it, 0 if they do not say.

    `front` and `back`, shape (n, 2), are its ends along the line in each frame [px].
    """
    if specimen.direction is not None and abs(cosine := line @ _unit(specimen.direction)) > 0.5:
        return np.sign(cosine)
    if specimen.notch is None:
        return 0
    apart = [np.median(np.hypot(*(points - specimen.notch).T)) for points in (front, back)]
    return np.sign(apart[0] - apart[1]) if min(apart) <= MOVED < max(apart) else 0


def _growing_side(front, back):
    """Return 1 if a crack clearly grows at its front end, −1 if at its back end, otherwise 0.

    `front` and `back`, shape (n,), are how far its ends lie outwards in each frame [px]. A step in one frame alone is
    no growth: masks may begin to show the notch there.
    """
    if len(front) < 3:
        return 0
    steps = [np.diff([np.median(part) for part in np.array_split(places, 3)]) for places in (front, back)]
    for side, (own, other) in ((1, steps), (-1, steps[::-1])):
        if own.sum() > max(MOVED, STILL * abs(other.sum())) and own.min() > STEADY * own.sum():
            return side
    return 0


def _notch(specimen, others, cracked):
    if specimen.notch is not None:
        return np.asarray(specimen.notch, float)
    begins = others[cracked & np.isfinite(others).all(axis=1)]
    if not len(begins):
        raise NoLengthError(f"{specimen.name}: the position of the notch is unknown; give notch_row and notch_column")
    return np.median(begins, axis=0)


def _centre(specimen, tips, others, agreeing):
    """Return the place from which the lengths of both tips are measured: (row, column) [px]."""
    return np.asarray(specimen.notch or (tips + others)[agreeing][0] / 2, float)


def _unit(direction):
    """Return a direction [degrees] as (row, column), of length 1."""
    angle = np.radians(direction)
    return np.array([-np.sin(angle), np.cos(angle)])


def _axis(specimen, way):
    if specimen.direction is not None:
        axis = _unit(specimen.direction)
        return -axis if specimen.two_tips and way @ axis < 0 else axis
    if not np.hypot(*way) > 0:
        raise NoLengthError(f"{specimen.name}: the crack does not leave its notch")
    return way / np.hypot(*way)


def _matched(tips, others, cracked, weights):
    """Return both tips of each frame in a fixed order: the left one first, or the upper one of a vertical crack."""
    line = _line((tips - others)[cracked], weights[cracked])
    onwards = np.sign(line[int(abs(line[1]) >= abs(line[0]))])  # right, or down
    swap = ((tips - others) @ line * onwards > 0)[:, None]
    return np.where(swap, others, tips), np.where(swap, tips, others)
