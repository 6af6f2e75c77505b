"""Flood fill and morphology: the point-and-click tools as functions on NumPy arrays (R11, R14).

Semantics follow MATLAB's Image Segmenter, which made the report's masks. Every function returns a new array and
gives the turned or mirrored mask for the turned or mirrored input, exactly.
"""

import numbers

import numpy as np
from scipy import ndimage
from skimage.segmentation import flood

from crack_utils.data.contrast import check_image, contrast_stretch
from crack_utils.labelling.arrays import as_mask, bounding_box

__all__ = [
    "clear_border",
    "closing",
    "contrast_stretch",
    "dilate",
    "erode",
    "fill_holes",
    "flood_fill",
    "opening",
    "remove_small",
]

EIGHT = np.ones((3, 3), dtype=bool)
XYZ_FROM_RGB = ((0.412453, 0.357580, 0.180423), (0.212671, 0.715160, 0.072169), (0.019334, 0.119193, 0.950227))
D65 = (0.95047, 1.0, 1.08883)  # white point of daylight, 2° observer
ROUNDING = 1e-6  # far below one gray value of 16 bits

# Beyond these a step would take minutes on a photograph, and the number is a slip.
LARGEST_RADIUS = 500  # [px]
LARGEST_AREA = 10**9  # [px²]


def flood_fill(image, seed, tolerance=0.05):
    """Select the pixels that hang together with a seed and look like it (R11).

    Parameters
    ----------
    image : array of shape (H, W) or (H, W, 3)
        Gray images are contrast-stretched first, and a pixel looks like the seed when it differs by no more than the
        tolerance. Colour images are compared in CIE L*a*b*: the squared distance to the seed's colour, divided by the
        largest one in the image, must not exceed the tolerance.
    seed : (row, column) [px]
    tolerance : float in [0, 1]

    Returns
    -------
    bool array of shape (H, W)
        The 8-connected region that holds the seed, as ``grayconnected`` gives it.

    Raises
    ------
    ValueError
        If the seed lies outside the image, or the tolerance outside [0, 1].

    Examples
    --------
    >>> import numpy as np
    >>> flood_fill(np.array([[0, 255, 0], [255, 0, 255]], np.uint8), seed=(0, 0)).astype(int)
    array([[1, 0, 1],
           [0, 1, 0]])
    """
    if not 0 <= tolerance <= 1:
        raise ValueError(f"tolerance must lie in [0, 1], not {tolerance}")
    image = check_image(image)
    seed = _position(seed, image.shape[:2])
    if image.ndim == 3:
        distance = _colour_distance(image, seed)
        distance /= max(distance.max(), np.finfo(np.float32).tiny)  # a picture of one colour: all distances are 0
    else:
        image = contrast_stretch(image)
        distance = np.abs(image - image[seed])
    # A pixel that differs by exactly the tolerance belongs to the region, whatever float32 makes of the two numbers.
    return flood(distance <= np.float32(tolerance + ROUNDING), seed, connectivity=2)


def dilate(mask, radius=1):
    """Add every pixel whose centre lies within a radius of the mask (R14).

    Parameters
    ----------
    mask : bool array of shape (H, W)
    radius : int, 1 to 500 [px]
        Of the structuring element, an exact disk: ``row² + column² <= radius²``.

    Returns
    -------
    bool array of shape (H, W)
    """
    mask, radius = as_mask(mask), _count(radius, "radius", LARGEST_RADIUS)
    result = np.zeros_like(mask)
    if mask.any():
        box = bounding_box(mask, margin=radius)
        result[box] = _dilate_disk(mask[box], radius)
    return result


def erode(mask, radius=1):
    """Take away every pixel that lies within a radius of the background (R14).

    What lies beyond the image counts as crack, so that a crack which leaves the picture is not eaten from its rim;
    ``imerode`` does the same. Parameters and result as in `dilate`.
    """
    mask, radius = as_mask(mask), _count(radius, "radius", LARGEST_RADIUS)
    result = np.zeros_like(mask)
    if mask.any():
        # One ring of background around the box is enough: what lies behind it is farther from every pixel inside.
        box = bounding_box(mask, margin=1)
        result[box] = ~_dilate_disk(~mask[box], radius)
    return result


def opening(mask, radius=1):
    """Remove what a disk of this radius does not fit into: erosion, then dilation (R14). See `dilate`."""
    return dilate(erode(mask, radius), radius)


def closing(mask, radius=1):
    """Close gaps that a disk of this radius does not fit into: dilation, then erosion (R14). See `dilate`.

    The image is widened meanwhile, so that its rim attracts nothing.
    """
    mask, radius = as_mask(mask), _count(radius, "radius", LARGEST_RADIUS)
    inside = (slice(radius, -radius), slice(radius, -radius))
    return erode(dilate(np.pad(mask, radius), radius), radius)[inside]


def fill_holes(mask):
    """Fill background that the mask encloses: what cannot reach the border in steps to four neighbours (``imfill``)."""
    mask = as_mask(mask)
    regions, count = ndimage.label(~mask)
    return mask | ~_touching(regions, count)[regions] & (regions > 0)


def clear_border(mask):
    """Remove the 8-connected regions that touch the image's border (``imclearborder``)."""
    mask = as_mask(mask)
    regions, count = ndimage.label(mask, EIGHT)
    return mask & ~_touching(regions, count)[regions]


def remove_small(mask, area):
    """Remove the 8-connected regions of fewer than ``area`` pixels (``bwareaopen``)."""
    mask, area = as_mask(mask), _count(area, "area", LARGEST_AREA)
    regions, _ = ndimage.label(mask, EIGHT)
    return mask & (np.bincount(regions.ravel()) >= area)[regions]


def _colour_distance(image, seed):
    """Return the squared distance in CIE L*a*b* of every pixel of an sRGB image to the seed's colour.

    scikit-image's ``rgb2lab`` takes twice as long, more than a second for five million pixels. Channels are summed one
    by one, since a matrix product may round differently by position.
    """
    if image.dtype.kind == "f":
        image = np.rint(image * 65535).astype(np.uint16)
    curve = np.linspace(0, 1, np.iinfo(image.dtype).max + 1)
    curve = np.where(curve > 0.04045, ((curve + 0.055) / 1.055) ** 2.4, curve / 12.92).astype(np.float32)
    red, green, blue = (curve[image[..., channel]] for channel in range(3))
    f = []
    for weights, white in zip(XYZ_FROM_RGB, D65, strict=True):
        share = sum(np.float32(w / white) * c for w, c in zip(weights, (red, green, blue), strict=True))
        root = np.cbrt(share)
        f.append(np.where(share > 0.008856, root, np.float32(7.787) * share + np.float32(16 / 116)))
    x, y, z = (values - values[seed] for values in f)
    return (116 * y) ** 2 + (500 * (x - y)) ** 2 + (200 * (y - z)) ** 2


def _dilate_disk(mask, radius):
    """Dilate by an exact disk: per row offset a horizontal run, grown pixel by pixel, is shifted and OR-ed in.

    About 4·radius passes over whole arrays, which is faster than a distance transform up to radii of hundreds.
    """
    result = np.zeros_like(mask)
    run, half = mask.copy(), 0  # the mask dilated by a horizontal run of 2·half + 1 pixels
    height = mask.shape[0]
    for offset in range(min(radius, height - 1), -1, -1):
        while (half + 1) ** 2 + offset**2 <= radius**2:
            half += 1
            run[:, half:] |= mask[:, :-half]
            run[:, :-half] |= mask[:, half:]
        result[offset:] |= run[: height - offset]
        result[: height - offset] |= run[offset:]
    return result


def _touching(regions, count):
    """Return for each label 0…count whether its region touches the border."""
    touching = np.zeros(count + 1, dtype=bool)
    for rim in (regions[0], regions[-1], regions[:, 0], regions[:, -1]):
        touching[rim] = True
    return touching


def _position(seed, size):
    """Check a pixel position and return it as two whole numbers."""
    row, column = (round(float(value)) for value in seed)
    if not (0 <= row < size[0] and 0 <= column < size[1]):
        raise ValueError(f"seed (row {row}, column {column}) lies outside the image of {size[0]}×{size[1]} px")
    return row, column


def _count(value, name, most):
    """Check a whole number of at least one, and return it."""
    if isinstance(value, bool) or not isinstance(value, numbers.Integral) or not 1 <= value <= most:
        raise ValueError(f"{name} must be a whole number from 1 to {most}, not {value!r}")
    return int(value)
