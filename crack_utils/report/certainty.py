"""Tables and numbers on the reliability of a network's probabilities and measures, for the book."""

import math

import numpy as np
import pandas as pd
from scipy import ndimage, stats

from crack_utils.data.novelty import unlike
from crack_utils.evaluation import conformal
from crack_utils.inference.certainty import why_no_bound
from crack_utils.study import default_tips

SEED = 0  # of the noise in `altered`, and of the halves in `coverage_table`
OUTSIDE = 0.05  # chance that a share lies outside of its range although the promise holds
LOOKS = {  # of the committed tables of hundreds of specimens
    "usual": "network trained for such specimens",
    "plates": "default model, plates drawn by other means",
    "wide": "default model, specimens of all kinds",
}


def calibration_table(calibration):
    """Return a table of the effect of the temperature and the chosen threshold, one row per set.

    Parameters
    ----------
    calibration : Calibration

    Returns
    -------
    DataFrame
    """
    rows = {
        name: {
            "calibration error": measured["expected_calibration_error_before"],
            "after": measured["expected_calibration_error_after"],
            "mean IoU at 0.5": measured["mean_iou"],
            f"at {calibration.threshold:g}": measured["mean_iou_at_threshold"],
        }
        for name, measured in calibration.measured.items()
    }
    return pd.DataFrame(rows).T


def bounds_table(calibration):
    """Return the error bounds of length and tip and their measured coverage, one row for each.

    Parameters
    ----------
    calibration : Calibration

    Returns
    -------
    DataFrame
        Empty if there is no test set. Where there is no bound, NaN, and a column "why there is no bound" says why.
    """
    intervals = calibration.intervals
    rows = {
        name: {
            "error at most [px]": intervals[name]["bound_px"],
            "in share of pictures": intervals["level"],
            "covered": intervals[name]["coverage"],
            "least": intervals[name]["coverage_low"],
            "most": intervals[name]["coverage_high"],
        }
        for name in ("length", "tip")
        if name in intervals
    }
    table = pd.DataFrame(rows, dtype=float).T
    without = [name for name in rows if intervals[name]["bound_px"] is None]
    return table.join(pd.Series(why_no_bound(intervals), without, name="why there is no bound")) if without else table


def coverage_table(read=default_tips.stored):
    """Return how often the bounds hold on hundreds of specimens, on which nothing was chosen.

    A wrong end of the crack and a miss are errors like others (a miss is an infinite one). A half of the specimens,
    drawn at random, gives the bound, once, and the other half tests it.

    Parameters
    ----------
    read : callable, optional
        Returns the table of `study.default_tips` for looks, or None.

    Returns
    -------
    DataFrame
        A row for the length and the tip of each committed table: specimens that give the bound; error at most [px], NaN
        if so many cracks are missed that there is no bound; promised; tested, the number of other specimens; covered,
        the share of these that the bound holds for; "if it holds, from" and "to", the range of 95 % of such shares if
        the promise holds. It is that of the beta-binomial distribution, because the bound comes from a sample too
        (Vovk 2012, arXiv:1209.2673).
    """
    rows = {}
    for looks, title in LOOKS.items():
        table = read(looks)
        for what, column in (("length", "length_error_px"), ("tip", "error_px")):
            errors = None if table is None else table.get(column)
            if errors is None or errors.notna().sum() < 2:
                continue
            first = np.isin(np.arange(len(table)), _half(len(table)))
            fitted, tested = (errors[which].dropna() for which in (first, ~first))
            bound = conformal.bound(fitted, np.arange(len(fitted)), conformal.LEVEL)
            finite = np.isfinite(bound)
            least, most = _shares_if_it_holds(len(fitted), len(tested), conformal.LEVEL)
            rows[f"{title}: {what}"] = {
                "specimens": len(fitted),
                "error at most [px]": bound if finite else np.nan,
                "promised": conformal.LEVEL,
                "tested": len(tested),
                "covered": (tested <= bound).mean() if finite else np.nan,
                "if it holds, from": least,
                "to": most,
            }
    return pd.DataFrame(rows).T


def bounds_inside(table):
    """Return how many covered shares of a `coverage_table` lie in their ranges, and how many shares there are."""
    known = table.dropna(subset="covered") if len(table) else table
    if not len(known):
        return 0, 0
    inside = known["covered"].between(known["if it holds, from"] - 1e-9, known["to"] + 1e-9)
    return int(inside.sum()), len(known)


def _half(count):
    """Return the numbers of a half of the specimens; at random, since kind and moment depend on a specimen's number."""
    return np.random.default_rng(SEED).permutation(count)[: count // 2]


def _shares_if_it_holds(fitted, tested, level):
    """Return the 95 % range of the share of new specimens within the bound of a sample; NaN if it has no bound."""
    rank = math.ceil(level * (fitted + 1) - 1e-9)  # of the error that is the bound, in order of size
    if rank > fitted:
        return np.nan, np.nan
    return tuple(np.array(stats.betabinom.interval(1 - OUTSIDE, tested, rank, fitted + 1 - rank)) / tested)


def altered(image):
    """Return a photograph and changed versions of it, as with other lighting, lenses and cameras.

    Parameters
    ----------
    image : ndarray, float, shape (H, W), in [0, 1]

    Returns
    -------
    dict of ndarray
        By a title.
    """
    noise = np.random.default_rng(SEED).normal(0, 0.1, image.shape)
    changed = {
        "original": image,
        "a third of the light": image / 3,
        "overexposed": 0.6 + 0.6 * image,
        "half the contrast": 0.5 * image + 0.5 * image.mean(),
        "blurred by 1.5 px": ndimage.gaussian_filter(image, 1.5),
        "noise of 10 %": image + noise,
        "its negative": 1 - image,
    }
    return {name: np.clip(version, 0, 1).astype(np.float32) for name, version in changed.items()}


def unlike_table(versions, ranges):
    """Return a table of the warnings for each version of a photograph.

    Parameters
    ----------
    versions : dict of ndarray, float, shape (H, W), in [0, 1]
        By title, at the size of the network's pictures.
    ranges : dict
        `Calibration.ranges`.

    Returns
    -------
    DataFrame
        photograph, warning; "–" without one.
    """
    rows = [
        {"photograph": name, "warning": "; ".join(unlike(version, ranges)) or "–"} for name, version in versions.items()
    ]
    return pd.DataFrame(rows)


def certainty_numbers(calibration):
    """Return the values for the prose of the page on certainty.

    Parameters
    ----------
    calibration : Calibration
    """
    claimed = "test" if "test" in calibration.measured else "validation"
    table = coverage_table()
    inside, bounds = bounds_inside(table)
    return {
        "bounds": bounds,
        "bounds_inside": inside,
        "bounds_chance": 1 - (1 - OUTSIDE) ** bounds,
        "temperature": calibration.temperature,
        "evaluated": claimed,
        **calibration.measured[claimed],
    }
