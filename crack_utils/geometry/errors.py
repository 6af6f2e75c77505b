"""How far found tips lie from true ones, misses counted."""

from dataclasses import dataclass

import numpy as np

from crack_utils.geometry.tip import Tip, check_scale

RADII = (2, 5, 10)  # [px] within which a tip counts as found


@dataclass(frozen=True)
class TipErrors:
    """Distances between found and true tips.

    A miss, a picture in which no tip was found, has an infinite distance: it is a failure of every `success`, and moves
    median and percentile up.

    Attributes
    ----------
    distances : ndarray, shape (n,)
        One a picture [px].
    mm_per_px : ndarray of shape (n,), optional
    """

    distances: np.ndarray
    mm_per_px: np.ndarray | None = None

    @property
    def misses(self):
        """Number of pictures without a found tip."""
        return int(np.isinf(self.distances).sum())

    @property
    def distances_mm(self):
        """Distances [mm]; None without a scale."""
        return None if self.mm_per_px is None else self.distances * self.mm_per_px

    def success(self, radius):
        """Share of all pictures whose tip is found within `radius` [px]."""
        return float((self.distances <= radius).mean())

    def summary(self):
        """Return median and 90th percentile [px, and mm with a scale], success by radius, misses and count, a dict."""
        found = {"median": _percentile(self.distances, 50), "percentile_90": _percentile(self.distances, 90)}
        if self.mm_per_px is not None:
            found["median_mm"] = _percentile(self.distances_mm, 50)
            found["percentile_90_mm"] = _percentile(self.distances_mm, 90)
        found |= {f"success_{radius}": self.success(radius) for radius in RADII}
        return found | {"misses": self.misses, "count": len(self.distances)}


def tip_errors(true, found, mm_per_px=None):
    """Compare found tips with true ones, picture by picture.

    Parameters
    ----------
    true : sequence of (row, column)
        [px], at least one.
    found : sequence of Tip, (row, column) or None
        As many; None, or a Tip without a position, is a miss.
    mm_per_px : float or sequence of float, optional

    Returns
    -------
    TipErrors

    Examples
    --------
    >>> tip_errors([(0, 0), (5, 5)], [(3, 4), None]).summary()["success_5"]
    0.5
    """
    true = np.asarray(true, float)
    if true.ndim != 2 or true.shape[1] != 2 or not len(true) or not np.all(np.isfinite(true)):
        raise ValueError(f"true has shape {true.shape}: (row, column) of at least one tip are needed, all finite")
    if len(found) != len(true):
        raise ValueError(f"found has {len(found)} tips, true {len(true)}: one a picture is needed, None for a miss")
    distances = np.full(len(true), np.inf)
    for index, each in enumerate(found):
        position = each.position if isinstance(each, Tip) else each
        if position is not None:
            distances[index] = np.hypot(*(np.asarray(position, float) - true[index]))
    if mm_per_px is None:
        return TipErrors(distances)
    scales = np.broadcast_to(np.asarray(mm_per_px, float), distances.shape)
    for scale in scales:
        check_scale(scale)
    return TipErrors(distances, scales)


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
