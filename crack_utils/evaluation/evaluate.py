"""Evaluate a run: measures of its three sets, and predictions of the set on which claims are made."""

import dataclasses
import math

import numpy as np

from crack_utils import metrics
from crack_utils.data import targets
from crack_utils.evaluation.mean_loss import MeanLoss
from crack_utils.evaluation.predictions import predicted, write_prediction
from crack_utils.evaluation.sets import split_of
from crack_utils.evaluation.tally import THRESHOLD, Sweep, Tally
from crack_utils.geometry import find_tip, tip_errors
from crack_utils.runtime import provenance
from crack_utils.runtime.csv_files import write_csv

NEAR_TIP = 0.1  # radius of the surroundings of a tip, as a share of the picture's height

# Equal steps of the logit, because thresholds near 0 and 1 are of interest too.
THRESHOLDS = tuple(
    sorted({1 / (1 + math.exp(-step / 2)) for step in range(-16, 33)} | set(metrics.ROUNDS_TO_ONE.values()))
)

# The modules that determine an evaluation: if their code changes, it is computed again.
DECISIVE = ("evaluation/evaluate.py", "losses")


def evaluate(run):
    """Measure a finished run, unless its `metrics.json` is up to date.

    It writes `metrics.json`, `measures.csv` (one row per image of the evaluated set), `thresholds.csv` (pooled counts
    of the validation and the evaluated set at each of THRESHOLDS, for all pixels and for crack near labelled tips) and
    `predictions/` (16-bit PNG).

    Parameters
    ----------
    run : Run

    Returns
    -------
    dict
        evaluated ("test" or "validation"), images (count by set) and, by set, crack_share, mean_iou,
        unthresholded_mean_iou, crack_iou, precision, recall, f1, f1_tolerance_1, f1_tolerance_2, cldice, accuracy,
        mean_class_accuracy, expected_calibration_error, crack_at_one, loss. Confusion counts are pooled over a set's
        images; the F1 with tolerance and clDice are means over images.
    """
    fingerprint = provenance.fingerprint(*DECISIVE)
    if not _is_measured(run, fingerprint):
        with run.lock("evaluates"):
            if not _is_measured(run, fingerprint):  # another process may have done it meanwhile
                _measure(run, fingerprint)
    return run.metrics


def _is_measured(run, fingerprint):
    return (run.folder / "metrics.json").exists() and run.metrics.get("fingerprint") == fingerprint


def _measure(run, fingerprint):
    split, model = split_of(run), run.model()
    measures, swept = {"fingerprint": fingerprint, "evaluated": split.evaluated, "images": {}}, []
    for name in ("train", "validation", "test"):
        if not split[name]:
            continue
        tally, sweep, tips, loss, rows = Tally(), Sweep(THRESHOLDS), Sweep(THRESHOLDS), MeanLoss(run.experiment), []
        for pair, _, true, probability in predicted(model, split[name], run.experiment.picture_size):
            tally.add(true, probability)
            loss.add(pair, true, probability)
            if name in ("validation", split.evaluated):
                near = _near_tip(pair, true)
                sweep.add(true, probability)
                tips.add(near[near], probability[near])
            if name == split.evaluated:
                write_prediction(run, pair, probability)
                rows.append(_row(pair, true, probability))
        measures["images"][name] = len(split[name])
        measures[name] = tally.summary() | {"loss": loss.mean()}
        if name in ("validation", split.evaluated):
            swept += _sweep_rows(name, sweep, tips)
        if rows:
            write_csv(run.folder / "measures.csv", rows)
    write_csv(run.folder / "thresholds.csv", swept)
    provenance.write_json(run.folder / "metrics.json", measures)  # last: its presence means that all files are complete


def _row(pair, true, probability):
    """Return the row of one image in `measures.csv`: names, counts and measures; measures of the tip may be None."""
    predicted, tally = probability >= THRESHOLD, Tally()
    tally.add(true, probability)
    return {
        **{"source": pair.source, "specimen": pair.specimen, "frame": pair.frame, "name": pair.name},
        **dataclasses.asdict(tally.counts),
        **tally.summary(),
        "recall_tolerance_2": metrics.tolerant_precision_recall(true, predicted, 2)[1],
        "tip_recall": _tip_recall(pair, true, predicted),
        "tip_error": _tip_error(pair, probability),
        "crack_width": metrics.mean_width(true),
    }


def _tip_recall(pair, true, predicted):
    """Return the share of crack pixels near the tip that are predicted (R52); None without a labelled tip."""
    near = _near_tip(pair, true)
    return float(predicted[near].mean()) if near.any() else None


def _near_tip(pair, true):
    """Return the crack pixels near the tip as a mask; empty without a labelled tip."""
    if pair.tip is None:
        return np.zeros_like(true)
    height, width = true.shape
    row, column = targets.tip_at(pair, true.shape)
    rows, columns = np.ogrid[:height, :width]
    return true & (np.hypot(rows - row, columns - column) <= NEAR_TIP * height)


def _tip_error(pair, probability):
    """Return the distance of the predicted from the true tip [px]: infinite for a miss, None without a labelled tip."""
    if pair.tip is None:
        return None
    true = targets.tip_at(pair, probability.shape)
    return float(tip_errors([true], [find_tip(probability, THRESHOLD)]).distances[0])


def _sweep_rows(name, sweep, tips):
    """Return rows of `thresholds.csv`: a set's pooled counts at each threshold, and those of crack near the tips."""
    return [
        {"set": name, "threshold": threshold, **dataclasses.asdict(each), "tip_tp": tip.tp, "tip_fn": tip.fn}
        for threshold, each, tip in zip(THRESHOLDS, sweep.counts, tips.counts, strict=True)
    ]
