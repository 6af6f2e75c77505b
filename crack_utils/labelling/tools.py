"""Flood fill and morphology as functions on NumPy arrays (R11, R14).

The results follow MATLAB's Image Segmenter, which made the report's masks. Every function returns a new array. A
rotated or mirrored input gives exactly the rotated or mirrored mask.
"""

from numbers import Real

import numpy as np
from scipy import ndimage

from crack_utils.data.contrast import check_image, contrast_stretch
from crack_utils.geometry.skeleton import EIGHT, box_of
from crack_utils.labelling.arrays import as_mask, check_count

XYZ_FROM_RGB = ((0.412453, 0.357580, 0.180423), (0.212671, 0.715160, 0.072169), (0.019334, 0.119193, 0.950227))
D65 = (0.95047, 1.0, 1.08883)  # white point of daylight, 2° observer
ROUNDING = 1e-6  # far below one gray value of 16 bits

# Beyond these a step would take minutes on a photograph, and the number is a slip.
LARGEST_RADIUS = 500  # [px]
LARGEST_AREA = 10**9  # [px²]


def flood_fill(image, seed, tolerance=0.05):
    """Select the pixels that are connected to a seed and look like it (R11).

    Parameters
    ----------
    image : array of shape (H, W) or (H, W, 3)
        The contrast of gray images is stretched first, and the difference from the seed must be at most the tolerance.
        Colour images are compared in CIE L*a*b*: the squared distance to the seed's colour, divided by the largest one
        in the image, must be at most the tolerance.
    seed : (row, column) [px]
    tolerance : float in [0, 1]

    Returns
    -------
    bool array of shape (H, W)
        The 8-connected region that contains the seed, as with MATLAB's ``grayconnected``.

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
    if not isinstance(tolerance, Real) or not 0 <= tolerance <= 1:
        raise ValueError(f"tolerance must lie in [0, 1], not {tolerance!r}")
    image = check_image(image)
    seed = _position(seed, image.shape[:2])
    if image.ndim == 3:
        distance = _colour_distance(image, seed)
        distance /= max(distance.max(), np.finfo(np.float32).tiny)  # in a picture of one colour all distances are 0
    else:
        image = contrast_stretch(image)
        distance = np.abs(image - image[seed])
    # A pixel with a difference of exactly the tolerance belongs to the region, in spite of float32 rounding.
    regions, _ = ndimage.label(distance <= np.float32(tolerance + ROUNDING), EIGHT)
    return regions == regions[seed]


def dilate(mask, radius=1):
    """Add all pixels within a radius of the mask (R14), for a mask that is too narrow.

    Parameters
    ----------
    mask : bool array of shape (H, W)
    radius : int, 1 to 500 [px]
        Radius of the structuring element, an exact disk: ``row² + column² <= radius²``.

    Returns
    -------
    bool array of shape (H, W)
    """
    mask, radius = as_mask(mask), check_count(radius, "radius", LARGEST_RADIUS)
    result = np.zeros_like(mask)
    if mask.any():
        box = box_of(mask, margin=radius)
        result[box] = _dilate_disk(mask[box], radius)
    return result


def erode(mask, radius=1):
    """Remove all pixels within a radius of the background (R14), for a mask that is too wide.

    Pixels beyond the image count as crack, so that a crack at the border is not shortened; ``imerode`` does the same.
    Parameters and result as in `dilate`.
    """
    mask, radius = as_mask(mask), check_count(radius, "radius", LARGEST_RADIUS)
    result = np.zeros_like(mask)
    if mask.any():
        # One ring of background around the box is enough, because all other background is further away.
        box = box_of(mask, margin=1)
        result[box] = ~_dilate_disk(~mask[box], radius)
    return result


def opening(mask, radius=1):
    """Remove parts into which a disk of this radius does not fit: erosion, then dilation (R14). See `dilate`."""
    return dilate(erode(mask, radius), radius)


def closing(mask, radius=1):
    """Close gaps into which a disk of this radius does not fit: dilation, then erosion (R14). See `dilate`.

    The image is padded during the operation, so that its border has no effect.
    """
    mask, radius = as_mask(mask), check_count(radius, "radius", LARGEST_RADIUS)
    inside = (slice(radius, -radius), slice(radius, -radius))
    return erode(dilate(np.pad(mask, radius), radius), radius)[inside]


def fill_holes(mask):
    """Fill background enclosed by the mask, that is not 4-connected with the border (``imfill``).

    Parameters
    ----------
    mask : bool array of shape (H, W)

    Returns
    -------
    bool array of shape (H, W)
    """
    mask = as_mask(mask)
    regions, count = ndimage.label(~mask)
    return mask | ~_touching(regions, count)[regions] & (regions > 0)


def clear_border(mask):
    """Remove the 8-connected regions that touch the image's border (``imclearborder``).

    Parameters
    ----------
    mask : bool array of shape (H, W)

    Returns
    -------
    bool array of shape (H, W)
    """
    mask = as_mask(mask)
    regions, count = ndimage.label(mask, EIGHT)
    return mask & ~_touching(regions, count)[regions]


def remove_small(mask, area):
    """Remove the 8-connected regions of fewer than ``area`` pixels (``bwareaopen``).

    Parameters
    ----------
    mask : bool array of shape (H, W)
    area : int [px]

    Returns
    -------
    bool array of shape (H, W)
    """
    mask, area = as_mask(mask), check_count(area, "area", LARGEST_AREA)
    regions, _ = ndimage.label(mask, EIGHT)
    return mask & (np.bincount(regions.ravel()) >= area)[regions]


def _colour_distance(image, seed):
    """Return the squared distance in CIE L*a*b* of every pixel of an sRGB image to the seed's colour.

    scikit-image's ``rgb2lab`` takes twice as long, more than a second for five million pixels. Channels are summed one
    by one, because a matrix product may round differently at different positions.
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
    """Dilate by an exact disk: for each row offset, a horizontal run is widened, shifted and combined by OR.

    This takes about 4·radius passes over whole arrays, and is faster than a distance transform up to radii of hundreds.
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
    """Return, for the labels 0 to count, whether their regions touch the border."""
    touching = np.zeros(count + 1, dtype=bool)
    for rim in (regions[0], regions[-1], regions[:, 0], regions[:, -1]):
        touching[rim] = True
    return touching


def _position(seed, size):
    """Check a pixel position and return it as two whole numbers."""
    try:
        row, column = (round(float(value)) for value in seed)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"seed must be a (row, column) pair, not {seed!r}") from None
    if not (0 <= row < size[0] and 0 <= column < size[1]):
        raise ValueError(f"seed (row {row}, column {column}) lies outside the image of {size[0]}×{size[1]} px")
    return row, column
