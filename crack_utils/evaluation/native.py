"""Measure networks on photographs at full resolution, whatever size they were trained on.

A network trained on resized pictures gets resized ones. Its probabilities are enlarged to the photograph before the
threshold is applied. All networks are thus measured on the same pixels: those trained on crops, those trained on
resized pictures, and the default model, which was trained on drawn pictures.
"""

import dataclasses

from crack_utils import metrics
from crack_utils.data import read_image, read_mask
from crack_utils.data.pairs import spread
from crack_utils.evaluation.sets import split_of
from crack_utils.evaluation.tally import THRESHOLD
from crack_utils.inference.predictor import load_trained
from crack_utils.metrics.counts import pooled_rows
from crack_utils.training import start

COMPARED = 40  # photographs, at most, on which a training is compared with its start


def measure(run, tolerance=2, threshold=THRESHOLD):
    """Measure a run on its evaluated set.

    Parameters
    ----------
    run : Run
    tolerance : float [px of the photographs]
    threshold : float in (0, 1), optional
        As for `measure_pairs`.

    Returns
    -------
    list of dict
        One per photograph: name, and what `row` returns.
    """
    split = split_of(run)
    return measure_pairs(load_trained(run.folder), split[split.evaluated], tolerance, threshold)


def measure_pairs(trained, pairs, tolerance=2, threshold=None):
    """Measure a network on photographs with masks.

    Parameters
    ----------
    trained : Predictor
    pairs : list of Pair
    tolerance : float [px of the photographs]
    threshold : float in (0, 1), optional
        Of calibrated probabilities, if the network is calibrated; None takes its own.

    Returns
    -------
    list of dict
        One per photograph: name, and what `row` returns.
    """
    threshold = trained.threshold if threshold is None else threshold
    rows = []
    for pair in pairs:
        predicted = trained.predict(read_image(pair.image, pair.bits)) >= threshold
        rows.append({"name": pair.name} | row(read_mask(pair.mask), predicted, tolerance))
    return rows


def row(true, predicted, tolerance=2):
    """Return the measures of one photograph.

    Parameters
    ----------
    true, predicted : ndarray of bool, shape (H, W)
    tolerance : float [px]

    Returns
    -------
    dict
        precision, recall and f1 with the tolerance, in [0, 1]; the confusion counts tp, fp, fn, tn.
    """
    precision, recall = metrics.tolerant_precision_recall(true, predicted, tolerance)
    counts = dataclasses.asdict(metrics.confusion(true, predicted))
    return {"precision": precision, "recall": recall, "f1": metrics.tolerant_f1(true, predicted, tolerance)} | counts


def summary(rows):
    """Sum up what `measure_pairs` returns.

    Parameters
    ----------
    rows : list of dict
        With a tolerance of 2 px.

    Returns
    -------
    dict
        photographs; f1, precision and recall over all pixels; f1_tolerance_2, the mean over photographs.
    """
    import pandas as pd

    table = pd.DataFrame(rows)
    counts = pooled_rows(table)
    values = {"f1": counts.f1, "precision": counts.precision, "recall": counts.recall}
    return {"photographs": len(table), **values, "f1_tolerance_2": float(table["f1"].mean())}


def against_start(run):
    """Compare a trained network with the one that it started from, on the same photographs.

    Use it to see whether a training was worth it: where the default model finds the cracks already, a training on a few
    labels may make it worse.

    Parameters
    ----------
    run : Run
        Evaluated and calibrated.

    Returns
    -------
    dict, or None
        trained and start: what `summary` returns, each at its network's own threshold; at most 40 photographs of the
        run's evaluated set. None where the training started from random weights.

    Raises
    ------
    ValueError
        If the network that it started from is no longer there.
    """
    if not run.experiment.start:
        return None
    split = split_of(run)
    pairs = spread(split[split.evaluated], COMPARED)
    networks = {"trained": run.folder, "start": start.file(run.experiment.start)}
    return {name: summary(measure_pairs(load_trained(place), pairs)) for name, place in networks.items()}
