"""Which end of a crack is its tip: the one away from notch, mouth and border, towards which the opening falls.

A crack opens as the square root of the distance to its tip, so near a tip it is narrow, and near its mouth wide. Beyond
a tip the photograph shows the material that lies beside the crack; beyond a mouth it shows the notch, or what lies
beside the specimen, dark or lit. `tip_probabilities` weighs these signs by logistic regression. A crack that touches
neither notch nor border, or that grew out of both sides of one, has two tips.
"""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from scipy.special import expit

_NEAR, _MIDDLE = 0.05, 0.25  # of the length, from an end: over which its own width and the width behind it are taken
_LEAST = 3.0  # [px] of length over which an end's own width is taken
_CONE = np.radians(35)  # to either side of the tangent, in which one looks beyond an end
_FAR = 0.05  # of the photograph's shorter side: how far one looks beyond an end
_ODD = 3.0  # standard deviations of the flanks' gray values: farther off, a pixel is not the material beside the crack
_DARKEST = 0.01  # in [0, 1]: least standard deviation of gray values, for pictures without noise

# Fitted by `crack_utils.study.tip_rule` on synthetic specimens; one row a sign, "other" that of the other end.
MASK_ONLY = {
    "constant": 0.5,
    "width against the other end": -2.0,
    "width falls": 2.0,
    "own width": -1.0,
    "other's width": 0.0,
    "other at the border": 2.0,
}
WITH_IMAGE = MASK_ONLY | {
    "odd nearby": -3.0,
    "odd farther": -3.0,
    "rougher": 0.0,
    "other odd nearby": 1.5,
    "other odd farther": 1.5,
    "other rougher": 0.0,
}


@dataclass(frozen=True)
class Ends:
    """What the two ends of a crack are.

    Attributes
    ----------
    tip : int
        0 or 1: which end of the line is likelier a tip.
    probability : float
        That it is one, in (0, 1).
    both : bool
        Whether it is likeliest that both are.
    """

    tip: int
    probability: float
    both: bool


def judge(signs, weights, at_border=(False, False)):
    """Tell which end of a crack is a tip from the signs of both.

    Parameters
    ----------
    signs : ndarray, shape (2, n)
        From `signs_of`.
    weights : dict
        `MASK_ONLY` or `WITH_IMAGE`.
    at_border : pair of bool
        Whether each end lies at the picture's border, and so is no tip.

    Returns
    -------
    Ends
    """
    single = expit(signs @ np.array(list(weights.values())))
    single = np.clip(np.where(at_border, 0.0, single), 1e-6, 1 - 1e-6)
    first, second = single[0] * (1 - single[1]), single[1] * (1 - single[0])
    both = single[0] * single[1]
    tip = int(second > first)
    probability = (max(first, second) + both) / (first + second + both)
    return Ends(tip, float(np.clip(probability, 1e-4, 1 - 1e-4)), bool(both > max(first, second)))


def signs_of(line, at_border, image=None, mask=None):
    """Return the signs of both ends of a crack, in the order of `MASK_ONLY` or, with an image, of `WITH_IMAGE`.

    Parameters
    ----------
    line : Centreline
    at_border : pair of bool
        Whether each end lies at the picture's border.
    image : ndarray, float, shape (H, W), in [0, 1], optional
    mask : ndarray, bool, shape (H, W), optional
        The crack's, with an image.

    Returns
    -------
    ndarray, shape (2, n)
    """
    near, middle = (_end_widths(line, share) for share in (_NEAR, _MIDDLE))
    largest = max(line.widths.max(), 1.0)
    falls = _fall(line)
    rows = []
    for end in (0, 1):
        own = np.log(np.maximum(near, 0.5) / largest)
        rows.append(
            [1.0, np.log(max(middle[end], 0.5) / max(middle[1 - end], 0.5)), (-falls, falls)[end]]
            + [own[end], own[1 - end], float(at_border[1 - end])]
        )
    signs = np.array(rows)
    if image is None:
        return signs
    beyond = np.array([_beyond(image, mask, line, end) for end in (0, 1)])
    return np.concatenate([signs, beyond, beyond[::-1]], axis=1)


def _end_widths(line, share):
    """Mean width over a share of the length from each end [px]."""
    reach = max(share * line.length, min(_LEAST, line.length / 2))
    along = line.along
    return np.array([line.widths[along <= reach].mean(), line.widths[along >= line.length - reach].mean()])


def _fall(line):
    """How well the squared width falls linearly from the first point to the last, in [-1, 1]: less correlation."""
    squared = line.widths**2
    if len(squared) < 4 or squared.std() < 1e-9:
        return 0.0
    return float(-np.corrcoef(line.along, squared)[0, 1])


def _beyond(image, mask, line, end):
    """How unlike the material beside the crack the photograph is beyond one of its ends: nearby, farther, rougher."""
    points = line.points if end == 0 else line.points[::-1]
    widths = line.widths if end == 0 else line.widths[::-1]
    reach = max(20.0, _FAR * min(image.shape))
    point = points[0]
    back = points[min(len(points) - 1, max(3, int(reach / 2)))]
    outward = point - back
    outward = outward / max(np.hypot(*outward), 1e-9)
    across = np.array([-outward[1], outward[0]])
    low = np.maximum(np.floor(point - 3 * reach), 0).astype(int)
    window = tuple(slice(a, int(b)) for a, b in zip(low, np.minimum(point + 3 * reach, image.shape), strict=True))
    rows, columns = np.nonzero(~ndimage.binary_dilation(mask[window], iterations=2))
    gray = image[window][rows, columns]
    offset = np.stack([rows, columns], axis=1) + low - point
    ahead, aside = offset @ outward, np.abs(offset @ across)
    half = widths[: int(reach)].max() / 2
    beside = gray[(ahead < 0) & (ahead > -reach) & (aside > half + 3) & (aside < half + 3 + reach)]
    distance = np.hypot(ahead, aside)
    cone = (ahead > 1) & (np.arctan2(aside, ahead) < _CONE)
    if beside.size < 20 or not cone.any():
        return [0.0, 0.0, 0.0]
    middle = np.median(beside)
    spread = max(1.4826 * np.median(np.abs(beside - middle)), _DARKEST)
    odd = np.abs(gray - middle) > _ODD * spread
    nearby, farther = cone & (distance < reach / 2), cone & (distance >= reach / 2) & (distance < reach)
    rough = np.log((gray[nearby].std() + _DARKEST) / (spread + _DARKEST)) if nearby.any() else 0.0
    return [odd[nearby].mean() if nearby.any() else 0.0, odd[farther].mean() if farther.any() else 0.0, rough]
