"""Losses that use the tip, compared with Dice: the study of tips, by the planned analysis and by the changed one."""

import math

import numpy as np
import pandas as pd

from crack_utils.geometry import TipErrors
from crack_utils.losses.registry import title
from crack_utils.metrics.intervals import bootstrap_of_few, interval
from crack_utils.runtime import paths
from crack_utils.study import tables as study_tables
from crack_utils.study.cases import SCALES

BASE = "dice"  # loss that the other variants of the study extend
SUCCESS = "found within 2 px"
RESAMPLES = 2000
DIAGONAL = math.hypot(*SCALES["tips"]["base"]["size"])  # [px] of the study's pictures
STUDY_SIZE = "{} × {}".format(*SCALES["tips"]["base"]["size"])  # of the study's pictures, in words


def read_study():
    """Return the tables of the study of tips; if they do not exist, print a message and return None."""
    try:
        return study_tables.read(study_tables.folder_of("tips"))
    except ValueError:
        print("The study of tips has not been trained yet: run `make study STUDY=tips`.")
        return None


def from_study(tables):
    """Return the tip errors of each variant of the study of tips, for all seeds together.

    Parameters
    ----------
    tables : Tables or None

    Returns
    -------
    dict of TipErrors
        Empty without tables.
    """
    if tables is None:
        return {}
    rows = tables.tips
    return {
        variant: TipErrors(rows.loc[rows["variant"] == variant, "tip_error"].to_numpy(float))
        for variant in dict.fromkeys(rows["variant"])
    }


def failures(tables):
    """Return the number of trainings of each variant that found no tip in any picture: a Series by variant."""
    counts = {name: (~np.isfinite(distances).any((1, 2))).sum() for name, distances in _errors(tables).items()}
    return pd.Series(counts, dtype=int)


def against_base(tables, diagonal=DIAGONAL):
    """Compare each variant of the study with the base loss on the same seeds and specimens.

    Seeds are excluded if one of the two trainings failed, so that no tip was found in any picture: such a training says
    nothing about the position of tips. `failures` counts these trainings.

    Parameters
    ----------
    tables : Tables or None
    diagonal : float [px]
        Error of a miss.

    Returns
    -------
    DataFrame
        One row per variant and measure: difference (variant − base), low and high (95 %; NaN with a single seed),
        seeds, and better: whether the interval excludes 0 on the better side. The measures are the median error over
        all pictures [px], as a mean over seeds, and the share of pictures with a tip found within 2 px.
        Intervals resample seeds and specimens.
    """
    if tables is None:
        return pd.DataFrame(columns=["variant", "measure", "difference", "low", "high", "seeds", "better"])
    by_variant = _errors(tables)
    rows = []
    for variant, errors in by_variant.items():
        if variant == BASE:
            continue
        worked = np.isfinite(errors).any((1, 2)) & np.isfinite(by_variant[BASE]).any((1, 2))
        own, base = (np.minimum(distances[worked], diagonal) for distances in (errors, by_variant[BASE]))
        for measure, limits in {
            "median error [px]": median_difference(own, base),
            SUCCESS: _share_difference(own, base),
        }.items():
            rows.append(_row(variant, measure, *limits, seeds=len(own)))
    return pd.DataFrame(rows)


def first_analysis(tables, diagonal=DIAGONAL):
    """Compare each variant with the base loss by the analysis that was planned before the first results were seen.

    The position error of a specimen is the median over its pictures; then the mean over seeds is taken. A training that
    found no tip at all is included, with each of its pictures as a miss. One such training can dominate the mean, so
    the analysis was changed to `against_base`. Both are reported, because a change after the results can favour a
    variant.

    Parameters
    ----------
    tables : Tables or None
        None gives an empty table.
    diagonal : float
        Error of a picture without a found tip, and the largest possible error [px].

    Returns
    -------
    DataFrame
        As from `against_base`.
    """
    if tables is None:
        return against_base(None)
    by_variant = {name: np.minimum(errors, diagonal) for name, errors in _errors(tables).items()}
    measured = {
        "median error [px]": {name: np.median(errors, axis=-1) for name, errors in by_variant.items()},
        SUCCESS: {name: (errors <= 2).mean(axis=-1) for name, errors in by_variant.items()},
    }
    rows = []
    for variant in by_variant:
        for measure, values in measured.items() if variant != BASE else ():
            difference = values[variant] - values[BASE]
            mean, low, high = difference.mean(), np.nan, np.nan
            if min(difference.shape) > 1:
                largest = 1.0 if measure == SUCCESS else diagonal
                limits = interval(difference, bounds=(-largest, largest))
                low, high = limits.low, limits.high
            rows.append(_row(variant, measure, mean, low, high, seeds=len(difference)))
    return pd.DataFrame(rows)


def interval_numbers():
    """Return in how many simulated studies the interval of `median_difference` holds, a dict for the page.

    Of `results/statistics_check.csv`, see `study.coverage`: the smallest and the largest share over its settings.
    """
    checked = pd.read_csv(paths.root() / "results" / "statistics_check.csv")
    rates = checked.loc[checked["check"] == "coverage of medians", "rate"]
    return {"median_held_least": float(rates.min()), "median_held_most": float(rates.max())}


def both_analyses(first, second):
    """Return the results of `first_analysis` and `against_base` one below the other, in the words of a page.

    Parameters
    ----------
    first, second : DataFrame
    """
    both = pd.concat({"first, as planned": first, "second, after the results": second}, names=["analysis", None])
    both = both.droplevel(1).reset_index()
    both = both.assign(variant=both["variant"].map(title), better=both["better"].map({True: "yes", False: "no"}))
    return both.rename(columns={"variant": "loss", "low": "95 % from", "high": "to", "better": "shown to help"})


def helping(compared):
    """Return which variants lower the median error, from `against_base` or `first_analysis`, as a text."""
    return ", ".join(map(title, _better(compared, compared["measure"] != SUCCESS))) or "none"


def helping_within_2(first, second):
    """Return which variants raise the share of tips within 2 px by both analyses, as a text.

    Parameters
    ----------
    first, second : DataFrame
        From `first_analysis` and `against_base`.
    """
    by_first, by_second = (_better(compared, compared["measure"] == SUCCESS) for compared in (first, second))
    return ", ".join(title(variant) for variant in by_first if variant in by_second) or "none"


def _better(compared, rows):
    return compared[rows & compared["better"].astype(bool)]["variant"].tolist()


def _row(variant, measure, difference, low, high, seeds):
    """Return a row of a comparison; better: whether the whole interval lies on the better side of 0."""
    better = low > 0 if measure == SUCCESS else high < 0
    limits = {"difference": float(difference), "low": float(low), "high": float(high)}
    return {"variant": variant, "measure": measure, **limits, "seeds": seeds, "better": bool(better)}


def _errors(tables):
    """Return, by variant, an array of tip errors [px] of shape (seeds, specimens, pictures)."""
    cube = {}
    for variant, rows in tables.tips.groupby("variant", sort=False):
        rows = rows.sort_values(["seed", "specimen", "name"])
        shape = (rows["seed"].nunique(), rows["specimen"].nunique(), -1)
        cube[variant] = rows["tip_error"].to_numpy(float).reshape(shape)
    return cube


def median_difference(own, base, resamples=RESAMPLES):
    """Return the difference of median errors, as a mean over seeds, with its 95 % interval.

    Parameters
    ----------
    own, base : ndarray, shape (seeds, specimens, pictures)
        Finite errors of the same pictures [px].
    resamples : int
        Of seeds and specimens.

    Returns
    -------
    difference, low, high : float
        From `bootstrap_of_few`; NaN without a seed.
    """

    def difference(seeds, specimens):
        chosen = (errors[np.ix_(seeds, specimens)].reshape(len(seeds), -1) for errors in (own, base))
        return np.subtract(*(np.median(errors, axis=1).mean() for errors in chosen))

    if not len(own):
        return np.nan, np.nan, np.nan
    return bootstrap_of_few(difference, *own.shape[:2], resamples=resamples)


def _share_difference(own, base):
    values = (own <= 2).mean(axis=-1) - (base <= 2).mean(axis=-1)
    if not values.size:
        return np.nan, np.nan, np.nan
    if min(values.shape) < 2:
        return values.mean(), np.nan, np.nan
    found = interval(values, bounds=(-1, 1))
    return found.mean, found.low, found.high
