"""What all losses share: the reduction, the clipping of probabilities, and checks of arguments and shapes."""

import math
from numbers import Real

REDUCTION = "sum_over_batch_size"  # Keras' word for the mean over all values that `call` returns
CLIP = 1e-7  # smallest distance of probabilities from 0 and 1, so that their logarithm is finite in float32
PACKAGE = "crack_utils"


def check_shapes(true, predicted):
    """Raise a ValueError if the tensors `true` and `predicted` have shapes that broadcasting would combine wrongly."""
    if len(true.shape) != len(predicted.shape) or true.shape[-1] != predicted.shape[-1]:
        raise ValueError(
            f"true {tuple(true.shape)} and predicted {tuple(predicted.shape)} must have the same shape "
            "(batch, height, width, 1)"
        )


def check_not_negative(**values):
    """Raise a ValueError that names the first argument that is below 0 or not a number."""
    for name, value in values.items():
        if not isinstance(value, Real) or math.isnan(value):
            raise ValueError(f"{name} must be a number, got {value!r}")
        if value < 0:
            raise ValueError(f"{name} must not be negative, got {value}")
