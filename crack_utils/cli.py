"""The command `crack-utils`. Run `crack-utils --help` for what it can do."""

import argparse
import sys
from pathlib import Path

from crack_utils.cli_growth import add_commands as add_growth
from crack_utils.experiment import (
    AUGMENTATIONS,
    FITS,
    LOSSES,
    MORE_LOSSES,
    PATTERNS,
    PRESETS,
    SYNTHETIC,
    Experiment,
)
from crack_utils.inspection.commands import add_commands as add_inspection
from crack_utils.labelling.commands import add_commands as add_labelling
from crack_utils.model_commands import add_commands as add_model
from crack_utils.page.commands import add_commands as add_page


def main(arguments=None):
    """Run the command line; bad input ends with one message on stderr and exit status 1."""
    options = _parser().parse_args(arguments)
    try:
        return options.run(options)
    except (ValueError, OSError, FloatingPointError) as error:
        print(f"crack-utils: {error}", file=sys.stderr)
        return 1


def _parser():
    parser = argparse.ArgumentParser(prog="crack-utils", description="Crack segmentation: data, trainings, labels.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    prepare = commands.add_parser("prepare", help="make or check a data set, and decode it at the preset's size")
    _add_experiment(prepare)
    prepare.add_argument("--marker", type=Path, help="file to write when the data set is ready")
    prepare.set_defaults(run=_prepare)

    check = commands.add_parser("check", help="say whether folders of images/ and masks/ can be used; what they hold")
    check.add_argument("folders", nargs="+", metavar="FOLDER", help="together one data set, each a source")
    check.add_argument("--json", type=Path, metavar="FILE", help="write the facts, each picture's too, as JSON")
    check.add_argument("--html", type=Path, metavar="FILE", help="write them as one page with pictures")
    check.set_defaults(run=_check)

    fetch = commands.add_parser("fetch", help="download a named data set, after showing its licence")
    fetch.add_argument("name", choices=["crackforest"])
    fetch.set_defaults(run=_fetch)
    synth = commands.add_parser("synth", help="make synthetic photographs with masks; interrupted, it goes on")
    synth.add_argument("folder", type=Path, metavar="FOLDER", help="old/ and new/ are written in it, each a source")
    synth.add_argument("--specimens", type=int, default=24, metavar="N")
    synth.add_argument("--frames", type=int, default=10, metavar="N", help="photographs of each specimen")
    synth.add_argument("--size", type=int, nargs=2, default=(128, 160), metavar=("HEIGHT", "WIDTH"), help="in pixels")
    synth.add_argument("--seed", type=int, default=0)
    synth.add_argument(
        "--patterns",
        nargs="+",
        default=PATTERNS[:1],
        choices=PATTERNS,
        metavar="PATTERN",
        help=f"of {', '.join(PATTERNS)}; specimens take them in turn",
    )
    synth.add_argument("--workers", type=int, metavar="N", help="processes; by default one a core if it pays")
    synth.set_defaults(run=_synth)

    train = commands.add_parser("train", help="train on a data set")
    train.add_argument("data", help="'synthetic' or a folder with images/ and masks/")
    train.add_argument("--preset", default="quick", help=f"one of {', '.join(PRESETS)}")
    train.add_argument("--loss", default="dice", help=f"one of {', '.join(LOSSES + MORE_LOSSES)}, or a sum")
    train.add_argument("--seed", type=int, default=0)
    train.add_argument("--fit", default="resize", help=f"one of {', '.join(FITS)}: reduced photographs, or parts")
    train.add_argument("--augmentation", default="flips", help=f"one of {', '.join(AUGMENTATIONS)}")
    train.add_argument("--split", metavar="FILE", help="repeat the split in a run's split.csv instead of drawing one")
    train.set_defaults(run=_train)

    add_labelling(commands)
    add_model(commands)
    add_inspection(commands)
    add_page(commands)
    add_growth(commands)
    return parser


def _add_experiment(parser):
    parser.add_argument("--preset", default="quick", help=f"one of {', '.join(PRESETS)}")
    parser.add_argument("--data", default="synthetic", help="'synthetic' or a folder with images/ and masks/")


def _prepare(options):
    from crack_utils.data import cache, check_folders, check_pairs, sources

    if options.data != SYNTHETIC:
        check_folders(*sources.folders(options.data))  # first of all, so that one message says all that is wrong
    experiment = Experiment.preset(options.preset, data=options.data)
    pairs = sources.load(experiment)
    check_pairs(pairs)
    cache.load(pairs, experiment.picture_size)
    split = sources.split(experiment, pairs)
    folder = pairs[0].image.parent.parent
    text = f"{folder}: {len(split.train)} training, {len(split.validation)} validation, {len(split.test)} test pairs"
    print(text)
    if options.marker:
        options.marker.parent.mkdir(parents=True, exist_ok=True)
        options.marker.write_text(text + "\n", encoding="utf-8")
    return 0


def _check(options):
    from crack_utils.data import check_folders, facts, facts_page, sources
    from crack_utils.files import whole

    for path in filter(None, (options.json, options.html)):
        if not path.parent.is_dir():
            raise ValueError(f"{path}: there is no folder {path.parent}")
    named = [sources.NAMED[name]() if name in sources.NAMED else name for name in options.folders]
    found = check_folders(*named)
    print(f"{len(found.pairs)} pairs in {len(named)} folder(s): all can be used")
    known = facts.collect(found)
    print(known.text())
    for path, text in ((options.json, facts.Facts.to_json), (options.html, facts_page.page)):
        if path:
            with whole(path) as draft:
                draft.write_text(text(known), encoding="utf-8")
            print(f"\nWritten: {path}")
    return 0


def _fetch(options):
    from crack_utils.data import crackforest, find_pairs

    folder = crackforest.fetch()
    print(f"{folder}: {len(find_pairs(folder))} pairs")
    return 0


def _synth(options):
    from crack_utils.data import synthetic

    given = {name: getattr(options, name) for name in ("specimens", "frames", "size", "seed", "workers", "patterns")}
    rows = synthetic.generate(options.folder, **given, progress=True)
    print(f"{options.folder}: {len(rows)} photographs with masks in old/ and new/")
    return 0


def _train(options):
    from crack_utils.evaluation import evaluate
    from crack_utils.report import in_words
    from crack_utils.training import train

    given = {name: getattr(options, name) for name in ("data", "loss", "seed", "fit", "augmentation")}
    given |= {"split_by": options.split} if options.split else {}
    run = train(Experiment.preset(options.preset, **given))
    found = evaluate(run)
    print(in_words(found).replace("**", ""))
    claimed = found[found["evaluated"]]
    miou, f1 = claimed["mean_iou"], claimed["f1_tolerance_2"]
    print(f"{run.folder} ({found['evaluated']} set): mIoU {miou:.3f}, F1 {f1:.3f} at 2 px")
    return 0


if __name__ == "__main__":
    sys.exit(main())
