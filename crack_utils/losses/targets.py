"""The truth as a loss is given it, channel by channel; `crack_utils.data.targets` stacks them."""

from keras import ops

from crack_utils.data.targets import CHANNELS


def mask_of(y_true, y_pred):
    """Return the mask alone, of shape (batch, height, width, 1), of a truth that may hold more.

    A truth of other shapes than (batch, height, width, 4), beside a prediction of one channel, is left as it is.
    """
    holds_more = len(y_true.shape) == 4 and y_true.shape[-1] == CHANNELS and y_pred.shape[-1] == 1
    return y_true[..., :1] if holds_more else y_true


def offsets_of(y_true):
    """Return how far pixels lie from the tip, and whether it is known.

    Returns
    -------
    offsets : tensor of shape (batch, height, width, 2)
        Down and to the right [px]; 0 where the tip is not known.
    known : tensor of shape (batch, height, width, 1)
        1 or 0.
    """
    offsets = y_true[..., 1:3]
    known = ops.logical_not(ops.isnan(offsets))
    # A NaN that is only multiplied by 0 stays one, in the gradient too.
    return ops.where(known, offsets, 0.0), ops.cast(known[..., :1], "float32")


def distances_of(y_true):
    """Return the signed distance from the crack [px], of shape (batch, height, width, 1)."""
    return y_true[..., 3:4]


def check_channels(y_true, y_pred, name):
    """Refuse a truth without the channels that a loss needs, or of another size than the prediction."""
    if y_true.shape[-1] != CHANNELS or y_pred.shape[-1] != 1 or len(y_true.shape) != len(y_pred.shape):
        raise ValueError(
            f"loss {name!r} needs y_true of shape (batch, height, width, {CHANNELS}), as data/targets.py stacks "
            f"it, and y_pred of shape (batch, height, width, 1); got {tuple(y_true.shape)} and {tuple(y_pred.shape)}"
        )
