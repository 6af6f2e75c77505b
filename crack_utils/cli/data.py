"""Data on the command line: ``crack-utils check``, ``fetch``, ``synth``, and ``prepare`` for the workflow."""

import sys
from pathlib import Path

from crack_utils.data.options import PATTERNS
from crack_utils.training.experiment import PRESETS, SYNTHETIC, Experiment

OF_KIND = {  # options of `synth` that are for one kind only, and their defaults
    "specimens": {"specimens": 24, "frames": 10, "patterns": PATTERNS[:1], "looks": "usual"},
    "surfaces": {"pictures": 400},
}


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

    synth = subparsers.add_parser(
        "synth",
        help="make synthetic photographs with masks; continues after an interruption",
        description="Draw photographs of cracked specimens, with masks and tips. The same seed gives the same files.",
        epilog="examples: crack-utils synth drawn --specimens 24 --size 512 640; "
        "crack-utils synth drawn --kind surfaces --pictures 1600",
    )
    synth.add_argument("folder", type=Path, metavar="FOLDER", help="specimens are written to old/ and new/ in it")
    synth.add_argument(
        "--kind",
        choices=("specimens", "surfaces"),
        default="specimens",
        help="specimens in a test rig, or surfaces of all kinds with and without cracks, to train a network for "
        "photographs; default: %(default)s",
    )
    surfaces, specimens = OF_KIND["surfaces"], OF_KIND["specimens"]
    synth.add_argument("--pictures", type=int, metavar="N", help=f"surfaces only; default: {surfaces['pictures']}")
    synth.add_argument("--specimens", type=int, metavar="N", help=f"default: {specimens['specimens']}")
    synth.add_argument(
        "--frames", type=int, metavar="N", help=f"photographs of each specimen; default: {specimens['frames']}"
    )
    synth.add_argument(
        "--size", type=int, nargs=2, metavar=("HEIGHT", "WIDTH"), help="[px]; default: 128 160, of surfaces 384 384"
    )
    synth.add_argument("--seed", type=int, default=0, help="default: %(default)s")
    synth.add_argument(
        "--patterns",
        nargs="+",
        choices=PATTERNS,
        metavar="PATTERN",
        help=f"one or more of {', '.join(PATTERNS)}; specimens take turns; default: {PATTERNS[0]}",
    )
    synth.add_argument(
        "--looks",
        choices=("usual", "wide"),
        help="usual: the book's data set; wide: plates, pipes, notches and rigs of all kinds, with one tip, "
        f"two or none; default: {specimens['looks']}",
    )
    synth.add_argument("--workers", type=int, metavar="N", help="processes; default: one per core if that is faster")
    synth.set_defaults(run=_synth)

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


def _synth(options):
    from crack_utils.data import synthetic
    from crack_utils.data.synthetic import surfaces

    for kind, names in OF_KIND.items():
        given = [name for name in names if getattr(options, name) is not None]
        if kind != options.kind and given:
            raise ValueError(f"--{given[0]} is for --kind {kind}, not for {options.kind}")
    values = {name: value for name in OF_KIND[options.kind] if (value := getattr(options, name)) is not None}
    values = OF_KIND[options.kind] | values | {"seed": options.seed, "workers": options.workers}
    if options.size:
        values["size"] = tuple(options.size)
    if options.kind == "surfaces":
        pictures = surfaces.generate_surfaces(options.folder, **values, progress=True)
        print(f"{options.folder}: {len(pictures)} pictures of surfaces with masks")
        return 0
    rows = synthetic.generate(options.folder, **values, progress=True)
    print(f"{options.folder}: {len(rows)} photographs with masks in old/ and new/")
    return 0
