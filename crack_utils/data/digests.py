"""Digests of files: computed once in a process, and again if the file changes. NumPy and SciPy only."""

import hashlib
import os
import threading
from dataclasses import dataclass, field
from functools import cache

import numpy as np
import tifffile

from crack_utils.data import lookalikes
from crack_utils.data.decoding import bits_used, open_stored
from crack_utils.data.images import gray_values
from crack_utils.data.masks import read_parts, understand
from crack_utils.data.stored import BANDS, LIMIT, DataError, TooLarge, bands

TOGETHER = LIMIT / 20  # [bytes] pictures that need more memory are read one after another
_one_at_a_time = threading.Lock()


@dataclass(frozen=True)
class Content:
    """What a picture shows, whatever its encoding: two pictures that show the same have the same content.

    Attributes
    ----------
    size : (height, width) [px]
    digest : str
    crack : int
        Of a mask, its crack pixels.
    gray : int
        Of a mask, the pixels that were neither background nor crack.
    depth : str
        How a pixel is stored, such as "16 bit gray".
    bits : int, optional
        How many bits of whole numbers above 8 bit are used.
    orientation : int
        By which EXIF orientation it was turned.
    fingerprint : ndarray, optional
        Of a photograph, see `lookalikes.fingerprint`.
    """

    size: tuple[int, int]
    digest: str
    crack: int = 0
    gray: int = field(default=0, compare=False)
    depth: str = field(default="", compare=False)
    bits: int | None = field(default=None, compare=False)
    orientation: int = field(default=1, compare=False)
    fingerprint: np.ndarray | None = field(default=None, compare=False, repr=False)


def sha256(path):
    """Return the SHA-256 of a file's bytes as hexadecimal text."""
    return _sha256(str(path), _state(path))


def image_content(path):
    """Return the content of a photograph from its values; a picture in 8 bits and its copy in 16 bits are the same.

    Raises
    ------
    DataError
        As `read_image`.
    """
    return _image_content(str(path), _state(path))


def mask_content(path):
    """Return the content of a mask; see `read_mask` for what is refused."""
    return _mask_content(str(path), _state(path))


def parts_content(path):
    """Return the content of the mask that primary and secondary crack make together; see `read_parts`."""
    return _parts_content(str(path), _state(path))


def common_bits(paths):
    """Return how many bits the photographs of one folder use together, None if none has more than 8.

    All pictures of a folder are assumed to come from one camera, so all are scaled alike.

    Parameters
    ----------
    paths : iterable of pathlib.Path
        Pictures that cannot be read are ignored.
    """
    most = None
    for path in paths:
        if most is not None and most >= 16:
            break
        try:
            if _is_deep(path):
                most = max(most or 0, image_content(path).bits or 0) or None
        except (DataError, OSError):
            continue
    return most


def _is_deep(path):
    """Return whether a picture may store integers of more than 8 bit; the pixels are not read."""
    with open(path, "rb") as file:
        head = file.read(26)
        if head.startswith(b"\x89PNG"):
            return head[24:25] == b"\x10"
        if head[:2] not in (b"II", b"MM"):
            return False
        try:
            file.seek(0)
            with tifffile.TiffFile(file) as pages:
                return any(page.aspage().dtype.kind in "ui" and page.bitspersample > 8 for page in pages.pages)
        except Exception:  # the reader of the file will report it
            return False


def _state(path):
    """Return values that change if a file changes; None for a missing file, which its reader will report."""
    try:
        state = os.stat(path)
    except OSError:
        return None
    return state.st_ino, state.st_size, state.st_mtime_ns, state.st_ctime_ns


@cache
def _sha256(path, state):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@cache
def _image_content(path, state):
    return _with_room(_photograph, path)


@cache
def _mask_content(path, state):
    return _with_room(_mask, path)


@cache
def _parts_content(path, state):
    return _digest(read_parts(path) > 0)


def _with_room(content_of, path):
    """Return the result of a function for an opened picture; large pictures are read one at a time."""
    try:
        try:
            return content_of(open_stored(path, TOGETHER))
        except TooLarge:
            with _one_at_a_time:
                return content_of(open_stored(path))
    except DataError:
        raise
    except ValueError as error:
        raise DataError(f"{path}: {error}") from None


def _photograph(stored):
    values = stored.values
    plain = values.dtype == np.uint8 and values.size <= 16 * BANDS
    seen = stored.shown() if plain else gray_values(stored)
    bits = bits_used(values) if values.dtype.kind in "ui" and values.dtype.itemsize > 1 else None
    return _digest(
        _comparable(stored),
        depth=stored.depth,
        bits=bits,
        orientation=stored.orientation,
        fingerprint=lookalikes.fingerprint(seen),
    )


def _mask(stored):
    mask = understand(stored)
    return _digest(
        mask.crack,
        crack=int(np.count_nonzero(mask.crack)),
        gray=mask.gray,
        depth=stored.depth,
        orientation=stored.orientation,
    )


def _comparable(stored):
    """Return the values of a picture in the smallest suitable type: gray if possible, and 8 or 16 bit if possible."""
    values = stored.shown()
    if values.ndim == 3 and all((band == band[..., :1]).all() for band in bands(values)):
        values = values[..., 0]
    if values.dtype == bool:
        return values.astype(np.uint8) * np.uint8(255)
    if values.dtype.kind == "f":
        steps = [np.rint(band.astype(float) * 65535) for band in bands(values)]
        if all(np.abs(band * 65535.0 - step).max() < 0.01 for band, step in zip(bands(values), steps, strict=True)):
            values = np.concatenate(steps).astype(np.uint16)
    if (
        values.dtype.itemsize > 1
        and values.dtype.kind in "ui"
        and all(_in_eight_bits(band) for band in [values[:8], *bands(values)])
    ):
        values = (values // 257).astype(np.uint8)
    return values


def _in_eight_bits(values):
    return values.min(initial=0) >= 0 and values.max(initial=0) <= 65535 and not (values % 257).any()


def _digest(values, **facts):
    values = np.ascontiguousarray(values)
    digest = hashlib.sha256(repr((values.shape, values.dtype.str)).encode())
    digest.update(values.data)
    return Content(values.shape[:2], digest.hexdigest(), **facts)
