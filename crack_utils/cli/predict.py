"""Find and measure the cracks of photographs on the command line: ``crack-utils predict``."""

import sys
from pathlib import Path

from crack_utils.cli.arguments import decimal, folder

LISTED = 5  # photographs unlike the training, or with unsure tips, that are printed; all are in measures.json


def add_commands(subparsers):
    """Add the command ``predict`` to a command line.

    Parameters
    ----------
    subparsers : argparse._SubParsersAction
        What ``add_subparsers`` returned. The options carry ``run``, a function of the options that returns the exit
        status.
    """
    predict = subparsers.add_parser(
        "predict",
        help="find, outline and measure the cracks of photographs",
        description="Write masks, probabilities, overlays and a table of measures for photographs. After an "
        "interruption, the same command continues.",
        epilog="example: crack-utils predict default photo.jpg --out found --mm-per-px 0.1",
    )
    predict.add_argument("model", metavar="MODEL", help="a run's folder or id, 'latest', a .keras file, or 'default'")
    predict.add_argument("images", nargs="+", type=Path, metavar="IMAGE", help="pictures, or folders of them")
    predict.add_argument(
        "--out", type=folder, default=Path("found"), metavar="FOLDER", help="where the results go; default: %(default)s"
    )
    predict.add_argument("--mm-per-px", type=decimal, metavar="X", help="scale; by default what metadata.csv says")
    predict.add_argument("--threshold", type=decimal, metavar="T", help="by default the model's own")
    predict.add_argument(
        "--scale",
        type=decimal,
        metavar="S",
        help="factor, above 0 and at most 1, by which height and width are multiplied first; by default as in the "
        "training, and with the model 'default' several scales for large pictures",
    )
    predict.add_argument(
        "--flips",
        action="store_true",
        help="mean over four mirrored versions of each photograph: more accurate, four times slower",
    )
    predict.add_argument(
        "--engine",
        choices=("tensorflow", "openvino"),
        help="what runs the network; by default OpenVINO where it is installed and faster, else TensorFlow",
    )
    predict.set_defaults(run=_predict)


def _predict(options):
    from crack_utils.inference.engine import check_engine
    from crack_utils.inference.inspect import check_request, inspect_all, start_workers
    from crack_utils.inference.photographs import find_photographs

    check_engine(options.engine)
    check_request(options.out, options.threshold, options.scale)
    notes = []
    photographs = find_photographs(*options.images, mm_per_px=options.mm_per_px, notes=notes)
    for note in notes:
        print(f"note: {note}")
    given = {name: getattr(options, name) for name in ("threshold", "scale", "flips")}
    with start_workers(photographs) as workers:
        from crack_utils.inference.predictor import load_trained

        trained = load_trained(options.model, options.engine)
        print(f"model: {trained.source}", flush=True)
        done = inspect_all(trained, photographs, options.out, **given, workers=workers)
    for each in done["failed"]:
        print(each["why"], file=sys.stderr)
    found, failed = done["photographs"], len(done["failed"])
    cracks = sum(len(record["cracks"]) for record in found)
    before = f" ({done['resumed']} of them before)" if done["resumed"] else ""
    print(f"{len(found)} of {len(photographs)} photographs done{before}, {cracks} cracks: {options.out}/measures.csv")
    if done["earlier"]:
        print(
            f"note: {options.out} also holds {done['earlier']} photograph(s) of earlier calls, which are not in its "
            "tables; give all photographs in one call, or another --out"
        )
    _print_unsure(found, options.out)
    unlike = [record for record in found if record["unlike_the_training"]]
    for record in unlike[:LISTED]:
        print(f"unlike the training: {record['name']}: {'; '.join(record['unlike_the_training'])}")
    if len(unlike) > LISTED:
        print(f"unlike the training: {len(unlike) - LISTED} more, see {options.out}/measures.json")
    if failed:
        print(f"{failed} of {len(photographs)} failed", file=sys.stderr)
    return int(failed > 0)


def _print_unsure(found, folder):
    """Say in which photographs the tip is more likely wrong than right, the least likely first."""
    from crack_utils.inference.overlay import UNSURE
    from crack_utils.runtime.typeset import few, number

    likely = {record["name"]: record["cracks"][0]["right_end_probability"] for record in found if record["cracks"]}
    unsure = sorted((value, name) for name, value in likely.items() if value is not None and value < UNSURE)
    if unsure:
        named = few([f"{name} (right with {number(value, '.0%')})" for value, name in unsure], LISTED)
        print(f"tip may be wrong, look at {folder}/overlays: {named}")
