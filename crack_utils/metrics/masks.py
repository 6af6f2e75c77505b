"""How well a predicted crack mask fits the true one: pixel counts once, every measure from them.

Masks are boolean (or integer 0/1) arrays of any shape, probabilities float arrays in [0, 1]; a probability becomes
a mask by an explicit ``probability >= threshold``, never by a cast. Needs NumPy, SciPy and scikit-image only.

**Empty masks.** A ratio 0/0 is 1 if no pixel is wrong and 0 otherwise. So a crack-free image left alone scores 1
everywhere, and one false pixel on it brings precision, crack IoU and F1 down to 0. No measure is NaN.

**Many images.** `pooled` adds the counts of all images (micro average: a large crack weighs more than a small one);
`mean_per_image` averages the measure over images (each image weighs the same). The two differ; say which.

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
from skimage.morphology import skeletonize

# A probability that is stored in these types rounds to 1 from here on, half a step below it (a tie goes to 1, the even
# one), so the cast of S1 is a threshold there. The networks' own outputs are float32, where only 1 itself counts.
ROUNDS_TO_ONE = {"bfloat16": 1 - 2**-9, "float16": 1 - 2**-12, "float32": 1.0}


def _ratio(part, whole, wrong):
    """Return part / whole; where whole is 0, 1 if nothing is wrong and else 0."""
    return part / whole if whole else float(not wrong)


@dataclass(frozen=True)
class Confusion:
    """Counts of pixels by truth and prediction, and what follows from them; adding two pools their pixels.

    Parameters
    ----------
    tp, fp, fn, tn : int
        Crack found, background called crack, crack missed, background left alone.
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
        """Share of the crack that is found, TP / (TP + FN): the accuracy of the crack class."""
        return _ratio(self.tp, self.tp + self.fn, self.wrong)

    @property
    def specificity(self):
        """Share of the background left alone, TN / (TN + FP): the accuracy of the background class."""
        return _ratio(self.tn, self.tn + self.fp, self.wrong)

    @property
    def f1(self):
        """Harmonic mean of precision and recall, 2·TP / (2·TP + FP + FN), also called Dice coefficient."""
        return _ratio(2 * self.tp, 2 * self.tp + self.wrong, self.wrong)

    @property
    def accuracy(self):
        """Share of all pixels classified correctly; near 1 for an empty prediction too, cracks being small."""
        return _ratio(self.tp + self.tn, self.tp + self.tn + self.wrong, self.wrong)

    @property
    def mean_class_accuracy(self):
        """Mean of recall and specificity (R45)."""
        return (self.recall + self.specificity) / 2


def confusion(true, predicted):
    """Count pixels by truth and prediction.

    Parameters
    ----------
    true, predicted : array of bool, or of integers 0 and 1
        Masks of the same shape.

    Raises
    ------
    ValueError
        If the shapes differ, or a mask is floating point or has other values: a threshold is the caller's to choose.
    """
    true, predicted = _masks(true, predicted)
    tp = int(np.count_nonzero(true & predicted))
    fp = int(np.count_nonzero(predicted)) - tp
    fn = int(np.count_nonzero(true)) - tp
    return Confusion(tp, fp, fn, true.size - tp - fp - fn)


def pooled(confusions):
    """Return one Confusion with the pixels of all images together (micro average)."""
    return sum(confusions, start=Confusion(0, 0, 0, 0))


def mean_per_image(confusions, measure="mean_iou"):
    """Return the mean over images of one measure, the name of a property of `Confusion`."""
    values = [getattr(counts, measure) for counts in confusions]
    if not values:
        raise ValueError("a mean per image needs at least one image, got none")
    return float(np.mean(values))


def unthresholded_mean_iou(true, probability):
    """Return the mean IoU that ``keras.metrics.MeanIoU(num_classes=2)`` computes from probabilities (S1).

    That metric casts them to integers: 0.99 becomes background, and only exactly 1 is crack. It is here to show what
    goes wrong, not to be used.
    """
    return confusion(true, _probability(probability) >= 1).mean_iou


def one_hot(mask):
    """Return the two-class view of a mask (R23): (…, 2) float32, background in channel 0 and crack in channel 1."""
    mask = _mask(mask, "mask")
    return np.stack([~mask, mask], axis=-1).astype(np.float32)


def tolerant_precision_recall(true, predicted, tolerance):
    """Return precision and recall that forgive misplacement up to a tolerance.

    Precision is the share of predicted pixels that have a true pixel within `tolerance`, recall the share of true
    pixels that have a predicted one within it. Nothing is thinned and several pixels may match the same one.

    Parameters
    ----------
    true, predicted : (height, width) array of bool
    tolerance : float
        Largest forgiven Euclidean distance between pixel centres [px]; 0 gives plain precision and recall.
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
    """Return the harmonic mean of `tolerant_precision_recall`; `tolerance` in [px], 0 gives plain F1."""
    return _harmonic_mean(*tolerant_precision_recall(true, predicted, tolerance))


def cldice(true, predicted):
    """Return the centreline Dice: does each skeleton lie inside the other mask?

    Harmonic mean of the share of the predicted skeleton inside the true mask and the share of the true skeleton inside
    the predicted mask. It asks for connectedness more than for width.

    Parameters
    ----------
    true, predicted : (height, width) array of bool

    References
    ----------
    Shit et al. (2021), clDice, arXiv:2003.07311.
    """
    true, predicted = _masks(true, predicted)
    if not true.any() or not predicted.any():
        return confusion(true, predicted).f1
    return _harmonic_mean(true[skeletonize(predicted)].mean(), predicted[skeletonize(true)].mean())


def mean_width(true):
    """Return how wide a crack is on average [px]: its area by the number of pixels of its skeleton; 0 without a crack.

    A skeleton has fewer pixels than its length on diagonals, so this is up to 41 % too wide there: it sorts pictures by
    the width of their cracks, it does not measure a crack.
    """
    true = _mask(true, "true")
    return float(true.sum() / skeletonize(true).sum()) if true.any() else 0.0


def expected_calibration_error(true, probability, bins=15):
    """Return how far probabilities are from shares of crack: 0 is calibrated, 1 the worst.

    Pixels are put into `bins` equal intervals of their probability of crack; the error is the mean over pixels of
    |mean probability − share of crack| of their interval. (Not the variant on the confidence of the more likely class.)

    References
    ----------
    Guo, Pleiss, Sun, Weinberger (2017), arXiv:1706.04599.
    """
    said, seen, pixels = reliability(true, probability, bins)
    return float(np.average(np.abs(said - seen), weights=pixels))


def reliability(true, probability, bins=15):
    """Return the points of a reliability diagram.

    Parameters
    ----------
    true : array of bool
    probability : array of float in [0, 1], of the same shape
    bins : int
        Equal intervals of the probability.

    Returns
    -------
    said, seen : ndarray, shape (filled,)
        Mean probability and share of crack of each interval that has pixels.
    pixels : ndarray of int, shape (filled,)
    """
    true, probability = _mask(true, "true").ravel(), _probability(probability).ravel()
    _same_shape(true, probability)
    index = np.minimum((probability * bins).astype(np.intp), bins - 1)
    pixels = np.bincount(index, minlength=bins)
    filled = pixels > 0
    said, seen = (np.bincount(index, values, bins)[filled] / pixels[filled] for values in (probability, true))
    return said, seen, pixels[filled]


def share_at_one(true, probability):
    """Return the share of crack pixels whose probability is exactly 1: all that an unthresholded IoU counts (S1).

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
        In any order; compared as float32, as during training.
    """
    true, probability = _mask(true, "true"), _probability(probability)
    _same_shape(true, probability)
    thresholds = np.asarray(thresholds, dtype=np.float32)
    ascending = np.sort(thresholds)
    passed = np.searchsorted(ascending, probability.ravel(), side="right")  # how many thresholds each pixel reaches
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


def _harmonic_mean(first, second):
    return float(2 * first * second / (first + second)) if first + second else 0.0


def _mask(mask, name):
    """Return a mask as booleans, or refuse it."""
    mask = np.asarray(mask)
    if mask.dtype == bool:
        return mask
    if not np.issubdtype(mask.dtype, np.integer):
        raise ValueError(f"{name} is {mask.dtype}: masks are boolean, as probability >= 0.5 gives them")
    if mask.size and (mask.min() < 0 or mask.max() > 1):
        raise ValueError(f"{name} has values {mask.min()} … {mask.max()}: masks are boolean or 0/1, as in mask > 127")
    return mask.astype(bool)


def _masks(true, predicted):
    true, predicted = _mask(true, "true"), _mask(predicted, "predicted")
    _same_shape(true, predicted)
    return true, predicted


def _same_shape(true, predicted):
    if true.shape != predicted.shape:
        raise ValueError(f"shapes of true {true.shape} and predicted {predicted.shape} differ")


def _probability(probability):
    """Return probabilities as float32, or refuse them."""
    probability = np.asarray(probability)
    if not np.issubdtype(probability.dtype, np.floating):
        raise ValueError(f"probability is {probability.dtype}: floats in [0, 1] are needed")
    if probability.size and not (probability.min() >= 0 and probability.max() <= 1):
        raise ValueError(f"probability lies in {probability.min()} … {probability.max()}, not in [0, 1]")
    return probability.astype(np.float32)
