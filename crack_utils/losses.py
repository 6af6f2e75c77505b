"""Losses for crack segmentation: one Tversky kernel, of which Dice is a parameter choice, plus cross-entropy and focal.

Every loss takes `true` and `predicted` of shape (batch, height, width, 1): masks in {0, 1} (fractions between are
allowed, 255 is not) and probabilities in [0, 1], as a sigmoid gives them. All sums and logarithms are taken in
float32, whatever the precision of the input: a float16 sum overflows beyond 65,504 pixels.

>>> get("tversky", alpha=0.4, beta=0.6).get_config()["alpha"]
0.4
>>> get("dice+bce").name
'dice_bce'
"""

import inspect

import keras
from keras import ops

from crack_utils.replicas import sum_over_replicas

REDUCTION = "sum_over_batch_size"  # Keras' word for the mean over all values that `call` returns
CLIP = 1e-7  # probabilities stay this far from 0 and 1, so that their logarithm is finite in float32
PACKAGE = "crack_utils"


def tversky_index(true, predicted, alpha, beta, smooth, axis=None):
    """Return the Tversky index (TP + smooth) / (TP + alpha·FP + beta·FN + smooth) of soft counts.

    Parameters
    ----------
    true, predicted : tensors of shape (batch, height, width, 1)
        Mask in {0, 1} and probability in [0, 1], float32.
    alpha, beta : float
        Weight of a false positive and of a false negative [1]_. (Keras 3.15.1 has them the other way round.)
    smooth : float
        Pixels added above and below the line. Images without a crack have TP = FN = 0; with `smooth` above the line
        too their index is 1 for an empty prediction and falls with every false positive, so they have a gradient.
    axis : tuple of int, optional
        Axes to sum over; None sums over everything, the parts of the batch on other GPUs included.

    References
    ----------
    .. [1] Salehi, Erdogmus, Gholipour (2017), arXiv:1706.05721, equation 2. Report item R53.
    """
    true_positive = ops.sum(true * predicted, axis=axis)
    false_positive = ops.sum((1 - true) * predicted, axis=axis)
    false_negative = ops.sum(true * (1 - predicted), axis=axis)
    counts = [true_positive, false_positive, false_negative]
    true_positive, false_positive, false_negative = sum_over_replicas(counts) if axis is None else counts
    return (true_positive + smooth) / (true_positive + alpha * false_positive + beta * false_negative + smooth)


def _check_shapes(true, predicted):
    """Refuse shapes that broadcasting would silently multiply into something else."""
    if len(true.shape) != len(predicted.shape) or true.shape[-1] != predicted.shape[-1]:
        raise ValueError(
            f"true {tuple(true.shape)} and predicted {tuple(predicted.shape)} must have the same shape "
            "(batch, height, width, 1)"
        )


def _check_not_negative(**values):
    for name, value in values.items():
        if value < 0:
            raise ValueError(f"{name} must not be negative, got {value}")


@keras.saving.register_keras_serializable(PACKAGE)
class Tversky(keras.losses.Loss):
    """One minus the Tversky index: overlap with separate prices for false positives and false negatives (R53).

    Parameters
    ----------
    alpha, beta : float
        Weight of false positives and of false negatives. The defaults 0.3 and 0.7 (Salehi) favour recall.
    smooth : float
        ε of the index, in pixels; see `tversky_index`.
    per_image : bool
        False sums over the whole batch, so that an image with few crack pixels does not dominate it; True takes one
        index per image and averages these.
    """

    def __init__(self, alpha=0.3, beta=0.7, smooth=1.0, per_image=False, reduction=REDUCTION, name="tversky"):
        _check_not_negative(alpha=alpha, beta=beta, smooth=smooth)
        super().__init__(name=name, reduction=reduction, dtype="float32")
        self.alpha = alpha
        self.beta = beta
        self.smooth = smooth
        self.per_image = per_image

    def call(self, y_true, y_pred):
        """Return one loss an image, of shape (batch,); without `per_image` all are that of the whole batch."""
        _check_shapes(y_true, y_pred)
        axis = tuple(range(1, len(y_pred.shape))) if self.per_image else None
        loss = 1 - tversky_index(y_true, y_pred, self.alpha, self.beta, self.smooth, axis)
        # Keras leaves a scalar as it is, also where several replicas each add theirs.
        return loss if self.per_image else ops.broadcast_to(loss, ops.shape(y_pred)[:1])

    def get_config(self):
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

    `smooth` counts as in `Tversky`, so it stands as 2·smooth in the fraction above.
    """

    def __init__(self, smooth=1.0, per_image=False, reduction=REDUCTION, name="dice"):
        super().__init__(alpha=0.5, beta=0.5, smooth=smooth, per_image=per_image, reduction=reduction, name=name)

    def get_config(self):
        config = super().get_config()
        del config["alpha"], config["beta"]
        return config


@keras.saving.register_keras_serializable(PACKAGE)
class Focal(keras.losses.Loss):
    """Cross-entropy that fades for pixels already right, mean over all pixels (R52).

    −alpha·(1−p)^gamma·ln p on crack pixels and −(1−alpha)·p^gamma·ln(1−p) on the background.

    Parameters
    ----------
    gamma : float
        How fast an easy pixel fades; 0 does not fade.
    alpha : float or None
        Weight of crack pixels in [0, 1], one minus it on the background; None weighs both by 1.

    References
    ----------
    Lin, Goyal, Girshick, He, Dollár (2017), arXiv:1708.02002, whose gamma and alpha are the defaults.
    """

    def __init__(self, gamma=2.0, alpha=0.25, reduction=REDUCTION, name="focal"):
        _check_not_negative(gamma=gamma)
        if alpha is not None and not 0 <= alpha <= 1:
            raise ValueError(f"alpha must be None or lie in [0, 1], got {alpha}")
        super().__init__(name=name, reduction=reduction, dtype="float32")
        self.gamma = gamma
        self.alpha = alpha

    def call(self, y_true, y_pred):
        """Return the loss of each pixel, of the shape of `y_true`."""
        _check_shapes(y_true, y_pred)
        crack = ops.clip(y_pred, CLIP, 1 - CLIP)
        background = 1 - crack
        # The clipped value is the base of the power too: the derivative of 0^gamma is infinite for gamma below 1.
        on_crack = -ops.power(background, self.gamma) * ops.log(crack)
        on_background = -ops.power(crack, self.gamma) * ops.log(background)
        alpha, rest = (1.0, 1.0) if self.alpha is None else (self.alpha, 1 - self.alpha)
        return alpha * y_true * on_crack + rest * (1 - y_true) * on_background

    def get_config(self):
        return {"gamma": self.gamma, "alpha": self.alpha, "reduction": self.reduction, "name": self.name}


@keras.saving.register_keras_serializable(PACKAGE)
class BinaryCrossEntropy(keras.losses.Loss):
    """Binary cross-entropy −y·ln p − (1−y)·ln(1−p), mean over all pixels (R50)."""

    def __init__(self, reduction=REDUCTION, name="bce"):
        super().__init__(name=name, reduction=reduction, dtype="float32")

    def call(self, y_true, y_pred):
        """Return the loss of each pixel, of the shape of `y_true`."""
        _check_shapes(y_true, y_pred)
        crack = ops.clip(y_pred, CLIP, 1 - CLIP)
        return -(y_true * ops.log(crack) + (1 - y_true) * ops.log(1 - crack))

    def get_config(self):
        return {"reduction": self.reduction, "name": self.name}


@keras.saving.register_keras_serializable(PACKAGE)
class WeightedSum(keras.losses.Loss):
    """Sum of losses, each times its weight; made by names such as ``"0.5*tversky+bce"``.

    Parameters
    ----------
    losses : list of keras.losses.Loss
        Each reduced in its own way before the sum.
    weights : list of float
    """

    def __init__(self, losses, weights, name="sum"):
        if len(losses) != len(weights):
            raise ValueError(f"as many weights as losses are needed, got {len(weights)} for {len(losses)}")
        super().__init__(name=name, reduction=None, dtype="float32")
        self.losses = list(losses)
        self.weights = list(weights)

    def call(self, y_true, y_pred):
        return sum(weight * loss(y_true, y_pred) for loss, weight in zip(self.losses, self.weights, strict=True))

    def get_config(self):
        losses = [keras.saving.serialize_keras_object(loss) for loss in self.losses]
        return {"losses": losses, "weights": self.weights, "name": self.name}

    @classmethod
    def from_config(cls, config):
        losses = [keras.saving.deserialize_keras_object(loss) for loss in config["losses"]]
        return cls(losses, config["weights"], config["name"])


_LOSSES = {"bce": BinaryCrossEntropy, "dice": Dice, "focal": Focal, "tversky": Tversky}
TITLES = {"bce": "BCE", "dice": "Dice", "focal": "Focal", "tversky": "Tversky"}


def names():
    """Return the names of the single losses, in the order of the report's table."""
    return list(_LOSSES)


def get(name, **options):
    """Return a loss by its name.

    Parameters
    ----------
    name : str
        One of `names()`, or a sum of them with optional weights: ``"dice+bce"``, ``"0.5*tversky+bce"``.
    **options
        Hyper-parameters of a single loss, e.g. ``get("focal", gamma=1.0)``. Sums take the defaults.

    Raises
    ------
    ValueError
        If the name, a weight or an option is unknown; the message lists the valid ones.
    """
    if "+" in name or "*" in name:
        if options:
            raise ValueError(f"loss {name!r} is a sum, which takes no options; got {sorted(options)}")
        weights, parts = zip(*[_weight_and_name(term) for term in name.split("+")], strict=True)
        return WeightedSum([get(part) for part in parts], weights, name="_".join(parts))
    if name not in _LOSSES:
        raise ValueError(f"unknown loss {name!r}; valid are {', '.join(names())} and sums such as 'dice+bce'")
    valid = [key for key in inspect.signature(_LOSSES[name]).parameters if key != "name"]
    unknown = sorted(set(options) - set(valid))
    if unknown:
        raise ValueError(f"unknown option {', '.join(unknown)} of loss {name!r}; valid are {', '.join(valid)}")
    return _LOSSES[name](**options)


def _weight_and_name(term):
    """Split ``"0.5*tversky"`` into (0.5, "tversky"); a bare name weighs 1."""
    weight, star, name = term.strip().rpartition("*")
    if not star:
        return 1.0, name
    try:
        return float(weight), name.strip()
    except ValueError:
        raise ValueError(f"the weight in {term!r} must be a number, as in '0.5*tversky'") from None
