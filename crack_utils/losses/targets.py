"""Read the channels of the ground truth that a loss receives; `crack_utils.data.targets` stacks them."""

from keras import ops

from crack_utils.data.targets import CHANNELS


def mask_of(y_true, y_pred):
    """Return the mask alone, of shape (batch, height, width, 1).

    Only a ground truth of shape (batch, height, width, 4) with a prediction of one channel has more channels; any
    other is returned unchanged.
    """
    has_more_channels = len(y_true.shape) == 4 and y_true.shape[-1] == CHANNELS and y_pred.shape[-1] == 1
    return y_true[..., :1] if has_more_channels else y_true


def offsets_of(y_true):
    """Return the offset of each pixel from the tip, and whether the picture has a labelled tip.

    Parameters
    ----------
    y_true : tensor of shape (batch, height, width, 4)

    Returns
    -------
    offsets : tensor of shape (batch, height, width, 2)
        Down and to the right [px]; 0 without a labelled tip.
    has_tip : tensor of shape (batch, height, width, 1)
        1 or 0.
    """
    offsets = y_true[..., 1:3]
    has_tip = ops.logical_not(ops.isnan(offsets))
    # NaN times 0 is still NaN, in the gradient too, so NaN is replaced.
    return ops.where(has_tip, offsets, 0.0), ops.cast(has_tip[..., :1], "float32")


def distances_of(y_true):
    """Return the signed distance from the crack [px], the last channel of `y_true`: (batch, height, width, 1)."""
    return y_true[..., 3:4]


def check_channels(y_true, y_pred, name):
    """Check that the targets of a training have the channels that a loss needs.

    Parameters
    ----------
    y_true, y_pred : tensors
        Valid shapes are (batch, height, width, CHANNELS) and (batch, height, width, 1).
    name : str
        Of the loss, for the message.

    Raises
    ------
    ValueError
        If a shape is not valid.
    """
    if y_true.shape[-1] != CHANNELS or y_pred.shape[-1] != 1 or len(y_true.shape) != len(y_pred.shape):
        raise ValueError(
            f"loss {name!r} needs y_true of shape (batch, height, width, {CHANNELS}), see crack_utils.data.targets, "
            f"and y_pred of shape (batch, height, width, 1); got {tuple(y_true.shape)} and {tuple(y_pred.shape)}"
        )
