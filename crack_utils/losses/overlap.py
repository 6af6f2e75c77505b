"""Overlap losses: the Tversky loss, and Dice as a special case of it."""

import keras
from keras import ops

from crack_utils.losses.common import PACKAGE, REDUCTION, check_not_negative, check_shapes
from crack_utils.runtime.devices import sum_over_replicas


def tversky_index(true, predicted, alpha, beta, smooth, axis=None, weights=None):
    """Return the Tversky index (TP + smooth) / (TP + alpha·FP + beta·FN + smooth) of soft counts.

    Parameters
    ----------
    true, predicted : tensors of shape (batch, height, width, 1)
        Mask in {0, 1} and probability in [0, 1], float32.
    alpha, beta : float
        Weight of a false positive and of a false negative [1]_. (Keras 3.15.1 swaps the two.)
    smooth : float
        Pixels added to numerator and denominator, at least 0. Images without crack have TP = FN = 0. With `smooth` in
        the numerator too, their index is 1 for an empty prediction and falls with every false positive, so there is a
        gradient.
    axis : tuple of int, optional
        Axes to sum over. None sums over everything, including the parts of the batch on other GPUs.
    weights : tensor of shape (batch, height, width, 1), optional
        Weight of each pixel, at least 0; 1 by default.

    Returns
    -------
    tensor
        In [0, 1]: a scalar without `axis`, else one value per remaining index.

    References
    ----------
    .. [1] Salehi, Erdogmus, Gholipour (2017), arXiv:1706.05721, equation 2. Report item R53.
    """
    pixels = [true * predicted, (1 - true) * predicted, true * (1 - predicted)]
    if weights is not None:
        pixels = [weights * values for values in pixels]
    counts = [ops.sum(values, axis=axis) for values in pixels]
    true_positive, false_positive, false_negative = sum_over_replicas(counts) if axis is None else counts
    return (true_positive + smooth) / (true_positive + alpha * false_positive + beta * false_negative + smooth)


@keras.saving.register_keras_serializable(PACKAGE)
class Tversky(keras.losses.Loss):
    """One minus the Tversky index: overlap with separate weights for false positives and false negatives (R53).

    Use it where a missed crack is worse than a false alarm, or the other way round.

    Parameters
    ----------
    alpha, beta : float
        Weight of false positives and of false negatives. The defaults 0.3 and 0.7 (Salehi) favour recall.
    smooth : float
        ε of the index, in pixels; see `tversky_index`.
    per_image : bool
        False sums over the whole batch, so that an image with few crack pixels does not dominate. True computes one
        index per image and takes their mean.

    Raises
    ------
    ValueError
        If alpha, beta or smooth is negative.

    References
    ----------
    Salehi, Erdogmus, Gholipour (2017), arXiv:1706.05721.
    """

    def __init__(self, alpha=0.3, beta=0.7, smooth=1.0, per_image=False, reduction=REDUCTION, name="tversky"):
        check_not_negative(alpha=alpha, beta=beta, smooth=smooth)
        super().__init__(name=name, reduction=reduction, dtype="float32")
        self.alpha = alpha
        self.beta = beta
        self.smooth = smooth
        self.per_image = per_image

    def call(self, y_true, y_pred, weights=None):
        """Compute the loss of each image; Keras calls it and takes the mean.

        Parameters
        ----------
        y_true, y_pred : tensors of float32, shape (batch, height, width, 1)
            Mask in {0, 1} and probability in [0, 1].
        weights : tensor of the same shape, optional
            Weight of each pixel in the counts, at least 0.

        Returns
        -------
        tensor of float32, shape (batch,)
            In [0, 1]; without `per_image` all have the value of the whole batch.

        Raises
        ------
        ValueError
            If the shapes differ.
        """
        check_shapes(y_true, y_pred)
        axis = tuple(range(1, len(y_pred.shape))) if self.per_image else None
        loss = 1 - tversky_index(y_true, y_pred, self.alpha, self.beta, self.smooth, axis, weights)
        # Keras does not divide a scalar by the number of replicas, so one value per image is returned.
        return loss if self.per_image else ops.broadcast_to(loss, ops.shape(y_pred)[:1])

    def get_config(self):
        """Return the arguments, for saving."""
        return {
            "alpha": self.alpha,
            "beta": self.beta,
            "smooth": self.smooth,
            "per_image": self.per_image,
            "reduction": self.reduction,
            "name": self.name,
        }


@keras.saving.register_keras_serializable(PACKAGE)
class Dice(Tversky):
    """One minus the Dice coefficient 2·TP / (2·TP + FP + FN): the Tversky loss with both weights one half (R51).

    It does not depend on the size of the background, so it suits thin cracks.

    Parameters
    ----------
    smooth : float
        That of `Tversky`, in pixels, at least 0; so numerator and denominator of the fraction above both get 2·smooth.
    per_image : bool
        That of `Tversky`.

    Raises
    ------
    ValueError
        If smooth is negative.

    References
    ----------
    Milletari, Navab, Ahmadi (2016), arXiv:1606.04797; this form: Sudre et al. (2017), arXiv:1707.03237.
    """

    def __init__(self, smooth=1.0, per_image=False, reduction=REDUCTION, name="dice"):
        super().__init__(alpha=0.5, beta=0.5, smooth=smooth, per_image=per_image, reduction=reduction, name=name)

    def get_config(self):
        """Return the arguments, for saving."""
        config = super().get_config()
        del config["alpha"], config["beta"]
        return config
