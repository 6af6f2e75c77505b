"""Novelty: detect pictures that differ from the training pictures of a network, and describe the difference in words.

Four numbers describe a picture: brightness, contrast, sharpness and noise. For each, the range of all but 2 % of the
training pictures is stored. A picture gives a warning if it is outside by more than a quarter of that range, so that
rare but similar pictures give none. Four numbers cannot detect every difference: no warning does not mean "similar".
"""

import numpy as np
from scipy import ndimage

from crack_utils.runtime.typeset import number

LEFT_OUT = 0.01  # share of the training pictures excluded on each side
MARGIN = 0.25  # share of the range by which a picture must be outside for a warning
FEWEST = 1e-4  # [of the gray scale] smallest noise or contrast, so that the logarithm is finite

BAND = 2**20  # [px] of a picture that are looked at together
REACH = 5  # [px] rows above and below a band that its values depend on: of the blur, and of the slope

# Immerkær's filter: it does not respond to edges and slopes. Its response to white noise has 6 times its spread.
_NOISE = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], float)

WORDS = {
    "brightness": ("darker", "brighter"),
    "contrast": ("lower in contrast", "higher in contrast"),
    "sharpness": ("more blurred", "sharper"),
    "noise": ("less noisy", "noisier"),
}


def features(image):
    """Return four numbers that describe a picture.

    Parameters
    ----------
    image : ndarray, float, shape (H, W), in [0, 1]
        At least 3×3, at the size of the network's pictures, because sharpness and noise depend on the size.

    Returns
    -------
    dict of float
        brightness: mean gray value. contrast: standard deviation of the gray values. noise: standard deviation of white
        noise (Immerkær 1996). sharpness: mean slope [1/px] divided by the contrast. The last three are decimal
        logarithms.

    Raises
    ------
    ValueError
        If the image is smaller or has another number of axes.
    """
    image = np.asarray(image)
    if image.ndim != 2 or min(image.shape) < 3:
        raise ValueError(f"image must be (H, W) of at least 3×3, got shape {image.shape}")
    height, width = image.shape
    mean = float(image.mean(dtype=float))
    squares = slopes = responses = 0.0
    rows = max(1, BAND // width)
    for start in range(0, height, rows):  # in bands, or a photograph of 100 megapixels would need 6 GB
        first, end = max(0, start - REACH), min(height, start + rows)
        part = image[first : end + REACH].astype(float)
        inner = slice(start - first, end - first)
        squares += np.square(part[inner] - mean).sum()
        slopes += np.hypot(*np.gradient(ndimage.gaussian_filter(part, 1)))[inner].sum()
        # Without the picture's border, where the filter reaches beyond it.
        noise = slice(max(1, start) - first, min(height - 1, end) - first)
        responses += np.abs(ndimage.convolve(part, _NOISE)[noise, 1:-1]).sum()
    contrast = _logarithm(np.sqrt(squares / image.size))
    return {
        "brightness": mean,
        "contrast": contrast,
        "sharpness": _logarithm(slopes / image.size) - contrast,
        "noise": _logarithm(np.sqrt(np.pi / 2) / 6 * responses / ((height - 2) * (width - 2))),
    }


def ranges(images):
    """Return the range of each feature over the training pictures, without the outermost 1 % on each side.

    Parameters
    ----------
    images : sequence of ndarray, float, shape (H, W), in [0, 1]

    Returns
    -------
    dict of [low, high]

    Raises
    ------
    ValueError
        If there is no picture.
    """
    rows = [features(image) for image in images]
    if not rows:
        raise ValueError("ranges need at least one picture, got none")
    return {name: np.quantile([row[name] for row in rows], [LEFT_OUT, 1 - LEFT_OUT]).tolist() for name in WORDS}


def unlike(image, ranges):
    """Describe the ways in which a picture differs from the training pictures.

    Parameters
    ----------
    image : ndarray, float, shape (H, W), in [0, 1]
    ranges : dict
        From `ranges` for the training pictures, or `Calibration.ranges`.

    Returns
    -------
    list of str
        One text per difference, such as "much darker than all but 1 % of the training pictures (…)"; empty if none.

    Examples
    --------
    >>> trained = {"brightness": [0.3, 0.7], "contrast": [-2, -0.3], "sharpness": [-2, 0], "noise": [-5, 0]}
    >>> unlike(np.full((8, 8), 0.1) + np.eye(8) / 10, trained)
    ['much darker than all but 1\\xa0% of the training pictures (brightness 0.11; theirs 0.3 to 0.7)']
    """
    warnings = []
    for name, value in features(image).items():
        low, high = ranges[name]
        margin = MARGIN * (high - low)
        if low - margin <= value <= high + margin:
            continue
        word = WORDS[name][value > high]
        shown = [f"{_shown(name, number):.2g}" for number in (value, low, high)]
        warnings.append(
            f"much {word} than all but {number(LEFT_OUT, '.0%')} of the training pictures "
            f"({name} {shown[0]}; theirs {shown[1]} to {shown[2]})"
        )
    return warnings


def _logarithm(value):
    return float(np.log10(max(value, FEWEST)))


def _shown(name, value):
    return value if name == "brightness" else 10**value
