"""Active contours: move the boundary of a rough mask to the boundary of the crack (R13).

Morphological contours after Márquez-Neila, Baumela and Álvarez (2014), as in scikit-image, with three differences:

* The smoothing operators alternate from the start of each call. scikit-image stores their order in a module, so the
  same call can give different results, and a recipe would not be reproducible.
* Only a band around the given mask is used. This is fast on large photographs, the contour compares the crack with its
  own surroundings, and a leak cannot spread beyond the band.
* Sums are sums of integers, so rotated and mirrored pictures give exactly the rotated and mirrored mask.
"""

from numbers import Integral

import numpy as np
from scipy import ndimage

from crack_utils.data.contrast import as_unit
from crack_utils.geometry.skeleton import box_of
from crack_utils.labelling.arrays import as_mask, check_count, check_same_size
from crack_utils.labelling.tools import LARGEST_RADIUS, dilate

METHODS = ("chan_vese", "edge")
LEVELS = 65535  # number of integer gray values
SIGMA = 1.5  # [px] scale at which "edge" detects edges: below the width of a crack
STEEPNESS = 100.0  # how strongly an edge stops the contour
MOST_ITERATIONS, MOST_SMOOTHING = 2000, 10  # beyond these it takes minutes on a photograph
LINES = ((0, 1), (1, 0), (1, 1), (1, -1))  # directions of the three-pixel lines of the smoothing


def active_contour(image, mask, iterations=100, method="chan_vese", reach=20, smoothing=1, progress=None):
    """Move a mask's boundary to the boundary in the image (R13).

    Parameters
    ----------
    image : array of shape (H, W) or (H, W, 3)
    mask : bool array of shape (H, W)
        The initial mask.
    iterations : int, 1 to 2000
        Largest number of iterations. The evolution ends earlier if it repeats itself, with the same result.
    method : {"chan_vese", "edge"}
        "chan_vese" assigns each pixel at the boundary to the side, mask or surroundings, with the closer mean value
        (Chan and Vese 2001). "edge" contracts the mask until it reaches edges (geodesic contours, Caselles 1997). It
        needs gray images, and an initial mask around the crack.
    reach : int, 1 to 500 [px]
        Largest distance that the boundary may move outwards; also the width of the surroundings used for comparison.
    smoothing : int, 0 to 10
        Smoothing steps per iteration. 0 follows every speckle; 1 removes details of one pixel.
    progress : callable, optional
        Called after every iteration with (iteration, iterations, number of pixels that changed).

    Returns
    -------
    bool array of shape (H, W)

    Raises
    ------
    ValueError
        If sizes differ, the mask is empty, the method is unknown, "edge" is used with colour, or a count is out of
        range.
    """
    check_contour(iterations, method, reach, smoothing)
    image, mask = as_unit(image), as_mask(mask)
    check_same_size(image, mask)
    if not mask.any():
        raise ValueError("the mask is empty: an active contour needs a region to start from")
    if method == "edge" and image.ndim == 3:
        raise ValueError('method "edge" is for gray images; use "chan_vese" for colour')
    box = box_of(mask, margin=reach + 1)
    start = mask[box]
    band = dilate(start, reach)
    step = (_region_step if method == "chan_vese" else _edge_step)(image[box], band)
    result = np.zeros_like(mask)
    result[box] = _evolve(start, band, step, iterations, smoothing, progress)
    return result


def check_contour(iterations, method, reach, smoothing):
    """Check the arguments of `active_contour` other than image and mask.

    Parameters
    ----------
    iterations, method, reach, smoothing
        As for `active_contour`.

    Raises
    ------
    ValueError
        If an argument is invalid; the message says what is valid.
    """
    check_count(iterations, "iterations", MOST_ITERATIONS)
    check_count(reach, "reach", LARGEST_RADIUS)
    if smoothing != 0 or not isinstance(smoothing, Integral):
        check_count(smoothing, "smoothing", MOST_SMOOTHING)
    if method not in METHODS:
        raise ValueError(f"unknown method {method!r}; valid are {', '.join(METHODS)}")


def _evolve(start, band, step, iterations, smoothing, progress):
    """Iterate step and smoothing until the end, or until the state of two iterations ago returns.

    The next state depends on the mask and on the order of the smoothing operators. Two iterations use an even number of
    operators. If the same mask returns after two iterations, the evolution therefore repeats itself with period two.
    The final mask is then one of the last two, depending on the number of remaining iterations.
    """
    before, current, turn = None, start, 0
    for iteration in range(1, iterations + 1):
        following = step(current)
        for _ in range(smoothing):
            following = _smooth(following, turn % 2 == 0) & band
            turn += 1
        if progress is not None:
            progress(iteration, iterations, int(np.count_nonzero(following != current)))
        if before is not None and np.array_equal(following, before):
            return following if (iterations - iteration) % 2 == 0 else current
        before, current = current, following
    return current


def _region_step(image, band):
    """Return the step of Chan and Vese: pixels at the boundary go to the side with the closer mean."""
    levels = np.rint(image * LEVELS).astype(np.int64).reshape(*image.shape[:2], -1)  # (height, width, channels)
    total, pixels = levels[band].sum(axis=0), np.count_nonzero(band)

    def step(current):
        inside = np.count_nonzero(current)
        if inside in (0, pixels):
            return current
        sum_inside = levels[current].sum(axis=0)
        mean_inside, mean_outside = sum_inside / inside, (total - sum_inside) / (pixels - inside)
        boundary = np.nonzero(_boundary(current) & band)
        values = levels[boundary]  # (pixels at the boundary, channels)
        balance = ((values - mean_inside) ** 2 - (values - mean_outside) ** 2).sum(axis=1)
        following = current.copy()
        following[boundary] = np.where(balance == 0, current[boundary], balance < 0)
        return following

    return step


def _edge_step(image, band):
    """Return the step of geodesic contours: contract where the picture is flat, and stop at edges."""
    calm = np.rint(LEVELS / np.sqrt(1 + STEEPNESS * _gradient_magnitude(image))).astype(np.int64)  # small at edges
    flat = calm > np.percentile(calm[band], 40)
    slope = [ahead - behind for ahead, behind in _neighbours(calm)]

    def step(current):
        following = current & (_shrink(current) | ~flat)
        boundary = np.nonzero(_boundary(following) & band)
        pull = np.zeros(len(boundary[0]), dtype=np.int64)
        for (ahead, behind), along in zip(_neighbours(following), slope, strict=True):
            pull += along[boundary] * (ahead[boundary].astype(np.int64) - behind[boundary])
        following[boundary] = np.where(pull == 0, following[boundary], pull > 0)
        return following

    return step


def _boundary(mask):
    """Return the pixels where the mask's central difference is not zero: a line on either side of the boundary."""
    (below, above), (right, left) = _neighbours(mask)
    return (below ^ above) | (right ^ left)


def _neighbours(values):
    """Return, for both axes, the next and previous values of an array; border values are repeated."""
    padded = np.pad(values, 1, mode="edge")
    return (padded[2:, 1:-1], padded[:-2, 1:-1]), (padded[1:-1, 2:], padded[1:-1, :-2])


def _shrink(mask):
    """Erode by a square of three pixels; pixels beyond the border are ignored."""
    for axis in (0, 1):
        ahead, behind = _neighbours(mask)[axis]
        mask = mask & ahead & behind
    return mask


def _gradient_magnitude(image):
    """Return the length of the gradient at scale SIGMA."""
    image = image.astype(np.float64)
    return np.sqrt(_derivative(image, 0) ** 2 + _derivative(image, 1) ** 2)


def _derivative(image, axis):
    """Return the derivative along an axis; the mean of both orders of the axes is exact under rotation by 90°."""
    derive = {"sigma": SIGMA, "axis": axis, "order": 1, "mode": "nearest"}
    smooth = {"sigma": SIGMA, "axis": 1 - axis, "order": 0, "mode": "nearest"}
    one = ndimage.gaussian_filter1d(ndimage.gaussian_filter1d(image, **derive), **smooth)
    other = ndimage.gaussian_filter1d(ndimage.gaussian_filter1d(image, **smooth), **derive)
    return (one + other) / 2


def _smooth(mask, opening_first):
    """Smooth the boundary by one pixel: the operators SI∘IS and IS∘SI of Márquez-Neila, in turn."""
    return _thin(_thick(mask)) if opening_first else _thick(_thin(mask))


def _thin(mask):
    """SI: keep a pixel when one of the four lines of three pixels through it lies in the mask."""
    padded = np.pad(mask, 1, mode="edge")
    return mask & np.logical_or.reduce([_shift(padded, d) & _shift(padded, (-d[0], -d[1])) for d in LINES])


def _thick(mask):
    """IS: add a pixel when each of the four lines of three pixels through it meets the mask."""
    padded = np.pad(mask, 1, mode="edge")
    return mask | np.logical_and.reduce([_shift(padded, d) | _shift(padded, (-d[0], -d[1])) for d in LINES])


def _shift(padded, offset):
    """Return the mask moved by an offset of at most one pixel, from its padded version."""
    row, column = offset
    height, width = padded.shape
    return padded[1 + row : height - 1 + row, 1 + column : width - 1 + column]
