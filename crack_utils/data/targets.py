"""What a loss may ask of the truth beside the mask: where the tip is, and how far each pixel lies from the crack.

Such a loss is given masks with more channels: CHANNELS of them, whichever it asks for. What it did not ask for, and
what is not known, is NaN. NumPy and SciPy only.
"""

import numpy as np
from scipy.ndimage import distance_transform_edt

from crack_utils.data.digests import image_content
from crack_utils.data.pairs import refuse

CHANNELS = 4  # mask; rows and columns from the tip; signed distance from the crack
NO_TIP = (np.nan, np.nan)
COLUMNS = ("tip_row", "tip_column")


def stack(mask, tip=NO_TIP, distance=False):
    """Return a mask with what is known beside it.

    Parameters
    ----------
    mask : (height, width) array
        Crack is where it is not zero.
    tip : (row, column)
        Of the tip in the mask's own pixels [px]; NaN if it is not known.
    distance : bool
        Whether to work out the distance from the crack, which takes some milliseconds.

    Returns
    -------
    ndarray of float32, shape (height, width, 4)
        The mask, 0 or 1; how far each pixel lies from the tip, down and to the right [px]; and its signed distance from
        the crack [px], see `signed_distance`.
    """
    mask = np.asarray(mask) != 0
    rows, columns = np.ogrid[: mask.shape[0], : mask.shape[1]]
    known = np.empty((*mask.shape, CHANNELS), np.float32)
    known[..., 0] = mask
    known[..., 1], known[..., 2] = rows - tip[0], columns - tip[1]
    known[..., 3] = signed_distance(mask) if distance else np.nan
    return known


def signed_distance(mask):
    """Return how far each pixel lies outside (positive) or inside (negative) of the crack [px].

    Measured between the centres of pixels and counted from the edge between them, half a pixel nearer, so that no pixel
    lies at 0. Zero all over where there is no crack, or nothing else: there is no edge to be far from.

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
    """Return where a pair's tip lies once its picture is brought to a size.

    Parameters
    ----------
    pair : Pair
    size : (height, width) [px], optional
        None: the picture stays as it is.

    Returns
    -------
    (row, column) [px]
        NaN where the tip is not known.
    """
    if pair.tip is None:
        return NO_TIP
    own = image_content(pair.image).size
    # Pixels have their centres at whole numbers, so a picture begins half a pixel before 0.
    return tuple((at + 0.5) * new / old - 0.5 for at, new, old in zip(pair.tip, size or own, own, strict=True))


def check_tips(pairs, loss):
    """Refuse a data set in which no tip is known, for a loss that needs them.

    Raises
    ------
    DataError
        It names each folder's `metadata.csv` and the columns to fill in.
    """
    if any(pair.tip is not None for pair in pairs):
        return
    why = f"no tip is known, and loss {loss!r} needs them; fill in the columns {' and '.join(COLUMNS)} [px]"
    tables = {pair.image.parent.parent / "metadata.csv" for pair in pairs}
    refuse([(table, why if table.exists() else f"no such file: {why}") for table in sorted(tables)])
