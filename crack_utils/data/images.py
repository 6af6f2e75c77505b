"""One reader for photographs and masks in any encoding, and their reduction to a network's size."""

import io
import struct
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError
from skimage.transform import resize_local_mean

SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp")

# A mask pixel is crack where at least this share of its area is: a quarter keeps a diagonal line of one pixel
# connected when it is halved, and widens a crack by a quarter of a pixel a side at most (R24).
MASK_COVERAGE = 0.25

# How files end: PNG with a chunk of no content and its checksum, JPEG with the marker "end of image".
ENDS = {"PNG": b"IEND\xaeB`\x82", "JPEG": b"\xff\xd9"}

LUMINANCE = np.array([0.2989, 0.5870, 0.1140], np.float32)  # ITU-R BT.601, as tf.image.rgb_to_grayscale


class DataError(ValueError):
    """A data set that cannot be used as it is; the message names every file at fault and why."""


def read_image(path):
    """Read a photograph as gray values.

    Parameters
    ----------
    path : path-like
        PNG, JPEG, TIFF or BMP; 8 or 16 bit; gray, palette, RGB or RGBA (alpha is dropped). EXIF orientation is applied.

    Returns
    -------
    ndarray, float32, shape (H, W), in [0, 1]
        On 8-bit gray PNG equal to `tf.io.decode_png(...) / 255` (R22).

    Raises
    ------
    DataError
        If the file is missing, empty, truncated or no picture.
    """
    with _opened(path) as picture:
        picture = ImageOps.exif_transpose(picture)
        if picture.mode in ("P", "PA", "CMYK", "YCbCr", "LAB", "HSV", "RGBA", "RGBX"):
            picture = picture.convert("RGB")
        elif picture.mode == "LA":
            picture = picture.convert("L")
        values = np.asarray(picture)
    if values.dtype == bool:
        return values.astype(np.float32)
    if np.issubdtype(values.dtype, np.floating):
        if not np.isfinite(values).all() or values.min() < 0 or values.max() > 1:
            raise DataError(f"{path}: floating-point pictures must lie in [0, 1]")
        return values.astype(np.float32)
    # Pillow opens 16-bit gray as 32-bit integers ("I"), so the dtype alone does not tell the full scale.
    scale = 255 if values.dtype == np.uint8 else 65535
    if values.min() < 0 or values.max() > scale:
        raise DataError(f"{path}: gray values from {values.min()} to {values.max()}; expected 0 to {scale}")
    values = values.astype(np.float32) / np.float32(scale)
    return values @ LUMINANCE if values.ndim == 3 else values


def read_mask(path):
    """Read a mask in any binary encoding (0/1, 0/255, boolean, palette).

    Returns
    -------
    ndarray, bool, shape (H, W)
        True on crack: every pixel that is not zero.

    Raises
    ------
    DataError
        If the file cannot be read or holds more than two values.
    """
    with _opened(path) as picture:
        # A palette is an encoding of labels, not of colours: its indices are the mask.
        values = np.asarray(picture)
    if values.ndim == 3:
        colours = values[..., : 1 if values.shape[2] == 2 else 3]
        if (colours != colours[..., :1]).any():
            raise DataError(f"{path}: a colour picture is no mask; expected two values, background and crack")
        values = colours[..., 0]
    found = _values(values)
    # A single value is a picture without background, or without crack.
    if len(found) > 2 or (len(found) == 2 and found[0] != 0) or not (np.isfinite(found).all() and found[0] >= 0):
        hint = "; JPEG blurs masks, save them as PNG" if Path(path).suffix.lower() in (".jpg", ".jpeg") else ""
        raise DataError(
            f"{path}: a mask holds 0 for background and one other value for crack; found {_shown(found)}{hint}"
        )
    return values > 0


def read_parts(path):
    """Read a picture of the parts of a mask.

    Returns
    -------
    ndarray, uint8, shape (H, W)
        0 background, 1 primary crack, 2 secondary crack.

    Raises
    ------
    DataError
        If the file cannot be read or holds anything else.
    """
    with _opened(path) as picture:
        values = np.asarray(picture)
    if values.ndim != 2 or not np.isin(found := _values(values), (0, 1, 2)).all():
        what = "colours" if values.ndim != 2 else _shown(found)
        raise DataError(f"{path}: parts hold 0 for background, 1 for primary and 2 for secondary crack; found {what}")
    return values.astype(np.uint8)


def resize_image(image, size):
    """Reduce a photograph by averaging the area under each pixel.

    Parameters
    ----------
    image : ndarray, float, shape (H, W)
    size : (height, width) [px]

    Returns
    -------
    ndarray, float32, shape `size`
    """
    if image.shape == tuple(size):
        return image.astype(np.float32)
    return resize_local_mean(image.astype(np.float32), tuple(size), preserve_range=True).astype(np.float32)


def resize_mask(mask, size, coverage=MASK_COVERAGE):
    """Reduce a mask by area coverage (R24): nearest neighbour would break thin cracks.

    Parameters
    ----------
    mask : ndarray, bool, shape (H, W)
    size : (height, width) [px]
    coverage : float in (0, 1]
        Share of a pixel's area that must be crack.

    Returns
    -------
    ndarray, bool, shape `size`
    """
    if mask.shape == tuple(size):
        return mask.astype(bool)
    # The small slack keeps exact quarters in, whatever the rounding of the mean.
    return resize_local_mean(mask.astype(np.float32), tuple(size), preserve_range=True) >= coverage - 1e-4


def _values(values):
    """Return the different values of a picture in rising order, by counting where that is faster than sorting."""
    return np.flatnonzero(np.bincount(values.ravel())) if values.dtype == np.uint8 else np.unique(values)


def _shown(found):
    return ", ".join(map(str, found[:6])) + (", …" if len(found) > 6 else "")


def _cut_off(content, kind):
    """Say whether a file lacks what its format puts at its end; bytes after that do not matter."""
    if kind == "BMP":
        return int.from_bytes(content[2:6], "little") > len(content)
    if kind == "TIFF":
        return _directory_end(content) > len(content)
    return kind in ENDS and ENDS[kind] not in content


def _directory_end(content):
    """Return where the first directory of a TIFF ends: it often stands last in the file. 0 for BigTIFF."""
    order = "little" if content.startswith(b"II") else "big"
    if int.from_bytes(content[2:4], order) != 42:
        return 0
    start = int.from_bytes(content[4:8], order)
    entries = int.from_bytes(content[start : start + 2], order)
    return start + 2 + 12 * entries + 4  # the number of entries, the entries, where the next directory is


def _opened(path):
    try:
        # From memory: Pillow keeps the file of a picture that it fails to decode open.
        content = Path(path).read_bytes()
        if not content:
            raise DataError(f"{path}: an empty file")
        picture = Image.open(io.BytesIO(content))
        # Decoding ends with the last pixel, and would not miss what the file should end with.
        if _cut_off(content, picture.format):
            raise DataError(f"{path}: cut off, its end is missing")
        if picture.format == "PNG":
            picture.verify()  # compares each checksum
            picture = Image.open(io.BytesIO(content))
        picture.load()
    except FileNotFoundError:
        raise DataError(f"{path}: no such file") from None
    except UnidentifiedImageError:
        raise DataError(f"{path}: cannot be read as a picture (neither PNG, JPEG, TIFF nor BMP)") from None
    except DataError:
        raise
    # Pillow warns of some damaged files only; where warnings are errors they say the same as its exceptions.
    except (OSError, SyntaxError, ValueError, EOFError, struct.error, Image.DecompressionBombError, Warning) as error:
        raise DataError(f"{path}: cannot be read as a picture ({error})") from error
    return picture
