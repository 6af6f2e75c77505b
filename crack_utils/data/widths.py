"""How wide the cracks of a data set are, and by what its pictures are reduced so that a network can see across them."""

import math

import numpy as np

from crack_utils import metrics
from crack_utils.data.digests import mask_content
from crack_utils.data.masks import read_mask
from crack_utils.data.pairs import spread
from crack_utils.geometry.skeleton import box_of

MEASURED = 24  # masks, spread over the set: thinning a large one takes a second
WIDEST = 24  # [px] median width that the compact network still sees whole, flanks and all
HAIRLINE = 3  # [px] the finest tenth of the cracks is not reduced below this


def crack_widths(pairs):
    """Return the mean width of the cracks of some pictures [px], those without crack left out.

    Parameters
    ----------
    pairs : list of Pair
        At most `MEASURED` of the cracked ones are measured, spread over the list.

    Returns
    -------
    ndarray, shape (N,)
    """
    cracked = [pair for pair in pairs if mask_content(pair.mask).crack]
    return np.array([metrics.mean_width(trimmed(read_mask(pair.mask))) for pair in spread(cracked, MEASURED)])


def reduction(pairs):
    """Return the whole number by which pictures are reduced so that their cracks are at most 24 px wide.

    It is 1 unless the median is wider, and never so large that the finest tenth gets thinner than 3 px: hairlines are
    lost when they are reduced, wide cracks are only seen better.

    Parameters
    ----------
    pairs : list of Pair

    Returns
    -------
    int
    """
    widths = crack_widths(pairs)
    if not widths.size:
        return 1
    wanted = math.ceil(np.median(widths) / WIDEST)
    return max(1, min(wanted, math.floor(np.quantile(widths, 0.1, method="lower") / HAIRLINE)))


def trimmed(mask):
    """Return the part of a mask that holds its crack: thinning takes as long as the picture is large."""
    return mask[box_of(mask, margin=1)]  # a border of the picture that the crack does not reach stays one
