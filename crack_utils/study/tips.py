"""Tables of tip errors: from true masks, and from predictions."""

import numpy as np
import pandas as pd

from crack_utils.data import find_pairs, read_mask, synthetic
from crack_utils.data.masks import read_parts
from crack_utils.geometry import TipErrors, find_tip, tip_errors
from crack_utils.losses.registry import title
from crack_utils.runtime import paths
from crack_utils.runtime.typeset import styled
from crack_utils.study import tip_losses

SIZE = (512, 640)  # [px] the report's
FRAMES = 2  # pictures of each held-out specimen


def held_out(experiment, specimens=12):
    """Return pairs of new synthetic specimens at the report's size; they are rendered at the first call.

    Parameters
    ----------
    experiment : Experiment
        The specimens differ from those of this experiment.
    specimens : int
        Two pictures of each are drawn.

    Returns
    -------
    list of Pair
    """
    seed = experiment.data_seed + 2  # + 1 is used by the page on growth
    folder = paths.data() / "tips-v{}-{}x{}-{}x{}-{}".format(synthetic.VERSION, specimens, FRAMES, *SIZE, seed)
    synthetic.generate(folder, specimens=specimens, frames=FRAMES, size=SIZE, seed=seed)
    return find_pairs(folder / "old", folder / "new")


def from_true_masks(pairs):
    """Return the errors of tips measured on true masks, which show the limits of the geometry alone.

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
    return {name: tip_errors(true, [find_tip(mask) for mask in of_kind]) for name, of_kind in masks.items()}


def from_runs(runs):
    """Return the tip errors of predictions, in pixels of the network's picture.

    Parameters
    ----------
    runs : list of Run
        Evaluated runs.

    Returns
    -------
    dict of TipErrors
        By the title of the loss; without pictures and runs that have no labelled tip.
    """
    errors = {}
    for run in runs:
        distances = pd.read_csv(run.folder / "measures.csv")["tip_error"].dropna().to_numpy(float)
        if distances.size:
            errors[title(run.experiment.loss)] = TipErrors(distances)
    return errors


def table(errors):
    """Return tip errors as a table, one row per name.

    Parameters
    ----------
    errors : dict of TipErrors

    Returns
    -------
    DataFrame
        median and 90th percentile [px], shares of true tips found within 2, 5 and 10 px, misses, true tips.
    """
    rows = {}
    for name, tip_error in errors.items():
        summary = tip_error.summary()
        rows[name] = {
            "median [px]": summary["median"],
            "90 % below [px]": summary["percentile_90"],
            **{f"found within {radius} px": summary[f"success_{radius}"] for radius in (2, 5, 10)},
            "misses": summary["misses"],
            "tips": summary["count"],
        }
    whole = {name: int for name in ("misses", "tips") if rows}
    return pd.DataFrame(rows, dtype=object).T.astype(float).astype(whole)


def page_table(errors):
    """Return `table` for a page: rounded, losses by their titles, and "missed" where a tip was not found."""
    rows = table(errors).rename(index=title)
    return styled(rows.replace(np.inf, np.nan), 2, missing="missed")


def numbers(true, compared):
    """Return the values for the prose of the page on tips.

    Parameters
    ----------
    true : dict of TipErrors
        From `from_true_masks`.
    compared : DataFrame
        From `tip_losses.against_base`.
    """
    of_all = true["mask of all cracks"]
    return {
        "union_median": of_all.summary()["median"],
        "pictures": len(of_all.distances),
        "help": tip_losses.helping(compared),
    }
