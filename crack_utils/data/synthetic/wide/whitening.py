"""Whitening beside a crack: a bright, ragged band of stretched material, as on polymers and cracked paint.

The band is not a part of the gap. It runs ahead of it, so that the last part of such a crack is bright only.
"""

import math

import numpy as np

from crack_utils.data.synthetic.wide.uneven import waves

_TAPER = 3.0  # [px] over which the band ends
_OVERLAP = 4.0  # [px] behind the gap's end: from there on, the band is at least as wide as a hairline, and labelled
_SEEN = 0.3  # [px] a narrower band beside the gap is not labelled


class Whitening:
    """The whitening of a test's cracks; the same in all frames.

    Parameters
    ----------
    rng : numpy.random.Generator
    high : float
        Bright gray value of the surface around the cracks.

    Attributes
    ----------
    width, ahead : float
        Mean width of the band at each of its sides, and the length of the part ahead of the gap, in units of the
        picture.
    gray : float
    """

    def __init__(self, rng, high):
        self.width = math.exp(rng.uniform(math.log(0.0015), math.log(0.012)))
        self.ahead = math.exp(rng.uniform(math.log(0.008), math.log(0.1))) if rng.random() < 0.75 else 0.0
        self.gray = high + rng.uniform(0.2, 0.6)
        self._sides = ((1,), (-1,), (1, -1))[rng.integers(3)]
        self._ragged, self._grain = rng.uniform(0.2, 1.0), rng.uniform(0.05, 0.25)
        self._cover = rng.uniform(0.7, 1.0)

    def draw(self, ribbon, low, high, ahead, hairline, scale, rng):
        """Return the bright share of each pixel near a crack, its gray values, and which pixels it touches.

        Parameters
        ----------
        ribbon : Ribbon
        low, high : ndarray, shape (m,)
            The gap's edges at the points of the ribbon's path [px], equal where there is no gap.
        ahead, hairline : float [px]
            Length without a gap, and least width of the band there.
        scale : float
            Pixels per unit.
        rng : numpy.random.Generator

        Returns
        -------
        share, gray : ndarray of float, shape (n,)
        touched : ndarray of bool, shape (n,)
        """
        to_tip = ribbon.along[-1] - ribbon.along
        alone = to_tip < ahead + _OVERLAP
        share, touched = np.zeros(len(ribbon.rows)), np.zeros(len(ribbon.rows), bool)
        for side in self._sides:
            width = self.width * scale * np.clip(1 + 1.5 * self._ragged * waves(rng, len(to_tip), scale), 0, 3)
            width = np.where(alone, np.maximum(width, hairline / len(self._sides)), width)
            width *= np.sqrt(np.clip(to_tip / _TAPER, 0, 1))
            inner, outer = (high, high + width) if side > 0 else (low - width, low)
            inner, outer, width = inner[ribbon.index], outer[ribbon.index], width[ribbon.index]
            share += ribbon.band(inner, outer)
            touched |= ribbon.touched(inner, outer) & ((width > _SEEN) | alone[ribbon.index])
        gray = self.gray * (1 + self._grain * rng.standard_normal(len(share)))
        return self._cover * np.clip(share, 0, 1), gray, touched
