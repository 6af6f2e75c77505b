"""Annotations of other tools on the command line: ``crack-utils import``, and back with ``annotations``."""

import sys
from pathlib import Path

TOOLS = "coco", "labelme"


def add_commands(subparsers):
    """Add the commands to a command line; what they set as ``run`` returns the exit status.

    Parameters
    ----------
    subparsers : argparse._SubParsersAction
    """
    importing = subparsers.add_parser(
        "import",
        help="make a data set from annotations of labelme, COCO, CVAT, YOLO, VOC or MATLAB, or from masks to be mended",
        description="Make images/ and masks/ from what another tool has written: JSON of labelme or COCO, XML of CVAT, "
        "text of YOLO, masks with a palette or colours, groundTruth of MATLAB; unpacked, with the photographs.",
        epilog="examples: crack-utils import labelled --label crack --out my_photographs; "
        "crack-utils import inverted --crack black --out my_photographs",
    )
    importing.add_argument("source", type=Path, metavar="FOLDER_OR_FILE", help="annotations, with their photographs")
    importing.add_argument("--out", type=Path, required=True, metavar="DATA", help="the data set; not there yet")
    importing.add_argument(
        "--label", nargs="+", action="extend", default=[], metavar="NAME", help="classes that are crack, if several"
    )
    importing.add_argument("--line-width", type=float, metavar="N", help="of lines that trace a crack, in pixels")
    importing.add_argument(
        "--crack", metavar="COLOUR", help="for masks to be mended: the crack's colour, as black, white or 250,50,83"
    )
    importing.add_argument(
        "--traced", action="store_true", help="polygons of COCO or YOLO are OpenCV's contours: their pixels are crack"
    )
    importing.add_argument("--format", metavar="NAME", help="where a folder holds annotations of several formats")
    importing.set_defaults(run=_import)

    annotations = subparsers.add_parser(
        "annotations",
        help="write a data set's masks for labelme, or as COCO",
        description="Copy the photographs of a data set, and write its masks for another tool; no pixel is lost.",
        epilog="example: crack-utils annotations my_photographs --to coco --out for_cvat",
    )
    annotations.add_argument("data", type=Path, metavar="DATA", help="a folder with images/ and masks/")
    annotations.add_argument("--to", required=True, choices=TOOLS)
    annotations.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="not there yet")
    annotations.set_defaults(run=_annotations)


def _import(options):
    from crack_utils.data.importers import import_annotations
    from crack_utils.data.names import printable

    given = {name: getattr(options, name) for name in ("crack", "line_width", "traced", "format")}
    imported = import_annotations(options.source, options.out, options.label, **given)
    for problem in imported.problems:
        print(printable(problem), file=sys.stderr)
    for note in imported.notes:
        print(f"note: {printable(note)}")
    print(f"{imported.format}: what is labelled {printable(', '.join(imported.labels))} is crack")
    print(f"{imported.folder}: {imported.pictures} photographs with masks, {imported.cracked} of them with a crack")
    if imported.problems:
        print(f"{len(imported.problems)} could not be used", file=sys.stderr)
    return int(bool(imported.problems))


def _annotations(options):
    from crack_utils.data.importers import export_annotations

    count = export_annotations(options.data, options.out, options.to)
    print(f"{options.out}: {count} photographs with annotations for {options.to}")
    return 0
