"""Effects of lamp, lens and sensor on a scene: uneven light, vignetting, glare, defocus, motion blur, noise."""

import math

import numpy as np
from scipy.ndimage import gaussian_filter
from scipy.signal import oaconvolve

from crack_utils.data.synthetic.drawing import stroke
from crack_utils.data.synthetic.scene import picture_grid, picture_scale

_PIXEL_BLUR = 0.28  # [px] standard deviation; lens and sensor blur by about a pixel at any resolution


class Camera:
    """Lamp, lens and sensor of one test; the same in all frames.

    Parameters
    ----------
    rng : numpy.random.Generator
    source : str
        "old": dim, softer, noisier. "new": bright, sharper, with glare.
    """

    def __init__(self, rng, source):
        old = source == "old"
        self.exposure = rng.uniform(0.75, 0.95) if old else rng.uniform(0.95, 1.15)
        self.contrast = rng.uniform(0.8, 0.95) if old else 1.0
        self.tilt = rng.normal(0, 0.2), rng.normal(0, 0.2)
        self.vignetting = rng.uniform(0.1, 0.5) if old else rng.uniform(0.05, 0.3)
        self.defocus = rng.uniform(0.0008, 0.0024) if old else rng.uniform(0.0004, 0.0014)
        self.noise = rng.uniform(0.012, 0.022) if old else rng.uniform(0.005, 0.012)
        self.glares = [
            (rng.uniform(-0.6, 0.6), rng.uniform(-0.5, 0.5), rng.uniform(0.05, 0.2), rng.uniform(0.03, 0.2))
            for _ in range(rng.integers(0, 2) if old else rng.integers(0, 4))
        ]

    def photograph(self, scene, rng):
        """Photograph a scene.

        Parameters
        ----------
        scene : ndarray of float32, shape (height, width)
            Gray values, about [0, 1].
        rng : numpy.random.Generator
            Of this frame: flicker, camera shake and noise.

        Returns
        -------
        ndarray of uint8, shape (height, width)
        """
        x, y = picture_grid(scene.shape)
        scale = picture_scale(scene.shape)
        light = self.exposure * rng.normal(1, 0.02) * (1 + self.tilt[0] * x + self.tilt[1] * y)
        light *= 1 - self.vignetting * (x**2 + y**2)
        image = scene * light
        for glare_x, glare_y, radius, strength in self.glares:
            image += strength * np.exp(-((x - glare_x) ** 2 + (y - glare_y) ** 2) / (2 * radius**2))
        image = gaussian_filter(image, math.hypot(_PIXEL_BLUR, self.defocus * scale), truncate=3)
        if rng.random() < 0.25:
            image = _shake(image, rng.uniform(0.003, 0.007) * scale, rng.uniform(0, np.pi))
        image = 0.5 + self.contrast * (image - 0.5) if self.contrast < 1 else image
        noise = rng.standard_normal(image.shape, dtype=np.float32)
        image = image + self.noise * np.sqrt(0.4 + np.clip(image, 0, 1)) * noise
        return np.round(255 * np.clip(image, 0, 1)).astype(np.uint8)


def _shake(image, length, angle):
    """Blur along a straight movement of `length` [px]."""
    reach = int(np.ceil(length / 2)) + 1
    half = length / 2 * np.array([np.sin(angle), np.cos(angle)])
    line = stroke((2 * reach + 1, 2 * reach + 1), np.array([reach - half, reach + half]), 0.5)
    kernel = np.zeros((2 * reach + 1, 2 * reach + 1), np.float32)
    kernel[line.window] = line.coverage
    padded = np.pad(image, reach, mode="edge")
    return oaconvolve(padded, kernel / kernel.sum(), mode="valid").astype(np.float32)
