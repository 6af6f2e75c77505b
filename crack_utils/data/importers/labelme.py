"""labelme: one JSON file for each photograph, with polygons, lines and masks. It may contain the photograph.

The format is labelme's own, https://github.com/wkentaro/labelme; its versions 3 to 6 write the same keys.
"""

import base64
import binascii
import io
import json
import shutil
from collections import Counter
from functools import partial

import numpy as np
from PIL import Image

from crack_utils.data.encoding import as_file
from crack_utils.data.importers.folder import MissingPictureError, read_json
from crack_utils.data.importers.shapes import Annotated, line, paste, polygon, refuse_shape, union
from crack_utils.data.stored import DataError

LABEL = "crack"  # name of the class that `write` uses


def recognises(folder):
    """Return whether a folder has JSON files of labelme."""
    return folder.holds([".json"], lambda file: _is_labelme(read_json(file)))


def read(folder, options):
    """Yield an `Annotated` for each JSON file; photographs without one are not labelled yet and left out."""
    files, used = folder.ending(".json"), set()
    for file in files:
        try:
            annotated = _annotated(folder, file, options.line_width)
        except DataError as error:
            folder.problems.append(str(error))
            continue
        used.add(annotated.image)
        yield annotated
    rest = [picture for picture in folder.pictures() if picture not in used]
    if rest and len(files) > 1:
        folder.notes.append(f"{len(rest)} pictures without annotation are left out, such as {rest[0]}")


def write(pairs, out):
    """Write each photograph and, beside it, its mask as a JSON file of labelme.

    Parameters
    ----------
    pairs : iterable of (pathlib.Path, ndarray of bool)
        A photograph's file, and its mask.
    out : pathlib.Path
        A folder that exists.
    """
    for file, mask in pairs:
        shutil.copyfile(file, out / file.name)
        content = {
            "version": "5.3.0",  # the first version with masks
            "flags": {},
            "shapes": [_written(mask)] if mask.any() else [],
            "imagePath": file.name,
            "imageData": None,
            "imageHeight": mask.shape[0],
            "imageWidth": mask.shape[1],
        }
        (out / f"{file.stem}.json").write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")


def _is_labelme(content):
    return isinstance(content, dict) and isinstance(content.get("shapes"), list) and "imagePath" in content


def _annotated(folder, file, line_width):
    content = read_json(file)
    if not _is_labelme(content):
        raise DataError(f"{file}: not a file of labelme (it has no list 'shapes', or no 'imagePath')")
    shapes = []
    for shape in content["shapes"]:
        if not isinstance(shape, dict) or not isinstance(shape.get("label"), str):
            raise DataError(f"{file}: it has a shape without label")
        shapes.append((shape["label"], _drawing(shape, line_width)))
    image = _image(folder, file, content)
    size = content.get("imageHeight"), content.get("imageWidth")
    labels = Counter(label for label, _ in shapes)
    return Annotated(file, image, labels, union(shapes), None if None in size else size)


def _drawing(shape, line_width):
    """Return a function that draws a shape into a mask of a given size."""
    kind, points = shape.get("shape_type", "polygon"), shape.get("points")
    if kind in ("polygon", None):
        return partial(polygon, points)
    if kind in ("line", "linestrip"):
        return partial(line, points, line_width)
    if kind == "mask":
        return partial(_pasted, points, shape.get("mask"))
    return refuse_shape(str(kind))


def _pasted(points, encoded, size):
    """Return the mask of the whole picture from labelme's PNG in base64 and the places of its first and last pixel."""
    try:
        (left, top), (right, bottom) = [[int(value) for value in point] for point in points]
        with Image.open(io.BytesIO(_decoded(encoded)), formats=["PNG"]) as picture:
            if picture.size != (right - left + 1, bottom - top + 1):
                raise ValueError(f"it has {picture.height}×{picture.width} pixels")
            part = np.asarray(picture)
    except (TypeError, OverflowError, ValueError, OSError, SyntaxError) as error:
        raise ValueError(f"a mask that cannot be read ({error})") from None
    if part.ndim != 2:
        raise ValueError("a mask that is a colour picture")
    return paste(part != 0, left, top, size)


def _image(folder, file, content):
    """Return the photograph's file or, if there is none, a function that reads it from the annotation."""
    name = content["imagePath"]
    if not isinstance(name, str) or not name:
        raise DataError(f"{file}: imagePath is {name!r}, which is not a file name")
    try:
        return folder.picture(name, file)
    except MissingPictureError:
        if not content.get("imageData"):
            raise
    return partial(_embedded, file)


def _embedded(file):
    try:
        return _decoded(read_json(file)["imageData"])
    except (TypeError, ValueError) as error:
        raise DataError(f"{file}: imageData cannot be read ({error})") from None


def _decoded(text):
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError(error) from None


def _written(mask):
    """Return a mask as a shape of labelme."""
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    top, bottom, left, right = (int(place) for place in (rows[0], rows[-1], columns[0], columns[-1]))
    cut_out = Image.fromarray(mask[top : bottom + 1, left : right + 1].astype(np.uint8))
    return {
        "label": LABEL,
        "points": [[left, top], [right, bottom]],
        "group_id": None,
        "description": "",
        "shape_type": "mask",
        "flags": {},
        "mask": base64.b64encode(as_file(cut_out)).decode(),
    }
