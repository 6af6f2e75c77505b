"""Losses that use the position of the true tip (R71, R72): larger weights near it, and the distance to it.

Both take `y_true` of shape (batch, height, width, 4), see `crack_utils.data.targets`. In a picture without a labelled
tip every pixel has the weight 1, and the distance is 0.
"""

import keras
from keras import ops

from crack_utils.losses.common import PACKAGE, REDUCTION, check_not_negative
from crack_utils.losses.cross_entropy import BinaryCrossEntropy, Focal
from crack_utils.losses.overlap import Dice, Tversky
from crack_utils.losses.targets import check_channels, mask_of, offsets_of

BASES = {"bce": BinaryCrossEntropy, "dice": Dice, "focal": Focal, "tversky": Tversky}
WEIGHT_REACH = 1 / 16  # of the picture's height: standard deviation of the weight, 4 px of 64
END_REACH = 1 / 8  # the same for the surroundings in which the end is located
NEARLY_ZERO = 0.01  # [px] a distance is smoothed below this, because it has no derivative at 0


def base_in(names):
    """Return what a tip term weights in a sum: the first of the report's losses in it, Dice if there is none (R71).

    >>> base_in(["bce", "tip"]), base_in(["tip"])
    ('bce', 'dice')
    """
    return next((name for name in names if name in BASES), "dice")


def near_tip(offsets, has_tip, reach):
    """Return exp(−d² / 2·reach²) of the distance d from the tip; 0 without a labelled tip.

    Parameters
    ----------
    offsets : tensor of shape (batch, height, width, 2)
        From the tip [px].
    has_tip : tensor of shape (batch, height, width, 1)
        1 or 0.
    reach : float or scalar tensor
        Standard deviation [px].

    Returns
    -------
    tensor of shape (batch, height, width, 1), in [0, 1]
    """
    squares = ops.sum(ops.square(offsets), axis=-1, keepdims=True)
    return has_tip * ops.exp(-squares / (2 * reach**2))


def _reach(sigma, share, y_pred):
    """Return a standard deviation [px]: as given, or as a share of the picture's height."""
    return sigma if sigma is not None else share * ops.cast(ops.shape(y_pred)[1], "float32")


def _check_sigma(sigma):
    if sigma is not None and not sigma > 0:
        raise ValueError(f"sigma must be a positive number of pixels, or None, got {sigma}")


@keras.saving.register_keras_serializable(PACKAGE)
class GaussianTip(keras.losses.Loss):
    """One of the report's four losses with pixel weights 1 + strength·exp(−d²/2σ²), d the distance from the tip (R71).

    Use it in a sum such as ``dice+tip``, where errors at the tip should cost more. In a sum the term is one of the same
    loss as its partner: ``bce+tip`` is BCE plus weighted BCE. In cross-entropy and focal the
    weights multiply each pixel's loss before the mean. In Dice and Tversky they multiply what a pixel adds to the
    counts.

    Parameters
    ----------
    base : {"dice", "bce", "focal", "tversky"}
        The loss that is weighted, with its default options.
    strength : float
        Extra weight of a pixel at the tip, at least 0. With the default, the surroundings of a tip count about as much
        as the rest of a small crack: at 64×80 a Gaussian of 4 px covers about a dozen of about a hundred crack pixels.
    sigma : float or None
        Standard deviation of the weight [px of the training's image size]; None takes a sixteenth of the picture's
        height.

    Raises
    ------
    ValueError
        If base is unknown, strength is negative, or sigma is not positive.
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
        """Return the weighted losses of the base, one per pixel or one per image."""
        check_channels(y_true, y_pred, self.name)
        near = near_tip(*offsets_of(y_true), _reach(self.sigma, WEIGHT_REACH, y_pred))
        return self.base.call(mask_of(y_true, y_pred), y_pred, 1 + self.strength * near)

    def get_config(self):
        """Return the arguments, for saving."""
        return {
            "base": self.base.name,
            "strength": self.strength,
            "sigma": self.sigma,
            "reduction": self.reduction,
            "name": self.name,
        }


@keras.saving.register_keras_serializable(PACKAGE)
class TipDistance(keras.losses.Loss):
    """Distance between the predicted and the true end of the crack, divided by the picture's diagonal (R72).

    The tip of a skeleton has no derivative, but a mean position has one. Here it is the mean position of the crack near
    the tip. Each pixel at x has as its weight its probability p times g = exp(−d²/2σ²), d the distance from the true
    tip:

        E(p) = Σ g·p·(x − tip) / (Σ g·p + 1).

    The loss is |E(p) − E(y)| with y the mask, which is 0 for a perfect prediction. (|E(p)| alone would not be 0,
    because the crack lies on one side of its tip.) If the predicted crack ends δ too early, E moves by about 0.6·δ. If
    its end lies δ to the side, E moves by δ. The 1 in the denominator, one pixel at the tip, prevents a faint
    background from counting as crack.

    The loss ignores everything farther from the true tip than about 2σ. It therefore detects neither a false crack
    elsewhere nor a wrong end taken as the tip. It also ignores errors that do not move the mean, such as a crack too
    wide on both sides. Use it in a sum, with a weight, because a distance over the diagonal is a small number:
    ``dice+10*tip_distance``.

    Parameters
    ----------
    sigma : float or None
        Standard deviation of the surroundings [px of the training's image size]; None takes an eighth of the picture's
        height.

    Raises
    ------
    ValueError
        If sigma is not positive.
    """

    needs = frozenset({"tip"})

    def __init__(self, sigma=None, reduction=REDUCTION, name="tip_distance"):
        _check_sigma(sigma)
        super().__init__(name=name, reduction=reduction, dtype="float32")
        self.sigma = sigma

    def call(self, y_true, y_pred):
        """Return one loss per image, of shape (batch,), at least 0; 0 without a labelled tip."""
        check_channels(y_true, y_pred, self.name)
        offsets, has_tip = offsets_of(y_true)
        near = near_tip(offsets, has_tip, _reach(self.sigma, END_REACH, y_pred))
        apart = _mean_position(near * y_pred, offsets) - _mean_position(near * mask_of(y_true, y_pred), offsets)
        distance = ops.sqrt(ops.sum(ops.square(apart), axis=-1) + NEARLY_ZERO**2) - NEARLY_ZERO
        height, width = (ops.cast(ops.shape(y_pred)[axis], "float32") for axis in (1, 2))
        return distance / ops.sqrt(height**2 + width**2)

    def get_config(self):
        """Return the arguments, for saving."""
        return {"sigma": self.sigma, "reduction": self.reduction, "name": self.name}


def _mean_position(weights, offsets):
    """Return E of each picture, of shape (batch, 2) [px]."""
    return ops.sum(weights * offsets, axis=(1, 2)) / (ops.sum(weights, axis=(1, 2)) + 1)
