"""What losses share: their reduction, how near to 0 and 1 a probability may come, and what they refuse."""

REDUCTION = "sum_over_batch_size"  # Keras' word for the mean over all values that `call` returns
CLIP = 1e-7  # probabilities stay this far from 0 and 1, so that their logarithm is finite in float32
PACKAGE = "crack_utils"


def check_shapes(true, predicted):
    """Refuse shapes that broadcasting would silently multiply into something else."""
    if len(true.shape) != len(predicted.shape) or true.shape[-1] != predicted.shape[-1]:
        raise ValueError(
            f"true {tuple(true.shape)} and predicted {tuple(predicted.shape)} must have the same shape "
            "(batch, height, width, 1)"
        )


def check_not_negative(**values):
    for name, value in values.items():
        if value < 0:
            raise ValueError(f"{name} must not be negative, got {value}")
