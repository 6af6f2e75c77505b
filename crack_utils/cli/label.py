"""The shell's way to label: ``crack-utils label run`` and ``crack-utils label replay``."""

import sys
from pathlib import Path

__all__ = ["add_commands"]


def add_commands(subparsers):
    """Add the command ``label`` to a command line.

    Parameters
    ----------
    subparsers : argparse._SubParsersAction
        What ``add_subparsers`` returned. The options of a run carry ``run``, a function of the options that returns
        the exit status.
    """
    label = subparsers.add_parser("label", help="make masks from recipes")
    commands = label.add_subparsers(required=True, metavar="WHAT")

    run = commands.add_parser("run", help="apply one recipe to every photograph of a folder")
    run.add_argument("recipe", type=Path, metavar="RECIPE", help="a recipe as JSON")
    run.add_argument("folder", type=Path, metavar="FOLDER", help="holds images/; recipes/, masks/, parts/ are written")
    run.add_argument("--overwrite", action="store_true", help="also photographs that have a recipe or a mask already")
    run.set_defaults(run=_run)

    replay = commands.add_parser("replay", help="make all masks of a folder again from their own recipes")
    replay.add_argument("folder", type=Path, metavar="FOLDER", help="holds images/ and recipes/")
    replay.set_defaults(run=_replay)


def _run(options):
    from crack_utils.labelling.folder import LabelFolder
    from crack_utils.labelling.recipe import Recipe

    recipe, folder = Recipe.load(options.recipe), LabelFolder(options.folder)

    def label(name):
        if not options.overwrite and (folder.recipe_path(name).exists() or folder.mask_path(name).exists()):
            return "kept: labelled before (see --overwrite)"
        folder.save(name, recipe, recipe.apply(folder.photo(name)), folder.tip(name))
        return "labelled"

    return _for_each(folder.names, label)


def _replay(options):
    from crack_utils.data.stored import DataError
    from crack_utils.labelling.folder import LabelFolder

    folder = LabelFolder(options.folder)
    recipes = sorted(path.stem for path in (folder.path / "recipes").glob("*.json"))
    if not recipes:
        raise DataError(f"{folder.path}/recipes: no recipe; label with the editor or `crack-utils label run` first")
    return _for_each(recipes, folder.replay)


def _for_each(names, action):
    """Do something for every name, report each, and go on after a failure; return 1 if any failed."""
    from crack_utils.data.names import printable

    failed = 0
    for name in names:
        try:
            done = action(name)
        except (ValueError, OSError) as error:
            failed += 1
            print(f"{printable(name)}: {error}", file=sys.stderr)
        except (Exception, MemoryError) as error:  # what nobody thought of costs this picture, not the others
            failed += 1
            print(f"{printable(name)}: failed ({type(error).__name__}: {error})", file=sys.stderr)
        else:
            print(f"{printable(name)}: {done}")
    if failed:
        print(f"{failed} of {len(names)} failed", file=sys.stderr)
    return int(failed > 0)
