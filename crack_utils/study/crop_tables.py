"""Tables and numbers from `results/thin_cracks.csv`: training on crops compared with resized photographs."""

import json
from pathlib import Path

import pandas as pd

from crack_utils.losses.registry import title
from crack_utils.metrics.counts import pooled_rows
from crack_utils.metrics.intervals import bootstrap
from crack_utils.runtime import paths
from crack_utils.runtime.typeset import number

TABLE = "thin_cracks.csv"
FITS = {"resize": "resized", "crop": "crops"}  # what a reader calls them
WANTED = 0.03  # gain in F1 that would justify the effort of crops


def read_table(file=None):
    """Read the table of `make study STUDY=thin_cracks`, and its provenance.

    Parameters
    ----------
    file : path-like, optional
        By default the table in `results/`.

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
    """Return one row per loss, fit and threshold: means over photographs; crack IoU pooled over their pixels."""
    rows = []
    for (loss, fit, threshold), group in _trained(table).groupby(["loss", "fit", "threshold"], sort=False):
        rows.append(
            {"loss": title(loss), "fit": FITS[fit], "threshold": _limit(threshold, group)}
            | {f"{name}, 2 px": group[key].mean() for name, key in _MEANS.items()}
            | {"crack IoU": pooled_rows(group).crack_iou, "training [min]": group["seconds"].mean() / 60}
        )
    return pd.DataFrame(rows)


def differences(table):
    """Return the gain of crops over resized photographs in F1 within 2 px, paired by photograph.

    Returns
    -------
    DataFrame
        loss, threshold, difference, and low and high: a 95 % interval that resamples photographs. With one seed it does
        not include the variation between trainings.
    """
    rows = []
    for (loss, threshold), group in _trained(table).groupby(["loss", "threshold"], sort=False):
        pairs = group.pivot_table(index="name", columns="fit", values="f1")
        gain = (pairs["crop"] - pairs["resize"]).to_numpy()
        difference, low, high = bootstrap(lambda photographs, gain=gain: gain[photographs].mean(), len(gain))
        rows.append({"loss": title(loss), "threshold": threshold, "difference": difference, "low": low, "high": high})
    return pd.DataFrame(rows)


def by_photograph(table):
    """Return, by the loss's title, F1 at the chosen threshold: a row per photograph, a column per fit."""
    rows = _trained(table)
    rows = rows[rows["threshold"] == "chosen"]
    return {
        title(loss): group.pivot_table(index="name", columns="fit", values="f1").rename(columns=FITS)
        for loss, group in rows.groupby("loss", sort=False)
    }


def in_words(table):
    """Return a text in Markdown: whether crops are worth their effort on these photographs, and a likely reason."""
    gains, averages = differences(table), means(table)
    best = gains.loc[gains["difference"].idxmax()]
    plain = averages[averages["threshold"] == "0.5"].groupby("fit")[["precision, 2 px", "recall, 2 px"]].mean()
    ceiling = table.loc[table["fit"] == "ceiling", "f1"].mean()
    (crop, crop_precision), (resize, resize_precision) = (
        plain.loc[FITS[fit], ["recall, 2 px", "precision, 2 px"]] for fit in ("crop", "resize")
    )
    change, low, high = (number(best[name], "+.3f") for name in ("difference", "low", "high"))
    reached = "reach" if best["difference"] >= WANTED else "do not reach"
    return (
        f"**Crops {reached} the gain of {WANTED:g} in F1 that would justify their effort**: at best they change it by "
        f"{change} [{low}, {high}] "
        f"({title(best['loss'])}, threshold {best['threshold']}). True masks that are resized and enlarged again have "
        f"an F1 of {ceiling:.3f}, so resizing by two hardly changes this measure for these cracks. At 0.5 crops have a "
        f"recall of {crop:.3f} (resized: {resize:.3f}) and a precision of {crop_precision:.3f} "
        f"({resize_precision:.3f}). A likely reason is that half of the crops are drawn around a crack, so they "
        "contain more crack than photographs do. A crop also shows less of the surroundings that distinguish a crack "
        "from a joint or a stain. Crops remain useful where resizing would make cracks thinner than a pixel."
    )


def numbers(table):
    """Return the values for the prose of the page."""
    gains = differences(table)
    best = gains.loc[gains["difference"].idxmax()]
    return {
        "photographs": int(table["name"].nunique()),
        "wanted": WANTED,
        "best": best.to_dict(),
        "reached": bool(best["difference"] >= WANTED),
    }


_MEANS = {"F1": "f1", "precision": "precision", "recall": "recall"}


def _trained(table):
    return table[table["fit"] != "ceiling"]


def _limit(threshold, group):
    chosen = ", ".join(f"{limit:g}" for limit in group["limit"].unique())
    return threshold if threshold == "0.5" else f"{threshold} ({chosen})"
