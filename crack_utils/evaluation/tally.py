"""Measures of a set of pictures, added up picture by picture: memory does not grow with the set."""

import numpy as np

from crack_utils import metrics
from crack_utils.metrics.probabilities import BINS, calibration_error

THRESHOLD = 0.5  # on float32 probabilities: the reference of the whole book
TOLERANCES = (1, 2)  # [px] of the F1 that ignores small shifts of a hand-drawn boundary


class Tally:
    """The measures of the pictures that were added so far.

    Counts of pixels are pooled over the pictures; the F1 with tolerance and clDice are means over pictures.
    """

    def __init__(self):
        self.counts, self.cast = metrics.pooled([]), metrics.pooled([])
        self._bins, self._means = np.zeros((3, BINS)), []

    def add(self, true, probability):
        """Add a picture.

        Parameters
        ----------
        true : ndarray of bool, shape (H, W)
        probability : ndarray, float32, shape (H, W), in [0, 1]
        """
        predicted = probability >= THRESHOLD
        self.counts += metrics.confusion(true, predicted)
        self.cast += metrics.confusion(true, probability >= 1)
        self._bins += metrics.reliability_sums(true, probability, BINS)
        tolerant = [metrics.tolerant_f1(true, predicted, tolerance) for tolerance in TOLERANCES]
        self._means.append([*tolerant, metrics.cldice(true, predicted)])

    def summary(self):
        """Return the measures by name."""
        pooled, cracks = self.counts, self.counts.tp + self.counts.fn
        *tolerant, cldice = np.mean(self._means, axis=0).tolist()
        return {
            "crack_share": cracks / max(int(self._bins[0].sum()), 1),
            "mean_iou": pooled.mean_iou,
            "unthresholded_mean_iou": self.cast.mean_iou,
            "crack_iou": pooled.crack_iou,
            "precision": pooled.precision,
            "recall": pooled.recall,
            "f1": pooled.f1,
            **{f"f1_tolerance_{t}": value for t, value in zip(TOLERANCES, tolerant, strict=True)},
            "cldice": cldice,
            "accuracy": pooled.accuracy,
            "mean_class_accuracy": pooled.mean_class_accuracy,
            "expected_calibration_error": calibration_error(self._bins),
            "crack_at_one": self.cast.tp / cracks if cracks else 0.0,
        }


class Sweep:
    """Pooled counts of pixels at several thresholds.

    Parameters
    ----------
    thresholds : sequence of float
    """

    def __init__(self, thresholds):
        self.thresholds = thresholds
        self.counts = [metrics.pooled([])] * len(thresholds)

    def add(self, true, probability):
        """Add the pixels of a picture: arrays of one shape, of booleans and of floats in [0, 1]."""
        more = metrics.confusions_by_threshold(true, probability, self.thresholds)
        self.counts = [count + each for count, each in zip(self.counts, more, strict=True)]
