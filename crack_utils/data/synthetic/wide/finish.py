"""Finishes of a specimen's surface: bare, brushed, turned, painted, speckled, worn.

Fields are drawn at the picture's own size by filtering white noise (Voss 1985: spectral synthesis), so that they are
as fine as its pixels.
"""

import math

import numpy as np
from scipy.fft import irfft2, next_fast_len, rfft2

FINISHES = ("bare", "brushed", "turned", "painted", "speckle", "spray", "grainy", "worn")


class Fields:
    """Random fields of one shape, with mean 0 and variance 1."""

    def __init__(self, rng, shape):
        self.rng, self.shape = rng, shape
        self.padded = tuple(next_fast_len(n + 16, real=True) for n in shape)
        rows, columns = np.fft.fftfreq(self.padded[0]), np.fft.rfftfreq(self.padded[1])
        self.rows, self.columns = rows[:, None].astype(np.float32), columns[None].astype(np.float32)

    def _shaped(self, weight):
        white = rfft2(self.rng.standard_normal(self.padded, dtype=np.float32))
        weight[0, 0] = 0
        field = irfft2(white * weight, s=self.padded)[: self.shape[0], : self.shape[1]]
        return (field / max(field.std(), 1e-9)).astype(np.float32)

    def white(self):
        """Draw white noise: independent values for all pixels, shape (height, width)."""
        return self.rng.standard_normal(self.shape, dtype=np.float32)

    def cloudy(self, power):
        """Draw noise whose amplitude falls with this power of the frequency: 0 is white noise, 1 grain, 2 clouds."""
        squared = self.rows**2 + self.columns**2
        squared[0, 0] = 1
        return self._shaped(squared ** np.float32(-power / 2))

    def blobs(self, size):
        """Draw blobs of about this size [px]."""
        squared = self.rows**2 + self.columns**2
        return self._shaped(np.exp(np.float32(-2 * (math.pi * size / 2) ** 2) * squared))

    def lines(self, angle, width, stretch):
        """Draw parallel lines, such as those of brushing.

        Parameters
        ----------
        angle : float [rad]
        width : float [px]
            About that of the lines.
        stretch : float
            Their length in widths.

        Returns
        -------
        ndarray of float32, shape (height, width)
        """
        cosine, sine = math.cos(angle), math.sin(angle)
        across = self.rows * cosine - self.columns * sine
        along = (self.rows * sine + self.columns * cosine) * stretch
        return self._shaped(np.exp(np.float32(-2 * (math.pi * width / 2) ** 2) * (across**2 + along**2)))


def draw_finish(rng, fields, x, y, scale):
    """Draw the gray values of a surface.

    Parameters
    ----------
    rng : numpy.random.Generator
    fields : Fields
    x, y : ndarray of float32, shape (height, width)
        Positions in units of the picture.
    scale : float
        Pixels per unit.

    Returns
    -------
    gray : ndarray of float32, shape (height, width)
    base : float
        Its gray value without texture.
    """
    finish, fine = str(rng.choice(FINISHES)), scale / 512
    base = rng.uniform(0.12, 0.85)
    gray = np.full(fields.shape, base, np.float32)
    gray += rng.uniform(0, 0.03) * fields.cloudy(rng.uniform(1.3, 2.0))
    if finish == "brushed":
        angle = rng.choice([0, math.pi / 2, rng.uniform(0, math.pi)])
        gray += rng.uniform(0.02, 0.1) * fields.lines(angle, rng.uniform(0.6, 2), rng.uniform(15, 80))
    elif finish == "turned":
        gray += _tool_marks(rng, fields, x, y, max(1 / 512, 1 / scale))
    elif finish == "speckle":
        blob = math.exp(rng.uniform(math.log(1.2), math.log(5))) * max(fine, 0.5)
        mixed = fields.blobs(blob) + rng.uniform(0, 0.9) * fields.blobs(rng.uniform(0.3, 2.5) * blob)
        field = np.tanh(rng.uniform(0.7, 4) * (mixed - rng.uniform(-0.8, 0.8)))
        base = float(np.clip(base, 0.3, 0.7))
        gray += base - gray.mean() + rng.uniform(0.06, 0.22) * field
    elif finish == "spray":
        field = fields.blobs(rng.uniform(1.5, 5) * max(fine, 0.5)) - rng.uniform(1.2, 2.2)
        gray += rng.choice([-1, 1]) * rng.uniform(0.15, 0.5) * np.clip(2 * field, 0, 1)
    elif finish == "grainy":
        gray *= 1 + rng.uniform(0.06, 0.22) * fields.cloudy(rng.uniform(0.3, 0.9))
    elif finish == "worn":
        patches = np.clip(2 * (fields.cloudy(rng.uniform(1.1, 1.5)) - rng.uniform(0.3, 1.3)), 0, 1)
        gray += rng.uniform(-0.3, 0.2) * patches
        gray += rng.uniform(0.01, 0.06) * fields.cloudy(rng.uniform(0.6, 1.1))
    elif finish == "painted":
        gray += rng.uniform(0.0, 0.015) * fields.blobs(rng.uniform(6, 14) * fine)
    else:
        gray += rng.uniform(0.005, 0.04) * fields.cloudy(rng.uniform(0.4, 1.0))
    if rng.random() < 0.3 and finish != "brushed":
        gray += rng.uniform(0.01, 0.04) * fields.lines(rng.uniform(0, math.pi), rng.uniform(0.6, 1.5), 40)
    return gray, base


def _tool_marks(rng, fields, x, y, pixel):
    """Grooves of a mill or lathe: arcs or straight lines at an even pitch."""
    pitch = rng.uniform(3, 14) * pixel
    if rng.random() < 0.5:
        centre = rng.uniform(-2, 2, 2)
        way = np.hypot(x - centre[0], y - centre[1])
    else:
        angle = rng.uniform(0, math.pi)
        way = math.cos(angle) * x + math.sin(angle) * y
    phase = 2 * math.pi * way / pitch
    return rng.uniform(0.02, 0.08) * np.sin(phase + 0.6 * fields.cloudy(1.5)).astype(np.float32)
