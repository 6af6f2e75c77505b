"""A run, whatever it was trained on, measured on the photographs at their own size: reduction and crops compared.

A network that saw reduced pictures is given reduced ones; its probabilities are enlarged to the photograph before they
become a mask. So both kinds of run answer the same question about the same pixels.
"""

import numpy as np

from crack_utils import measures
from crack_utils.data import read_image, read_mask
from crack_utils.evaluation import THRESHOLD, split_of
from crack_utils.trained import load_trained


def measure(run, tolerance=2):
    """Measure a run on its evaluated set at the photographs' own size.

    Parameters
    ----------
    run : Run
    tolerance : float [px of the photographs]

    Returns
    -------
    dict
        names (list of str), f1 (ndarray, shape (N,): of each photograph, with the tolerance), mean_f1, and crack_iou,
        pooled over the photographs.
    """
    trained, split = load_trained(run.folder), split_of(run)
    pairs = split[split.evaluated]
    scores, counts = [], []
    for pair in pairs:
        true = read_mask(pair.mask)
        predicted = trained.predict(read_image(pair.image)) >= THRESHOLD
        scores.append(measures.tolerant_f1(true, predicted, tolerance))
        counts.append(measures.confusion(true, predicted))
    return {
        "names": [pair.name for pair in pairs],
        "f1": np.array(scores),
        "mean_f1": float(np.mean(scores)),
        "crack_iou": measures.pooled(counts).crack_iou,
    }
