"""Measures of the study's networks at thresholds that are not fixed, from the pooled counts of `thresholds.csv`.

One threshold for all losses compares how high their probabilities are, not how well they tell crack from background.
Two thresholds are fair to all: the one that is best on a network's own validation set, and the one at which its masks
have the same precision as everybody's.
"""

import numpy as np
import pandas as pd

from crack_utils.metrics.counts import COUNTS
from crack_utils.metrics.probabilities import best_threshold

MEASURES = ("threshold", "mean_iou_chosen", "recall_chosen", "recall_matched")


def by_training(thresholds):
    """Return what each training gives at the threshold chosen on validation, and at matched precision.

    Parameters
    ----------
    thresholds : DataFrame
        As in `Tables`: variant, seed, set, threshold and pooled counts.

    Returns
    -------
    DataFrame
        One row a (variant, seed): `threshold` of the best mean IoU on validation; `mean_iou_chosen` and `recall_chosen`
        of the test set there; `recall_matched` at the precision of `matched_precision`.
    """
    if thresholds.empty:
        return pd.DataFrame(columns=MEASURES, index=pd.MultiIndex.from_arrays([[], []], names=["variant", "seed"]))
    precision = matched_precision(thresholds)
    rows = {}
    for key, both in thresholds.groupby(["variant", "seed"], sort=False):
        validation, test = _sets(both)
        best = best_threshold(validation.index, mean_iou(validation))
        rows[key] = {
            "threshold": best,
            "mean_iou_chosen": mean_iou(test)[best],
            "recall_chosen": recall(test)[best],
            "recall_matched": recall_at_precision(test, precision),
        }
    return pd.DataFrame(rows).T.rename_axis(["variant", "seed"]).sort_index()


def matched_precision(thresholds):
    """Return the precision at which recalls are compared: the median over trainings of what validation chooses.

    It is the median of the precision on validation at each training's own best threshold, so the test set has no part
    in it.
    """
    chosen = []
    for _, both in thresholds.groupby(["variant", "seed"], sort=False):
        validation = _sets(both)[0]
        chosen.append(precision(validation)[best_threshold(validation.index, mean_iou(validation))])
    return float(np.nanmedian(chosen))


def recall_at_precision(counts, wanted):
    """Return the recall at a precision, between two thresholds if need be.

    Parameters
    ----------
    counts : DataFrame
        tp, fp, fn by ascending threshold.
    wanted : float in (0, 1)

    Returns
    -------
    float
        At the lowest threshold that reaches the precision; NaN if none does. Between two thresholds tp and fp change in
        proportion, as pixels that are drawn from those in between would change them (Davis and Goadrich 2006).

    Examples
    --------
    >>> round(recall_at_precision(pd.DataFrame({"tp": [8, 6], "fp": [8, 0], "fn": [2, 4]}), 7 / 11), 3)
    0.7
    """
    counts = counts.sort_index()
    tp = counts["tp"].to_numpy(float)
    above = (1 - wanted) * tp - wanted * counts["fp"].to_numpy(float)  # not negative where the precision is reached
    true = tp[0] + counts["fn"].iloc[0]
    reached = np.flatnonzero((above >= 0) & (tp > 0))
    if not reached.size:
        return np.nan
    first = reached[0]
    if first == 0:
        return tp[0] / true
    share = -above[first - 1] / (above[first] - above[first - 1])
    return float((tp[first - 1] + share * (tp[first] - tp[first - 1])) / true)


def mean_iou(counts):
    """Return the mean of crack IoU and background IoU, row by row."""
    wrong = counts["fp"] + counts["fn"]
    return (counts["tp"] / (counts["tp"] + wrong) + counts["tn"] / (counts["tn"] + wrong)) / 2


def recall(counts):
    """Return TP / (TP + FN), row by row."""
    return counts["tp"] / (counts["tp"] + counts["fn"])


def precision(counts):
    """Return TP / (TP + FP), row by row; NaN where nothing is predicted."""
    return counts["tp"] / (counts["tp"] + counts["fp"])


def _sets(both):
    """Return the counts of validation and of the test set, each by threshold."""
    return [
        both[both["set"] == name].set_index("threshold")[list(COUNTS)].sort_index() for name in ("validation", "test")
    ]
