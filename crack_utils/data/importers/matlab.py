"""MATLAB: one `.mat` file for each photograph with ``groundTruth.Segmentation``, a number for each pixel.

CrackForest has such files. The reader implements only the part of the format that they need (MATLAB, "MAT-File Format",
version 5, 2023). SciPy's reader is not used, because a damaged file makes it crash the whole program.
"""

import struct
import zlib
from collections import Counter
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np

from crack_utils.data.importers.shapes import Annotated
from crack_utils.data.stored import DataError

VARIABLE, FIELD = "groundTruth", "Segmentation"
LARGEST = 2**29  # [bytes] of a file, and of all its variables unpacked
DEPTH = 8  # largest nesting of cells and structures

# MATLAB's codes for the type of an element, and for the classes of arrays.
NUMBERS = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
MATRIX, COMPRESSED = 14, 15
CELL, STRUCTURE, FIRST_NUMERIC, LAST_NUMERIC = 1, 2, 6, 15


def recognises(folder):
    """Return whether a folder has `.mat` files."""
    return bool(folder.ending(".mat"))


def read(folder, options):
    """Yield an `Annotated` for each file; the name of a class is its number, and 0 is background."""
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
        A file that MATLAB has saved in version 5, 6 or 7 (`save -v7`).

    Returns
    -------
    ndarray of int64, shape (H, W)

    Raises
    ------
    DataError
        If there is no segmentation or more than one, or if the file cannot be read.
    """
    path = Path(path)
    try:
        if path.stat().st_size > LARGEST:
            raise ValueError(f"larger than {LARGEST // 2**20} MiB")
        found = _variable(path.read_bytes())
        while isinstance(found, list):
            if len(found) != 1:
                raise ValueError(f"{VARIABLE} holds {len(found)} annotations; expected one")
            found = found[0][FIELD] if isinstance(found[0], dict) else found[0]
        if not isinstance(found, np.ndarray) or found.ndim != 2 or not (np.abs(found) < 2**31).all():
            raise ValueError(f"{VARIABLE}.{FIELD} is not a number for each pixel")
        if (found != np.round(found)).any():
            raise ValueError(f"{VARIABLE}.{FIELD} has an entry that is not a whole number")
    except KeyError as error:
        raise DataError(f"{path}: it has no {error.args[0]}") from None
    except (ValueError, struct.error, zlib.error, OSError) as error:
        raise DataError(f"{path}: cannot be read as a .mat file with {VARIABLE}.{FIELD} ({error})") from None
    return found.astype(np.int64)


def _mask(file, labels, size):
    return np.isin(read_segmentation(file), [int(label) for label in labels])


def _variable(content):
    """Return the variable `VARIABLE`: an array, or a list with the content of cells or structures."""
    order = {b"IM": "<", b"MI": ">"}.get(content[126:128])
    if order is None or struct.unpack_from(f"{order}H", content, 124)[0] != 0x0100:
        raise ValueError("not of version 5, 6 or 7; save it with -v7")
    left = LARGEST
    for kind, data in _elements(content[128:], order):
        if kind == COMPRESSED:
            unpacker = zlib.decompressobj()
            data = unpacker.decompress(data, left)
            left -= len(data)
            if left <= 0:
                raise ValueError(f"larger than {LARGEST // 2**20} MiB")
            kind, data = next(_elements(data, order), (None, b""))
        if kind == MATRIX:
            name, value = _matrix(data, order)
            if name == VARIABLE:
                return value
    raise KeyError(VARIABLE)


def _elements(data, order):
    """Yield the kind and the bytes of each element."""
    place = 0
    while place + 8 <= len(data):
        kind, length = struct.unpack_from(f"{order}II", data, place)
        if kind >> 16:  # at most four bytes, beside the kind
            kind, length, start, following = kind & 0xFFFF, kind >> 16, place + 4, place + 8
        else:
            start = place + 8
            following = start + length + (-length % 8 if kind != COMPRESSED else 0)
        if start + length > len(data):
            raise ValueError("cut off")
        yield kind, data[start : start + length]
        place = following


def _matrix(data, order, depth=0):
    """Return an array's name and value: an ndarray, a list with the content of cells or structures, or None."""
    elements = _elements(data, order)
    head = [part for _, part in islice(elements, 3)]
    if len(head) < 3:
        return "", None  # empty
    flags, sizes, name = head
    name = name.decode("latin-1")
    kind, shape = struct.unpack_from(f"{order}I", flags)[0] & 0xFF, np.frombuffer(sizes, f"{order}i4").tolist()
    if depth > DEPTH:
        raise ValueError("nested too deeply")
    if kind == STRUCTURE:
        longest, names = struct.unpack(f"{order}i", next(elements, (0, b""))[1])[0], next(elements, (0, b""))[1]
        fields = [names[at : at + longest].rstrip(b"\0").decode("latin-1") for at in range(0, len(names), longest)]
    if kind in (CELL, STRUCTURE):
        values = [_matrix(part, order, depth + 1)[1] for _, part in elements]
        if kind == CELL:
            return name, values
        rows = [values[at : at + len(fields)] for at in range(0, len(values), len(fields))]
        return name, [dict(zip(fields, row, strict=True)) for row in rows]
    if not FIRST_NUMERIC <= kind <= LAST_NUMERIC:
        return name, None
    stored, numbers = next(elements, (None, b""))
    if stored not in NUMBERS or min(shape) < 0:
        raise ValueError("an array without numbers")
    return name, np.frombuffer(numbers, order + NUMBERS[stored]).reshape(shape, order="F")
