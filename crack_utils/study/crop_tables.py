"""What `results/thin_cracks.csv` says: crops against reduced photographs, as tables and as numbers for the prose."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

from crack_utils.losses.registry import title
from crack_utils.metrics.masks import Confusion
from crack_utils.runtime import paths

TABLE = "thin_cracks.csv"
LEVEL = 0.95
WANTED = 0.03  # by how much crops would have to be better to be worth their effort


def read_table(file=None):
    """Return the table that `python -m crack_utils.study.crops` wrote, and where it comes from.

    Parameters
    ----------
    file : path-like, optional
        By default the one that is kept with the project.

    Returns
    -------
    table : DataFrame
    provenance : dict
    """
    file = Path(file or paths.root() / "results" / TABLE)
    numbers = dict.fromkeys(("seed", "seconds", "limit"), "")  # rows of the ceiling have none
    table = pd.read_csv(file, dtype={"name": str, "threshold": str}, keep_default_na=False, na_values=numbers)
    return table, json.loads(file.with_suffix(".json").read_text(encoding="utf-8"))


def means(table):
    """Return one row a loss, fit and threshold: means over photographs, crack IoU pooled over their pixels."""
    rows = []
    for (loss, fit, threshold), group in _trained(table).groupby(["loss", "fit", "threshold"], sort=False):
        rows.append(
            {"loss": loss, "fit": fit, "threshold": _limit(threshold, group)}
            | {f"{name}, 2 px": group[key].mean() for name, key in _MEANS.items()}
            | {"crack IoU": _pooled(group).crack_iou, "training [min]": group["seconds"].mean() / 60}
        )
    return pd.DataFrame(rows)


def differences(table):
    """Return how much crops are better than reduced photographs: F1 within 2 px, photograph by photograph.

    Returns
    -------
    DataFrame
        loss, threshold, difference, and low and high: a 95 % interval that resamples photographs. Of one seed it
        says nothing about the next training.
    """
    rows = []
    for (loss, threshold), group in _trained(table).groupby(["loss", "threshold"], sort=False):
        pairs = group.pivot_table(index="name", columns="fit", values="f1")
        gain = (pairs["crop"] - pairs["resize"]).to_numpy()
        found = stats.bootstrap(
            (gain,), np.mean, confidence_level=LEVEL, method="percentile", rng=np.random.default_rng(0)
        )
        rows.append(
            {"loss": loss, "threshold": threshold, "difference": gain.mean()}
            | {"low": found.confidence_interval.low, "high": found.confidence_interval.high}
        )
    return pd.DataFrame(rows)


def by_photograph(table, threshold="chosen"):
    """Return, by the loss's title, the F1 of each photograph: a row each, a column a fit."""
    rows = _trained(table)
    rows = rows[rows["threshold"] == threshold]
    return {
        title(loss): group.pivot_table(index="name", columns="fit", values="f1")
        for loss, group in rows.groupby("loss", sort=False)
    }


def in_words(table):
    """Return in Markdown whether crops are worth it on these photographs, and what speaks for the reason."""
    gains, found = differences(table), means(table)
    best = gains.loc[gains["difference"].idxmax()]
    plain = found[found["threshold"] == "0.5"].groupby("fit")[["precision, 2 px", "recall, 2 px"]].mean()
    ceiling = table.loc[table["fit"] == "ceiling", "f1"].mean()
    (crop, crop_precision), (resize, resize_precision) = (
        plain.loc[fit, ["recall, 2 px", "precision, 2 px"]] for fit in ("crop", "resize")
    )
    reached = "reach" if best["difference"] >= WANTED else "do not reach"
    return (
        f"**Crops {reached} the {WANTED:g} of F1 that would make them worth their effort here**: at best they differ "
        f"by {best['difference']:+.3f} [{best['low']:+.3f}, {best['high']:+.3f}] "
        f"({title(best['loss'])}, threshold {best['threshold']}). True masks that are reduced in "
        f"the same way and enlarged again have an F1 of {ceiling:.3f}, so what a reduction by two takes from these "
        f"cracks is not what this measure counts. At 0.5 crops have a recall of {crop:.3f} (reduced: {resize:.3f}) and "
        f"a precision of {crop_precision:.3f} ({resize_precision:.3f}): half of the crops are drawn around a crack, "
        "which is more crack than photographs have, and a crop shows less of the surroundings that tell a crack from "
        "a joint or a stain. Where a reduction would thin cracks below a pixel, crops are what is left."
    )


def numbers(table, provenance):
    """Return what the page says in its prose."""
    ceiling = table[table["fit"] == "ceiling"]
    gains = differences(table)
    best = gains.loc[gains["difference"].idxmax()]
    return {
        "photographs": int(table["name"].nunique()),
        "seeds": provenance["seeds"],
        "commit": provenance["commit"],
        "ceiling": ceiling["f1"].mean(),
        "ceiling_crack_iou": _pooled(ceiling).crack_iou,
        "wanted": WANTED,
        "best": best.to_dict(),
        "reached": bool(best["difference"] >= WANTED),
        "f1": {
            f"{loss}_{fit}": {
                threshold: each["f1"].mean() for threshold, each in group.groupby("threshold", sort=False)
            }
            for (loss, fit), group in _trained(table).groupby(["loss", "fit"])
        },
    }


_MEANS = {"F1": "f1", "precision": "precision", "recall": "recall"}


def _trained(table):
    return table[table["fit"] != "ceiling"]


def _limit(threshold, group):
    chosen = ", ".join(f"{each:g}" for each in group["limit"].unique())
    return threshold if threshold == "0.5" else f"{threshold} ({chosen})"


def _pooled(group):
    return Confusion(*(int(group[name].sum()) for name in ("tp", "fp", "fn", "tn")))
