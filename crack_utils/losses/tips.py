"""Losses that know where the true tip is (R71, R72): one weighs what is near it, one measures how far the end is off.

Both take `y_true` of shape (batch, height, width, 4), see `crack_utils.data.targets`. In a picture whose tip is not
known every pixel weighs 1, and no end is measured.
"""

import keras
from keras import ops

from crack_utils.losses.common import PACKAGE, REDUCTION, check_not_negative
from crack_utils.losses.cross_entropy import BinaryCrossEntropy, Focal
from crack_utils.losses.overlap import Dice, Tversky
from crack_utils.losses.targets import check_channels, mask_of, offsets_of

BASES = {"bce": BinaryCrossEntropy, "dice": Dice, "focal": Focal, "tversky": Tversky}
WEIGHT_REACH = 1 / 16  # of the picture's height: standard deviation of the weight, 4 px of 64
END_REACH = 1 / 8  # the same of the surroundings in which an end is looked for
NEARLY_ZERO = 0.01  # [px] below which a distance is rounded off, as it has no derivative at 0


def near_tip(offsets, known, reach):
    """Return exp(−d² / 2·reach²) of the distance d from the tip; 0 where that is not known.

    Parameters
    ----------
    offsets : tensor of shape (batch, height, width, 2)
        From the tip [px].
    known : tensor of shape (batch, height, width, 1)
    reach : float or scalar tensor
        Standard deviation [px].
    """
    squares = ops.sum(ops.square(offsets), axis=-1, keepdims=True)
    return known * ops.exp(-squares / (2 * reach**2))


def _reach(sigma, share, y_pred):
    """Return a standard deviation [px]: as given, or as a share of the picture's height."""
    return sigma if sigma is not None else share * ops.cast(ops.shape(y_pred)[1], "float32")


def _check_sigma(sigma):
    if sigma is not None and not sigma > 0:
        raise ValueError(f"sigma must be a positive number of pixels, or None, got {sigma}")


@keras.saving.register_keras_serializable(PACKAGE)
class GaussianTip(keras.losses.Loss):
    """One of the report's four losses with each pixel weighed by 1 + strength·exp(−d²/2σ²), d from the tip (R71).

    In cross-entropy and focal the weights multiply each pixel's loss before the mean; in Dice and Tversky they
    multiply what the pixel adds to the counts. So ``dice+tip`` is overlap everywhere, and once more near the tip.

    Parameters
    ----------
    base : {"dice", "bce", "focal", "tversky"}
        With its defaults.
    strength : float
        How much more a pixel at the tip counts, at least 0. The default is such that the surroundings of a tip count
        about as much as the rest of a small crack: at 64×80 a weight of 4 px around it holds about a dozen crack
        pixels, of about a hundred.
    sigma : float or None
        How far the weight reaches: its standard deviation, in pixels of the training's size; None takes a sixteenth of
        the picture's height.
    """

    needs = frozenset({"tip"})

    def __init__(self, base="dice", strength=10.0, sigma=None, reduction=REDUCTION, name="tip"):
        if base not in BASES:
            raise ValueError(f"base must be one of {', '.join(BASES)}, got {base!r}")
        check_not_negative(strength=strength)
        _check_sigma(sigma)
        super().__init__(name=name, reduction=reduction, dtype="float32")
        self.base = BASES[base]()
        self.strength = strength
        self.sigma = sigma

    def call(self, y_true, y_pred):
        """Return the base's losses, one a pixel or one an image."""
        check_channels(y_true, y_pred, self.name)
        near = near_tip(*offsets_of(y_true), _reach(self.sigma, WEIGHT_REACH, y_pred))
        return self.base.call(mask_of(y_true, y_pred), y_pred, 1 + self.strength * near)

    def get_config(self):
        return {
            "base": self.base.name,
            "strength": self.strength,
            "sigma": self.sigma,
            "reduction": self.reduction,
            "name": self.name,
        }


@keras.saving.register_keras_serializable(PACKAGE)
class TipDistance(keras.losses.Loss):
    """How far the predicted end of the crack lies from the true one, over the picture's diagonal (R72).

    A tip found in a mask, by its skeleton, has no derivative. What has one is a mean position: here that of the crack
    in the tip's surroundings, with each pixel at x weighed by its probability and by g = exp(−d²/2σ²), d from the true
    tip,

        E(p) = Σ g·p·(x − tip) / (Σ g·p + 1),

    and the loss is |E(p) − E(y)| with y the mask, which is 0 for a perfect prediction. (|E(p)| alone would not be, as
    the crack lies on one side of its tip.) An end that is δ short moves E by about 0.6·δ, one beside the crack's line
    by δ. The 1 in the denominator, one pixel at the tip, keeps a faint background from counting as crack.

    What it cannot see: anything farther from the true tip than about 2σ, so neither a false crack elsewhere nor which
    end of the crack will be taken for its tip; and errors that leave the mean where it is, such as a crack too wide on
    both sides. It says nothing about the rest of the picture: use it in a sum, with a weight, since a distance over the
    diagonal is a small number: ``dice+10*tip_distance``.

    Parameters
    ----------
    sigma : float or None
        Standard deviation of the surroundings, in pixels of the training's size; None takes an eighth of the picture's
        height.
    """

    needs = frozenset({"tip"})

    def __init__(self, sigma=None, reduction=REDUCTION, name="tip_distance"):
        _check_sigma(sigma)
        super().__init__(name=name, reduction=reduction, dtype="float32")
        self.sigma = sigma

    def call(self, y_true, y_pred):
        """Return one loss an image, of shape (batch,), each at least 0; 0 where the tip is not known."""
        check_channels(y_true, y_pred, self.name)
        offsets, known = offsets_of(y_true)
        near = near_tip(offsets, known, _reach(self.sigma, END_REACH, y_pred))
        apart = _mean_position(near * y_pred, offsets) - _mean_position(near * mask_of(y_true, y_pred), offsets)
        distance = ops.sqrt(ops.sum(ops.square(apart), axis=-1) + NEARLY_ZERO**2) - NEARLY_ZERO
        height, width = (ops.cast(ops.shape(y_pred)[axis], "float32") for axis in (1, 2))
        return distance / ops.sqrt(height**2 + width**2)

    def get_config(self):
        return {"sigma": self.sigma, "reduction": self.reduction, "name": self.name}


def _mean_position(weights, offsets):
    """Return E of each picture, of shape (batch, 2) [px]."""
    return ops.sum(weights * offsets, axis=(1, 2)) / (ops.sum(weights, axis=(1, 2)) + 1)
