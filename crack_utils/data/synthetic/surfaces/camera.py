"""Light, lens, sensor and file: what a camera makes of a surface."""

import io
from dataclasses import dataclass

import numpy as np
from PIL import Image
from scipy import ndimage


@dataclass(frozen=True)
class Camera:
    """One camera at one place.

    Attributes
    ----------
    zoom : tuple of float
        Rows and columns of the picture per row and column of the canvas that the surface is drawn on.
    defocus : float
        Standard deviation of the lens's blur [px].
    shake : tuple of float
        Movement during the exposure: (length [px], direction [rad]).
    blur : float
        Standard deviation of both blurs together [px].
    """

    zoom: tuple
    defocus: float
    shake: tuple
    blur: float


def draw_camera(rng, without=()):
    """Draw a camera at random.

    Parameters
    ----------
    rng : numpy.random.Generator
    without : collection of str
        Of "scale" and "blur": what the camera does not do.

    Returns
    -------
    Camera
    """
    zoom, defocus, shake = (1.0, 1.0), 0.0, (0.0, 0.0)
    draws = rng.random(3)
    scale, tilt = float(np.exp(rng.normal(0.05, 0.25))), float(np.exp(rng.normal(0, 0.12)))
    wide, length, angle = rng.uniform(0.3, 1.0), rng.uniform(1, 5), rng.uniform(0, np.pi)
    if "scale" not in without and draws[0] < 0.4:
        zoom = tuple(float(np.clip(side, 0.75, 1.9)) for side in (scale * tilt, scale / tilt))
    if "blur" not in without:
        defocus = wide * (2.0 if draws[1] > 0.85 else 1.0) if draws[1] > 0.4 else 0.0
        shake = (length, angle) if draws[2] < 0.12 else shake
    # A box of length L has the standard deviation L / √12, in one direction of two; enlarging blurs by about half a
    # pixel of the canvas.
    enlarged = 0.4 * max(0.0, float(np.sqrt(zoom[0] * zoom[1])) - 1)
    return Camera(zoom, defocus, shake, float(np.sqrt(defocus**2 + shake[0] ** 2 / 24 + enlarged**2 + 0.1)))


def resample(field, size):
    """Return a field, float32 of shape (h, w), resized to `size` (height, width) by bicubic interpolation."""
    if field.shape == tuple(size):
        return field
    picture = Image.fromarray(np.ascontiguousarray(field, np.float32))
    return np.asarray(picture.resize((size[1], size[0]), Image.Resampling.BICUBIC))


def photograph(rng, camera, fields, image, without=()):
    """Photograph a surface.

    Parameters
    ----------
    rng : numpy.random.Generator
    camera : Camera
    fields : Fields
        Of the picture's size.
    image : ndarray of float32, shape (height, width)
        Gray values, about [0, 1], on the picture's grid.
    without : collection of str
        Of "light", "blur", "noise", "sharpening", "compression".

    Returns
    -------
    ndarray of uint8, shape (height, width)
    """
    light, lens, sensor, tone, file = rng.spawn(5)  # separate generators, so that leaving one out changes no other
    if "light" not in without:
        image = image * _light(light, fields)
    image = _blur(image, camera)
    if "sharpening" not in without and lens.random() < 0.25:
        image = image + lens.uniform(0.2, 1.5) * (image - ndimage.gaussian_filter(image, lens.uniform(0.6, 1.6)))
    if "light" not in without:
        image = _tone(tone, image)
    if "noise" not in without:
        image = _noise(sensor, fields, image)
    gray = np.round(255 * np.clip(image, 0, 1)).astype(np.uint8)
    if "compression" not in without and file.random() < 0.5:
        gray = _compress(gray, int(file.uniform(25, 95)))
    return gray


def _light(rng, fields):
    """Light that falls off to one side, vignetting, and now and then a lamp's spot."""
    down = (fields.rows / fields.shape[0] - 0.5).astype(np.float32)
    along = (fields.columns / fields.shape[1] - 0.5).astype(np.float32)
    light = 1 + np.clip(rng.normal(0, 0.15), -0.5, 0.5) * down + np.clip(rng.normal(0, 0.15), -0.5, 0.5) * along
    if rng.random() < 0.35:
        light = light * (1 - rng.uniform(0, 0.8) * (down**2 + along**2))
    if rng.random() < 0.1:
        spot = (down - rng.uniform(-0.5, 0.5)) ** 2 + (along - rng.uniform(-0.5, 0.5)) ** 2
        light = light + rng.uniform(0.1, 0.7) * np.exp(-spot / (2 * rng.uniform(0.08, 0.4) ** 2))
    return light


def _blur(image, camera):
    if camera.defocus:
        image = ndimage.gaussian_filter(image, camera.defocus, truncate=3)
    length, angle = camera.shake
    if length:
        steps = np.linspace(-length / 2, length / 2, int(np.ceil(length)) + 1)
        moves = [(step * np.sin(angle), step * np.cos(angle)) for step in steps]
        image = sum(_shifted(image, move) for move in moves) / np.float32(len(moves))
    return image


def _shifted(image, move):
    """Move an image by parts of a pixel, linearly interpolated, its edges repeated."""
    for axis, distance in enumerate(move):
        kernel = np.zeros(2 * int(np.ceil(abs(distance))) + 1, np.float32)
        kernel = np.interp(np.arange(len(kernel)) - len(kernel) // 2, [distance - 1, distance, distance + 1], [0, 1, 0])
        image = ndimage.correlate1d(image, kernel, axis, mode="nearest")
    return image


def _tone(rng, image):
    """Exposure, contrast and gamma."""
    level, spread = float(image.mean()), rng.uniform(0.55, 1.35)
    image = np.clip(rng.uniform(0.25, 0.75) * 0.7 + 0.3 * level + spread * (image - level), 0, None)
    return image ** np.float32(np.exp(rng.normal(0, 0.2)))


def _noise(rng, fields, image):
    """Noise of the sensor, and grain coarser than a pixel as small sensors and their filters leave it."""
    strength = rng.uniform(0, 1) ** 2 * 0.07
    white = rng.standard_normal(fields.shape, dtype=np.float32)
    if rng.random() < 0.3:
        white = ndimage.gaussian_filter(white, 0.7) * np.float32(2.2)
    image = image + strength * np.sqrt(0.3 + np.clip(image, 0, 1)) * white
    if rng.random() < 0.04:  # dead and hot pixels
        chance = rng.random(fields.shape, dtype=np.float32)
        share = rng.uniform(0, 0.01)
        image = np.where(chance < share, 0, np.where(chance > 1 - share, 1, image))
    return image


def _compress(gray, quality):
    buffer = io.BytesIO()
    Image.fromarray(gray).save(buffer, "JPEG", quality=quality)
    return np.asarray(Image.open(buffer))
