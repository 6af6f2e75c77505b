"""Convert annotations on the command line: ``crack-utils import``, and back with ``crack-utils annotations``."""

import sys
from pathlib import Path

from crack_utils.cli.arguments import decimal, folder

EXPORT_FORMATS = "coco", "labelme"


def add_commands(subparsers):
    """Add the commands to a command line; their option ``run`` is a function that returns the exit status.

    Parameters
    ----------
    subparsers : argparse._SubParsersAction
    """
    importing = subparsers.add_parser(
        "import",
        help="make a data set from annotations of labelme, COCO, CVAT, YOLO, VOC or MATLAB, or from masks to correct",
        description="Make images/ and masks/ from the files of another tool: JSON of labelme or COCO, XML of CVAT, "
        "text of YOLO, masks with a palette or colours, or groundTruth of MATLAB. Unpack archives first. "
        "The photographs are needed too.",
        epilog="examples: crack-utils import labelled --label crack --out my_photographs; "
        "crack-utils import inverted --crack black --out my_photographs",
    )
    importing.add_argument("source", type=Path, metavar="FOLDER_OR_FILE", help="annotations, with their photographs")
    importing.add_argument("--out", type=folder, required=True, metavar="DATA", help="the data set; must not exist yet")
    importing.add_argument(
        "--label",
        nargs="+",
        action="extend",
        default=[],
        metavar="NAME",
        help="classes that are crack; needed if there are several classes",
    )
    importing.add_argument("--line-width", type=decimal, metavar="N", help="width of lines that trace a crack [px]")
    importing.add_argument(
        "--crack", metavar="COLOUR", help="for masks to correct: colour of the crack, such as black, white or 250,50,83"
    )
    importing.add_argument(
        "--traced",
        action="store_true",
        help="polygons of COCO or YOLO are contours of OpenCV, so the pixels on the contour are crack too",
    )
    importing.add_argument(
        "--format",
        metavar="NAME",
        help="labelme, coco, cvat, yolo, matlab or palette; needed if a folder has annotations of several formats",
    )
    importing.set_defaults(run=_import)

    annotations = subparsers.add_parser(
        "annotations",
        help="write a data set's masks for labelme, or as COCO",
        description="Copy the photographs of a data set, and write its masks for another tool without losing pixels.",
        epilog="example: crack-utils annotations my_photographs --to coco --out for_cvat",
    )
    annotations.add_argument("data", type=Path, metavar="DATA", help="a folder with images/ and masks/")
    annotations.add_argument("--to", required=True, choices=EXPORT_FORMATS)
    annotations.add_argument("--out", type=folder, required=True, metavar="FOLDER", help="must not exist yet")
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
