"""The measures of an evaluated run at each threshold, and the threshold that validation chooses."""

import csv

from crack_utils import metrics
from crack_utils.metrics.counts import COUNTS


def chosen_threshold(run):
    """Return the threshold with the best mean IoU on validation, and its mean IoU on the evaluated set.

    Parameters
    ----------
    run : Run
        An evaluated run.

    Returns
    -------
    dict
        threshold, and mean_iou of the evaluated set, pooled over its images.
    """
    scores = threshold_scores(run)
    best = metrics.best_threshold(list(scores["validation"]), list(scores["validation"].values()))
    return {"threshold": best, "mean_iou": scores[run.metrics["evaluated"]][best]}


def threshold_scores(run):
    """Return the mean IoU of an evaluated run at each of `evaluate.THRESHOLDS`, pooled over the images of a set.

    Parameters
    ----------
    run : Run

    Returns
    -------
    dict of str to dict
        By set, "validation" and the evaluated one, then by threshold: mean IoU in [0, 1].
    """
    scores = {}
    with open(run.folder / "thresholds.csv", newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            counts = metrics.Confusion(*(int(row[name]) for name in COUNTS))
            scores.setdefault(row["set"], {})[float(row["threshold"])] = counts.mean_iou
    return scores
