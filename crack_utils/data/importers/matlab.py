"""MATLAB: a `.mat` file a photograph with ``groundTruth.Segmentation``, a number for each pixel, as in CrackForest."""

import math
import struct
import zlib
from collections import Counter
from functools import partial
from pathlib import Path

import numpy as np
import scipy.io

from crack_utils.data.images import DataError
from crack_utils.data.importers.shapes import Annotated

VARIABLE = "groundTruth"
LARGEST = 2**29  # [bytes] unpacked, of one file
MOST = 1000  # elements of the variable, which holds a picture in each
COMPRESSED, BLOCK = 15, 2**24  # MATLAB's number for a compressed element; [bytes] unpacked at a time


def recognises(folder):
    """Say whether there are `.mat` files."""
    return bool(folder.ending(".mat"))


def read(folder, options):
    """Yield an `Annotated` for each file; a class is called by its number, and 0 is none."""
    for file in folder.ending(".mat"):
        try:
            values = np.unique(read_segmentation(file))
            photograph = folder.picture_of([file.stem], file)
        except DataError as error:
            folder.problems.append(str(error))
            continue
        yield Annotated(file, photograph, Counter(str(value) for value in values if value), partial(_mask, file))


def read_segmentation(path):
    """Return the segmentation in a `.mat` file.

    Parameters
    ----------
    path : path-like
        Written by MATLAB up to version 7 (`save -v7`).

    Returns
    -------
    ndarray of integers, shape (H, W)

    Raises
    ------
    DataError
        If there is none, or several, or the file cannot be read.
    """
    try:
        _refuse_large(path)
        found = scipy.io.loadmat(path, variable_names=[VARIABLE]).get(VARIABLE)
        while isinstance(found, np.ndarray) and (found.dtype.names or found.dtype == object):
            if found.size != 1:
                raise DataError(f"{path}: {VARIABLE} holds {found.size} annotations; expected one")
            found = found.flat[0]
            if isinstance(found, np.void):
                found = found["Segmentation"]
    except DataError:
        raise
    except NotImplementedError:
        raise DataError(f"{path}: MATLAB's version 7.3; save it with -v7") from None
    except Exception as error:  # SciPy has no error of its own for damaged files
        raise DataError(f"{path}: cannot be read as a .mat file ({error})") from None
    numbers = isinstance(found, np.ndarray) and found.ndim == 2 and found.dtype.kind in "buif"
    if not numbers or not np.isfinite(found).all() or (found != np.round(found)).any():
        raise DataError(f"{path}: it holds no {VARIABLE}.Segmentation, a whole number for each pixel")
    return found.astype(np.int64)


def _mask(file, labels, size):
    return np.isin(read_segmentation(file), [int(label) for label in labels])


def _refuse_large(path):
    """Refuse a file that takes up too much memory unpacked, or whose variable says that it is huge."""
    content = Path(path).read_bytes()
    order = {b"IM": "<", b"MI": ">"}.get(content[126:128])  # of a file of version 5 or later
    place, size = 128, 0
    while order and place + 8 <= len(content):
        kind, length = struct.unpack_from(f"{order}II", content, place)
        unpack, packed = zlib.decompressobj(), content[place + 8 : place + 8 + length]
        while kind == COMPRESSED and packed and size <= LARGEST:
            size += len(unpack.decompress(packed, BLOCK))
            packed = unpack.unconsumed_tail
        place += 8 + length
    count = max((math.prod(shape) for name, shape, _ in scipy.io.whosmat(path) if name == VARIABLE), default=0)
    if size > LARGEST or count > MOST:
        raise DataError(f"{path}: too large ({size // 2**20} MiB, {VARIABLE} of {count} elements)")
