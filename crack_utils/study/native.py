"""Measure a run on photographs at full resolution, to compare training on resized pictures with training on crops.

A network trained on resized pictures gets resized ones. Its probabilities are enlarged to the photograph before the
threshold is applied. Both kinds of run are thus measured on the same pixels.
"""

import dataclasses

from crack_utils import metrics
from crack_utils.data import read_image, read_mask
from crack_utils.evaluation.evaluate import THRESHOLD, split_of
from crack_utils.inference.predictor import load_trained


def measure(run, tolerance=2, threshold=THRESHOLD):
    """Measure a run on its evaluated set at full resolution.

    Parameters
    ----------
    run : Run
    tolerance : float [px of the photographs]
    threshold : float in (0, 1), optional
        For calibrated probabilities if the run is calibrated; None takes the threshold chosen in the calibration.

    Returns
    -------
    list of dict
        One per photograph: name; precision, recall and f1 with the tolerance; the confusion counts tp, fp, fn, tn.
    """
    trained, split = load_trained(run.folder), split_of(run)
    threshold = trained.threshold if threshold is None else threshold
    rows = []
    for pair in split[split.evaluated]:
        true = read_mask(pair.mask)
        predicted = trained.predict(read_image(pair.image, pair.bits)) >= threshold
        rows.append({"name": pair.name} | row(true, predicted, tolerance))
    return rows


def row(true, predicted, tolerance=2):
    """Return the measures of one photograph, as in `measure`, without its name.

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
