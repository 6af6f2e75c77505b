"""The angle at which a crack opens at its tip (CTOA), from the flanks behind it."""

from dataclasses import dataclass

import numpy as np
from skimage.measure import find_contours

from crack_utils.geometry.tip import as_field

NEAR, FAR = 0.5, 1.5  # [mm] behind the tip, between which ASTM E2472 takes the angle
FEWEST = 60.0  # [px] of flank at least: on fewer, a step of a pixel is worth more than a degree


@dataclass(frozen=True)
class OpeningAngle:
    """A crack tip opening angle.

    Attributes
    ----------
    angle : float
        Between the two flanks [degrees]; NaN if the crack is too short.
    near, far : float
        Between which distances behind the tip it was taken [mm].
    """

    angle: float
    near: float
    far: float


def opening_angle(mask_or_probability, tip, behind, mm_per_px, threshold=0.5, near=NEAR, far=FAR):
    """Return the angle between a crack's flanks behind its tip.

    A straight line is fitted to each flank, to where the outline crosses the threshold. Drawn flanks of 2° to 25° are
    recovered to 1° from masks.

    Parameters
    ----------
    mask_or_probability : (height, width) array of bool, of integers 0 and 1, or of floats in [0, 1]
    tip : (row, column)
        [px]
    behind : (row, column)
        A position within the crack some way behind the tip, such as its other end [px].
    mm_per_px : float
    threshold : float in (0, 1)
    near, far : float
        Distances behind the tip [mm]. A part that is shorter than `FEWEST` pixels is lengthened, away from the tip.

    Returns
    -------
    OpeningAngle

    Raises
    ------
    ValueError
        If the distances or the scale are none.
    """
    if not 0 <= near < far or not mm_per_px > 0:
        raise ValueError(f"near={near}, far={far}, mm_per_px={mm_per_px}: valid is 0 ≤ near < far and a scale above 0")
    field, threshold = as_field(mask_or_probability, threshold)
    far = max(far, near + FEWEST * mm_per_px)
    tip, back = np.asarray(tip, float), np.asarray(behind, float) - np.asarray(tip, float)
    if not np.hypot(*back) * mm_per_px > far:
        return OpeningAngle(float("nan"), near, far)
    back = back / np.hypot(*back)
    flanks = _flanks(field, threshold, tip, back, near / mm_per_px, far / mm_per_px)
    if flanks is None:
        return OpeningAngle(float("nan"), near, far)
    slopes = [np.polyfit(along, across, 1)[0] for along, across in flanks]
    return OpeningAngle(float(np.degrees(np.arctan(slopes[0]) - np.arctan(slopes[1]))), near, far)


def _flanks(field, level, tip, back, near, far):
    """The two flanks of the crack nearest to a tip, each as (distance behind it, distance across) [px], or None."""
    reach = int(2 * far) + 2
    low = np.maximum(np.floor(tip).astype(int) - reach, 0)
    window = field[low[0] : low[0] + 2 * reach + 1, low[1] : low[1] + 2 * reach + 1]
    # Not closed at the picture's border, so that the border is no flank.
    outlines = find_contours(window, level - 1e-6, fully_connected="high")
    ways = [outline + low - tip for outline in outlines]
    for way in sorted(ways, key=lambda points: np.hypot(*points.T).min()):
        along, across = way @ back, way @ np.array([-back[1], back[0]])
        part = (along >= near) & (along <= far)
        flanks = [(along[part & side], across[part & side]) for side in (across > 0, across < 0)]
        if all(len(flank[0]) and np.ptp(flank[0]) > 0.8 * (far - near) for flank in flanks):
            return flanks
    return None
