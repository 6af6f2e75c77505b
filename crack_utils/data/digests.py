"""What files hold, as digests: worked out once a process for as long as a file stays as it is. NumPy only."""

import hashlib
import os
from dataclasses import dataclass
from functools import cache

import numpy as np

from crack_utils.data.images import read_image, read_mask, read_parts


@dataclass(frozen=True)
class Content:
    """What a picture shows, whatever its encoding: two pictures that show the same have the same content.

    `size` is (height, width) [px]; `crack` counts the crack pixels of a mask.
    """

    size: tuple[int, int]
    digest: str
    crack: int = 0


def sha256(path):
    """Return the SHA-256 of a file's bytes as hexadecimal text."""
    return _sha256(str(path), _state(path))


def image_content(path):
    """Return the content of a photograph: its gray values in 8 bits, which is what the network is given.

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


def _state(path):
    """Return what changes with a file; None for one that is not there, which its reader reports."""
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
    return _content(np.rint(read_image(path) * 255).astype(np.uint8))


@cache
def _mask_content(path, state):
    return _content(read_mask(path), masks=True)


@cache
def _parts_content(path, state):
    return _content(read_parts(path) > 0, masks=True)


def _content(values, masks=False):
    digest = hashlib.sha256(repr(values.shape).encode() + np.ascontiguousarray(values).tobytes()).hexdigest()
    return Content(values.shape, digest, int(values.sum()) if masks else 0)
