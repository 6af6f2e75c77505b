"""Unevenness along a crack, in steps of three sizes."""

import numpy as np
from scipy.ndimage import gaussian_filter1d

from crack_utils.data.synthetic.drawing import SPACING

_SIZES = ((0.003, 0.5), (0.012, 0.7), (0.05, 0.6))  # in units of the picture, and their weights


def waves(rng, count, scale):
    """Draw random waves at the points of a path, which are SPACING apart.

    Parameters
    ----------
    rng : numpy.random.Generator
        The same one gives the same waves to the part that a longer path has in common with a shorter one, but for the
        last few points.
    count : int
        Number of points.
    scale : float
        Pixels per unit.

    Returns
    -------
    ndarray, shape (count,)
        Mean 0, standard deviation about 1.
    """
    uneven = np.zeros(count)
    for (size, weight), own in zip(_SIZES, rng.spawn(len(_SIZES)), strict=True):
        spread = max(size * scale / SPACING, 1)
        draws = gaussian_filter1d(own.standard_normal(int(count / spread * 4) + 8), 2)
        at = np.arange(count) / spread * 4
        uneven += weight * np.interp(at, np.arange(len(draws)), draws / 0.38)
    return uneven
