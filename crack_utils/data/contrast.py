"""Gray values as numbers in [0, 1], and spread over that range for the eye and for flood fill."""

import numpy as np

BAND = 2**20  # [px] that are counted together: of a large picture the counting takes many times its memory
SATURATED = 0.01  # share of the pixels that the stretch saturates at either end, as imadjust does


def contrast_stretch(image):
    """Spread the gray values over [0, 1], saturating the darkest and the brightest 1 % (MATLAB's ``imadjust``).

    Parameters
    ----------
    image : array of shape (H, W)
        See `check_image`.

    Returns
    -------
    float32 array of shape (H, W) in [0, 1]

    Notes
    -----
    As the original, the limits are bins of a histogram: 65,536 of them for 16-bit images, else 256. A flat image stays.
    """
    image = check_image(image)
    return stretched(image, *stretch_limits(image))


def stretch_limits(image):
    """Return the gray values, in [0, 1], that `contrast_stretch` turns into black and white; 0 and 1 of a flat image.

    Parameters
    ----------
    image : array of shape (H, W)
        As `check_image` returns it.
    """
    bins = 65536 if image.dtype == np.uint16 else 256
    counts, values = np.zeros(bins, int), image.ravel()
    for start in range(0, values.size, BAND):
        band = values[start : start + BAND]
        levels = band if image.dtype.kind == "u" else np.rint(as_unit(band[None])[0] * (bins - 1)).astype(np.int32)
        counts += np.bincount(levels, minlength=bins)
    share = np.cumsum(counts) / values.size
    low = int(np.argmax(share > SATURATED))
    high = int(np.argmax(share >= 1 - SATURATED))
    if low >= high:
        return np.float32(0), np.float32(1)
    return np.float32(low / (bins - 1)), np.float32(high / (bins - 1))


def stretched(image, low, high):
    """Spread the gray values between two limits over [0, 1]; see `contrast_stretch`, which is this for a whole image.

    Parameters
    ----------
    image : array of shape (H, W)
        As `check_image` returns it, or a part of such a one.
    low, high : numpy.float32
        From `stretch_limits`.

    Returns
    -------
    float32 array of shape (H, W) in [0, 1]
    """
    if image.dtype.kind != "u":
        values = as_unit(image)  # a copy, and of a large picture the only one
        values -= low
        values /= high - low
        return np.clip(values, 0, 1, out=values)
    table = as_unit(np.arange(np.iinfo(image.dtype).max + 1, dtype=image.dtype)[None])[0]  # far fewer than pixels
    return np.clip((table - low) / (high - low), 0, 1)[image]


def check_image(image):
    """Return an image as an array that every tool takes, its values as they are.

    Parameters
    ----------
    image : array of shape (H, W) or (H, W, 3)
        8 or 16 bit unsigned integers, booleans, or floats that already lie in [0, 1].

    Returns
    -------
    array of the same shape

    Raises
    ------
    ValueError
        For another number of dimensions or channels, an empty array, or floats outside [0, 1].
    TypeError
        For another type of number.
    """
    image = np.asarray(image)
    if image.ndim not in (2, 3) or (image.ndim == 3 and image.shape[2] != 3) or image.size == 0:
        raise ValueError(f"image must have shape (height, width) or (height, width, 3), not {image.shape}")
    if image.dtype == bool:
        return image.astype(np.float32)
    if image.dtype in (np.uint8, np.uint16):
        return image
    if image.dtype.kind != "f":
        raise TypeError(f"image must hold uint8, uint16, bool or float values, not {image.dtype}")
    lowest, highest = image.min(), image.max()
    if not (lowest >= 0 and highest <= 1):  # written so that NaN fails too
        raise ValueError(f"a float image must lie in [0, 1]; this one spans {lowest:g} to {highest:g}")
    return image


def as_unit(image):
    """Return an image as float32 in [0, 1]; see `check_image` for what is taken."""
    image = check_image(image)
    if image.dtype.kind == "f":
        return image.astype(np.float32)
    return image.astype(np.float32) / np.float32(np.iinfo(image.dtype).max)
