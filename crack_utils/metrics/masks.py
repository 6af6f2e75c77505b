"""How well a predicted crack mask fits the true one: count pixels once, then compute every measure from the counts.

Masks are boolean (or integer 0/1) arrays of any shape, probabilities float arrays in [0, 1]. A probability becomes a
mask by an explicit ``probability >= threshold``, never by a cast. Needs NumPy, SciPy and scikit-image only.

**Empty masks.** A ratio 0/0 is 1 if no pixel is wrong and 0 otherwise. A correctly empty prediction thus scores 1 in
all measures, and one false pixel on an image without crack sets precision, crack IoU and F1 to 0. No measure is NaN.

**Many images.** `pooled` adds the counts of all images (micro average: a large crack has more weight than a small one).
A mean of the measure over images gives every image the same weight. The two differ; state which you report.

>>> true = np.array([[1, 1, 0, 0]], dtype=bool)
>>> counts = confusion(true, np.array([[0.9, 0.4, 0.6, 0.1]]) >= 0.5)
>>> counts
Confusion(tp=1, fp=1, fn=1, tn=1)
>>> counts.f1, round(counts.crack_iou, 3)
(0.5, 0.333)
"""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from crack_utils.geometry.skeleton import skeleton_mask

# A probability stored in one of these types rounds to 1 from this value, half a step below 1 (a tie rounds to 1, which
# is even). The cast of S1 is a threshold there. The networks' outputs are float32, where only 1 itself counts.
ROUNDS_TO_ONE = {"bfloat16": 1 - 2**-9, "float16": 1 - 2**-12, "float32": 1.0}


def _ratio(part, whole, wrong):
    """Return part / whole; if whole is 0, return 1 if nothing is wrong and 0 otherwise."""
    return part / whole if whole else float(not wrong)


@dataclass(frozen=True)
class Confusion:
    """Counts of pixels by ground truth and prediction, and the measures that follow; `+` pools the pixels of two.

    Parameters
    ----------
    tp, fp, fn, tn : int
        True positives, false positives, false negatives and true negatives [px]; crack is positive.
    """

    tp: int
    fp: int
    fn: int
    tn: int

    def __add__(self, other):
        return Confusion(self.tp + other.tp, self.fp + other.fp, self.fn + other.fn, self.tn + other.tn)

    @property
    def wrong(self):
        """Number of pixels classified wrongly."""
        return self.fp + self.fn

    @property
    def crack_iou(self):
        """Intersection over union of the crack, TP / (TP + FP + FN)."""
        return _ratio(self.tp, self.tp + self.wrong, self.wrong)

    @property
    def background_iou(self):
        """Intersection over union of the background, TN / (TN + FP + FN)."""
        return _ratio(self.tn, self.tn + self.wrong, self.wrong)

    @property
    def mean_iou(self):
        """Mean of crack IoU and background IoU (R46)."""
        return (self.crack_iou + self.background_iou) / 2

    @property
    def precision(self):
        """Share of the predicted crack that is crack, TP / (TP + FP)."""
        return _ratio(self.tp, self.tp + self.fp, self.wrong)

    @property
    def recall(self):
        """Share of the true crack that is predicted, TP / (TP + FN): the accuracy of the crack class."""
        return _ratio(self.tp, self.tp + self.fn, self.wrong)

    @property
    def specificity(self):
        """Share of the background predicted as such, TN / (TN + FP): the accuracy of the background class."""
        return _ratio(self.tn, self.tn + self.fp, self.wrong)

    @property
    def f1(self):
        """Harmonic mean of precision and recall, 2·TP / (2·TP + FP + FN), also called Dice coefficient."""
        return _ratio(2 * self.tp, 2 * self.tp + self.wrong, self.wrong)

    @property
    def accuracy(self):
        """Share of all pixels classified correctly; close to 1 also for an empty prediction, as cracks are small."""
        return _ratio(self.tp + self.tn, self.tp + self.tn + self.wrong, self.wrong)

    @property
    def mean_class_accuracy(self):
        """Mean of recall and specificity (R45)."""
        return (self.recall + self.specificity) / 2


def confusion(true, predicted):
    """Count pixels by ground truth and prediction; all measures are properties of the result.

    Parameters
    ----------
    true, predicted : array of bool, or of integers 0 and 1
        Masks of the same shape.

    Returns
    -------
    Confusion

    Raises
    ------
    ValueError
        If the shapes differ, or a mask is floating point or has other values; apply a threshold first.
    """
    true, predicted = _masks(true, predicted)
    tp = int(np.count_nonzero(true & predicted))
    fp = int(np.count_nonzero(predicted)) - tp
    fn = int(np.count_nonzero(true)) - tp
    return Confusion(tp, fp, fn, true.size - tp - fp - fn)


def pooled(confusions):
    """Return one Confusion with the pixels of all images together (micro average)."""
    return sum(confusions, start=Confusion(0, 0, 0, 0))


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


def one_hot(mask):
    """Return a boolean mask (…) with one channel per class (R23): (…, 2) float32, background in 0 and crack in 1."""
    mask = _mask(mask, "mask")
    return np.stack([~mask, mask], axis=-1).astype(np.float32)


def tolerant_precision_recall(true, predicted, tolerance):
    """Return precision and recall that ignore errors of position up to a tolerance.

    Use them for thin cracks, where a shift of one pixel already halves the IoU. Precision is the share of predicted
    pixels with a true pixel within `tolerance`, recall the share of true pixels with a predicted pixel within it. The
    masks are not thinned, and several pixels may match the same one.

    Parameters
    ----------
    true, predicted : (height, width) array of bool
    tolerance : float
        Largest allowed Euclidean distance between pixel centres [px]; 0 gives plain precision and recall.

    Returns
    -------
    precision, recall : float in [0, 1]

    Raises
    ------
    ValueError
        If the tolerance is negative, the shapes differ, or a mask is not boolean or 0/1.
    """
    if tolerance < 0:
        raise ValueError(f"tolerance must not be negative, got {tolerance}")
    true, predicted = _masks(true, predicted)
    if not true.any() or not predicted.any():
        plain = confusion(true, predicted)
        return plain.precision, plain.recall
    near_true = ndimage.distance_transform_edt(~true) <= tolerance
    near_predicted = ndimage.distance_transform_edt(~predicted) <= tolerance
    return float(near_true[predicted].mean()), float(near_predicted[true].mean())


def tolerant_f1(true, predicted, tolerance):
    """Return the harmonic mean of `tolerant_precision_recall`, with the same arguments; a tolerance of 0 gives F1."""
    return _harmonic_mean(*tolerant_precision_recall(true, predicted, tolerance))


def cldice(true, predicted):
    """Return the centreline Dice, which rewards connected cracks and hardly depends on their width.

    It is the harmonic mean of two shares: of the predicted skeleton inside the true mask, and of the true skeleton
    inside the predicted mask. The skeleton is the one that lengths and tips are measured on, without spurs.

    Parameters
    ----------
    true, predicted : (height, width) array of bool

    Returns
    -------
    float in [0, 1]

    Raises
    ------
    ValueError
        If the shapes differ, or a mask is not boolean or 0/1.

    References
    ----------
    Shit et al. (2021), clDice, arXiv:2003.07311.
    """
    true, predicted = _masks(true, predicted)
    if not true.any() or not predicted.any():
        return confusion(true, predicted).f1
    return _harmonic_mean(true[skeleton_mask(predicted)].mean(), predicted[skeleton_mask(true)].mean())


def mean_width(true):
    """Return the mean width of a crack [px]: area divided by the number of skeleton pixels; 0 without a crack.

    On diagonals a skeleton has fewer pixels than its length, so the value is up to 41 % too large there. Use it to sort
    pictures by the width of their cracks, not to measure a crack.

    Parameters
    ----------
    true : (height, width) array of bool
    """
    true = _mask(true, "true")
    return float(true.sum() / skeleton_mask(true).sum()) if true.any() else 0.0


def expected_calibration_error(true, probability, bins=15):
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
    confidence, frequency, pixels = reliability(true, probability, bins)
    return float(np.average(np.abs(confidence - frequency), weights=pixels))


def reliability(true, probability, bins=15):
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


def reliability_sums(true, probability, bins=15):
    """Return what a reliability diagram is made of, to be added up over pictures.

    Parameters
    ----------
    true, probability, bins
        As for `reliability`.

    Returns
    -------
    ndarray, shape (3, bins)
        Of each interval: its pixels, the sum of their probabilities, and those that are crack.
    """
    true, probability = _mask(true, "true").ravel(), _probability(probability).ravel()
    _same_shape(true, probability)
    index = np.minimum((probability * bins).astype(np.intp), bins - 1)
    return np.stack([np.bincount(index, values, bins) for values in (None, probability, true)])


def share_at_one(true, probability):
    """Return the share of crack pixels with a probability of exactly 1; an unthresholded IoU counts only these (S1).

    Parameters
    ----------
    true : array of bool
    probability : array of float in [0, 1], of the same shape

    Returns
    -------
    float in [0, 1]
        0 if there is no crack.
    """
    true, probability = _mask(true, "true"), _probability(probability)
    _same_shape(true, probability)
    return float((probability[true] >= 1).mean()) if true.any() else 0.0


def confusions_by_threshold(true, probability, thresholds):
    """Return one Confusion for each threshold t, of the masks ``probability >= t``, in one pass over the pixels.

    Parameters
    ----------
    true : array of bool
    probability : array of the same shape
    thresholds : sequence of float
        In any order; compared as float32, as in training.

    Returns
    -------
    list of Confusion
    """
    true, probability = _mask(true, "true"), _probability(probability)
    _same_shape(true, probability)
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


def threshold_sweep(true, probability, thresholds):
    """Return the mean IoU at each threshold, an array as long as `thresholds`; see `confusions_by_threshold`."""
    return np.array([counts.mean_iou for counts in confusions_by_threshold(true, probability, thresholds)])


def best_threshold(thresholds, scores):
    """Return the threshold with the highest score; the middle one if several are best.

    Choose it on validation data, never on the data that the result is reported on.

    Parameters
    ----------
    thresholds : sequence of float, rising
    scores : sequence of float, of the same length
        Such as the mean IoU at each threshold, see `threshold_sweep`.

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


def _harmonic_mean(first, second):
    return float(2 * first * second / (first + second)) if first + second else 0.0


def _mask(mask, name):
    """Return a mask as booleans; raise a ValueError if it is not boolean or 0/1."""
    mask = np.asarray(mask)
    if mask.dtype == bool:
        return mask
    if not np.issubdtype(mask.dtype, np.integer):
        raise ValueError(f"{name} is {mask.dtype}: masks must be boolean, for example probability >= 0.5")
    if mask.size and (mask.min() < 0 or mask.max() > 1):
        raise ValueError(
            f"{name} has values {mask.min()} … {mask.max()}: masks must be boolean or 0/1, for example mask > 127"
        )
    return mask.astype(bool)


def _masks(true, predicted):
    true, predicted = _mask(true, "true"), _mask(predicted, "predicted")
    _same_shape(true, predicted)
    return true, predicted


def _same_shape(true, predicted):
    if true.shape != predicted.shape:
        raise ValueError(f"shapes of true {true.shape} and predicted {predicted.shape} differ")


def _probability(probability):
    """Return probabilities as float32; raise a ValueError if they are not floats in [0, 1]."""
    probability = np.asarray(probability)
    if not np.issubdtype(probability.dtype, np.floating):
        raise ValueError(f"probability is {probability.dtype}: it must be floats in [0, 1]")
    if probability.size and not (probability.min() >= 0 and probability.max() <= 1):
        raise ValueError(f"probability lies in {probability.min()} … {probability.max()}, not in [0, 1]")
    return probability.astype(np.float32)
