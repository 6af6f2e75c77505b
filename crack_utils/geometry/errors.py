"""Distances between predicted and true tips. Missed tips count; if a crack has two tips, pairs are matched first."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from crack_utils.geometry.arguments import check_scale
from crack_utils.geometry.tip import Tip

RADII = (2, 5, 10)  # [px] for the success rates of `TipErrors.summary`


@dataclass(frozen=True)
class TipErrors:
    """Distances between predicted and true tips.

    A missed tip (a true tip without a prediction) has an infinite distance. It therefore lowers every success rate and
    raises the median and the percentile.

    Attributes
    ----------
    distances : ndarray, shape (n,)
        One value per true tip [px], picture by picture.
    mm_per_px : ndarray of shape (n,), optional
        Scale of the picture of each true tip.
    extra : int
        Number of predicted tips that were matched to no true tip.
    """

    distances: np.ndarray
    mm_per_px: np.ndarray | None = None
    extra: int = 0

    @property
    def misses(self):
        """Number of true tips without a prediction."""
        return int(np.isinf(self.distances).sum())

    @property
    def distances_mm(self):
        """Distances, ndarray of shape (n,) [mm]; None without a scale."""
        return None if self.mm_per_px is None else self.distances * self.mm_per_px

    def success(self, radius):
        """Return the share of true tips whose prediction is at most `radius` [px] away, in [0, 1]."""
        return float((self.distances <= radius).mean())

    def summary(self):
        """Return a dict of numbers that describe the distances.

        Its keys are ``median`` and ``percentile_90`` [px], with a scale also ``median_mm`` and ``percentile_90_mm``
        [mm]; ``success_2``, ``success_5`` and ``success_10``, shares in [0, 1]; ``misses``, ``extra`` and ``count``.
        """
        values = {"median": _percentile(self.distances, 50), "percentile_90": _percentile(self.distances, 90)}
        if self.mm_per_px is not None:
            values["median_mm"] = _percentile(self.distances_mm, 50)
            values["percentile_90_mm"] = _percentile(self.distances_mm, 90)
        values |= {f"success_{radius}": self.success(radius) for radius in RADII}
        return values | {"misses": self.misses, "extra": self.extra, "count": len(self.distances)}


def tip_errors(true, found, mm_per_px=None):
    """Compare predicted tips with true ones, picture by picture.

    Within a picture, predicted and true tips are matched so that the sum of the distances is smallest (Kuhn 1955). True
    tips that remain are misses; predicted tips that remain are extra.

    Parameters
    ----------
    true : sequence of (row, column), or of array of shape (n, 2)
        One entry per picture, with one tip or several [px].
    found : sequence of Tip, (row, column), array of shape (m, 2), or None
        The predictions, one entry per picture [px]. None, an empty array, or a Tip without a position means that no tip
        was predicted.
    mm_per_px : float or sequence of float, optional
        Scale of all pictures, or of each.

    Returns
    -------
    TipErrors

    Raises
    ------
    ValueError
        If a picture has no true tip, a position is not finite, the numbers of pictures differ, or a scale is not valid.

    Examples
    --------
    >>> tip_errors([(0, 0), (5, 5)], [(3, 4), None]).summary()["success_5"]
    0.5
    >>> tip_errors([[(0, 0), (0, 90)]], [[(0, 88), (1, 0)]]).distances
    array([1., 2.])
    """
    if not len(true) or not all(_is_positions(tips) for tips in true):
        raise ValueError("true: each picture needs (row, column) of at least one tip, and all values must be finite")
    if len(found) != len(true):
        raise ValueError(
            f"found has {len(found)} entries and true has {len(true)}: both need one per picture, None for a missed tip"
        )
    pictures = [np.asarray(tips, float).reshape(-1, 2) for tips in true]
    compared = [_matched(*tips) for tips in zip(pictures, map(_positions, found), strict=True)]
    distances = np.concatenate([distances for distances, _ in compared])
    extra = sum(extra for _, extra in compared)
    if mm_per_px is None:
        return TipErrors(distances, extra=extra)
    scales = np.broadcast_to(np.asarray(mm_per_px, float), len(pictures))
    for scale in scales:
        check_scale(scale)
    return TipErrors(distances, np.repeat(scales, [len(tips) for tips in pictures]), extra)


def _is_positions(value):
    value = np.asarray(value, float)
    return value.size > 0 and value.ndim in (1, 2) and value.shape[-1] == 2 and bool(np.all(np.isfinite(value)))


def _positions(predicted):
    """Return the predicted tips of a picture as an array of shape (m, 2)."""
    if isinstance(predicted, Tip):
        predicted = predicted.positions
    return np.empty((0, 2)) if predicted is None else np.asarray(predicted, float).reshape(-1, 2)


def _matched(true, predicted):
    """Return the distance of each true tip from its match (infinite without one), and the number of extra tips."""
    apart = np.hypot(*(true[:, None] - predicted[None]).transpose(2, 0, 1))
    distances = np.full(len(true), np.inf)
    rows, columns = linear_sum_assignment(apart)
    distances[rows] = apart[rows, columns]
    return distances, max(0, len(predicted) - len(true))


def _percentile(values, percent):
    """Return a percentile with linear interpolation; infinite if one of its two neighbours is infinite."""
    ordered = np.sort(values)
    place = (len(ordered) - 1) * percent / 100
    low, share = int(place), place % 1
    if not share:
        return float(ordered[low])
    return (
        float("inf") if np.isinf(ordered[low + 1]) else float(ordered[low] + share * (ordered[low + 1] - ordered[low]))
    )
