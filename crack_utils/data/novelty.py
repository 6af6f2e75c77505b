"""Is a new picture like those that a network was trained on? If not: in which way, in words.

Four numbers tell what a picture looks like without its crack. Of each, the range of all but 2 % of the training
pictures is kept; a picture counts as unlike them if it lies outside by more than a quarter of that range, so that what
is only rare raises no alarm. A picture can be unlike in ways that no such number sees: silence is no promise.
"""

import numpy as np
from scipy import ndimage

LEFT_OUT = 0.01  # of the training pictures on either side
MARGIN = 0.25  # of the range: how far outside a picture is called unlike
FEWEST = 1e-4  # [of the gray scale] a noise or a contrast below this is none, and its logarithm no number

# Immerkær's mask: blind to edges and slopes. Its response to white noise has 6 times the noise's spread.
_NOISE = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], float)

WORDS = {
    "brightness": ("darker", "brighter"),
    "contrast": ("flatter", "richer in contrast"),
    "sharpness": ("more blurred", "sharper"),
    "noise": ("smoother", "noisier"),
}


def features(image):
    """Return what a picture looks like, as numbers.

    Parameters
    ----------
    image : ndarray, float, shape (H, W), in [0, 1]
        At least 3×3, at the size at which the network sees it: sharpness and noise depend on that.

    Returns
    -------
    dict of float
        brightness: mean gray value. contrast: spread of the gray values. noise: spread of white noise (Immerkær
        1996). sharpness: mean slope [1/px] by the contrast. The last three as decimal logarithms.
    """
    image = np.asarray(image, float)
    if image.ndim != 2 or min(image.shape) < 3:
        raise ValueError(f"image must be (H, W) of at least 3×3, got shape {image.shape}")
    # Only where the mask lies inside the picture.
    response = ndimage.convolve(image, _NOISE)[1:-1, 1:-1]
    slope = np.hypot(*np.gradient(ndimage.gaussian_filter(image, 1)))
    return {
        "brightness": float(image.mean()),
        "contrast": _logarithm(image.std()),
        "sharpness": _logarithm(slope.mean()) - _logarithm(image.std()),
        "noise": _logarithm(np.sqrt(np.pi / 2) / 6 * np.abs(response).mean()),
    }


def ranges(images):
    """Return the range of each feature over the training pictures, the outermost 1 % on either side left out.

    Parameters
    ----------
    images : sequence of ndarray, float, shape (H, W), in [0, 1]

    Returns
    -------
    dict of [low, high]
    """
    rows = [features(image) for image in images]
    if not rows:
        raise ValueError("ranges need at least one picture, got none")
    return {name: np.quantile([row[name] for row in rows], [LEFT_OUT, 1 - LEFT_OUT]).tolist() for name in WORDS}


def unlike(image, ranges):
    """Say in which ways a picture is unlike the training pictures.

    Parameters
    ----------
    image : ndarray, float, shape (H, W), in [0, 1]
    ranges : dict
        As `ranges` returned it for the training pictures, from `Calibration.ranges`.

    Returns
    -------
    list of str
        One sentence a way, such as "darker than all but 1 % of the training pictures, by far (…)"; empty if none.

    Examples
    --------
    >>> trained = {"brightness": [0.3, 0.7], "contrast": [-2, -0.3], "sharpness": [-2, 0], "noise": [-5, 0]}
    >>> unlike(np.full((8, 8), 0.1) + np.eye(8) / 10, trained)
    ['darker than all but 1 % of the training pictures, by far (brightness 0.11; theirs 0.3 to 0.7)']
    """
    said = []
    for name, value in features(image).items():
        low, high = ranges[name]
        margin = MARGIN * (high - low)
        if low - margin <= value <= high + margin:
            continue
        word = WORDS[name][value > high]
        shown = [f"{_shown(name, each):.2g}" for each in (value, low, high)]
        said.append(
            f"{word} than all but {LEFT_OUT:.0%} of the training pictures, by far "
            f"({name} {shown[0]}; theirs {shown[1]} to {shown[2]})".replace("1%", "1 %")
        )
    return said


def _logarithm(value):
    return float(np.log10(max(value, FEWEST)))


def _shown(name, value):
    return value if name == "brightness" else 10**value
