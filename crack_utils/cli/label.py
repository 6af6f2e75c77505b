"""Label on the command line: ``crack-utils label run`` and ``crack-utils label replay``."""

import sys
from pathlib import Path


def add_commands(subparsers):
    """Add the command ``label`` to a command line.

    Parameters
    ----------
    subparsers : argparse._SubParsersAction
        What ``add_subparsers`` returned. The options of a run carry ``run``, a function of the options that returns
        the exit status.
    """
    label = subparsers.add_parser(
        "label",
        help="make masks from recipes",
        description="Make masks from recipes, the stored steps of the labelling tools.",
        epilog="example: crack-utils label replay my_photographs",
    )
    commands = label.add_subparsers(required=True, metavar="WHAT")

    run = commands.add_parser(
        "run",
        help="apply one recipe to every photograph of a folder",
        description="Apply one recipe to every photograph of a folder that is not labelled yet.",
        epilog="example: crack-utils label run recipe.json my_photographs",
    )
    run.add_argument("recipe", type=Path, metavar="RECIPE", help="a recipe as JSON")
    run.add_argument("folder", type=Path, metavar="FOLDER", help="holds images/; recipes/, masks/, parts/ are written")
    run.add_argument(
        "--overwrite",
        action="store_true",
        help="also photographs that have a recipe already; a mask without a recipe is never replaced",
    )
    run.set_defaults(run=_run)

    replay = commands.add_parser(
        "replay",
        help="make all masks of a folder again from their own recipes",
        description="Make all masks of a folder again, each from its own recipe.",
        epilog="example: crack-utils label replay my_photographs",
    )
    replay.add_argument("folder", type=Path, metavar="FOLDER", help="holds images/ and recipes/")
    replay.set_defaults(run=_replay)


def _run(options):
    from crack_utils.labelling.folder import LabelFolder
    from crack_utils.labelling.recipe import Recipe

    recipe, folder = Recipe.load(options.recipe), LabelFolder(options.folder)
    if not len(recipe):
        raise ValueError(f"{options.recipe}: has no step: every photograph would be labelled as one without a crack")
    if any(step.tool == "draft" for step in recipe.steps):
        raise ValueError(
            f"{options.recipe}: it begins with a draft, which is the mask of one photograph; make a recipe without "
            "one, or use crack-utils pre-label"
        )
    folder.check_table()

    def label(name):
        if not options.overwrite and folder.state(name) != "new" and not interrupted(name):
            foreign = folder.state(name) == "foreign"
            return "kept: its mask has no recipe" if foreign else "kept: labelled before (see --overwrite)"
        folder.save(name, recipe, recipe.apply(folder.photo(name)))
        return "labelled"

    def interrupted(name):
        """Return whether this recipe was to be applied by a process that was killed before the mask was there."""
        path = folder.recipe_path(name)
        return folder.state(name) == "stale" and not folder.mask_path(name).exists() and Recipe.load(path) == recipe

    return for_each(folder, folder.names, label)


def _replay(options):
    from crack_utils.data.names import normal
    from crack_utils.data.stored import DataError
    from crack_utils.labelling.folder import LabelFolder

    folder = LabelFolder(options.folder)
    recipes = sorted(normal(path.stem) for path in (folder.path / "recipes").glob("*.json"))
    if not recipes:
        raise DataError(f"{folder.path}/recipes: no recipe; label with the editor or `crack-utils label run` first")
    return for_each(folder, recipes, folder.replay)


def for_each(folder, names, action):
    """Do something for every name, print each result, and continue after a failure.

    Parameters
    ----------
    folder : LabelFolder
        Locked meanwhile; a ValueError is raised if another process labels there.
    names : list of str
        Of photographs.
    action : function
        Takes a name and returns what to print. Its ValueErrors and OSErrors are printed.

    Returns
    -------
    int
        1 if any name failed, 0 otherwise.
    """
    from crack_utils.data.names import printable
    from crack_utils.runtime.atomic import lock

    busy = ValueError(f"{folder.path}: another process labels there; wait for it")
    with lock(folder.path, busy):  # which removes what a killed one has left half-written
        failed = sum(not _succeeds(printable(name), name, action) for name in names)
    if failed:
        print(f"{failed} of {len(names)} failed", file=sys.stderr)
    return int(failed > 0)


def _succeeds(shown, name, action):
    """Do something for one name, and report it; return whether it went well."""
    try:
        print(f"{shown}: {action(name)}")
    except BrokenPipeError:
        raise
    except (ValueError, OSError) as error:
        print(f"{shown}: {error}", file=sys.stderr)
        return False
    except (Exception, MemoryError) as error:  # an unexpected error must not stop the other pictures
        print(f"{shown}: failed ({type(error).__name__}: {error})", file=sys.stderr)
        return False
    return True
