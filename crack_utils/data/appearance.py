"""Statistics of pictures of cracks: gray values, spectrum, and share, width and contrast of the crack.

They are used to compare synthetic pictures with photographs. Lengths are shares of the picture's height, so that
pictures of different sizes can be compared.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.ndimage import binary_dilation, distance_transform_edt
from skimage.morphology import skeletonize

from crack_utils.data.images import read_image
from crack_utils.data.masks import read_mask, read_parts
from crack_utils.data.pairs import find_pairs, spread
from crack_utils.data.sources import public_folder

GRAY_EDGES = np.linspace(0, 1, 65)
PUBLIC_SETS = {"cracktip_polymer": False, "crackforest": True}  # whether their masks are exact enough to be measured
_RING = 2, 6  # [px] distances from the crack at which its surroundings start and end; this excludes the blurred edge
_MEASURED = 24  # pictures of a group
_INTERVALS = 10  # of the distance from the tip, in `opening_curve`
_NEAREST, _FARTHEST = 0.08, 0.9  # of the distance from tip to mouth: closer there are few pixels, further is the mouth


@dataclass(frozen=True)
class Statistics:
    """Statistics of a group of pictures.

    Attributes
    ----------
    pictures : int
    gray : ndarray, shape (64,)
        Share of all pixels in each of the bins between `GRAY_EDGES`.
    frequency, power : ndarray, shape (n,)
        Mean power spectrum over rings of equal frequency [cycles/px of the reduced picture].
    share : ndarray, shape (measured,)
        Crack pixels of each picture by all its pixels.
    width : ndarray, shape (measured,)
        Median width of the crack in each picture, by the picture's height.
    contrast : ndarray, shape (measured,)
        Difference between the gray values of surroundings and crack, divided by that of the surroundings.
    from_tip, opening : ndarray, shape (m,)
        For every point of a primary crack with a labelled tip: distance from the tip divided by that of the farthest
        point, and width divided by the picture's height.
    """

    pictures: int
    gray: np.ndarray
    frequency: np.ndarray
    power: np.ndarray
    share: np.ndarray
    width: np.ndarray
    contrast: np.ndarray
    from_tip: np.ndarray
    opening: np.ndarray

    def numbers(self):
        """Return means, medians and exponents for tables and prose; NaN where nothing was measured."""
        centres = (GRAY_EDGES[1:] + GRAY_EDGES[:-1]) / 2
        return {
            "pictures": self.pictures,
            "gray_mean": float(self.gray @ centres),
            "spectrum_exponent": exponent(self.frequency[1:], self.power[1:]),
            **{name: _median(getattr(self, name)) for name in ("share", "width", "contrast")},
            "opening_exponent": exponent(*opening_curve(self)),
        }


def groups(pairs, height):
    """Return the statistics of a data set, one group per source, and of the real data sets that are available.

    Parameters
    ----------
    pairs : list of Pair
    height : int [px]
        Larger pictures are reduced by a whole number to about this height before spectrum and gray values are computed.

    Returns
    -------
    dict of Statistics
        Each of at most `_MEASURED` pictures, spread over the group. By source; then `cracktip_polymer` and
        `crackforest`, where they are present (`sources.public_folder`).
    """
    sources = {source: [pair for pair in pairs if pair.source == source] for source in [pair.source for pair in pairs]}
    statistics = {name: of_pairs(spread(members, _MEASURED), height) for name, members in sources.items()}
    for name, measured in PUBLIC_SETS.items():
        folder = public_folder(name)
        if name not in statistics and folder:
            statistics[name] = of_pairs(spread(find_pairs(folder), _MEASURED), height, measured)
    return statistics


def of_pairs(pairs, height, measured=True):
    """Return the statistics of the pictures and masks of a data set, to compare it with another.

    Parameters
    ----------
    pairs : list of Pair
    height : int [px]
        Pictures are reduced to about this height, so that data sets of different size can be compared.
    measured : bool
        If False, the statistics of the masks are left out.

    Returns
    -------
    Statistics
    """
    gray, spectra = np.zeros(len(GRAY_EDGES) - 1), []
    columns = {name: [] for name in ("share", "width", "contrast", "from_tip", "opening")}
    for pair in pairs:
        image = read_image(pair.image, pair.bits)
        reduced = _reduced(image, height)
        gray += np.histogram(reduced, GRAY_EDGES)[0] / reduced.size / len(pairs)
        spectra.append(power_spectrum(reduced))
        for name, values in _of_mask(pair, image).items() if measured else ():
            columns[name].extend(values)
    frequency = spectra[0][0]
    power = np.mean([np.interp(frequency, *spectrum) for spectrum in spectra], axis=0)
    arrays = {name: np.array(values, float) for name, values in columns.items()}
    return Statistics(len(pairs), gray, frequency, power, **arrays)


def power_spectrum(image):
    """Return a picture's power spectrum, averaged over rings of equal frequency.

    Parameters
    ----------
    image : ndarray, float, shape (H, W)

    Returns
    -------
    frequency : ndarray, shape (n,) [cycles/px]
        Centres of the rings, up to 0.5.
    power : ndarray, shape (n,)
        White noise of variance s² gives s² at every frequency.
    """
    window = np.outer(
        np.hanning(image.shape[0]), np.hanning(image.shape[1])
    )  # suppresses the effect of the picture's edges
    mean = (image * window).sum() / window.sum()
    power = np.abs(np.fft.rfft2((image - mean) * window)) ** 2 / (window**2).sum()
    frequency = np.hypot(np.fft.fftfreq(image.shape[0])[:, None], np.fft.rfftfreq(image.shape[1]))
    edges = np.linspace(0, 0.5, min(image.shape) // 2 + 1)
    ring = np.digitize(frequency.ravel(), edges) - 1
    inside = ring < len(edges) - 1
    total = np.bincount(ring[inside], power.ravel()[inside], len(edges) - 1)
    count = np.bincount(ring[inside], minlength=len(edges) - 1)
    return (edges[1:] + edges[:-1]) / 2, total / np.maximum(count, 1)


def widths(mask):
    """Return the points of a crack's skeleton, shape (n, 2), and its width at each of them [px].

    The width is twice the distance to the nearest background pixel, minus one. This is exact for a straight bar with an
    odd width. For an even width it is one pixel too small, because the middle lies between two pixels.
    """
    points = np.argwhere(skeletonize(mask))
    distance = distance_transform_edt(np.pad(mask, 1, mode="edge"))[1:-1, 1:-1]
    return points, 2 * distance[tuple(points.T)] - 1


def contrast(image, mask):
    """Return the contrast of a crack with its surroundings, from median gray values: 1 for black, 0 for none.

    Parameters
    ----------
    image : ndarray, float, shape (H, W), in [0, 1]
    mask : ndarray of bool, shape (H, W)
        With a crack.

    Returns
    -------
    float
        Negative for a bright crack; NaN if the crack has no surroundings in the picture.
    """
    near, far = (binary_dilation(mask, iterations=reach) for reach in _RING)
    ring = far & ~near
    if not ring.any():
        return np.nan
    around = np.median(image[ring])
    return float((around - np.median(image[mask])) / max(around, 1e-6))


def opening_curve(statistics):
    """Return how the opening of cracks grows with the distance from the tip, to fit a power law.

    Parameters
    ----------
    statistics : Statistics

    Returns
    -------
    distance, opening : ndarray, shape (n,)
        Middle of each interval (all of equal ratio), as a share of the farthest point's distance, and mean opening in
        it, as a share of the picture's height. Empty intervals are left out.
    """
    edges = np.geomspace(_NEAREST, _FARTHEST, _INTERVALS + 1)
    inside = [(statistics.from_tip >= low) & (statistics.from_tip < high) for low, high in pairwise(edges)]
    filled = [index for index, members in enumerate(inside) if members.any()]
    middle = np.sqrt(edges[1:] * edges[:-1])[filled]
    return middle, np.array([np.mean(statistics.opening[inside[index]]) for index in filled])


def exponent(x, y):
    """Return the exponent of a fitted power law, the slope in logarithms.

    Parameters
    ----------
    x, y : ndarray, shape (n,)
        Points with a value that is not positive are left out.

    Returns
    -------
    float
        NaN with fewer than three points.
    """
    usable = (x > 0) & (y > 0)
    if usable.sum() < 3:
        return float("nan")
    return float(np.polyfit(np.log(x[usable]), np.log(y[usable]), 1)[0])


def _median(values):
    return float(np.nanmedian(values)) if np.isfinite(values).any() else float("nan")


def _reduced(image, height):
    """Reduce a picture to about `height` rows by averaging whole blocks of pixels."""
    factor = max(1, round(image.shape[0] / height))
    rows, columns = (side // factor for side in image.shape)
    return image[: rows * factor, : columns * factor].reshape(rows, factor, columns, factor).mean(axis=(1, 3))


def _of_mask(pair, image):
    """Return the statistics of one mask as lists, by the names of `Statistics`; a list is empty without values."""
    mask = read_mask(pair.mask)
    if not mask.any():
        return {"share": [0.0]}
    statistics = {
        "share": [mask.mean()],
        "width": [np.median(widths(mask)[1]) / len(mask)],
        "contrast": [contrast(image, mask)],
    }
    primary = mask if pair.parts is None else read_parts(pair.parts) == 1
    if pair.tip is None or not primary.any():
        return statistics
    points, width = widths(primary)
    distance = np.hypot(*(points - np.array(pair.tip)).T)
    return {**statistics, "from_tip": distance / distance.max(), "opening": width / len(mask)}
