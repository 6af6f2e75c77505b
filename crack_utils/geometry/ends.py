"""Decide which end of a crack is its tip, and which is its mouth.

The opening of a crack is proportional to the square root of the distance from its tip, so a crack is narrow at a tip
and wide at its mouth. Beyond a tip the photograph shows the same material as beside the crack. Beyond a mouth it shows
the notch, or the background beside the specimen. `features_of` measures this at both ends, and `judge` combines the
features by logistic regression. A crack has two tips if it touches neither a notch nor the border, or if its notch is
in its middle.
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from scipy.spatial import cKDTree
from scipy.special import expit

from crack_utils.geometry.skeleton import grown

_NEAR, _MIDDLE = 0.05, 0.25  # shares of the length over which the width at an end, and that behind it, are measured
_LEAST = 3.0  # [px] shortest length over which the width at an end is measured
_CONE = np.radians(35)  # half angle of the cone beyond an end that is examined
_FAR = 0.05  # share of the photograph's shorter side: length of the region beyond an end that is examined
_LOCAL = 3.0  # times that length: how far from an end the material beside the crack is near it
_FEWEST = 50  # pixels beside a crack of which a middle and a standard deviation can be measured
_BLOCK = 8  # [px] side of the blocks of pixels whose distance from a line is computed together
_MOST = 4_000_000  # [px] around a crack that are examined one by one; of larger regions, some rows and columns
_DARKEST = 0.01  # in [0, 1]: smallest standard deviation of gray values, for pictures without noise

# Fitted by `crack_utils.study.tip_rule` on 1,400 drawn specimens: the first rule on true and damaged masks, the second
# on what the default model sees; a fit on a hundred is not stable.
# One row per feature; "other" means the other end.
MASK_ONLY = {
    "constant": 0.64,
    "width against the other end": -1.62,
    "width falls": 2.79,
    "own width": -0.5,
    "other's width": -0.2,
    "other at the border": 0.66,
}
WITH_IMAGE = {
    "constant": 2.64,
    "width against the other end": 0.72,
    "width falls": 2.19,
    "own width": 0.0,
    "other's width": -0.15,
    "other at the border": 0.79,
    "odd ahead": -0.94,
    "odd in a cone ahead": 0.62,
    "unlike around": -1.51,
    "large unlike around": -0.85,
    "rougher": -0.89,
    "other odd ahead": 0.1,
    "other odd in a cone ahead": 0.05,
    "other unlike around": 0.65,
    "other large unlike around": 0.23,
    "other rougher": 0.3,
}
# Share of cracks whose features mislead, however clear they are; no probability is larger than 1 - LAPSE / 2.
LAPSE = 0.04


@dataclass(frozen=True)
class Ends:
    """The decision about the two ends of a crack.

    Attributes
    ----------
    tip : int
        Index of the end that is more likely a tip: 0 for the line's first point, 1 for its last.
    probability : float
        Probability that this end is a tip, in (0, 1).
    both : bool
        True if it is most likely that both ends are tips.
    """

    tip: int
    probability: float
    both: bool


def judge(features, weights, at_border=(False, False)):
    """Decide which end of a crack is its tip, from the features of both ends.

    Parameters
    ----------
    features : ndarray, shape (2, n)
        Features of the two ends, from `features_of`.
    weights : dict of str to float
        `MASK_ONLY`, or `WITH_IMAGE` if the features were measured with a photograph.
    at_border : pair of bool
        Whether each end lies at the picture's border; such an end is not a tip.

    Returns
    -------
    Ends
    """
    single = expit(features @ np.array(list(weights.values())))
    single = np.clip(np.where(at_border, 0.0, single), 1e-6, 1 - 1e-6)
    first, second = single[0] * (1 - single[1]), single[1] * (1 - single[0])
    both = single[0] * single[1]
    tip = int(second > first)
    probability = (max(first, second) + both) / (first + second + both)
    return Ends(tip, float(LAPSE / 2 + (1 - LAPSE) * probability), bool(both > max(first, second)))


def features_of(line, at_border, image=None, mask=None):
    """Measure the features of both ends of a crack that help to tell a tip from a mouth.

    Parameters
    ----------
    line : Centreline
        Of the crack.
    at_border : pair of bool
        Whether each end lies at the picture's border.
    image : ndarray, float, shape (H, W), in [0, 1], optional
        The photograph.
    mask : ndarray, bool, shape (H, W), optional
        Mask of the crack; needed with an image.

    Returns
    -------
    ndarray, shape (2, n)
        One row per end; columns in the order of `MASK_ONLY`, with an image in that of `WITH_IMAGE`.
    """
    near, middle = (_end_widths(line, share) for share in (_NEAR, _MIDDLE))
    largest = max(line.widths.max(), 1.0)
    falls = falls_along(line)
    own = np.log(np.maximum(near, 0.5) / largest)
    rows = []
    for end in (0, 1):
        other = 1 - end
        against = np.log(max(middle[end], 0.5) / max(middle[other], 0.5))
        rows.append([1.0, against, (-falls, falls)[end], own[end], own[other], float(at_border[other])])
    features = np.array(rows)
    if image is None:
        return features
    beyond = line.once(image, lambda measured: _beyond(image, mask, measured))
    return np.concatenate([features, beyond, beyond[::-1]], axis=1)


def _end_widths(line, share):
    """Return the mean width over a share of the length from each end [px], shape (2,)."""
    reach = max(share * line.length, min(_LEAST, line.length / 2))
    along = line.along
    return np.array([line.widths[along <= reach].mean(), line.widths[along >= line.length - reach].mean()])


def falls_along(line):
    """Return how well the squared width falls linearly from the first point to the last: minus their correlation."""
    squared = line.widths**2
    if len(squared) < 4 or squared.std() < 1e-9:
        return 0.0
    return float(-np.corrcoef(line.along, squared)[0, 1])


def _beyond(image, mask, line):
    """Compare the photograph beyond and around each end with the material beside the crack; shape (2, 5).

    The photograph is smoothed at two scales, because a notch is large and the grain of a surface is small. Differences
    are in standard deviations of the gray values beside the crack, once along all of it and once near the end. Of both
    the smaller one counts. A notch is unlike both; where the light changes along the crack, an end is unlike its middle
    only. How rough the surface is beyond an end is compared with all of the crack.
    """
    side = min(image.shape)
    reach = max(20.0, _FAR * side)
    low = np.maximum(np.floor(line.points.min(axis=0) - 2 * reach), 0).astype(int)
    high = np.minimum(np.ceil(line.points.max(axis=0) + 2 * reach), image.shape).astype(int)
    window = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    image, outside = np.float32(image[window]), ~_grown(_grown(mask[window]))
    # In a large photograph a part of the pixels gives the same features, in a tenth of the memory and time.
    step = max(1, math.ceil(math.sqrt(outside.size / _MOST)))
    thin = np.s_[::step, ::step]
    at = np.argwhere(outside[thin]) * step + low
    ends = [_directed(line, end, reach) for end in (0, 1)]
    beside = np.all([(at - point) @ outward < 0 for point, outward, _ in ends], axis=0)
    beside[beside] = _within(min(line.widths.max() / 2 + 3 + reach, 2 * reach), at[beside], line.points[::2])
    features = np.zeros((2, 5))
    if beside.sum() < _FEWEST:
        return features
    parts = [_parts(at, *end[:2], reach) for end in ends]
    near = [_beside_end(beside, at, point, reach) for point, _, _ in ends]
    weight = np.float32(outside)
    for number, scale in enumerate((1.5, 0.012 * side)):
        smooth = _smoothed(image[thin], weight[thin], scale / step) if number else _smoothed(image, weight, scale)[thin]
        gray = smooth[outside[thin]]
        least = _DARKEST / (1 + number)
        along_all = _scale(gray[beside], least)
        for end, (cone, strip, around) in enumerate(parts):
            scales = along_all, _scale(gray[near[end]], least)
            if around.size:
                unlike = np.min([np.abs(gray[around] - middle) / spread for middle, spread in scales], axis=0)
                features[end, 2 + number] = np.log1p(np.percentile(unlike, 90))
            if number == 0 and cone.size and strip.size:
                features[end, :2] = [
                    min(_all_odd((gray[part] - middle) / spread) for middle, spread in scales) for part in (strip, cone)
                ]
                features[end, 4] = np.log((gray[cone].std() + _DARKEST) / (gray[beside].std() + _DARKEST))
    return features


def _beside_end(beside, at, point, reach):
    """Return which of the pixels beside a crack are near one of its ends; all of them where few are."""
    near = beside.copy()  # of a large photograph, few of the pixels are beside the crack
    near[beside] = np.hypot(*(at[beside] - point).T) < _LOCAL * reach
    return near if near.sum() >= _FEWEST else beside


def _scale(gray, least):
    """Return the middle and the standard deviation of gray values, both robust."""
    middle = np.median(gray)
    return middle, max(1.4826 * np.median(np.abs(gray - middle)), least)


def _grown(mask):
    """Return a mask grown by a pixel to each of its four sides."""
    return grown(mask, 0) | grown(mask, 1)


def _parts(at, point, outward, reach):
    """Return the indices of the pixels in a cone ahead of an end, in a strip ahead of it, and around it."""
    near = np.flatnonzero((np.abs(at - point) < reach).all(axis=1))  # most of the window is far from the end
    ahead = (at[near] - point) @ outward
    across = np.abs((at[near] - point) @ (-outward[1], outward[0]))
    distance = np.hypot(ahead, across)
    cone = (ahead > 1) & (np.arctan2(across, ahead) < _CONE) & (distance < reach)
    strip = (ahead > 1) & (across < 3) & (distance < reach)
    around = (distance < reach / 2) & (ahead > -reach / 4)
    return near[cone], near[strip], near[around]


def _within(limit, at, points):
    """Tell which pixels are nearer to the points of a line than a limit [px]; the block decides for most of them."""
    if not len(at):
        return np.zeros(0, bool)
    tree, block = cKDTree(points), at // _BLOCK
    first = block.min(axis=0)
    centres = (np.moveaxis(np.indices(block.max(axis=0) - first + 1), 0, -1) + first) * _BLOCK + (_BLOCK - 1) / 2
    from_block = tree.query(centres, distance_upper_bound=limit + _BLOCK)[0][tuple((block - first).T)]
    within = from_block < limit - _BLOCK
    undecided = ~within & (from_block < limit + _BLOCK)
    within[undecided] = tree.query(at[undecided], distance_upper_bound=limit)[0] < limit
    return within


def _smoothed(image, weight, scale):
    """Return a picture smoothed over the pixels that count."""
    return ndimage.gaussian_filter(image * weight, scale) / np.maximum(ndimage.gaussian_filter(weight, scale), 1e-3)


def _all_odd(unlike):
    """Return how dark or how bright at least 80 % of some pixels are; a notch is dark or bright everywhere."""
    low, high = np.percentile(unlike, [20, 80])
    return np.log1p(max(low, -high, 0.0))


def _directed(line, end, reach):
    """Return position, outward direction and width of an end."""
    points, widths = (line.points, line.widths) if end == 0 else (line.points[::-1], line.widths[::-1])
    back = points[min(len(points) - 1, max(3, int(reach / 2)))]
    outward = points[0] - back
    return points[0], outward / max(np.hypot(*outward), 1e-9), widths[: int(reach)].max()
