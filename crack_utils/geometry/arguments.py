"""Checks of what the measures of cracks are called with: masks, photographs, positions and scales."""

from numbers import Real

import numpy as np

from crack_utils.geometry.skeleton import without_pores

LARGEST_SCALE = 1e6  # [mm/px] a kilometre: more is not a photograph, and areas would not be numbers


def as_field(mask_or_probability, threshold=0.5):
    """Check a mask or probability; return it as float32 with tiny holes filled, and the threshold that belongs to it.

    Parameters
    ----------
    mask_or_probability : (height, width) array of bool, of integers 0 and 1, or of floats in [0, 1]
    threshold : float
        In (0, 1); for masks of bool or integers it is replaced by 0.5.

    Returns
    -------
    field : ndarray of float32, shape (height, width)
    threshold : float

    Raises
    ------
    ValueError
        If the shape, the values or the threshold are not valid.
    """
    values = np.asarray(mask_or_probability)
    if values.ndim != 2 or not values.size:
        raise ValueError(f"mask_or_probability has shape {values.shape}: (height, width) is needed")
    if not 0 < threshold < 1:
        raise ValueError(f"threshold={threshold}: valid is a number between 0 and 1, both excluded")
    if not (values.min() >= 0 and values.max() <= 1):
        raise ValueError(f"mask_or_probability lies in {values.min()} … {values.max()}, not in [0, 1]; try mask > 127")
    threshold = threshold if np.issubdtype(values.dtype, np.floating) else 0.5
    field = values.astype(np.float32, copy=False)
    mask = field >= threshold
    pores = without_pores(mask) & ~mask
    if pores.any():
        field = np.where(pores, np.float32(1), field)  # a copy: the caller's values stay as they are
    return field, float(threshold)


def check_scale(mm_per_px):
    """Raise a ValueError unless `mm_per_px` is None or a positive number up to `LARGEST_SCALE`."""
    if mm_per_px is not None and not (isinstance(mm_per_px, Real) and 0 < mm_per_px <= LARGEST_SCALE):
        raise ValueError(f"mm_per_px={mm_per_px!r}: valid is a number above 0, up to {LARGEST_SCALE:g}")


def check_position(name, position):
    """Check a position in a picture.

    Parameters
    ----------
    name : str
        Of the argument, for the message.
    position : (row, column) [px], or None

    Returns
    -------
    ndarray of float, shape (2,), or None

    Raises
    ------
    ValueError
        If it is not two finite numbers.
    """
    if position is None:
        return None
    position = np.asarray(position, float)
    if position.shape != (2,) or not np.all(np.isfinite(position)):
        raise ValueError(f"{name}={position}: valid is (row, column) in pixels, or None")
    return position


def check_image(image, shape):
    """Check the photograph that belongs to a mask.

    Parameters
    ----------
    image : array of float, shape (height, width), or None
    shape : (height, width) [px]
        Of the mask.

    Returns
    -------
    ndarray of float, or None

    Raises
    ------
    ValueError
        If it is not of floats, or not of `shape`.
    """
    if image is None:
        return None
    image = np.asarray(image)
    if image.shape != shape or not np.issubdtype(image.dtype, np.floating):
        raise ValueError(
            f"image is {image.dtype} of shape {image.shape}: floats of the mask's shape {shape} are needed"
        )
    return image
