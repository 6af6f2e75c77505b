"""The tables and numbers of the book's pages, computed from runs, measures and photographs."""

import numpy as np
import pandas as pd

from crack_utils.data import read_mask, resize_mask
from crack_utils.evaluation import words
from crack_utils.losses.registry import TITLES, title
from crack_utils.runtime.typeset import joined
from crack_utils.study.published import COLUMNS, HEADINGS, TABLE_1, order

REPORT_DIGITS = 2  # the report's values are 0.99 and 0.99 for Dice and Tversky: no order
MEASURES = {  # measures of a crack: key in `geometry.Crack.to_dict` → heading of a table
    "length_px": "length [px]",
    "length_mm": "length [mm]",
    "mean_width_px": "mean width [px]",
    "mean_width_mm": "mean width [mm]",
    "area_px2": "area [px²]",
    "tip_row": "tip row [px]",
    "tip_column": "tip column [px]",
    "tip_uncertainty_px": "tip ± [px]",
}


def data_table(pairs, size):
    """Return a table with one row per source: pictures, specimens, original size, and the share of crack pixels.

    Parameters
    ----------
    pairs : list of Pair
    size : (height, width) [px]
        Size of the masks for counting the shares.

    Returns
    -------
    DataFrame
    """
    rows = pd.DataFrame(
        {
            "source": pair.source,
            "specimen": pair.specimen or None,
            "height × width": " × ".join(map(str, read_mask(pair.mask).shape)),
            "crack [%]": 100 * resize_mask(read_mask(pair.mask), size).mean(),
        }
        for pair in pairs
    )
    return rows.groupby("source").agg(
        **{
            "pictures": ("source", "size"),
            "specimens": ("specimen", "nunique"),
            "height × width": ("height × width", lambda sizes: ", ".join(sorted(set(sizes)))),
            "least crack [%]": ("crack [%]", "min"),
            "mean crack [%]": ("crack [%]", "mean"),
            "most crack [%]": ("crack [%]", "max"),
        }
    )


def appearance_table(groups):
    """Return a table of the `Statistics` of groups of pictures, one row per group; shares in per cent.

    Parameters
    ----------
    groups : dict of Statistics
        By name, from `crack_utils.data.appearance.groups`.

    Returns
    -------
    DataFrame
        NaN where a group's masks were not measured.
    """
    rows = pd.DataFrame({name: statistics.numbers() for name, statistics in groups.items()}).T
    rows[["share", "width", "contrast"]] *= 100
    headings = {
        "gray_mean": "mean gray",
        "spectrum_exponent": "exponent of spectrum",
        "share": "crack [%]",
        "width": "width [% of height]",
        "contrast": "contrast [%]",
        "opening_exponent": "exponent of opening",
    }
    return rows.astype({"pictures": int}).rename(columns=headings)


def batch_table(images, masks):
    """Return what a batch consists of: its pictures, height, width and channels, and the values in it.

    Parameters
    ----------
    images, masks : ndarray, shape (batch, height, width, channels)

    Returns
    -------
    DataFrame
        One row for the images, one for the masks.
    """
    extent = ("pictures", "height [px]", "width [px]", "channels")
    rows = {name: dict(zip(extent, array.shape, strict=True)) for name, array in (("images", images), ("masks", masks))}
    rows["images"]["values"] = f"{images.min():.2f} to {images.max():.2f}"
    rows["masks"]["values"] = joined(f"{value:g}" for value in np.unique(masks))
    return pd.DataFrame(rows).T


def data_numbers(experiment, pairs, split):
    """Return the values for the prose of the page on the data.

    Parameters
    ----------
    experiment : Experiment
    pairs : list of Pair
    split : Split

    Returns
    -------
    dict
        Names, counts, the size (height, width) [px], and shares of crack pixels in [0, 1].
    """
    table = data_table(pairs, experiment.size)
    return {
        "data": experiment.data.rstrip("/").split("/")[-1],
        "pairs": len(pairs),
        "train": len(split.train),
        "validation": len(split.validation),
        "test": len(split.test),
        "specimens": int(table["specimens"].sum()),
        "sources_in_words": f"{len(table)} source{'s' if len(table) != 1 else ''}",
        "size": list(experiment.size),
        "split_by": experiment.split_by.split("/")[-1],
        "crack_share_min": table["least crack [%]"].min() / 100,
        "crack_share_mean": (table["mean crack [%]"] * table["pictures"]).sum() / len(pairs) / 100,
        "crack_share_max": table["most crack [%]"].max() / 100,
    }


def layers_shown(table):
    """Return the table of `models.table.layer_table` with the headings and units of the page, a pandas Styler."""
    named = table.rename(columns=lambda name: "multiply-adds" if name == "multiply_adds" else name.replace("_", " "))
    formats = {"parameters": "{:,}", "receptive field": "{:,} px", "multiply-adds": "{:,}"}
    return named.style.format(formats).hide(axis="index")


def network_numbers(table):
    """Return the values for the prose on a network.

    Parameters
    ----------
    table : DataFrame
        From `models.layer_table`.

    Returns
    -------
    dict
        parameters, layers, receptive_field [px] (side of a square; infinite if it is the whole image) and
        multiply_adds for one picture.
    """
    return {
        "parameters": table["parameters"].sum(),
        "layers": len(table),
        "receptive_field": table["receptive_field"].max(),
        "multiply_adds": table["multiply_adds"].sum(),
    }


def measures_table(photographs):
    """Return a table of the measures of detected cracks, one row per crack, in px and, with a scale, in mm.

    Parameters
    ----------
    photographs : list of dict
        From `inference.inspect.inspect_all`.

    Returns
    -------
    DataFrame
        Empty without a crack.
    """
    rows = [
        {"photograph": record["name"], "crack": number}
        | {measure: crack[name] for name, measure in MEASURES.items() if name in crack}
        for record in photographs
        for number, crack in enumerate(record["cracks"], start=1)
    ]
    return pd.DataFrame(rows)


def training_numbers(run, measured):
    """Return the values for the prose of a training's page.

    Parameters
    ----------
    run : Run
        Finished.
    measured : dict
        Its measures, from `evaluation.evaluate`.
    """
    experiment, provenance, history = run.experiment, run.provenance, run.history
    return {
        "loss": experiment.loss,
        "preset": experiment.preset_name,
        "data": experiment.data.rstrip("/").split("/")[-1],
        "run": run.id,
        "size": list(experiment.size),
        "batch": experiment.batch,
        "epochs": experiment.epochs,
        "boundaries": list(experiment.boundaries),
        "prior": experiment.model_options.get("prior", 0.5),
        "precision": words.number_type(provenance["precision"]),
        "seconds": provenance["seconds"],
        "commit": provenance["commit"],
        "final": {name: float(values[-1]) for name, values in history.items()},
        "claimed": measured[measured["evaluated"]],
        **{name: values for name, values in measured.items() if name != "fingerprint"},
    }


def sets_table(measured):
    """Return what was measured on each set, one row per measure, with names for readers.

    Parameters
    ----------
    measured : dict
        What `evaluation.evaluate` returns.
    """
    sets = [name for name in ("train", "validation", "test") if name in measured]
    table = pd.DataFrame({name.replace("train", "training"): measured[name] for name in sets})
    return table.rename(index=words.MEASURES)


def table_1():
    """Return the report's Table 1 as a DataFrame, one row per loss."""
    return pd.DataFrame(TABLE_1).T.rename(index=TITLES, columns=dict(zip(COLUMNS, HEADINGS, strict=True)))


def comparison_table(measured, best):
    """Return the measures of our runs together with the report's validation mIoU (R54).

    Parameters
    ----------
    measured : dict of dict
        By loss, from `evaluation.evaluate`.
    best : dict of dict
        By loss, from `evaluation.thresholds.chosen_threshold`.

    Returns
    -------
    DataFrame, one row per loss
        Mean IoU as Keras casts it, at 0.5 and at the best threshold, and other measures, of the evaluated set.
    """
    rows = {}
    for loss, measures in measured.items():
        claimed = measures[measures["evaluated"]]
        rows[title(loss)] = {
            "report: mIoU": TABLE_1.get(loss, {}).get("val_miou"),
            "ours: mIoU as cast": claimed["unthresholded_mean_iou"],
            "ours: mIoU at 0.5": claimed["mean_iou"],
            "threshold of validation": best[loss]["threshold"],
            "ours: mIoU at that threshold": best[loss]["mean_iou"],
            **{words.MEASURES[name]: claimed[name] for name in ("crack_iou", "f1_tolerance_2", "precision", "recall")},
            "report: accuracy": TABLE_1.get(loss, {}).get("val_accuracy"),
            "ours: accuracy": claimed["accuracy"],
            "class accuracy": claimed["mean_class_accuracy"],
            "crack at 1.0": claimed["crack_at_one"],
        }
    return pd.DataFrame(rows).T


def table_1_again(measured):
    """Return the six columns of Table 1 (R54) for our runs: the final network on training and validation set, at 0.5.

    Parameters
    ----------
    measured : dict of dict
        By loss, from `evaluation.evaluate`.
    """
    rows = {}
    for loss, by_set in measured.items():
        sets = by_set["train"], by_set["validation"]
        values = [measures[name] for name in ("mean_iou", "loss", "accuracy") for measures in sets]
        rows[title(loss)] = dict(zip(HEADINGS, values, strict=True))
    return pd.DataFrame(rows).T


def comparison_numbers(measured, best, baseline):
    """Return the values for the prose of the comparison's page.

    Parameters
    ----------
    measured : dict of dict
        By loss, from `evaluation.evaluate`.
    best : dict of dict
        By loss, from `evaluation.thresholds.chosen_threshold`.
    baseline : dict
        radius, factor, mean_iou and crack_iou of the classical baseline.

    Returns
    -------
    dict
        best holds the measures of the loss with the highest mean IoU at 0.5; its ``loss`` names all that share this
        value to three digits, as shown, such as "BCE and focal".
    """
    claimed = {loss: measures[measures["evaluated"]] for loss, measures in measured.items()}
    cast = {loss: values["unthresholded_mean_iou"] for loss, values in claimed.items()}
    thresholded = {loss: values["mean_iou"] for loss, values in claimed.items()}
    reported = {loss: TABLE_1[loss]["val_miou"] for loss in claimed if loss in TABLE_1}
    first = max(thresholded, key=thresholded.get)
    shown = {loss: round(value, 3) for loss, value in thresholded.items()}
    return {
        "baseline": baseline,
        "evaluated": next(iter(measured.values()))["evaluated"],
        "best": {**claimed[first], "loss": joined(title(loss) for loss in shown if shown[loss] == shown[first])},
        "chosen": best,
        "cast_order": order(cast),
        "thresholded_order": order(thresholded),
        "cast_spread": max(cast.values()) - min(cast.values()),
        "thresholded_spread": max(thresholded.values()) - min(thresholded.values()),
        "report_spread": max(reported.values()) - min(reported.values()),
        "agrees_with_report": order(cast, REPORT_DIGITS) == order(reported, REPORT_DIGITS),
        "report": TABLE_1,
        **claimed,
    }
