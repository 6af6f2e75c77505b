"""Keras metrics for use during training: integer counts of pixels, and ratios of them.

Each metric takes a mask and a probability of shape (batch, height, width, 1). If the ground truth has more channels
(see `crack_utils.data.targets`), only the mask is used. Mask pixels above 0.5 are crack, so that 0/1, 0/255 and
booleans give the same result. Counts are 64-bit integers, because a float32 sum cannot count beyond 2²⁴ pixels (52
images of 512×640). A ratio 0/0 is 1 if no pixel is wrong and 0 otherwise, as in `crack_utils.metrics.masks`.
"""

import keras
from keras import ops

from crack_utils.losses.targets import mask_of

PACKAGE = "crack_utils"


class _ConfusionMetric(keras.metrics.Metric):
    """Base class: counts true and false positives and negatives; subclasses compute a value from the counts.

    Parameters
    ----------
    threshold : float
        In [0, 1]. Pixels with at least this probability, as float32, are predicted as crack.

    Raises
    ------
    ValueError
        If the threshold is out of range.
    """

    def __init__(self, threshold=0.5, name=None):
        if not 0 <= threshold <= 1:
            raise ValueError(f"threshold must lie in [0, 1], got {threshold}")
        super().__init__(name=name, dtype="float32")
        self.threshold = threshold
        self.counts = self.add_variable((4,), initializer="zeros", dtype="int64", name="counts")

    def predicted_crack(self, y_pred):
        """Return the mask of pixels predicted as crack, a tensor of bool of the shape of `y_pred`."""
        return ops.cast(y_pred, "float32") >= self.threshold

    def value(self, tp, fp, fn, tn):
        """Return the metric in [0, 1] from the four counts of pixels, float32 scalars."""
        raise NotImplementedError

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Add the pixels of one batch; a ValueError if the shapes differ or `sample_weight` is given."""
        if sample_weight is not None:
            raise ValueError(f"{self.name} counts pixels and takes no sample_weight")
        y_true, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
        y_true = mask_of(y_true, y_pred)
        true = ops.cast(y_true, "float32") > 0.5
        predicted = self.predicted_crack(y_pred)
        if len(true.shape) != len(predicted.shape):
            raise ValueError(
                f"true {tuple(true.shape)} and predicted {tuple(predicted.shape)} must have the same shape"
            )
        # The same three sums in all metrics of a step, so that a compiler computes them once.
        tp = _count(ops.logical_and(true, predicted))
        positives, cracks = _count(predicted), _count(true)
        pixels = ops.cast(ops.size(true), "int64")
        self.counts.assign_add(ops.stack([tp, positives - tp, cracks - tp, pixels - positives - cracks + tp]))

    def result(self):
        """Return the value over all batches since the last reset, a float32 scalar."""
        return self.value(*ops.unstack(ops.cast(self.counts, "float32"), num=4))

    def get_config(self):
        """Return the arguments of the metric, for saving."""
        return {"name": self.name, "threshold": self.threshold}


def _count(pixels):
    return ops.cast(ops.sum(ops.cast(pixels, "int32")), "int64")  # int32 is enough for one batch, and faster


def _ratio(part, whole, wrong):
    """Return part / whole; if whole is 0, return 1 if nothing is wrong and 0 otherwise."""
    return ops.where(whole > 0, part / ops.maximum(whole, 1.0), ops.cast(wrong == 0, "float32"))


@keras.saving.register_keras_serializable(PACKAGE)
class MeanIoU(_ConfusionMetric):
    """Intersection over union of crack and of background at a threshold, averaged over the two classes (R46)."""

    def __init__(self, threshold=0.5, name="mean_iou"):
        super().__init__(threshold, name)

    def value(self, tp, fp, fn, tn):
        """Return the metric in [0, 1] from the four counts of pixels, float32 scalars."""
        wrong = fp + fn
        return (_ratio(tp, tp + wrong, wrong) + _ratio(tn, tn + wrong, wrong)) / 2


@keras.saving.register_keras_serializable(PACKAGE)
class UnthresholdedMeanIoU(MeanIoU):
    """The mean IoU that ``keras.metrics.MeanIoU(num_classes=2)`` computes from probabilities, to show its error (S1).

    That metric casts predictions to integers, so that only a probability of exactly 1 counts as crack.
    """

    def __init__(self, name="unthresholded_mean_iou"):
        super().__init__(threshold=1.0, name=name)

    def get_config(self):
        """Return the arguments of the metric, for saving."""
        return {"name": self.name}


@keras.saving.register_keras_serializable(PACKAGE)
class MeanPixelAccuracy(_ConfusionMetric):
    """Mean of two shares: crack pixels predicted as crack, and background pixels predicted as background (R45)."""

    def __init__(self, threshold=0.5, name="mean_pixel_accuracy"):
        super().__init__(threshold, name)

    def value(self, tp, fp, fn, tn):
        """Return the metric in [0, 1] from the four counts of pixels, float32 scalars."""
        wrong = fp + fn
        return (_ratio(tp, tp + fn, wrong) + _ratio(tn, tn + fp, wrong)) / 2


@keras.saving.register_keras_serializable(PACKAGE)
class PixelAccuracy(_ConfusionMetric):
    """Share of all pixels that are classified correctly (R44)."""

    def __init__(self, threshold=0.5, name="pixel_accuracy"):
        super().__init__(threshold, name)

    def value(self, tp, fp, fn, tn):
        """Return the metric in [0, 1] from the four counts of pixels, float32 scalars."""
        wrong = fp + fn
        return _ratio(tp + tn, tp + tn + wrong, wrong)


@keras.saving.register_keras_serializable(PACKAGE)
class Separation(keras.metrics.Metric):
    """Mean probability of crack pixels minus mean probability of background pixels: shows whether anything is learnt.

    It needs no threshold. It is 0 for a network that predicts the same probability for all pixels, and 1 for a perfect
    network. It is NaN if no pixel is crack, or if all are.
    """

    def __init__(self, name="separation"):
        super().__init__(name=name, dtype="float32")
        # Sums of means of batches: a float32 sum over millions of pixels would stop growing.
        self.sums = self.add_variable((4,), initializer="zeros", name="sums")

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Add the pixels of one batch.

        Parameters
        ----------
        y_true : tensor, shape (batch, height, width, channels)
            Mask in its first channel, in {0, 1}.
        y_pred : tensor, shape (batch, height, width, 1)
            Probability in [0, 1].
        sample_weight : None
            Keras passes it; it is not used.
        """
        predicted = ops.cast(y_pred, "float32")
        true = ops.cast(mask_of(ops.convert_to_tensor(y_true), predicted), "float32")
        crack, background = ops.mean(true), ops.mean(1 - true)
        self.sums.assign_add(
            ops.stack([ops.mean(true * predicted), crack, ops.mean((1 - true) * predicted), background])
        )

    def result(self):
        """Return the separation over all batches since the last reset, a float32 scalar."""
        on_crack, crack, on_background, background = ops.unstack(self.sums, num=4)
        return on_crack / crack - on_background / background

    def get_config(self):
        """Return the arguments of the metric, for saving."""
        return {"name": self.name}
