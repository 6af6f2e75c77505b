"""Masks whose pixels are classes: PNG with a palette (VOC, labelme), gray values, or a colour for each class (CVAT).

The names of the classes are read from `class_names.txt` (labelme: one per line, first `__ignore__`, then the
background) or `labelmap.txt` (CVAT: ``name:red,green,blue::``). Without these files the name of a class is its value,
such as "1" or "250,50,83".
"""

from collections import Counter
from functools import partial

import numpy as np

from crack_utils.data.decoding import open_stored
from crack_utils.data.importers.folder import read_text
from crack_utils.data.importers.pixels import masks, pairs, read_pixels
from crack_utils.data.importers.shapes import Annotated
from crack_utils.data.masks import understand
from crack_utils.data.stored import DataError

MOST = 64  # classes in a mask; with more values it has gray edges, or is a photograph
FEW = 8  # up to this number of values may be classes, even if they look like gray edges
BACKGROUND = ("background", "_background_")
IGNORED = 255  # the value that labelme stores for -1


def recognises(folder):
    """Return whether a folder has masks as pictures."""
    return bool(masks(folder))


def read(folder, options):
    """Yield an `Annotated` for each mask."""
    try:
        by_index, by_colour = _index_names(folder), _colour_names(folder)
    except DataError as error:
        folder.problems.append(str(error))
        return
    for file, photograph in pairs(folder):
        try:
            labels = Counter(_classes(file, by_index, by_colour)[1].values())
        except DataError as error:
            folder.problems.append(str(error))
            continue
        yield Annotated(file, photograph, labels, partial(_mask, file, by_index, by_colour))


def _mask(file, by_index, by_colour, labels, size):
    values, names = _classes(file, by_index, by_colour)
    return np.isin(values, [value for value, name in names.items() if name in labels])


def _classes(file, by_index, by_colour):
    """Return the value of each pixel, shape (H, W), and the names of the classes by value, background left out."""
    values = read_pixels(file, colours=bool(by_colour))
    coloured = values.ndim == 3
    if coloured:
        values = values @ np.array((65536, 256, 1))
    found = [int(value) for value in np.unique(values)]
    if len(found) > MOST or (len(found) > 2 and _has_gray_edges(file, len(found))):
        raise DataError(
            f"{file}: {len(found)} values are not classes; if it is black and white with gray edges, use "
            "--crack white; if it is coloured and was saved as JPEG, use --crack R,G,B"
        )
    if coloured:
        names = {value: by_colour.get(value, f"{value >> 16},{value >> 8 & 255},{value & 255}") for value in found}
    else:
        names = {value: by_index.get(value, str(value)) for value in found}
    return values, {value: name for value, name in names.items() if value and name not in BACKGROUND}


def _has_gray_edges(file, count):
    """Return whether the gray values of a black and white mask come from JPEG or blur; then they are no classes."""
    stored = open_stored(file)
    try:
        return understand(stored).gray > 0 and (stored.lossy or count > FEW)
    except ValueError:
        return False


def _index_names(folder):
    """Return the names of classes by the value of their pixels, from labelme's list."""
    lines = [line for file in folder.files if file.name == "class_names.txt" for line in read_text(file).splitlines()]
    if lines[:1] == ["__ignore__"]:
        return {IGNORED: lines[0], **dict(enumerate(lines[1:]))}
    return dict(enumerate(lines))


def _colour_names(folder):
    """Return the names of classes by the colour of their pixels, as one number, from CVAT's list."""
    names = {}
    for file in folder.files:
        for line in read_text(file).splitlines() if file.name == "labelmap.txt" else ():
            name, _, rest = line.partition(":")
            if not line.strip() or line.startswith("#") or rest.startswith(":"):  # the last: without a colour
                continue
            try:
                red, green, blue = (int(value) for value in rest.split(":")[0].split(","))
            except ValueError:
                raise DataError(f"{file}: {line!r} is not a name with a colour, as in crack:250,50,83::") from None
            names[red << 16 | green << 8 | blue] = name
    return names
