"""How far found tips lie from true ones, misses counted; where a crack has two, found and true ones are matched."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from crack_utils.geometry.tip import Tip, check_scale

RADII = (2, 5, 10)  # [px] within which a tip counts as found


@dataclass(frozen=True)
class TipErrors:
    """Distances between found and true tips.

    A miss, a true tip for which none was found, has an infinite distance: it is a failure of every `success`, and moves
    median and percentile up.

    Attributes
    ----------
    distances : ndarray, shape (n,)
        One a true tip [px], picture by picture.
    mm_per_px : ndarray of shape (n,), optional
    extra : int
        Found tips that belong to no true one.
    """

    distances: np.ndarray
    mm_per_px: np.ndarray | None = None
    extra: int = 0

    @property
    def misses(self):
        """Number of true tips for which none was found."""
        return int(np.isinf(self.distances).sum())

    @property
    def distances_mm(self):
        """Distances [mm]; None without a scale."""
        return None if self.mm_per_px is None else self.distances * self.mm_per_px

    def success(self, radius):
        """Share of all true tips that are found within `radius` [px]."""
        return float((self.distances <= radius).mean())

    def summary(self):
        """Return median and 90th percentile [px, and mm with a scale], success by radius, misses, extra, count."""
        found = {"median": _percentile(self.distances, 50), "percentile_90": _percentile(self.distances, 90)}
        if self.mm_per_px is not None:
            found["median_mm"] = _percentile(self.distances_mm, 50)
            found["percentile_90_mm"] = _percentile(self.distances_mm, 90)
        found |= {f"success_{radius}": self.success(radius) for radius in RADII}
        return found | {"misses": self.misses, "extra": self.extra, "count": len(self.distances)}


def tip_errors(true, found, mm_per_px=None):
    """Compare found tips with true ones, picture by picture.

    Parameters
    ----------
    true : sequence of (row, column), or of array of shape (n, 2)
        [px], one picture or more, each with a tip or with several.
    found : sequence of Tip, (row, column), array of shape (m, 2) or None
        As many; None, an array of no rows, or a Tip without a position: none was found. Those of a picture are matched
        to its true ones so that the sum of the distances is least (Kuhn 1955); what is left over is a miss, or extra.
    mm_per_px : float or sequence of float, optional
        One a picture.

    Returns
    -------
    TipErrors

    Examples
    --------
    >>> tip_errors([(0, 0), (5, 5)], [(3, 4), None]).summary()["success_5"]
    0.5
    >>> tip_errors([[(0, 0), (0, 90)]], [[(0, 88), (1, 0)]]).distances
    array([1., 2.])
    """
    if not len(true) or not all(_is_positions(each) for each in true):
        raise ValueError("true: (row, column) of at least one tip are needed for each picture, all finite")
    if len(found) != len(true):
        raise ValueError(f"found has {len(found)} tips, true {len(true)}: one a picture is needed, None for a miss")
    pictures = [np.asarray(each, float).reshape(-1, 2) for each in true]
    compared = [_matched(*each) for each in zip(pictures, map(_positions, found), strict=True)]
    distances = np.concatenate([distances for distances, _ in compared])
    extra = sum(extra for _, extra in compared)
    if mm_per_px is None:
        return TipErrors(distances, extra=extra)
    scales = np.broadcast_to(np.asarray(mm_per_px, float), len(pictures))
    for scale in scales:
        check_scale(scale)
    return TipErrors(distances, np.repeat(scales, [len(each) for each in pictures]), extra)


def _is_positions(value):
    value = np.asarray(value, float)
    return value.size > 0 and value.ndim in (1, 2) and value.shape[-1] == 2 and bool(np.all(np.isfinite(value)))


def _positions(found):
    """The positions of what was found in a picture; shape (m, 2)."""
    if isinstance(found, Tip):
        found = found.positions
    return np.empty((0, 2)) if found is None else np.asarray(found, float).reshape(-1, 2)


def _matched(true, found):
    """Distance of each true tip from its found one, infinite without one, and how many found ones are left over."""
    apart = np.hypot(*(true[:, None] - found[None]).transpose(2, 0, 1))
    distances = np.full(len(true), np.inf)
    rows, columns = linear_sum_assignment(apart)
    distances[rows] = apart[rows, columns]
    return distances, max(0, len(found) - len(true))


def _percentile(values, percent):
    """Percentile with linear interpolation, infinite where it touches an infinite value."""
    ordered = np.sort(values)
    place = (len(ordered) - 1) * percent / 100
    low, share = int(place), place % 1
    if not share:
        return float(ordered[low])
    return (
        float("inf") if np.isinf(ordered[low + 1]) else float(ordered[low] + share * (ordered[low + 1] - ordered[low]))
    )
