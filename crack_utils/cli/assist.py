"""The network helps to label: ``crack-utils pre-label`` and ``crack-utils next``."""

import argparse
import sys
from pathlib import Path

from crack_utils.cli.arguments import decimal


def add_commands(subparsers):
    """Add the commands ``pre-label`` and ``next`` to a command line.

    Parameters
    ----------
    subparsers : argparse._SubParsersAction
        What ``add_subparsers`` returned. The options carry ``run``, a function of the options that returns the exit
        status.
    """
    draft = subparsers.add_parser(
        "pre-label",
        help="let a network draft masks that you then correct in the editor",
        description="Draft a mask for every photograph that has no label. The draft is stored as a recipe (a list of "
        "labelling steps). It counts as a label only after you have looked at it in the editor (labelling.edit).",
        epilog="example: crack-utils pre-label my_photographs",
    )
    _add_common(draft)
    draft.add_argument("--threshold", type=decimal, metavar="T", help="by default the model's own")
    draft.set_defaults(run=_pre_label)

    following = subparsers.add_parser(
        "next",
        help="list the photographs that should be labelled next",
        description="List which unlabelled photographs to label next: those for which the network is least sure, and "
        "which differ most from the labelled ones and from each other.",
        epilog="example: crack-utils next my_photographs --count 5",
    )
    _add_common(following)
    following.add_argument(
        "--count", type=_count, default=10, metavar="N", help="how many photographs to list (default 10)"
    )
    following.set_defaults(run=_next)


def _add_common(command):
    command.add_argument("folder", type=Path, metavar="FOLDER", help="holds images/")
    command.add_argument(
        "--model",
        default="default",
        metavar="MODEL",
        help="a run's folder or id, 'latest', a .keras file, or 'default' (the default)",
    )


def _count(text):
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 1")
    return int(text)


def _pre_label(options):
    if options.threshold is not None and not 0 < options.threshold < 1:
        raise ValueError(f"--threshold must lie between 0 and 1, not {options.threshold}")
    from crack_utils.cli.label import for_each
    from crack_utils.labelling.folder import LabelFolder

    folder = LabelFolder(options.folder)
    waiting = [name for name in folder.names if folder.state(name) == "new"]
    if len(waiting) < len(folder.names):
        print(f"{len(folder.names) - len(waiting)} of {len(folder.names)} photographs have a recipe or a mask: kept")
    if not waiting:
        return 0
    from crack_utils.inference.labels import draft_recipe
    from crack_utils.inference.predictor import load_trained

    trained = load_trained(options.model)
    name_of_model = Path(options.model).name

    def draft(name):
        recipe = draft_recipe(trained, name_of_model, folder.gray(name), options.threshold)
        folder.save_draft(name, recipe)
        share = recipe.apply(folder.photo(name)).mask.mean()
        return f"drafted, {100 * share:.2g} % crack" if share else "drafted, no crack found"

    status = for_each(folder, waiting, draft)
    print(f'correct them in JupyterLab: labelling.edit("{options.folder}")')
    return status


def _next(options):
    from crack_utils.data.names import printable
    from crack_utils.labelling.folder import LabelFolder

    folder = LabelFolder(options.folder)
    states = {name: folder.state(name) for name in folder.names}
    waiting = [name for name, state in states.items() if state in ("new", "draft")]
    if not waiting:
        print(f"all {len(states)} photographs are labelled")
        return 0
    from crack_utils.data.novelty import features
    from crack_utils.inference.labels import look_at, most_worth
    from crack_utils.inference.predictor import load_trained

    trained = load_trained(options.model)
    worths, labelled, failed = [], [], 0
    for name in states:
        try:
            image = folder.gray(name)
            if name in waiting:
                worths.append(look_at(trained, name, image))
            else:
                labelled.append(tuple(features(image).values()))
        except (ValueError, OSError) as error:
            print(error if name in str(error) else f"{name}: {error}", file=sys.stderr)
            failed += 1
    width = max([len(printable(worth.name)) for worth in worths] + [10])
    print(f"{'photograph':{width}}  unsure  crack   why")
    for worth, novel in most_worth(worths, labelled, options.count):
        row = f"{printable(worth.name):{width}}  {worth.unsure:6.2f}  {100 * worth.crack:4.1f} %"
        print(f"{row}  {_why(worth, novel)}")
    print(f"{len(waiting)} of {len(states)} photographs have no label yet. Unsure: from 0 (certain) to 1 (a guess).")
    return int(failed > 0)


def _why(worth, novel):
    """Say in words what made a photograph worth labelling."""
    sure = "sees no crack" if not worth.unsure else "unsure" if worth.unsure > 0.5 else "fairly sure"
    return f"{sure}; {'unlike' if novel > 0.5 else 'similar to'} those labelled or listed above"
