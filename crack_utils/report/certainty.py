"""How far a network's probabilities and measures can be trusted, as tables and as numbers for the book's prose."""

import numpy as np
import pandas as pd
from scipy import ndimage

from crack_utils.data.novelty import unlike

SEED = 0  # of the noise in `altered`


def calibration_table(calibration):
    """Return what the temperature and the chosen threshold change, one row a set.

    Parameters
    ----------
    calibration : Calibration

    Returns
    -------
    DataFrame
    """
    rows = {
        name: {
            "calibration error": found["expected_calibration_error_before"],
            "after": found["expected_calibration_error_after"],
            "mean IoU at 0.5": found["mean_iou"],
            f"at {calibration.threshold:g}": found["mean_iou_at_threshold"],
        }
        for name, found in calibration.measured.items()
    }
    return pd.DataFrame(rows).T


def bounds_table(calibration):
    """Return how far length and tip may be off, one row each, and how often that has held.

    Parameters
    ----------
    calibration : Calibration

    Returns
    -------
    DataFrame
        Empty where no specimens were left to measure errors on. Empty places: cracks were missed too often.
    """
    found = calibration.intervals
    rows = {
        name: {
            "off by at most [px]": found[name]["bound_px"],
            "in share of pictures": found["level"],
            "held": found[name]["coverage"],
            "least": found[name]["coverage_low"],
            "most": found[name]["coverage_high"],
        }
        for name in ("length", "tip")
        if name in found
    }
    return pd.DataFrame(rows, dtype=float).T


def altered(image):
    """Return a photograph as it is, and as other light, lenses and cameras might have taken it.

    Parameters
    ----------
    image : ndarray, float, shape (H, W), in [0, 1]

    Returns
    -------
    dict of ndarray
        By a name in words.
    """
    noise = np.random.default_rng(SEED).normal(0, 0.1, image.shape)
    changed = {
        "as it is": image,
        "a third of the light": image / 3,
        "overexposed": 0.6 + 0.6 * image,
        "half the contrast": 0.5 * image + 0.5 * image.mean(),
        "blurred by 1.5 px": ndimage.gaussian_filter(image, 1.5),
        "noise of 10 %": image + noise,
        "its negative": 1 - image,
    }
    return {name: np.clip(each, 0, 1).astype(np.float32) for name, each in changed.items()}


def unlike_table(versions, ranges):
    """Return what is said of each version of a photograph.

    Parameters
    ----------
    versions : dict of ndarray, float, shape (H, W), in [0, 1]
        By name, at the size at which the network sees them.
    ranges : dict
        `Calibration.ranges`.

    Returns
    -------
    DataFrame
        photograph, said.
    """
    said = [{"photograph": name, "said": "; ".join(unlike(each, ranges)) or "–"} for name, each in versions.items()]
    return pd.DataFrame(said)


def certainty_numbers(calibration):
    """Return what the page of certainty says in its prose.

    Parameters
    ----------
    calibration : Calibration
    """
    claimed = "test" if "test" in calibration.measured else "validation"
    return {
        "temperature": calibration.temperature,
        "threshold": calibration.threshold,
        "evaluated": claimed,
        **calibration.measured[claimed],
        "intervals": calibration.intervals,
    }
