"""Sums of losses, each times its weight."""

import keras

from crack_utils.losses.common import PACKAGE
from crack_utils.losses.targets import mask_of


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

    @property
    def needs(self):
        """What any of the losses asks of the truth beside the mask."""
        return frozenset().union(*map(needs_of, self.losses))

    def call(self, y_true, y_pred):
        mask = mask_of(y_true, y_pred)
        return sum(
            weight * loss(y_true if needs_of(loss) else mask, y_pred)
            for loss, weight in zip(self.losses, self.weights, strict=True)
        )

    def get_config(self):
        losses = [keras.saving.serialize_keras_object(loss) for loss in self.losses]
        return {"losses": losses, "weights": self.weights, "name": self.name}

    @classmethod
    def from_config(cls, config):
        losses = [keras.saving.deserialize_keras_object(loss) for loss in config["losses"]]
        return cls(losses, config["weights"], config["name"])


def needs_of(loss):
    """Return what a loss asks of the truth beside the mask: a set of "tip" and "distance", empty for most."""
    return getattr(loss, "needs", frozenset())
