"""A network's mask as the first step of a recipe, which a person corrects with the steps after it.

The mask is stored in the recipe, packed as text, with the checksum of the network that made it. A replay therefore
needs no network, and gives the same mask when a newer one would find something else.
"""

import base64
import re
import zlib

import numpy as np

from crack_utils.labelling.arrays import as_mask

MOST_PIXELS = 2**28
MOST_CHARACTERS = 2**23  # of the packed text
LONGEST_NAME = 200  # characters of the model's name


def draft(mask, size, pixels, model, sha256, threshold):
    """Add the mask that a network has drafted to a mask; the first step of a recipe from `crack-utils pre-label`.

    Parameters
    ----------
    mask : bool array of shape (H, W)
    size : (height, width) [px]
        Of the network's mask.
    pixels : str
        The network's mask as text, from `packed`.
    model, sha256 : str
        Name of the network, and the SHA-256 of its file and calibration (`Predictor.digest`). They are only checked:
        the recipe keeps them as the source of the mask.
    threshold : float in (0, 1)
        Pixels with at least this crack probability were marked; also only checked.

    Returns
    -------
    bool array of shape (H, W)

    Raises
    ------
    ValueError
        If an argument is invalid, the text is damaged, or `size` is not that of `mask`.
    """
    mask = as_mask(mask)
    size, pixels = check_draft(size, pixels, model, sha256, threshold)
    if size != mask.shape:
        raise ValueError(
            f"the draft of {size[0]}×{size[1]} px does not fit the image of {'×'.join(map(str, mask.shape))}"
        )
    return mask | unpacked(pixels, size)


def check_draft(size, pixels, model, sha256, threshold):
    """Check the arguments of `draft` other than the mask.

    Parameters
    ----------
    size, pixels, model, sha256, threshold
        As for `draft`.

    Returns
    -------
    size : (int, int)
        (height, width) [px]
    pixels : str

    Raises
    ------
    ValueError
        If an argument is invalid; the message says what is valid.
    """
    try:
        height, width = (int(side) for side in size)
        whole = (height, width) == tuple(size)
    except (TypeError, ValueError, OverflowError):
        whole = False
    if not whole or min(height, width) < 1 or height * width > MOST_PIXELS:
        raise ValueError(f"size must be (height, width) of at most {MOST_PIXELS} px, not {size!r}")
    if not isinstance(model, str) or not 1 <= len(model) <= LONGEST_NAME or not model.isprintable():
        raise ValueError(f"model must be a name of at most {LONGEST_NAME} characters")
    if not isinstance(sha256, str) or not re.fullmatch("[0-9a-f]{64}", sha256):
        raise ValueError("sha256 must be 64 hexadecimal digits")
    if isinstance(threshold, bool) or not isinstance(threshold, int | float) or not 0 < threshold < 1:
        raise ValueError(f"threshold must lie between 0 and 1, not {threshold!r}")
    if not isinstance(pixels, str) or len(pixels) > MOST_CHARACTERS:
        raise ValueError(f"pixels must be a text of at most {MOST_CHARACTERS} characters")
    unpacked(pixels, (height, width))
    return (height, width), pixels


def packed(mask):
    """Return a bool array of shape (H, W) as text: its bits row by row, compressed (zlib), in base 64."""
    return base64.b64encode(zlib.compress(np.packbits(mask).tobytes(), 9)).decode("ascii")


def unpacked(pixels, size):
    """Return the bool array of a size that `packed` made a text of; raise a ValueError if it does not fit."""
    count = size[0] * size[1]
    most = (count + 7) // 8
    try:
        compressed = base64.b64decode(pixels, validate=True)
        stream = zlib.decompressobj()
        data = stream.decompress(compressed, most + 1)  # no more than that, whatever the text would unfold to
    except (ValueError, zlib.error) as error:
        raise ValueError(f"pixels cannot be unpacked: {error}") from None
    if len(data) != most or not stream.eof:
        raise ValueError(f"pixels hold no mask of {size[0]}×{size[1]} px")
    return np.unpackbits(np.frombuffer(data, np.uint8), count=count).reshape(size).astype(bool)
