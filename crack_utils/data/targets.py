"""Targets of losses that need more than the mask: the position of the tip, and the distance of pixels from the crack.

Such losses get masks with CHANNELS channels. Channels that a loss does not need, or that have no label, are NaN. NumPy
and SciPy only.
"""

import numpy as np
from scipy.ndimage import distance_transform_edt

from crack_utils.data.digests import image_content
from crack_utils.data.pairs import refuse
from crack_utils.runtime.typeset import joined

CHANNELS = 4  # mask; rows and columns from the tip; signed distance from the crack
NO_TIP = (np.nan, np.nan)
COLUMNS = ("tip_row", "tip_column")


def stack(mask, tip=NO_TIP, distance=False):
    """Return a mask with the channels for tip and distance losses.

    Parameters
    ----------
    mask : (height, width) array
        Crack is where it is not zero.
    tip : (row, column)
        Position of the tip [px of the mask]; NaN without a labelled tip.
    distance : bool
        Whether to compute the distance from the crack, which takes some milliseconds.

    Returns
    -------
    ndarray of float32, shape (height, width, 4)
        The mask, 0 or 1; the offset of each pixel from the tip, down and to the right [px]; and its signed distance
        from the crack [px], see `signed_distance`.
    """
    mask = np.asarray(mask) != 0
    rows, columns = np.ogrid[: mask.shape[0], : mask.shape[1]]
    channels = np.empty((*mask.shape, CHANNELS), np.float32)
    channels[..., 0] = mask
    channels[..., 1], channels[..., 2] = rows - tip[0], columns - tip[1]
    channels[..., 3] = signed_distance(mask) if distance else np.nan
    return channels


def signed_distance(mask):
    """Return the signed distance of each pixel from the edge of the crack [px]: positive outside, negative inside.

    It is the distance between pixel centres minus half a pixel, because the edge lies between two pixels. No pixel is
    at 0. All values are 0 if there is no crack or nothing but crack, because there is no edge then.

    Parameters
    ----------
    mask : ndarray of bool, shape (height, width)

    Returns
    -------
    ndarray of float, shape (height, width)
    """
    if not mask.any() or mask.all():
        return np.zeros(mask.shape)
    return np.where(mask, 0.5 - distance_transform_edt(mask), distance_transform_edt(~mask) - 0.5)


def tip_at(pair, size=None):
    """Return the position of a pair's tip after its picture is resized.

    Parameters
    ----------
    pair : Pair
    size : (height, width) [px], optional
        Size of the resized picture; None keeps the original size.

    Returns
    -------
    (row, column) [px]
        NaN without a labelled tip.
    """
    if pair.tip is None:
        return NO_TIP
    own = image_content(pair.image).size
    # Pixel centres are at whole numbers, so a picture starts half a pixel before 0.
    return tuple((at + 0.5) * new / old - 0.5 for at, new, old in zip(pair.tip, size or own, own, strict=True))


def check_tips(pairs, loss):
    """Refuse a data set without labelled tips, for a loss that needs them.

    Parameters
    ----------
    pairs : list of Pair
        One tip among them is enough.
    loss : str
        Name of the loss, for the message.

    Raises
    ------
    DataError
        If no pair has a tip. It names each folder's `metadata.csv` and the columns to fill in.
    """
    if any(pair.tip is not None for pair in pairs):
        return
    why = f"there are no labelled tips, and loss {loss!r} needs them; fill in the columns {joined(COLUMNS)} [px]"
    tables = {pair.image.parent.parent / "metadata.csv" for pair in pairs}
    refuse([(table, why if table.exists() else f"no such file: {why}") for table in sorted(tables)])
