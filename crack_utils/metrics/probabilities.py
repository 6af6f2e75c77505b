"""Measures of crack probabilities: their calibration, and the masks that follow from them at every threshold.

Probabilities are float arrays in [0, 1] of any shape, and true masks boolean (or integer 0/1) arrays of the same shape.
Only NumPy, SciPy and scikit-image are needed.
"""

import numpy as np

from crack_utils.metrics.masks import Confusion, boolean_mask, check_same_shape, confusion

# A probability stored in one of these types rounds to 1 from this value, half a step below 1 (a tie rounds to 1, which
# is even). The cast of S1 is a threshold there. The networks' outputs are float32, where only 1 itself counts.
ROUNDS_TO_ONE = {"bfloat16": 1 - 2**-9, "float16": 1 - 2**-12, "float32": 1.0}
BINS = 15  # of the calibration error, as in Guo et al. (2017)


def unthresholded_mean_iou(true, probability):
    """Return the mean IoU that ``keras.metrics.MeanIoU(num_classes=2)`` computes from probabilities (S1).

    That metric casts them to integers: 0.99 becomes background, and only exactly 1 is crack. Use it only to show this
    error.

    Parameters
    ----------
    true : array of bool
    probability : array of float in [0, 1], of the same shape

    Returns
    -------
    float in [0, 1]
    """
    return confusion(true, _probability(probability) >= 1).mean_iou


def expected_calibration_error(true, probability, bins=BINS):
    """Return the calibration error of probabilities, in [0, 1]: 0 is calibrated, 1 the worst.

    Pixels are divided into `bins` equal intervals of their probability of crack. The error is the mean over pixels of
    |mean probability − share of crack| of their interval. (This is not the variant that uses the confidence of the more
    likely class.)

    Parameters
    ----------
    true, probability, bins
        As for `reliability`.

    References
    ----------
    Guo, Pleiss, Sun, Weinberger (2017), arXiv:1706.04599.
    """
    return calibration_error(reliability_sums(true, probability, bins))


def calibration_error(sums):
    """Return the expected calibration error of sums of `reliability_sums`, in [0, 1]; 0 without pixels."""
    pixels, confidence, frequency = sums
    return float(np.abs(confidence - frequency).sum() / max(pixels.sum(), 1))


def reliability(true, probability, bins=BINS):
    """Return the points of a reliability diagram, to see whether probabilities are calibrated.

    Parameters
    ----------
    true : array of bool
    probability : array of float in [0, 1], of the same shape
    bins : int
        Number of equal intervals of the probability.

    Returns
    -------
    confidence, frequency : ndarray, shape (filled,)
        Mean probability, and share of crack, of each interval with pixels.
    pixels : ndarray of int, shape (filled,)
        Number of pixels of each of these intervals.

    Raises
    ------
    ValueError
        If the shapes differ, or probabilities are not floats in [0, 1].
    """
    pixels, confidence, frequency = reliability_sums(true, probability, bins)
    filled = pixels > 0
    return confidence[filled] / pixels[filled], frequency[filled] / pixels[filled], pixels[filled].astype(int)


def reliability_sums(true, probability, bins=BINS):
    """Return the sums for a reliability diagram; those of several pictures can be added.

    Parameters
    ----------
    true, probability, bins
        As for `reliability`.

    Returns
    -------
    ndarray, shape (3, bins)
        Of each interval: its pixels, the sum of their probabilities, and those that are crack.
    """
    true, probability = boolean_mask(true, "true").ravel(), _probability(probability).ravel()
    check_same_shape(true, probability)
    index = np.minimum((probability * bins).astype(np.intp), bins - 1)
    return np.stack([np.bincount(index, values, bins) for values in (None, probability, true)])


def confusions_by_threshold(true, probability, thresholds):
    """Return one Confusion for each threshold t, of the masks ``probability >= t``, in one pass over the pixels.

    Parameters
    ----------
    true : array of bool
    probability : array of float in [0, 1], of the same shape
    thresholds : sequence of float
        In any order; compared as float32, as in training.

    Returns
    -------
    list of Confusion

    Raises
    ------
    ValueError
        If the mask is not boolean, a probability is not a float in [0, 1], or the shapes differ.
    """
    true, probability = boolean_mask(true, "true"), _probability(probability)
    check_same_shape(true, probability)
    thresholds = np.asarray(thresholds, dtype=np.float32)
    ascending = np.sort(thresholds)
    passed = np.searchsorted(
        ascending, probability.ravel(), side="right"
    )  # number of thresholds that each pixel reaches
    reaching = []
    for pixels in (passed[true.ravel()], passed[~true.ravel()]):
        counts = np.bincount(pixels, minlength=len(ascending) + 1)
        reaching.append(counts[::-1].cumsum()[::-1][1:])  # [k]: pixels that reach the k-th threshold
    cracks = int(np.count_nonzero(true))
    background = true.size - cracks
    order = np.searchsorted(ascending, thresholds)
    return [
        Confusion(tp, fp, cracks - tp, background - fp)
        for tp, fp in zip(reaching[0][order].tolist(), reaching[1][order].tolist(), strict=True)
    ]


def best_threshold(thresholds, scores):
    """Return the threshold with the highest score; the middle one if several are best.

    Choose it on validation data, never on the data that the result is reported on.

    Parameters
    ----------
    thresholds : sequence of float, rising
    scores : sequence of float, of the same length
        Such as the mean IoU at each threshold, of `confusions_by_threshold`.

    Returns
    -------
    float

    Examples
    --------
    >>> best_threshold([0.3, 0.4, 0.5, 0.6], [0.7, 0.8, 0.8, 0.8])
    0.5
    """
    scores = np.asarray(scores)
    best = np.flatnonzero(scores == scores.max())
    return float(thresholds[best[len(best) // 2]])


def _probability(probability):
    """Return probabilities as float32; raise a ValueError if they are not floats in [0, 1]."""
    probability = np.asarray(probability)
    if not np.issubdtype(probability.dtype, np.floating):
        raise ValueError(f"probability is {probability.dtype}: it must be floats in [0, 1]")
    if probability.size and not (probability.min() >= 0 and probability.max() <= 1):
        raise ValueError(f"probability lies in {probability.min()} … {probability.max()}, not in [0, 1]")
    return probability.astype(np.float32)
