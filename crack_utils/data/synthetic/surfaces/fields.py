"""Random fields on a pixel grid with a given spectrum, for textures, stains and uneven edges."""

from functools import lru_cache

import numpy as np
from scipy import fft


class Fields:
    """Draws random fields of mean 0 and variance 1, ndarray of float32, on a grid of `shape` (height, width).

    Lengths are in pixels, so a larger grid shows more of a surface, not larger grains.
    """

    def __init__(self, shape):
        self.shape = tuple(shape)
        self.fast = tuple(fft.next_fast_len(side, real=True) for side in shape)
        self.rows = np.arange(shape[0], dtype=np.float32)[:, None]
        self.columns = np.arange(shape[1], dtype=np.float32)[None]

    def fractal(self, rng, slope, stretch=1.0, angle=0.0, coarsest=None):
        """Draw a field whose amplitude is a power of the frequency, like many natural textures.

        Parameters
        ----------
        rng : numpy.random.Generator
        slope : float
            The amplitude is the frequency to the power of `-slope`: 0 gives white noise, 1 a rough field, 2 a smooth
            one.
        stretch : float
            Factor by which the field is longer in one direction.
        angle : float [rad]
            That direction, from the rows.
        coarsest : float [px], optional
            Longer waves are left out.

        Returns
        -------
        ndarray of float32, shape (height, width)
            Mean 0 and variance 1.
        """
        log_frequency = _log_frequency(self.fast) if stretch == 1 else _stretched(self.fast, stretch, angle)
        amplitude = np.exp(-np.float32(slope) * log_frequency)
        if coarsest:
            amplitude /= 1 + np.exp(-6 * (log_frequency + np.float32(np.log(coarsest))))
        return self._draw(rng, amplitude)

    def grains(self, rng, period, spread=0.35):
        """Draw grains of about one size.

        Parameters
        ----------
        rng : numpy.random.Generator
        period : float [px]
            Mean distance of neighbouring grains.
        spread : float
            Standard deviation of the logarithm of their sizes.

        Returns
        -------
        ndarray of float32, shape (height, width)
            Mean 0 and variance 1.
        """
        log_frequency = _log_frequency(self.fast)
        return self._draw(rng, np.exp(-((log_frequency + np.float32(np.log(period))) ** 2) / np.float32(2 * spread**2)))

    def line(self, angle, offset):
        """Return the signed distance [px] from a line at `angle` [rad], `offset` [px] from the middle of the grid."""
        middle = (self.shape[0] - 1) / 2, (self.shape[1] - 1) / 2
        sine, cosine = np.float32(np.sin(angle)), np.float32(np.cos(angle))
        return cosine * (self.rows - np.float32(middle[0])) - sine * (self.columns - np.float32(middle[1])) - offset

    def _draw(self, rng, amplitude):
        # Uniform draws cost a fourth of normal ones; the sum over many waves is normal all the same.
        spectrum = np.empty(amplitude.shape, np.complex64)
        spectrum.real = rng.random(amplitude.shape, dtype=np.float32) - np.float32(0.5)
        spectrum.imag = rng.random(amplitude.shape, dtype=np.float32) - np.float32(0.5)
        spectrum *= amplitude
        spectrum[0, 0] = 0
        field = fft.irfft2(spectrum, s=self.fast, overwrite_x=True)[: self.shape[0], : self.shape[1]]
        return (field - field.mean()) / max(float(field.std()), 1e-6)


@lru_cache(maxsize=8)
def _log_frequency(shape):
    squared = fft.fftfreq(shape[0])[:, None] ** 2 + fft.rfftfreq(shape[1])[None] ** 2
    squared[0, 0] = squared[0, 1]
    return (0.5 * np.log(squared)).astype(np.float32)


def _stretched(shape, stretch, angle):
    rows = fft.fftfreq(shape[0]).astype(np.float32)[:, None]
    columns = fft.rfftfreq(shape[1]).astype(np.float32)[None]
    sine, cosine = np.float32(np.sin(angle)), np.float32(np.cos(angle))
    along, across = columns * cosine + rows * sine, rows * cosine - columns * sine
    return 0.5 * np.log((np.float32(stretch) * along) ** 2 + across**2 + np.float32(0.5 / max(shape)) ** 2)


def smooth(rng, count, correlation):
    """Draw a smooth random curve, for widths and directions that change along a crack.

    Parameters
    ----------
    rng : numpy.random.Generator
    count : int
        Number of values.
    correlation : float
        Number of neighbouring values over which they are similar.

    Returns
    -------
    ndarray of float, shape (count,)
        Mean 0 and variance about 1.
    """
    knots = max(4, int(np.ceil(count / correlation)) + 3)
    values = np.interp(np.linspace(1, knots - 2, count), np.arange(knots), rng.standard_normal(knots))
    return 1.2 * values  # linear interpolation takes a third of the variance
