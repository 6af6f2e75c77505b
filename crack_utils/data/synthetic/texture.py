"""Random textures fixed to the specimen: they move with it and look the same at every resolution."""

from functools import cached_property

import numpy as np
from scipy.ndimage import gaussian_filter, map_coordinates

_FINE = 4  # lattice points per blob, enough for linear interpolation
_INVISIBLE = 0.15  # a texture with a lower remaining contrast is not drawn
_LARGEST = 1024  # lattice points per side; at most 8 MB of random numbers


class Noise:
    """A periodic field of random blobs with mean 0 and variance 1.

    Parameters
    ----------
    rng : numpy.random.Generator
    blobs : float
        Blobs per unit of length (the picture's height is one unit).
    extent : float
        Period of the field, in units.
    """

    def __init__(self, rng, blobs, extent=2.0):
        self.rng = rng.spawn(1)[0]  # a separate generator: the lattice may never be drawn
        self.blobs, self.extent = blobs, extent

    @cached_property
    def lattice(self):
        """The field at its lattice points, drawn when first needed: small pictures never need the finest."""
        side = int(min(self.blobs * self.extent * _FINE, _LARGEST))
        lattice = gaussian_filter(self.rng.standard_normal((side, side), dtype=np.float32), _FINE / 2, mode="wrap")
        return lattice / lattice.std()

    def __call__(self, x, y, scale):
        """Sample the field.

        Parameters
        ----------
        x, y : ndarray
            Positions in units, of equal shape.
        scale : float
            Pixels per unit of the picture. Blobs smaller than two pixels fade: their average over a pixel does.

        Returns
        -------
        ndarray of float32
        """
        visible = min(1.0, scale / (2 * self.blobs))
        if visible < _INVISIBLE:
            return np.zeros_like(x, dtype=np.float32)
        coordinates = np.stack([y, x]).astype(np.float32) * np.float32(self.blobs * _FINE)
        return np.float32(visible) * map_coordinates(self.lattice, coordinates, order=1, mode="grid-wrap")
