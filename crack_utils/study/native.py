"""A run, whatever it was trained on, measured on the photographs at their own size: reduction and crops compared.

A network that saw reduced pictures is given reduced ones; its probabilities are enlarged to the photograph before they
become a mask. So both kinds of run answer the same question about the same pixels.
"""

import dataclasses

from crack_utils import metrics
from crack_utils.data import read_image, read_mask
from crack_utils.evaluation.evaluate import THRESHOLD, split_of
from crack_utils.inference.predictor import load_trained


def measure(run, tolerance=2, threshold=THRESHOLD):
    """Measure a run on its evaluated set at the photographs' own size.

    Parameters
    ----------
    run : Run
    tolerance : float [px of the photographs]
    threshold : float in (0, 1), optional
        Of calibrated probabilities, if the run was calibrated; None takes the one that was chosen then.

    Returns
    -------
    list of dict
        One a photograph: name, precision, recall and f1 with the tolerance, and its confusion counts tp, fp, fn, tn.
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
    """Return the measures of one photograph, as `measure` has them, without its name."""
    precision, recall = metrics.tolerant_precision_recall(true, predicted, tolerance)
    counts = dataclasses.asdict(metrics.confusion(true, predicted))
    return {"precision": precision, "recall": recall, "f1": metrics.tolerant_f1(true, predicted, tolerance)} | counts
