"""YOLO: one text file for each photograph; a line has a class and a polygon, in shares of the width and height.

The format is described at https://docs.ultralytics.com/datasets/segment/. The names of the classes are in a YAML file.
"""

from collections import Counter
from functools import partial

import numpy as np
import yaml

from crack_utils.data.images import SUFFIXES
from crack_utils.data.importers.folder import read_text
from crack_utils.data.importers.shapes import Annotated, polygon, refuse_shape, union
from crack_utils.data.stored import DataError

BOX = 5  # numbers in a line for a box


def recognises(folder):
    """Return whether a folder has text files with classes and numbers."""
    return folder.holds([".txt"], lambda file: bool(_rows(file)))


def read(folder, options):
    """Yield an `Annotated` for each photograph in an `images/` folder, and for others that have a text file.

    In `images/`, a photograph without a text file has no crack: this is how YOLO marks it.
    """
    try:
        names = _names(folder)
    except DataError as error:
        folder.problems.append(str(error))
        return
    files, used = {folder.place(file)[: -len(".txt")]: file for file in folder.ending(".txt")}, set()
    for picture in folder.pictures():
        place = folder.place(picture)[: -len(picture.suffix)]
        head, middle, tail = f"/{place}".rpartition("/images/")
        beside = f"{head}/labels/{tail}"[1:] if middle else place
        file = files.get(beside)
        if file is None and not middle:
            continue
        used.add(file)
        try:
            rows = _rows(file) if file else []
        except DataError as error:
            folder.problems.append(str(error))
            continue
        shapes = [(names.get(number, str(number)), partial(_drawn, values, options.traced)) for number, values in rows]
        labels = Counter(label for label, _ in shapes)
        yield Annotated(file or picture, picture, labels, union(shapes))
    for file in files.values():
        if file not in used and _is_label_file(file):
            folder.problems.append(f"{file}: no picture for it ({', '.join(SUFFIXES)}); expected in images/")


def _names(folder):
    """Return the names of the classes by number; empty if no YAML file contains them."""
    for file in folder.files:
        if file.suffix.lower() not in (".yaml", ".yml"):
            continue
        try:
            content = yaml.safe_load(read_text(file))
        except (yaml.YAMLError, ValueError, RecursionError) as error:
            raise DataError(f"{file}: cannot be read as YAML ({str(error).removeprefix(f'{file}: ')})") from None
        names = content.get("names") if isinstance(content, dict) else None
        if isinstance(names, list):
            return dict(enumerate(map(str, names)))
        if isinstance(names, dict):
            return {number: str(name) for number, name in names.items()}
    return {}


def _is_label_file(file):
    try:
        return bool(_rows(file))
    except DataError:
        return False


def _rows(file):
    """Return the class and the numbers of each line."""
    rows = []
    for number, text in enumerate(read_text(file).splitlines(), start=1):
        if not text.strip():
            continue
        try:
            label, *values = text.split()
            row = int(label), [float(value) for value in values]
        except ValueError:
            raise DataError(f"{file}: line {number} is not a class number followed by coordinates") from None
        if len(values) < BOX - 1:
            raise DataError(f"{file}: line {number} has a class and {len(values)} numbers, too few for a polygon")
        rows.append(row)
    return rows


def _drawn(values, traced, size):
    if len(values) == BOX - 1:
        return refuse_shape("box")(size)
    if len(values) % 2:
        raise ValueError("a polygon of an odd number of coordinates")
    return polygon(np.reshape(values, (-1, 2)) * (size[1], size[0]), size, traced)
