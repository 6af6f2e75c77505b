"""Read photographs for labelling without loss, and write masks with the hash of their recipe."""

from pathlib import Path

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from crack_utils.data.decoding import is_regular, open_stored
from crack_utils.data.encoding import as_file
from crack_utils.data.images import full_scale
from crack_utils.data.stored import DataError
from crack_utils.labelling.arrays import as_mask
from crack_utils.runtime.atomic import write_together

KEY = "crack-utils recipe"  # name of the text entry in a mask's PNG file with the hash of its recipe


def read_photo(path):
    """Read a photograph for labelling, without loss; `crack_utils.data.read_image` returns the network's gray instead.

    Both open the file in the same way. A 16-bit picture that uses only 8 to 14 bits is scaled to the full range,
    because it would be black in the editor.

    Parameters
    ----------
    path : path-like
        Any picture that `read_image` reads; EXIF orientation is applied.

    Returns
    -------
    uint8 or uint16 array of shape (H, W), or uint8 array of shape (H, W, 3) if there is any colour in it

    Raises
    ------
    DataError
        If the file is missing or not a picture.
    """
    stored = open_stored(path)
    values = stored.shown()
    if values.dtype == bool:
        return values.astype(np.uint8) * np.uint8(255)
    if values.dtype != np.uint8:
        try:
            values = np.rint(full_scale(values) * 65535).astype(np.uint16)
        except ValueError as error:
            raise DataError(f"{path}: {error}") from None
    if values.ndim == 2:
        return values
    if (values == values[..., :1]).all():
        return np.ascontiguousarray(values[..., 0])
    return values if values.dtype == np.uint8 else np.rint(values / 257).astype(np.uint8)


def encode_mask(mask, digest=None):
    """Return a mask as the bytes of a PNG file, 0 and 255.

    Parameters
    ----------
    mask : bool array of shape (H, W)
    digest : str, optional
        Hash of its recipe (`Recipe.digest`), stored in the file.

    Raises
    ------
    ValueError
        If the mask has other values than 0 and 1, or another shape.
    """
    return _encode(as_mask(mask).astype(np.uint8) * 255, digest)


def encode_parts(parts, digest=None):
    """Return the parts, a uint8 array of shape (H, W) with 0, 1 and 2, as the bytes of a PNG file."""
    return _encode(parts, digest)


def write_mask(path, mask, digest=None):
    """Write a mask as a PNG file, atomically.

    Parameters
    ----------
    path : path-like
    mask, digest
        As for `encode_mask`.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    write_together({Path(path): encode_mask(mask, digest)})


def read_digest(path):
    """Return the recipe's hash in a mask's PNG file; None if there is none or the file cannot be read."""
    if not is_regular(path):
        return None
    try:
        with Image.open(path, formats=["PNG"]) as file:
            return file.info.get(KEY)
    except (OSError, ValueError, SyntaxError):
        return None


def _encode(values, digest):
    info = PngInfo()
    if digest is not None:
        info.add_text(KEY, digest)
    return as_file(Image.fromarray(values), pnginfo=info)
