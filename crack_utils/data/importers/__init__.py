"""Convert annotations of other tools into a data set, and masks of a data set into annotations of other tools.

Each format is a module with two functions, and has one line in `FORMATS`:

- ``recognises(folder)`` returns whether a `Folder` contains files of the format;
- ``read(folder, options)`` yields an `Annotated` for each photograph, and adds what it cannot use to
  ``folder.problems``.

A format that can also be written has a function ``write(pairs, out)`` and a line in `WRITTEN`.
"""

from collections import Counter
from pathlib import Path

from tqdm import tqdm

from crack_utils.data.check import MUCH_CRACK
from crack_utils.data.importers import coco, cvat, labelme, matlab, palette, plain, yolo
from crack_utils.data.importers.folder import Folder
from crack_utils.data.importers.shapes import Options
from crack_utils.data.importers.writer import Imported, distinct_names, new_folder, write_pairs
from crack_utils.data.masks import read_mask
from crack_utils.data.pairs import find_pairs
from crack_utils.data.stored import DataError
from crack_utils.runtime.typeset import few

FORMATS = {"labelme": labelme, "coco": coco, "cvat": cvat, "yolo": yolo, "matlab": matlab, "palette": palette}
PLAIN = "plain"  # used only if the colour of the crack is given
WRITTEN = {"coco": coco, "labelme": labelme}

__all__ = ["FORMATS", "WRITTEN", "Imported", "export_annotations", "import_annotations"]


def import_annotations(source, out, labels=(), crack=None, line_width=None, traced=False, format=None):
    """Make a data set, a folder with `images/` and `masks/`, from photographs and annotations of another tool.

    What cannot be used is left out and listed in the result.

    Parameters
    ----------
    source : path-like
        A folder with annotations and photographs, or one annotation file with its photographs beside it.
    out : path-like
        The folder of the data set; it must not exist yet.
    labels : sequence of str
        The classes that are crack; needed if there are several classes.
    crack : str, optional
        The colour of the crack, such as "black" or "250,50,83", in masks that have to be corrected.
    line_width : float, optional [px]
        Width of lines, because these formats do not store one.
    traced : bool
        Polygons of COCO and YOLO go through the outermost pixels of the crack, as contours of OpenCV do, and not around
        them. Without it, a crack two pixels wide would become half as wide.
    format : str, optional
        One of `FORMATS`; by default the format that the files have.

    Returns
    -------
    Imported

    Raises
    ------
    DataError
        If nothing can be used: the format is unknown, a class does not exist, no class is chosen although there are
        several, or there is no crack at all.
    ValueError
        If an argument is wrong, or `out` exists already.
    """
    if line_width is not None and not 1 <= line_width <= 1000:
        raise ValueError(f"line_width={line_width:g}: valid are 1 to 1000 px")
    if crack is not None:
        plain.parse_colour(crack)
        if labels or format:
            raise ValueError("the colour of the crack is for masks only; use --crack without --label and --format")
    with new_folder(out) as draft:
        folder = Folder(source)
        name, reader = (PLAIN, plain) if crack is not None else _format(folder, format)
        options = Options(line_width, crack, traced)
        annotated = list(tqdm(reader.read(folder, options), unit="annotation", disable=None, leave=False))
        labels = _chosen(labels, annotated, folder, name)
        shares = write_pairs(annotated, distinct_names(annotated, folder.place), labels, draft, folder.problems)
        if not any(shares.values()):
            raise DataError(_text(f"{source}: no picture with a crack ({', '.join(labels)})", folder.problems))
    cracked = sum(share > 0 for share in shares.values())
    notes = folder.notes
    if folder.elsewhere:
        notes = [*notes, f"found in another folder than the annotations name: {few(folder.elsewhere)}"]
    if much := [each for each, share in shares.items() if share > MUCH_CRACK]:
        notes = [*notes, f"more crack than background; check that the right colour or class is crack: {few(much)}"]
    return Imported(Path(out), name, labels, len(shares), cracked, folder.problems, notes)


def export_annotations(source, out, format):
    """Write the photographs and masks of a data set in the format of another tool, for labelling or training there.

    Masks are written as masks, not as polygons, so no pixel is lost.

    Parameters
    ----------
    source : path-like
        A folder with `images/` and `masks/`.
    out : path-like
        A folder that does not exist yet.
    format : str
        "coco" (`images/` and `annotations/instances_default.json`) or "labelme" (a JSON file beside each photograph).

    Returns
    -------
    int
        Number of photographs.

    Raises
    ------
    DataError
        If the data set cannot be read.
    ValueError
        If there is no such format, or `out` exists already.
    """
    if format not in WRITTEN:
        raise ValueError(f"unknown format {format!r}; valid are {', '.join(WRITTEN)}")
    with new_folder(out) as draft:
        pairs = find_pairs(source)
        shown = tqdm(pairs, unit="picture", disable=None, leave=False)
        WRITTEN[format].write(((pair.image, read_mask(pair.mask)) for pair in shown), draft)
    return len(pairs)


def _format(folder, name):
    """Return name and module of the format that was given, or of the format of the files in a folder."""
    if name is not None and name not in FORMATS:
        raise ValueError(f"unknown format {name!r}; valid are {', '.join(FORMATS)}")
    names = [name] if name else [name for name, module in FORMATS.items() if module.recognises(folder)]
    if len(names) > 1:
        raise DataError(f"{folder.root}: annotations of several formats ({', '.join(names)}); choose with --format")
    if not names:
        raise DataError(
            f"{folder.given}: no annotations found; valid are JSON of labelme and COCO, XML of CVAT, text of YOLO (an "
            "unpacked folder, with the photographs), .mat with groundTruth, and masks in a folder such as masks/ or "
            "SegmentationClass/"
        )
    return names[0], FORMATS[names[0]]


def _chosen(labels, annotated, folder, format):
    """Return the classes that are crack; a `DataError` if one does not exist, or if one of several must be chosen."""
    count = sum((each.labels for each in annotated), Counter())
    classes = ", ".join(f"{label} ({number})" for label, number in count.most_common(30))
    if not count:
        raise DataError(_text(f"{folder.given}: nothing is annotated", folder.problems))
    if strangers := [label for label in labels if label not in count]:
        raise DataError(f"{folder.given}: nothing is labelled {', '.join(strangers)}; there are {classes}")
    if labels and (others := [f"{label!r} ({number})" for label, number in count.items() if label not in labels]):
        folder.notes.append(f"not taken for crack: {', '.join(others)}")
    if not labels and len(count) > 1:
        hint = ", or --crack white if these are masks with gray edges" if FORMATS.get(format) is palette else ""
        raise DataError(f"{folder.given}: several classes, {classes}; give those that are crack with --label{hint}")
    return tuple(labels or count)


def _text(message, problems):
    return "\n".join([message, *(f"- {problem}" for problem in problems)])
