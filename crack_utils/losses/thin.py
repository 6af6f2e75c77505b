"""Losses for thin structures: clDice, with a differentiable skeleton, and the boundary loss."""

import keras
from keras import ops

from crack_utils.losses.common import PACKAGE, REDUCTION, check_not_negative, check_shapes
from crack_utils.losses.targets import check_channels, distances_of, mask_of
from crack_utils.runtime.devices import sum_over_replicas


def soft_skeleton(picture, iterations):
    """Return a differentiable skeleton of a soft mask, made only of minima and maxima over neighbours.

    The pixels that an opening removes belong to the skeleton. The mask is then eroded and opened again, several times.
    Pixels outside the picture are ignored.

    Parameters
    ----------
    picture : tensor of shape (batch, height, width, 1)
        In [0, 1].
    iterations : int
        Number of erosions; half the width [px] of the widest crack is enough.

    Returns
    -------
    tensor of the same shape, in [0, 1]

    References
    ----------
    Shit et al. (2021), arXiv:2003.07311, algorithm 1.
    """
    skeleton = ops.relu(picture - _dilate(_erode(picture)))
    for _ in range(iterations):
        picture = _erode(picture)
        removed = ops.relu(picture - _dilate(_erode(picture)))
        skeleton = skeleton + ops.relu(removed - skeleton * removed)
    return skeleton


def _erode(picture):
    """Minimum over a pixel and its four neighbours."""
    down = -ops.max_pool(-picture, (3, 1), strides=1, padding="same", data_format="channels_last")
    across = -ops.max_pool(-picture, (1, 3), strides=1, padding="same", data_format="channels_last")
    return ops.minimum(down, across)


def _dilate(picture):
    """Maximum over a pixel and its eight neighbours."""
    return ops.max_pool(picture, (3, 3), strides=1, padding="same", data_format="channels_last")


@keras.saving.register_keras_serializable(PACKAGE)
class CentrelineDice(keras.losses.Loss):
    """One minus clDice: the harmonic mean of the shares of each skeleton that lie within the other mask.

    It rewards complete, connected cracks and hardly depends on their width. Use it in a sum, such as ``dice+cldice``.

    Parameters
    ----------
    iterations : int
        Of `soft_skeleton`, at least 1. The default is enough for cracks up to 20 px wide.
    smooth : float
        Pixels added to numerator and denominator of both fractions, as in `tversky_index`.

    Raises
    ------
    ValueError
        If smooth is negative or iterations is not a whole number of at least 1.

    References
    ----------
    Shit, Paetzold, Sekuboyina et al. (2021), clDice, arXiv:2003.07311, equations 1 to 3.
    """

    def __init__(self, iterations=10, smooth=1.0, reduction=REDUCTION, name="cldice"):
        check_not_negative(smooth=smooth)
        if iterations != int(iterations) or iterations < 1:
            raise ValueError(f"iterations must be a whole number of at least 1, got {iterations}")
        super().__init__(name=name, reduction=reduction, dtype="float32")
        self.iterations = int(iterations)
        self.smooth = smooth

    def call(self, y_true, y_pred):
        """Return the loss of the whole batch for each image, of shape (batch,)."""
        check_shapes(y_true, y_pred)
        true, predicted = soft_skeleton(y_true, self.iterations), soft_skeleton(y_pred, self.iterations)
        sums = [ops.sum(pixels) for pixels in (predicted * y_true, predicted, true * y_pred, true)]
        correct, all_predicted, detected, all_true = sum_over_replicas(sums)
        precision = (correct + self.smooth) / (all_predicted + self.smooth)
        sensitivity = (detected + self.smooth) / (all_true + self.smooth)
        loss = 1 - 2 * precision * sensitivity / ops.maximum(precision + sensitivity, 1e-7)
        return ops.broadcast_to(loss, ops.shape(y_pred)[:1])

    def get_config(self):
        """Return the arguments, for saving."""
        return {
            "iterations": self.iterations,
            "smooth": self.smooth,
            "reduction": self.reduction,
            "name": self.name,
        }


@keras.saving.register_keras_serializable(PACKAGE)
class Boundary(keras.losses.Loss):
    """Distance of wrong pixels from the true boundary, mean over all pixels, in units of the picture's diagonal.

    The mean of φ·(p − y), where φ is the signed distance from the true crack, negative inside. The paper's loss is the
    mean of φ·p. The difference φ·y does not depend on the prediction, so the gradient is the same, and this loss is 0
    for a perfect prediction. A picture without crack has no boundary and adds 0. Use it in a sum, such as
    ``dice+boundary``.

    References
    ----------
    Kervadec, Bouchtiba, Desrosiers et al. (2019), Boundary loss for highly unbalanced segmentation, arXiv:1812.07032,
    equation 5.
    """

    needs = frozenset({"distance"})

    def __init__(self, reduction=REDUCTION, name="boundary"):
        super().__init__(name=name, reduction=reduction, dtype="float32")

    def call(self, y_true, y_pred):
        """Return the loss of each pixel, at least 0, of the shape of `y_pred`."""
        check_channels(y_true, y_pred, self.name)
        height, width = (ops.cast(ops.shape(y_pred)[axis], "float32") for axis in (1, 2))
        return distances_of(y_true) * (y_pred - mask_of(y_true, y_pred)) / ops.sqrt(height**2 + width**2)

    def get_config(self):
        """Return the arguments, for saving."""
        return {"reduction": self.reduction, "name": self.name}
