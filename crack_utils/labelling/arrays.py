"""What every tool checks at its door: images and masks as NumPy arrays."""

import numpy as np

__all__ = ["as_mask", "as_unit", "bounding_box", "check_image", "check_same_size"]


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


def as_mask(mask):
    """Return a mask as booleans; anything but two dimensions of 0 and 1 (or booleans) is refused."""
    mask = np.asarray(mask)
    if mask.ndim != 2 or mask.size == 0:
        raise ValueError(f"mask must have shape (height, width), not {mask.shape}")
    if mask.dtype != bool and not np.isin(mask, (0, 1)).all():
        raise ValueError("mask must be boolean, or hold 0 and 1 only")
    return mask.astype(bool)


def check_same_size(image, mask):
    """Raise ValueError unless the mask has the image's height and width."""
    if image.shape[:2] != mask.shape:
        raise ValueError(f"the mask of {_size(mask)} does not fit the image of {_size(image)}")


def bounding_box(mask, margin):
    """Return the slices of the smallest box around the mask's pixels, widened by a margin and cut at the border.

    Parameters
    ----------
    mask : bool array of shape (H, W), not empty of True
    margin : int [px]

    Returns
    -------
    tuple of two slices
    """
    box = []
    for axis, size in zip((1, 0), mask.shape, strict=True):
        inside = np.flatnonzero(mask.any(axis=axis))
        box.append(slice(max(inside[0] - margin, 0), min(inside[-1] + 1 + margin, size)))
    return tuple(box)


def _size(array):
    return f"{array.shape[0]}×{array.shape[1]}"
