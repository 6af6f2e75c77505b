"""Weighted sums of losses."""

import keras

from crack_utils.losses.common import PACKAGE
from crack_utils.losses.targets import mask_of


@keras.saving.register_keras_serializable(PACKAGE)
class WeightedSum(keras.losses.Loss):
    """Weighted sum of losses, made by names such as ``"0.5*tversky+bce"``.

    Parameters
    ----------
    losses : list of keras.losses.Loss
        Every loss is reduced in its own way before the sum.
    weights : list of float
        One per loss.

    Raises
    ------
    ValueError
        If there are not as many weights as losses.
    """

    def __init__(self, losses, weights, name="sum"):
        if len(losses) != len(weights):
            raise ValueError(f"a sum needs one weight per loss, got {len(weights)} weights for {len(losses)} losses")
        super().__init__(name=name, reduction=None, dtype="float32")
        self.losses = list(losses)
        self.weights = list(weights)

    @property
    def needs(self):
        """The channels that any of the losses needs in addition to the mask."""
        return frozenset().union(*map(needs_of, self.losses))

    def call(self, y_true, y_pred):
        """Return the weighted sum of the losses, a scalar.

        Parameters
        ----------
        y_true : tensor, shape (batch, height, width, 1), or (batch, height, width, 4) if a loss needs tip or distance
        y_pred : tensor, shape (batch, height, width, 1), in [0, 1]
        """
        mask = mask_of(y_true, y_pred)
        return sum(
            weight * loss(y_true if needs_of(loss) else mask, y_pred)
            for loss, weight in zip(self.losses, self.weights, strict=True)
        )

    def get_config(self):
        """Return the arguments, for saving."""
        losses = [keras.saving.serialize_keras_object(loss) for loss in self.losses]
        return {"losses": losses, "weights": self.weights, "name": self.name}

    @classmethod
    def from_config(cls, config):
        """Make the object from its saved arguments."""
        losses = [keras.saving.deserialize_keras_object(loss) for loss in config["losses"]]
        return cls(losses, config["weights"], config["name"])


def needs_of(loss):
    """Return the channels that a loss needs in addition to the mask: a set of "tip" and "distance", empty for most."""
    return getattr(loss, "needs", frozenset())
