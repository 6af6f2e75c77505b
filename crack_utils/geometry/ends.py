"""Which end of a crack is its tip: the one away from notch, mouth and border, towards which the opening falls.

A crack opens as the square root of the distance to its tip, so near a tip it is narrow, and near its mouth wide. Beyond
a tip the photograph shows the material that lies beside the crack; beyond a mouth it shows the notch, or what lies
beside the specimen, dark or lit. `tip_probabilities` weighs these signs by logistic regression. A crack that touches
neither notch nor border, or that grew out of both sides of one, has two tips.
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from scipy.spatial import cKDTree
from scipy.special import expit

_NEAR, _MIDDLE = 0.05, 0.25  # of the length, from an end: over which its own width and the width behind it are taken
_LEAST = 3.0  # [px] of length over which an end's own width is taken
_CONE = np.radians(35)  # to either side of the tangent, in which one looks beyond an end
_FAR = 0.05  # of the photograph's shorter side: how far one looks beyond an end
_ODD = 3.0  # standard deviations of the flanks' gray values: farther off, a pixel is not the material beside the crack
_MOST = 4_000_000  # [px] around a crack that are looked at one by one
_DARKEST = 0.01  # in [0, 1]: least standard deviation of gray values, for pictures without noise

# Fitted by `crack_utils.study.tip_rule` on synthetic specimens; one row a sign, "other" that of the other end.
MASK_ONLY = {
    "constant": 0.63,
    "width against the other end": -0.3,
    "width falls": 3.4,
    "own width": -0.3,
    "other's width": -0.4,
    "other at the border": 0.47,
}
WITH_IMAGE = {
    "constant": 1.72,
    "width against the other end": -0.51,
    "width falls": 2.83,
    "own width": -0.3,
    "other's width": -0.24,
    "other at the border": 0.45,
    "odd ahead": -0.49,
    "odd in a cone ahead": 0.34,
    "unlike around": -1.26,
    "large unlike around": -0.64,
    "rougher": -0.52,
    "other odd ahead": -0.4,
    "other odd in a cone ahead": 0.09,
    "other unlike around": 0.89,
    "other large unlike around": 0.37,
    "other rougher": 0.13,
}
# Share of cracks whose signs mislead, however clear they are: no probability is nearer to 1 than half of it.
LAPSE = 0.04


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
    return Ends(tip, float(LAPSE / 2 + (1 - LAPSE) * probability), bool(both > max(first, second)))


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
    own = np.log(np.maximum(near, 0.5) / largest)
    rows = []
    for end in (0, 1):
        other = 1 - end
        against = np.log(max(middle[end], 0.5) / max(middle[other], 0.5))
        rows.append([1.0, against, (-falls, falls)[end], own[end], own[other], float(at_border[other])])
    signs = np.array(rows)
    if image is None:
        return signs
    beyond = _beyond(image, mask, line)
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


def _beyond(image, mask, line):
    """How unlike the material beside the crack the photograph is beyond and around each end; shape (2, 5).

    A notch is large, and the grain of a surface small: so one looks at the photograph smoothed at two scales, and
    counts in standard deviations of what it shows beside the crack.
    """
    side = min(image.shape)
    reach = max(20.0, _FAR * side)
    low = np.maximum(np.floor(line.points.min(axis=0) - 2 * reach), 0).astype(int)
    high = np.minimum(np.ceil(line.points.max(axis=0) + 2 * reach), image.shape).astype(int)
    window = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    image, outside = np.float32(image[window]), ~ndimage.binary_dilation(mask[window], iterations=2)
    # Of a large photograph a part of the pixels tells as much, and takes a tenth of the memory and time.
    step = max(1, math.ceil(math.sqrt(outside.size / _MOST)))
    thin = np.s_[::step, ::step]
    at = np.argwhere(outside[thin]) * step + low
    ends = [_directed(line, end, reach) for end in (0, 1)]
    ahead = np.stack([(at - point) @ outward for point, outward, _ in ends])
    across = np.stack([np.abs((at - point) @ (-outward[1], outward[0])) for point, outward, _ in ends])
    from_line = cKDTree(line.points[::2]).query(at, distance_upper_bound=2 * reach)[0]
    beside = (ahead < 0).all(axis=0) & (from_line < line.widths.max() / 2 + 3 + reach)
    found = np.zeros((2, 5))
    if beside.sum() < 50:
        return found
    weight = np.float32(outside)
    for number, scale in enumerate((1.5, 0.012 * side)):
        smooth = _smoothed(image[thin], weight[thin], scale / step) if number else _smoothed(image, weight, scale)[thin]
        gray = smooth[outside[thin]]
        middle = np.median(gray[beside])
        spread = max(1.4826 * np.median(np.abs(gray[beside] - middle)), _DARKEST / (1 + number))
        unlike = (gray - middle) / spread
        for end in (0, 1):
            distance = np.hypot(ahead[end], across[end])
            cone = (ahead[end] > 1) & (np.arctan2(across[end], ahead[end]) < _CONE) & (distance < reach)
            strip = (ahead[end] > 1) & (across[end] < 3) & (distance < reach)
            around = (distance < reach / 2) & (ahead[end] > -reach / 4)
            if around.any():
                found[end, 2 + number] = np.log1p(np.percentile(np.abs(unlike[around]), 90))
            if number == 0 and cone.any() and strip.any():
                found[end, :2] = _all_odd(unlike[strip]), _all_odd(unlike[cone])
                found[end, 4] = np.log((gray[cone].std() + _DARKEST) / (gray[beside].std() + _DARKEST))
    return found


def _smoothed(image, weight, scale):
    """Return a picture smoothed over the pixels that count."""
    return ndimage.gaussian_filter(image * weight, scale) / np.maximum(ndimage.gaussian_filter(weight, scale), 1e-3)


def _all_odd(unlike):
    """How dark, or how light, nearly all of some pixels are: a notch is so all over, a grain is not."""
    low, high = np.percentile(unlike, [20, 80])
    return np.log1p(max(low, -high, 0.0))


def _directed(line, end, reach):
    """Position, outward direction and width of an end."""
    points, widths = (line.points, line.widths) if end == 0 else (line.points[::-1], line.widths[::-1])
    back = points[min(len(points) - 1, max(3, int(reach / 2)))]
    outward = points[0] - back
    return points[0], outward / max(np.hypot(*outward), 1e-9), widths[: int(reach)].max()
