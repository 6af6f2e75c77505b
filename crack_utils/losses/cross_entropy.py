"""Losses that are a mean over pixels: binary cross-entropy, alike or with more weight on outlines, and focal."""

import keras
from keras import ops

from crack_utils.losses.common import CLIP, PACKAGE, REDUCTION, check_not_negative, check_shapes


@keras.saving.register_keras_serializable(PACKAGE)
class Focal(keras.losses.Loss):
    """Focal loss: cross-entropy with small weights for pixels already right, mean over all pixels (R52).

    Use it where most pixels are easy background and the difficult ones should dominate.

    −alpha·(1−p)^gamma·ln p on crack pixels and −(1−alpha)·p^gamma·ln(1−p) on the background.

    Parameters
    ----------
    gamma : float
        How strongly the weight of easy pixels is reduced, at least 0; 0 gives cross-entropy.
    alpha : float or None
        Weight of crack pixels in [0, 1]; background pixels have the weight 1 − alpha. With None both weights are 1.

    Raises
    ------
    ValueError
        If gamma is negative, or alpha is not in [0, 1].

    References
    ----------
    Lin, Goyal, Girshick, He, Dollár (2017), arXiv:1708.02002; the defaults are theirs.
    """

    def __init__(self, gamma=2.0, alpha=0.25, reduction=REDUCTION, name="focal"):
        check_not_negative(gamma=gamma)
        if alpha is not None and not 0 <= alpha <= 1:
            raise ValueError(f"alpha must be None or lie in [0, 1], got {alpha}")
        super().__init__(name=name, reduction=reduction, dtype="float32")
        self.gamma = gamma
        self.alpha = alpha

    def call(self, y_true, y_pred, weights=None):
        """Compute the loss of each pixel; Keras calls it and takes the mean.

        Parameters
        ----------
        y_true, y_pred : tensors of float32, shape (batch, height, width, 1)
            Mask in {0, 1} and probability in [0, 1].
        weights : tensor of the same shape, optional
            Factor of each pixel's loss, at least 0.

        Returns
        -------
        tensor of float32, of the same shape

        Raises
        ------
        ValueError
            If the shapes differ.
        """
        check_shapes(y_true, y_pred)
        crack = ops.clip(y_pred, CLIP, 1 - CLIP)
        background = 1 - crack
        # The base of the power is clipped too, because the derivative of 0^gamma is infinite for gamma below 1.
        on_crack = -ops.power(background, self.gamma) * ops.log(crack)
        on_background = -ops.power(crack, self.gamma) * ops.log(background)
        alpha, rest = (1.0, 1.0) if self.alpha is None else (self.alpha, 1 - self.alpha)
        loss = alpha * y_true * on_crack + rest * (1 - y_true) * on_background
        return loss if weights is None else weights * loss

    def get_config(self):
        """Return the arguments, for saving."""
        return {"gamma": self.gamma, "alpha": self.alpha, "reduction": self.reduction, "name": self.name}


@keras.saving.register_keras_serializable(PACKAGE)
class BinaryCrossEntropy(keras.losses.Loss):
    """Binary cross-entropy −y·ln p − (1−y)·ln(1−p), mean over all pixels (R50).

    Use it where probabilities should be calibrated.
    """

    def __init__(self, reduction=REDUCTION, name="bce"):
        super().__init__(name=name, reduction=reduction, dtype="float32")

    def call(self, y_true, y_pred, weights=None):
        """Compute the loss of each pixel; Keras calls it and takes the mean.

        Parameters
        ----------
        y_true, y_pred, weights
            As for `Focal`.

        Returns
        -------
        tensor of float32, shape (batch, height, width, 1)

        Raises
        ------
        ValueError
            If the shapes differ.
        """
        check_shapes(y_true, y_pred)
        crack = ops.clip(y_pred, CLIP, 1 - CLIP)
        loss = -(y_true * ops.log(crack) + (1 - y_true) * ops.log(1 - crack))
        return loss if weights is None else weights * loss

    def get_config(self):
        """Return the arguments, for saving."""
        return {"reduction": self.reduction, "name": self.name}


@keras.saving.register_keras_serializable(PACKAGE)
class EdgeCrossEntropy(BinaryCrossEntropy):
    """Binary cross-entropy with more weight near the crack's outline, mean over all pixels.

    All pixels of a crack that is four pixels wide are near its outline, and most errors in F1 come from a predicted
    width of three or five pixels; the rest of the picture is learnt quickly. The U-Net's paper also uses such a weight,
    for the borders between cells (Ronneberger, Fischer, Brox 2015, arXiv:1505.04597). Here it is the same on both sides
    of the outline.

    Parameters
    ----------
    weight : float
        Additional weight of pixels near the outline; all other pixels have the weight 1. At least 0.
    radius : int
        Largest distance from the outline, along rows and columns, of pixels with this weight [px]; at least 1.
    """

    def __init__(self, weight=2.0, radius=2, reduction=REDUCTION, name="edge"):
        check_not_negative(weight=weight)
        if radius != int(radius) or radius < 1:
            raise ValueError(f"radius must be a whole number of at least 1, got {radius}")
        super().__init__(reduction=reduction, name=name)
        self.weight, self.radius = weight, int(radius)

    def call(self, y_true, y_pred, weights=None):
        """Compute the weighted loss of each pixel; Keras calls it and takes the mean.

        Parameters
        ----------
        y_true, y_pred, weights
            As for `Focal`; `weights` are multiplied with those of the edges.

        Returns
        -------
        tensor of float32, shape (batch, height, width, 1)

        Raises
        ------
        ValueError
            If the shapes differ.
        """
        y_true = ops.convert_to_tensor(y_true, "float32")
        size = 2 * self.radius + 1
        near_crack = ops.max_pool(y_true, size, strides=1, padding="same")
        near_background = ops.max_pool(1 - y_true, size, strides=1, padding="same")
        near = 1 + self.weight * near_crack * near_background
        return super().call(y_true, y_pred, near if weights is None else weights * near)

    def get_config(self):
        """Return the arguments, for saving."""
        return super().get_config() | {"weight": self.weight, "radius": self.radius}
