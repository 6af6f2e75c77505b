"""Data sets on the command line: ``crack-utils check``, ``fetch``, and ``prepare`` for the workflow."""

import sys
from pathlib import Path

from crack_utils.data.options import SYNTHETIC
from crack_utils.training.experiment import PRESETS, Experiment


def add_commands(subparsers):
    """Add the commands to a command line; their option ``run`` is a function that returns the exit status.

    Parameters
    ----------
    subparsers : argparse._SubParsersAction
    """
    check = subparsers.add_parser(
        "check",
        help="check whether folders of images/ and masks/ can be used, and summarise them",
        description="Read every picture and mask, list the files that cannot be used with the reason, and summarise "
        "the data set.",
        epilog="example: crack-utils check my_photographs --html check.html",
    )
    check.add_argument("folders", nargs="+", metavar="FOLDER", help="one or more folders that form one data set")
    check.add_argument(
        "--json", type=Path, metavar="FILE", help="write the summary as JSON, with one entry per picture"
    )
    check.add_argument("--html", type=Path, metavar="FILE", help="write the summary as a page with pictures")
    check.set_defaults(run=_check)

    fetch = subparsers.add_parser(
        "fetch",
        help="download a named data set, after showing its licence",
        description="Show the licence of a public data set, download it, and check the hashes of its files.",
        epilog="example: crack-utils fetch crackforest",
    )
    fetch.add_argument("name", choices=["crackforest"])
    fetch.set_defaults(run=_fetch)

    prepare = subparsers.add_parser(
        "prepare",
        help="make or check a data set, and decode it to the size of a preset",
        description="The first step of `make book`: make or check the data, and decode it once for all trainings.",
        epilog="example: crack-utils prepare --preset quick --data my_photographs",
    )
    prepare.add_argument("--preset", default="", help=f"one of {', '.join(PRESETS)}; default: depends on the data")
    prepare.add_argument(
        "--data", default=SYNTHETIC, help="'synthetic' or a folder with images/ and masks/; default: %(default)s"
    )
    prepare.add_argument("--marker", type=Path, metavar="FILE", help="file to write when the data set is ready")
    prepare.set_defaults(run=_prepare)


def _prepare(options):
    from crack_utils.data import cache, check_folders, check_pairs, sources
    from crack_utils.training.prepare import prepare

    if options.data != SYNTHETIC:
        check_folders(*sources.folders(options.data))  # first, so that one message lists all problems
    prepared = prepare(Experiment.preset(options.preset, data=options.data))
    check_pairs(prepared.pairs)
    cache.load(prepared.pairs, prepared.experiment.picture_size)
    split = prepared.split
    folder = prepared.pairs[0].image.parent.parent
    text = f"{folder}: {len(split.train)} training, {len(split.validation)} validation, {len(split.test)} test pairs"
    print(text)
    if options.marker:
        options.marker.parent.mkdir(parents=True, exist_ok=True)
        options.marker.write_text(text + "\n", encoding="utf-8")
    return 0


def _check(options):
    from crack_utils.data import sources, summary, summary_page, survey_folders
    from crack_utils.data.pairs import in_words
    from crack_utils.runtime.atomic import atomic_write

    for path in filter(None, (options.json, options.html)):
        if not path.parent.is_dir():
            raise ValueError(f"{path}: there is no folder {path.parent}")
    named = [sources.NAMED[name]() if name in sources.NAMED else name for name in options.folders]
    survey = survey_folders(*named)
    if survey.problems:
        print(f"crack-utils: {in_words(survey.problems)}", file=sys.stderr)
    if not survey.pairs:
        return 1
    usable = "these can be used" if survey.problems else "all can be used"
    print(f"{len(survey.pairs)} pairs in {len(named)} folder(s): {usable}")
    summarised = summary.collect(survey, PRESETS["quick"]["longest_side"])
    print(summarised.text())
    for path, text in ((options.json, summary.Summary.to_json), (options.html, summary_page.page)):
        if path:
            with atomic_write(path) as draft:
                draft.write_text(text(summarised), encoding="utf-8")
            print(f"\nWritten: {path}")
    return int(bool(survey.problems))


def _fetch(options):
    from crack_utils.data import crackforest, find_pairs

    folder = crackforest.fetch()
    print(f"{folder}: {len(find_pairs(folder))} pairs")
    return 0
