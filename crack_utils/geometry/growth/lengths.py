"""From tips in photographs to crack lengths: calibration, and growth projected on the notch's direction."""

from dataclasses import dataclass

import numpy as np

LARGEST_TURN = 20.0  # [degrees] that a crack may leave its plane by (E647 8.8)


@dataclass(frozen=True)
class Lengths:
    """Crack lengths of a test, one an entry and frame.

    Attributes
    ----------
    tips : ndarray, shape (n, 1) or (n, 2)
        Length at each tip: the notch's and the growth of that tip [mm]; NaN without a crack.
    uncertainty : ndarray, shape (n,)
        Standard uncertainty of the mean of the tips, as the tips' own and the scale's spread give it [mm].
    turned : ndarray, shape (n,)
        By how much the crack has turned from the notch's direction [degrees].
    mm_per_px : float
        Median of the frames' scales, which all lengths are taken with.
    residual : float
        Standard deviation of the frames' scales about it, as a share.
    """

    tips: np.ndarray
    uncertainty: np.ndarray
    turned: np.ndarray
    mm_per_px: float
    residual: float

    @property
    def a(self):
        """Mean of the tips [mm], shape (n,); NaN where one is missing."""
        return self.tips.mean(axis=1)

    @property
    def sides(self):
        """By how much the first tip has grown further than the second [mm]; None with one tip."""
        return self.tips[:, 0] - self.tips[:, 1] if self.tips.shape[1] == 2 else None


def crack_lengths(specimen, tips, others, mm_per_px, uncertainty):
    """Return the crack's length in each frame of a test.

    With one tip, a = a_n + growth, the growth being the way from the notch's tip to the crack's, projected on the
    notch's direction. The notch's tip is `specimen.notch`, else the median place where the cracks begin; its direction
    is `specimen.direction`, else that of the way to the crack's tip in the last three frames. With two tips the middle
    is that of the tips in the first frame with a crack, and each tip's length is its distance from there, projected on
    the line through both tips of the last.

    Parameters
    ----------
    specimen : Specimen
    tips, others : array, shape (n, 2)
        (row, column) of the crack's tip and of its other end, a second tip where there are two [px]; NaN without.
    mm_per_px : array, shape (n,)
        Scale of each frame.
    uncertainty : array, shape (n,)
        Of a tip [px].

    Returns
    -------
    Lengths

    Raises
    ------
    ValueError
        If no frame has a crack, or it does not leave its notch.
    """
    tips, others = (np.asarray(points, float).reshape(-1, 2) for points in (tips, others))
    scales = np.asarray(mm_per_px, float)
    scale = float(np.median(scales))
    residual = float(np.std(scales / scale).round(12))
    cracked = np.isfinite(tips).all(axis=1) & (np.isfinite(others).all(axis=1) | (not specimen.two_tips))
    if not cracked.any():
        raise ValueError(f"{specimen.name}: no frame shows a crack with its tip{'s' * specimen.two_tips}")
    if specimen.two_tips:
        first, second = _matched(tips, others, cracked)
        start = (first[cracked][0] + second[cracked][0]) / 2
        axis = _axis(specimen, first[cracked][-1] - second[cracked][-1])
        ends = np.stack([(first - start) @ axis, (start - second) @ axis], axis=1) * scale
        ways = first - second
    else:
        start = _notch(specimen, others, cracked)
        axis = _axis(specimen, np.mean(tips[cracked][-3:], axis=0) - start)
        ends = specimen.a_n + ((tips - start) @ axis)[:, None] * scale
        ways = tips - start
    across = np.abs(ways @ np.array([-axis[1], axis[0]]))
    turned = np.degrees(np.arctan2(across, np.abs(ways @ axis))).round(9)
    grown = ends.mean(axis=1) - specimen.a_n
    spread = np.hypot(np.asarray(uncertainty, float) * scale / np.sqrt(ends.shape[1]), residual * grown)
    return Lengths(ends, spread, turned, scale, residual)


def _notch(specimen, others, cracked):
    if specimen.notch is not None:
        return np.asarray(specimen.notch, float)
    begins = others[cracked & np.isfinite(others).all(axis=1)]
    if not len(begins):
        raise ValueError(f"{specimen.name}: where the notch ends is not known; give notch_row and notch_column")
    return np.median(begins, axis=0)


def _axis(specimen, way):
    if specimen.direction is not None:
        angle = np.radians(specimen.direction)
        axis = np.array([-np.sin(angle), np.cos(angle)])
        return axis if way @ axis >= 0 else -axis
    if not np.hypot(*way) > 0:
        raise ValueError(f"{specimen.name}: the crack does not leave its notch")
    return way / np.hypot(*way)


def _matched(tips, others, cracked):
    """Both tips of each frame in one order: the first is the left one, or the upper one of an upright crack."""
    spread = np.ptp(np.concatenate([tips[cracked], others[cracked]]), axis=0)
    along = int(spread[1] >= spread[0])
    swap = (tips[:, along] > others[:, along])[:, None]
    return np.where(swap, others, tips), np.where(swap, tips, others)
