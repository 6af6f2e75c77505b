"""Photographs: read from any file as gray values in [0, 1], and reduced to a network's size, masks too. NumPy only."""

import numpy as np
from skimage.transform import resize_local_mean

from crack_utils.data.decoding import bits_used, open_stored
from crack_utils.data.stored import BANDS, DataError, bands

SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp")

# A mask pixel is crack where at least this share of its area is: a quarter keeps a diagonal line of one pixel
# connected when it is halved, and widens a crack by a quarter of a pixel a side at most (R24).
MASK_COVERAGE = 0.25

ANOTHER_CAMERA = 4  # bits fewer than its folder uses: at a sixteenth of the brightness, a picture would be black

LUMINANCE = np.array([0.2989, 0.5870, 0.1140], np.float32)  # ITU-R BT.601, as tf.image.rgb_to_grayscale


def read_image(file, bits=None):
    """Read a photograph as gray values.

    Parameters
    ----------
    file : path-like
        PNG, JPEG, TIFF or BMP; 8 to 32 bit or floating-point; gray, palette, RGB; alpha is dropped. EXIF orientation
        is applied.
    bits : int, optional
        How many bits of an integer type are used, from `Pair.bits` or `Photograph.bits` for all pictures of a folder.
        By default it follows from the brightest value of the picture: 12 if it is below 4096. 8-bit pictures use 8. If
        the picture uses far fewer bits than its folder, another camera took it, and its brightest value counts.

    Returns
    -------
    ndarray, float32, shape (H, W), in [0, 1]
        On 8-bit gray PNG equal to `tf.io.decode_png(...) / 255` (R22).

    Raises
    ------
    DataError
        If the file is missing, empty, truncated, too large or no picture.
    """
    try:
        return gray_values(open_stored(file), bits)
    except DataError:
        raise
    except ValueError as error:
        raise DataError(f"{file}: {error}") from None


def gray_values(stored, bits=None):
    """Return the gray values of a picture that was opened, as `read_image` does."""
    values = stored.values
    if stored.palette is not None:
        return (stored.palette.astype(np.float32) / np.float32(255) @ LUMINANCE)[values]
    scale = white(values, bits)
    if values.size <= BANDS:
        return _gray(values, scale)
    gray, start = np.empty(values.shape[:2], np.float32), 0
    for band in bands(values):
        gray[start : start + len(band)] = _gray(band, scale)
        start += len(band)
    return gray


def white(values, bits=None):
    """Return the value of white: 1, 255, or the largest value of the bits that are used.

    Parameters
    ----------
    values : ndarray
        As they are stored.
    bits : int, optional
        As for `read_image`.

    Raises
    ------
    ValueError
        If values lie outside what their type may hold (floating-point numbers 0 to 1, others 0 and more), or are no
        numbers.
    """
    if values.dtype == bool:
        return 1
    if values.dtype == np.uint8:
        return 255
    if values.dtype.kind == "f":
        if not np.isfinite(values).all():
            raise ValueError("has pixels that are not numbers (NaN or infinite); give them a gray value before saving")
        if values.min() < 0 or values.max() > 1:
            raise ValueError("floating-point pictures must lie in [0, 1]; divide by the full scale before saving")
        return 1
    if values.min() < 0:
        raise ValueError(f"gray values from {values.min()} to {values.max()}; expected 0 or more")
    own = bits_used(values)
    return 2 ** (own if bits is None or bits - own >= ANOTHER_CAMERA else max(own, bits)) - 1


def full_scale(values):
    """Return stored values as float64 in [0, 1], by the bits that the picture itself uses."""
    return values / float(white(values))


def _gray(values, scale):
    values = values.astype(np.float32) / np.float32(scale)
    return values @ LUMINANCE if values.ndim == 3 else values


def resize_image(image, size):
    """Reduce a photograph by averaging the area under each pixel.

    Parameters
    ----------
    image : ndarray, float, shape (H, W)
    size : (height, width) [px]

    Returns
    -------
    ndarray, float32, shape `size`
    """
    if image.shape == tuple(size):
        return image.astype(np.float32)
    return resize_local_mean(image.astype(np.float32), tuple(size), preserve_range=True).astype(np.float32)


def resize_mask(mask, size, coverage=MASK_COVERAGE):
    """Reduce a mask by area coverage (R24): nearest neighbour would break thin cracks.

    Parameters
    ----------
    mask : ndarray, bool, shape (H, W)
    size : (height, width) [px]
    coverage : float in (0, 1]
        Share of a pixel's area that must be crack.

    Returns
    -------
    ndarray, bool, shape `size`
    """
    if mask.shape == tuple(size):
        return mask.astype(bool)
    # The small slack keeps exact quarters in, whatever the rounding of the mean.
    return resize_local_mean(mask.astype(np.float32), tuple(size), preserve_range=True) >= coverage - 1e-4
