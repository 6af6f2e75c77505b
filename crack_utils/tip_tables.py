"""How well crack tips are found: from true masks, by trained networks, and with losses that know of tips; as tables."""

import numpy as np
import pandas as pd

from crack_utils import paths
from crack_utils.data import find_pairs, read_mask, synthetic
from crack_utils.data.images import read_parts
from crack_utils.geometry import TipErrors, find_tip, tip_errors
from crack_utils.report import LOSSES
from crack_utils.statistics import interval
from crack_utils.study import tables as study_tables

SIZE = (512, 640)  # [px] the report's
BASE = "dice"  # on which the other variants of the study build
SUCCESS = "found within 2 px"


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
            errors[LOSSES.get(loss, loss)] = TipErrors(known)
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


def against_base(tables, diagonal):
    """Compare each variant of the study with the base loss on the same seeds and specimens.

    Parameters
    ----------
    tables : Tables or None
    diagonal : float [px]
        As which a miss counts, so that there is a mean.

    Returns
    -------
    DataFrame
        One row a variant and measure: difference (variant − base), low and high (95 %; NaN with a single seed), seeds,
        and better: whether the interval leaves out 0 on the side that is better. Measures are the median error over a
        specimen's pictures [px], and the share of its pictures whose tip is found within 2 px.
    """
    if tables is None:
        return pd.DataFrame(columns=["variant", "measure", "difference", "low", "high", "seeds", "better"])
    rows = tables.tips.assign(tip_error=tables.tips["tip_error"].clip(upper=diagonal))
    rows = rows.assign(found=(rows["tip_error"] <= 2).astype(float))
    grouped = rows.groupby(["variant", "seed", "specimen"], sort=False)
    measured = {"median error [px]": grouped["tip_error"].median(), SUCCESS: grouped["found"].mean()}
    made = []
    for variant in dict.fromkeys(rows["variant"]):
        if variant == BASE:
            continue
        for measure, values in measured.items():
            difference = (values.loc[variant] - values.loc[BASE]).unstack().to_numpy(float)
            mean, low, high = float(difference.mean()), np.nan, np.nan
            if min(difference.shape) > 1:
                found = interval(difference)
                low, high = float(found.low), float(found.high)
            better = low > 0 if measure == SUCCESS else high < 0
            made.append(
                {"variant": variant, "measure": measure, "difference": mean, "low": low, "high": high}
                | {"seeds": len(difference), "better": bool(better)}
            )
    return pd.DataFrame(made)


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
