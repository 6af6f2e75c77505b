"""Synthetic photographs on the command line: ``crack-utils synth``."""

from pathlib import Path

from crack_utils.data.options import PATTERNS

OF_KIND = {  # options of `synth` that are for one kind only, and their defaults
    "specimens": {"specimens": 24, "frames": 10, "patterns": PATTERNS[:1], "looks": "usual"},
    "surfaces": {"pictures": 400},
}


def add_commands(subparsers):
    """Add the command ``synth`` to a command line; its option ``run`` is a function that returns the exit status.

    Parameters
    ----------
    subparsers : argparse._SubParsersAction
    """
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
