"""How well crack tips are found: from true masks, by trained networks, and with losses that know of tips; as tables."""

import math

import numpy as np
import pandas as pd

from crack_utils.data import find_pairs, read_mask, synthetic
from crack_utils.data.masks import read_parts
from crack_utils.geometry import TipErrors, find_tip, tip_errors
from crack_utils.losses.registry import title
from crack_utils.metrics.intervals import interval
from crack_utils.runtime import paths
from crack_utils.study import tables as study_tables
from crack_utils.study.cases import SCALES

SIZE = (512, 640)  # [px] the report's
BASE = "dice"  # on which the other variants of the study build
SUCCESS = "found within 2 px"
RESAMPLES = 2000
DIAGONAL = math.hypot(*SCALES["tips"]["base"]["size"])  # [px] of the study's pictures


def held_out(experiment, specimens=12, frames=2, size=SIZE):
    """Return pairs of new synthetic specimens at the report's size; made if they are not there yet.

    Parameters
    ----------
    experiment : Experiment
        Whose specimens these are not.
    specimens, frames : int
    size : (height, width) [px]

    Returns
    -------
    list of Pair
    """
    seed = experiment.data_seed + 2  # the next one's are the page of growth's
    folder = paths.data() / "tips-v{}-{}x{}-{}x{}-{}".format(synthetic.VERSION, specimens, frames, *size, seed)
    synthetic.generate(folder, specimens=specimens, frames=frames, size=size, seed=seed)
    return find_pairs(folder / "old", folder / "new")


def from_true_masks(pairs):
    """Return how far the tip that geometry finds in true masks lies from the true one.

    Parameters
    ----------
    pairs : list of Pair
        With tips and parts.

    Returns
    -------
    dict of TipErrors
        "mask of the primary crack" and "mask of all cracks".
    """
    true = [pair.tip for pair in pairs]
    masks = {
        "mask of the primary crack": [read_parts(pair.parts) == 1 for pair in pairs],
        "mask of all cracks": [read_mask(pair.mask) for pair in pairs],
    }
    return {name: tip_errors(true, [find_tip(mask) for mask in each]) for name, each in masks.items()}


def from_runs(runs):
    """Return how far the tips in predictions lie from the true ones, in pixels of the network's picture.

    Parameters
    ----------
    runs : list of Run
        Evaluated before.

    Returns
    -------
    dict of TipErrors
        By the loss's title; pictures whose true tip is not known are left out, and runs without any other.
    """
    errors = {}
    for run in runs:
        known = pd.read_csv(run.folder / "measures.csv")["tip_error"].dropna().to_numpy(float)
        if known.size:
            loss = run.experiment.loss
            errors[title(loss)] = TipErrors(known)
    return errors


def from_study(tables):
    """Return the tip errors of each variant of the study of tips, all seeds together.

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


def read_study():
    """Return the tables of the study of tips; None, and say so, where nobody has trained it."""
    try:
        return study_tables.read(study_tables.folder_of("tips"))
    except ValueError:
        print("The study of tips has not been trained: `make study STUDY=tips` does it.")
        return None


def table(errors):
    """Return tip errors as a table, one row a name.

    Parameters
    ----------
    errors : dict of TipErrors

    Returns
    -------
    DataFrame
        median and 90th percentile [px], shares of all pictures found within 2, 5 and 10 px, misses, pictures.
    """
    rows = {}
    for name, each in errors.items():
        found = each.summary()
        rows[name] = {
            "median [px]": found["median"],
            "90 % [px]": found["percentile_90"],
            **{f"found within {radius} px": found[f"success_{radius}"] for radius in (2, 5, 10)},
            "misses": found["misses"],
            "pictures": found["count"],
        }
    whole = {name: int for name in ("misses", "pictures") if rows}
    return pd.DataFrame(rows, dtype=object).T.astype(float).astype(whole)


def against_base(tables, diagonal=DIAGONAL):
    """Compare each variant of the study with the base loss on the same seeds and specimens.

    Seeds with which either training failed, so that no tip was found in any picture, are left out: they say that a
    training failed, not where a tip was seen. `failures` counts them.

    Parameters
    ----------
    tables : Tables or None
    diagonal : float [px]
        As which a miss counts.

    Returns
    -------
    DataFrame
        One row a variant and measure: difference (variant − base), low and high (95 %; NaN with a single seed), seeds,
        and better: whether the interval leaves out 0 on the side that is better. Measures are the median error over all
        pictures [px], a mean over seeds, its interval from seeds and specimens drawn again; and the share of pictures
        whose tip is found within 2 px.
    """
    if tables is None:
        return pd.DataFrame(columns=["variant", "measure", "difference", "low", "high", "seeds", "better"])
    by_variant = _errors(tables)
    made = []
    for variant, errors in by_variant.items():
        if variant == BASE:
            continue
        worked = np.isfinite(errors).any((1, 2)) & np.isfinite(by_variant[BASE]).any((1, 2))
        own, base = (np.minimum(each[worked], diagonal) for each in (errors, by_variant[BASE]))
        for measure, found in {
            "median error [px]": _median_difference(own, base),
            SUCCESS: _share_difference(own, base),
        }.items():
            difference, low, high = map(float, found)
            better = low > 0 if measure == SUCCESS else high < 0
            made.append(
                {"variant": variant, "measure": measure, "difference": difference, "low": low, "high": high}
                | {"seeds": len(own), "better": bool(better)}
            )
    return pd.DataFrame(made)


def failures(tables):
    """Return how many trainings of each variant found no tip in any picture: a Series by variant."""
    return pd.Series({name: int((~np.isfinite(each).any((1, 2))).sum()) for name, each in _errors(tables).items()})


def _errors(tables):
    """Return by variant an array of tip errors [px], shape (seeds, specimens, pictures)."""
    cube = {}
    for variant, rows in tables.tips.groupby("variant", sort=False):
        rows = rows.sort_values(["seed", "specimen", "name"])
        shape = (rows["seed"].nunique(), rows["specimen"].nunique(), -1)
        cube[variant] = rows["tip_error"].to_numpy(float).reshape(shape)
    return cube


def _median_difference(own, base):
    """Return difference, low and high; drawn again by percentiles of the bootstrap of `statistics`, reference 1."""

    def difference(seeds, specimens):
        chosen = (each[np.ix_(seeds, specimens)].reshape(len(seeds), -1) for each in (own, base))
        return np.subtract(*(np.median(each, axis=1).mean() for each in chosen))

    count, specimens = own.shape[:2]
    if not count:
        return np.nan, np.nan, np.nan
    mean = difference(np.arange(count), np.arange(specimens))
    if min(count, specimens) < 2:
        return mean, np.nan, np.nan
    generator = np.random.default_rng(0)
    drawn = [
        difference(generator.integers(0, count, count), generator.integers(0, specimens, specimens))
        for _ in range(RESAMPLES)
    ]
    return mean, *np.quantile(drawn, [0.025, 0.975])


def _share_difference(own, base):
    share = [(each <= 2).mean(axis=-1) for each in (own, base)]
    values = share[0] - share[1]
    if not values.size:
        return np.nan, np.nan, np.nan
    if min(values.shape) < 2:
        return values.mean(), np.nan, np.nan
    found = interval(values, bounds=(-1, 1))
    return found.mean, found.low, found.high


def numbers(true, runs, study, compared):
    """Return what the page of tips says in its prose.

    Parameters
    ----------
    true, runs, study : dict of TipErrors
    compared : DataFrame
        From `against_base`.
    """
    primary, union = true.values()
    medians = {name: each.summary()["median"] for name, each in runs.items()}
    shares = {name: each.success(2) for name, each in runs.items()}
    best = min(medians, key=medians.get) if medians else ""
    helped = compared[(compared["measure"] != SUCCESS) & compared["better"].astype(bool)]["variant"].tolist()
    return {
        "primary_median": primary.summary()["median"],
        "primary_90": primary.summary()["percentile_90"],
        "union_median": union.summary()["median"],
        "union_90": union.summary()["percentile_90"],
        "pictures": len(union.distances),
        "best": best,
        "best_median": medians.get(best, np.nan),
        "best_within_2": shares.get(best, np.nan),
        "study_variants": len(study),
        "help": ", ".join(helped) or "none",
    }
