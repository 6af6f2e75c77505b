"""COCO: JSON files of pictures, categories and annotations, with polygons and run-length encodings.

The format is described at https://cocodataset.org/#format-data. pycocotools draws polygons and writes encodings.
"""

import json
import shutil
from collections import Counter
from functools import partial

import numpy as np
from pycocotools import mask as coco
from scipy.ndimage import label as pieces_of

from crack_utils.data.importers.folder import read_json, shared_last_parts
from crack_utils.data.importers.shapes import Annotated, polygon, refuse_shape, runs, union
from crack_utils.data.stored import DataError
from crack_utils.geometry.skeleton import EIGHT

LABEL = "crack"  # name of the class that `write` uses
PLACE = "annotations/instances_default.json"  # where other programs expect it


def recognises(folder):
    """Return whether a folder has JSON files of COCO."""
    return folder.holds([".json"], lambda file: _is_coco(read_json(file)))


def read(folder, options):
    """Yield an `Annotated` for each picture that the JSON files list; a picture without annotation has no crack."""
    for file in folder.ending(".json"):
        try:
            yield from _read(folder, file, options.traced)
        except DataError as error:
            folder.problems.append(str(error))


def write(pairs, out):
    """Write photographs into `images/`, and their masks as one JSON file, with one annotation for each connected crack.

    Parameters
    ----------
    pairs : iterable of (pathlib.Path, ndarray of bool)
        A photograph's file, and its mask.
    out : pathlib.Path
        A folder that exists.
    """
    images, annotations = [], []
    (out / "images").mkdir()
    for number, (file, mask) in enumerate(pairs, start=1):
        shutil.copyfile(file, out / "images" / file.name)
        images.append({"id": number, "file_name": file.name, "height": mask.shape[0], "width": mask.shape[1]})
        for encoded in _encoded(mask):
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": number,
                    "category_id": 1,
                    "segmentation": {"size": list(mask.shape), "counts": encoded["counts"].decode()},
                    "area": int(coco.area(encoded)),
                    "bbox": coco.toBbox(encoded).tolist(),
                    "iscrowd": 0,
                }
            )
    categories = [{"id": 1, "name": LABEL, "supercategory": ""}]
    content = {"info": {}, "licenses": [], "images": images, "categories": categories, "annotations": annotations}
    (out / PLACE).parent.mkdir()
    (out / PLACE).write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")


def _is_coco(content):
    return isinstance(content, dict) and all(isinstance(content.get(key), list) for key in ("images", "annotations"))


def _read(folder, file, traced):
    content = read_json(file)
    if not _is_coco(content):
        raise DataError(f"{file}: not a file of COCO (it does not have the lists 'images' and 'annotations')")
    try:
        names = {str(category["id"]): str(category["name"]) for category in content["categories"]}
        annotations = {}
        for annotation in content["annotations"]:
            annotations.setdefault(str(annotation["image_id"]), []).append(annotation)
        images = {str(image["id"]): image for image in content["images"]}  # some tools write ids as texts
    except (KeyError, TypeError) as error:
        raise DataError(f"{file}: not a file of COCO ({error!r})") from None
    if len(images) < len(content["images"]):
        folder.problems.append(f"{file}: {len(content['images']) - len(images)} pictures have the id of another one")
    if strangers := annotations.keys() - images.keys():
        folder.problems.append(f"{file}: it has annotations of {len(strangers)} pictures that it does not list")
    shared = shared_last_parts(image.get("file_name") for image in images.values())
    for number, image in images.items():
        try:
            yield _annotated(folder, file, image, annotations.get(number, []), names, traced, shared)
        except DataError as error:
            folder.problems.append(str(error))


def _annotated(folder, file, image, annotations, names, traced, shared):
    name = image.get("file_name")
    if not isinstance(name, str) or not name:
        raise DataError(f"{file}: picture {image['id']!r} has no file_name")
    shapes = []
    for annotation in annotations:
        category = annotation.get("category_id")
        if not isinstance(category, int | str) or str(category) not in names:
            raise DataError(f"{file}: {name!r} has an annotation of category {category!r}, which is not listed")
        shapes.append((names[str(category)], partial(_drawn, annotation.get("segmentation"), traced)))
    picture, size = folder.picture(name, file, shared), (image.get("height"), image.get("width"))
    labels = Counter(label for label, _ in shapes)
    return Annotated(file, picture, labels, union(shapes), None if None in size else size)


def _drawn(segmentation, traced, size):
    """Return the mask of an annotation's segmentation: polygons, or a run-length encoding, compressed or not."""
    if not segmentation:
        return refuse_shape("box")(size)
    if isinstance(segmentation, dict):
        counts = segmentation.get("counts")
        counts = _counts(counts) if isinstance(counts, str) else counts
        if segmentation.get("size") != list(size) or not isinstance(counts, list):
            raise ValueError(f"a run-length encoding of {segmentation.get('size')} pixels, not of {list(size)}")
        return runs(counts, size[::-1]).T  # COCO counts along the columns
    if not isinstance(segmentation, list):
        raise ValueError("a segmentation that is neither polygons nor a run-length encoding")
    mask = np.zeros(size, bool)
    for ring in segmentation:
        if not isinstance(ring, list) or len(ring) % 2:
            raise ValueError("a polygon that is not a list of x, y, x, y …")
        mask |= polygon(list(zip(ring[::2], ring[1::2], strict=True)), size, traced)
    return mask


def _counts(text):
    """Return the run lengths in a compressed encoding.

    Each letter has five bits of a length, the lowest bits first, and one bit that says whether more follow. From the
    fourth length on, the stored value is the difference from the length two places before.
    """
    counts, value, shift = [], 0, 0
    for letter in text:
        bits = ord(letter) - 48
        if not 0 <= bits < 64 or shift > 60:
            raise ValueError("a compressed run-length encoding with a letter that is not valid")
        value |= (bits & 31) << shift
        shift += 5
        if not bits & 32:
            value -= (1 << shift) if bits & 16 else 0
            counts.append(value + (counts[-2] if len(counts) > 2 else 0))
            value = shift = 0
    if shift:
        raise ValueError("a compressed run-length encoding that is cut off")
    return counts


def _encoded(mask):
    """Yield the encoding of each connected crack, as a dict of pycocotools."""
    height, width = mask.shape
    pieces = pieces_of(mask, EIGHT)[0].T.ravel()  # down the columns
    places = np.flatnonzero(pieces)
    order = np.argsort(pieces[places], kind="stable")
    for places_of_one in np.split(places[order], np.flatnonzero(np.diff(pieces[places][order])) + 1):
        if not places_of_one.size:
            continue
        gaps = np.flatnonzero(np.diff(places_of_one) > 1)
        starts, ends = places_of_one[np.r_[0, gaps + 1]], places_of_one[np.r_[gaps, -1]] + 1
        counts = np.diff(np.r_[0, np.c_[starts, ends].ravel(), mask.size])
        yield coco.frPyObjects({"counts": counts.tolist(), "size": [height, width]}, height, width)
