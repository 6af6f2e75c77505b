"""CVAT: one XML file for many pictures ("CVAT for images 1.1"), with polygons, polylines and masks.

The format is described at https://docs.cvat.ai/docs/dataset_management/formats/format-cvat/.
"""

from collections import Counter
from functools import partial

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring

from crack_utils.data.importers.folder import read_text, shared_last_parts
from crack_utils.data.importers.shapes import Annotated, line, paste, polygon, refuse_shape, runs, union
from crack_utils.data.stored import DataError

NO_SHAPES = ("tag", "attribute")  # elements of an image that are not shapes


def recognises(folder):
    """Return whether a folder has files of CVAT: XML whose outermost element is `annotations`.

    Parameters
    ----------
    folder : Folder

    Returns
    -------
    bool
    """
    return folder.holds([".xml"], lambda file: _root(file).tag == "annotations")


def read(folder, options):
    """Yield an `Annotated` for each picture that the XML files list; a picture without shape has no crack."""
    for file in folder.ending(".xml"):
        try:
            root = _root(file)
            if root.tag != "annotations":
                raise DataError(f"{file}: not a file of CVAT (its outermost element is not <annotations>)")
            if root.find("track") is not None:
                raise DataError(f"{file}: tracks of a video; export it as 'CVAT for images'")
        except DataError as error:
            folder.problems.append(str(error))
            continue
        shared = shared_last_parts(image.get("name") for image in root.iter("image"))
        for image in root.iter("image"):
            try:
                yield _annotated(folder, file, image, options.line_width, shared)
            except DataError as error:
                folder.problems.append(str(error))


def _root(file):
    # Entities and document types are refused: a small file could use much memory or read other files.
    try:
        return fromstring(read_text(file), forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, RecursionError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{file}: cannot be read as XML ({error})") from None


def _annotated(folder, file, image, line_width, shared):
    name = image.get("name")
    if not name:
        raise DataError(f"{file}: a picture without name")
    try:
        size = int(image.get("height")), int(image.get("width"))
    except (TypeError, ValueError):
        raise DataError(f"{file}: {name!r} has no height and width") from None
    shapes = []
    for shape in image:
        if shape.tag in NO_SHAPES:
            continue
        if not shape.get("label"):
            raise DataError(f"{file}: {name!r} has a shape without label")
        shapes.append((shape.get("label"), _drawing(shape, line_width)))
    labels = Counter(label for label, _ in shapes)
    return Annotated(file, folder.picture(name, file, shared), labels, union(shapes), size)


def _drawing(shape, line_width):
    """Return a function that draws a shape into a mask of a given size."""
    if shape.tag == "polygon":
        return lambda size: polygon(_points(shape), size)
    if shape.tag == "polyline":
        return lambda size: line(_points(shape), line_width, size)
    if shape.tag == "mask":
        return partial(_pasted, shape)
    return refuse_shape(shape.tag)


def _points(shape):
    return [pair.split(",") for pair in shape.get("points", "").split(";")]


def _pasted(shape, size):
    """Return the mask of a shape that is stored as runs of pixels in a part of the picture, row by row."""
    try:
        left, top, width, height = (int(shape.get(key)) for key in ("left", "top", "width", "height"))
        counts = [int(count) for count in shape.get("rle").split(",")]
    except (TypeError, AttributeError, ValueError):
        raise ValueError("a mask without numbers for rle, left, top, width and height") from None
    if not (0 < height <= size[0] and 0 < width <= size[1]):
        raise ValueError(f"a mask of {height}×{width} pixels in a picture of {size[0]}×{size[1]}")
    return paste(runs(counts, (height, width)), left, top, size)
