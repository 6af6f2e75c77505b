"""How well a predicted crack mask fits the true one: count pixels once, then compute every measure from the counts.

Masks are boolean (or integer 0/1) arrays of any shape. A probability becomes a mask by an explicit ``probability >=
threshold``, never by a cast; `metrics.probabilities` has the measures of probabilities themselves. Only NumPy, SciPy
and scikit-image are needed.

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


def one_hot(mask):
    """Return a boolean mask (…) with one channel per class (R23): (…, 2) float32, background in 0 and crack in 1."""
    mask = boolean_mask(mask, "mask")
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
    """Return the F1 that allows a distance between masks: the harmonic mean of `tolerant_precision_recall`.

    Parameters
    ----------
    true, predicted : (height, width) array of bool
    tolerance : float [px]
        0 gives the usual F1.

    Returns
    -------
    float in [0, 1]
    """
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
    true = boolean_mask(true, "true")
    return float(true.sum() / skeleton_mask(true).sum()) if true.any() else 0.0


def _harmonic_mean(first, second):
    return float(2 * first * second / (first + second)) if first + second else 0.0


def boolean_mask(mask, name):
    """Return a mask as booleans.

    Parameters
    ----------
    mask : array of bool, or of integers 0 and 1
    name : str
        For the message.

    Raises
    ------
    ValueError
        If it has other values or is floating point.
    """
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
    true, predicted = boolean_mask(true, "true"), boolean_mask(predicted, "predicted")
    check_same_shape(true, predicted)
    return true, predicted


def check_same_shape(true, predicted):
    """Raise a ValueError if two arrays have different shapes."""
    if true.shape != predicted.shape:
        raise ValueError(f"shapes of true {true.shape} and predicted {predicted.shape} differ")
