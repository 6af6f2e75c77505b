"""Lamp, lens, sensor and file: shade, glare, defocus, motion, noise, gray curve and JPEG's blocks."""

import math

import numpy as np
from scipy.fft import dctn, idctn
from scipy.ndimage import gaussian_filter, uniform_filter1d

_JPEG = np.array(  # the luminance table of ITU-T T.81, annex K
    [
        [16, 11, 10, 16, 24, 40, 51, 61],
        [12, 12, 14, 19, 26, 58, 60, 55],
        [14, 13, 16, 24, 40, 57, 69, 56],
        [14, 17, 22, 29, 51, 87, 80, 62],
        [18, 22, 37, 56, 68, 109, 103, 77],
        [24, 35, 55, 64, 81, 104, 113, 92],
        [49, 64, 78, 87, 103, 121, 120, 101],
        [72, 92, 95, 98, 112, 100, 103, 99],
    ],
    np.float32,
)
_DARKEST, _LIGHTEST = 0.1, 0.85  # gray values of the surface around a crack in the photograph


class Light:
    """Lamp, lens and camera of one test; the same in all frames.

    Parameters
    ----------
    rng : numpy.random.Generator
    scale : float
        Pixels per unit: a lens blurs a larger picture by more pixels.
    cracks : ndarray, shape (n, 2)
        (x, y) of points along the cracks: no glare blots them out.
    """

    def __init__(self, rng, scale, cracks):
        fine = max(scale / 512, 0.5) ** 0.5
        self.exposure = math.exp(rng.normal(0.05, 0.22))
        self.tilt = rng.normal(0, 0.3, 2) * rng.choice([0.2, 1.0])
        self.vignetting = rng.uniform(0, 0.6) * rng.choice([0, 1])
        self.spots = [
            (*rng.uniform(-0.7, 0.7, 2), rng.uniform(0.04, 0.35), rng.uniform(0.1, 0.7))
            for _ in range(rng.integers(1, 3) if rng.random() < 0.25 else 0)
        ]
        self.spots = [
            spot for spot in self.spots if np.min(np.hypot(*(cracks - spot[:2]).T), initial=9) > 1.5 * spot[2]
        ]
        self.shadows = [
            (rng.uniform(0, 2 * math.pi), rng.uniform(-0.4, 0.4), rng.uniform(0.003, 0.08), rng.uniform(0.15, 0.6))
            for _ in range(rng.integers(1, 3) if rng.random() < 0.22 else 0)
        ]
        self.blur = fine * (rng.uniform(0.35, 0.8) if rng.random() < 0.7 else rng.uniform(0.8, 1.7))
        self.shake = rng.uniform(1.5, 4) * fine if rng.random() < 0.1 else 0.0
        self.shake_axis = int(rng.integers(2))
        self.noise = math.exp(rng.uniform(math.log(0.002), math.log(0.03)))
        self.gamma = math.exp(rng.normal(0, 0.2))
        self.contrast, self.black = rng.uniform(0.75, 1.25), rng.uniform(-0.05, 0.05)
        self.quality = rng.uniform(25, 95) if rng.random() < 0.35 else None

    @property
    def spread(self):
        """Standard deviation of all blur together [px]."""
        return math.hypot(self.blur, self.shake / 3.5)

    def expose(self, points, gray):
        """Set the exposure so that the surface at points (x, y), of gray values, is neither black nor white."""
        seen = gray * self._gain(*points.T)
        dark, light = ((value - 0.5 - self.black) / self.contrast + 0.5 for value in (_DARKEST, _LIGHTEST))
        darkest, lightest = max(dark, 0.01) ** (1 / self.gamma), min(light, 1.0) ** (1 / self.gamma)
        self.exposure *= max(1.0, darkest / max(np.percentile(seen, 10), 0.02))
        self.exposure *= min(1.0, lightest / max(np.percentile(gray * self._gain(*points.T), 90), 0.02))

    def _gain(self, x, y):
        """What the lamp makes of a gray value at places of the picture."""
        gain = self.exposure * (1 + self.tilt[0] * x + self.tilt[1] * y)
        gain *= 1 - self.vignetting * (x**2 + y**2)
        for angle, place, soft, depth in self.shadows:
            across = math.cos(angle) * x + math.sin(angle) * y - place
            gain *= 1 - depth / (1 + np.exp(np.clip(-across / soft, -30, 30)))
        return np.maximum(gain, 0.1 * self.exposure)

    def photograph(self, scene, x, y, rng):
        """Photograph a scene, gray values about [0, 1]; returns uint8 of its shape."""
        image = scene * rng.normal(1, 0.015) * self._gain(x, y)
        for spot_x, spot_y, radius, strength in self.spots:
            image += strength * np.exp(-((x - spot_x) ** 2 + (y - spot_y) ** 2) / (2 * radius**2))
        image = gaussian_filter(image, self.blur, truncate=3)
        if self.shake:
            image = uniform_filter1d(image, max(2, round(self.shake)), axis=self.shake_axis)
        noise = rng.standard_normal(image.shape, dtype=np.float32)
        image = image + self.noise * np.sqrt(0.3 + np.clip(image, 0, 1)) * noise
        image = self.black + 0.5 + self.contrast * (np.clip(image, 0, 1) ** self.gamma - 0.5)
        image = 255 * np.clip(image, 0, 1)
        if self.quality:
            image = compress(image, self.quality)
        return np.round(np.clip(image, 0, 255)).astype(np.uint8)


def compress(image, quality):
    """Quantise the cosine transforms of 8×8 blocks, as JPEG does to gray values in [0, 255]; quality 1 to 100."""
    factor = (5000 / quality if quality < 50 else 200 - 2 * quality) / 100
    table = np.clip(np.round(_JPEG * factor), 1, 255)
    height, width = image.shape
    padded = np.pad(image, ((0, -height % 8), (0, -width % 8)), mode="edge").astype(np.float32)
    blocks = padded.reshape(padded.shape[0] // 8, 8, -1, 8).swapaxes(1, 2) - 128
    blocks = idctn(np.round(dctn(blocks, axes=(2, 3), norm="ortho") / table) * table, axes=(2, 3), norm="ortho") + 128
    return blocks.swapaxes(1, 2).reshape(padded.shape)[:height, :width]
