"""The parameters of a notebook, and the name of its executed copy.

The workflow and papermill import this module at every start. Therefore only the standard library is used, and notebooks
are read as text, not run.
"""

import ast
import io
import os
import re
import tokenize

from crack_utils.runtime import paths
from crack_utils.runtime.imports import code_cells

ALWAYS_NAMED = ("loss",)  # one notebook makes four trainings, so the loss is always in the name, even the default


def default_parameters(notebook):
    """Read the defaults that a notebook's `parameters` cell assigns, in its order.

    Parameters
    ----------
    notebook : pathlib.Path
        A notebook (nbformat 4).

    Returns
    -------
    dict
        Name to value. Empty if the notebook has no cell tagged `parameters`.

    Raises
    ------
    ValueError
        If a parameter's value is not a literal, such as ``"dice"``, ``0`` or ``None``.
    """
    for cell in code_cells(notebook):
        if "parameters" in cell["metadata"].get("tags", []):
            return dict(_literal_assignments("".join(cell["source"]), notebook))
    return {}


def parameter_help(notebook):
    """Return the help on a notebook's parameters: a line each, with its default and what is valid.

    Parameters
    ----------
    notebook : pathlib.Path
        The comment behind each assignment of its `parameters` cell says what is valid.

    Returns
    -------
    str
    """
    cells = (cell for cell in code_cells(notebook) if "parameters" in cell["metadata"].get("tags", []))
    source = "".join(next(cells, {"source": ""})["source"])
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    comments = {token.start[0]: token.string.lstrip("# ") for token in tokens if token.type == tokenize.COMMENT}
    ends = {_target(line).id: line.end_lineno for line in ast.parse(source).body if _target(line) is not None}
    defaults = default_parameters(notebook)
    if not defaults:
        return f"{notebook.name} has no parameters"
    wide, far = (max(map(len, words)) for words in (defaults, map(repr, defaults.values())))
    lines = [
        f"  {name:{wide}}  {value!r:{far}}  {comments.get(ends[name], '')}".rstrip() for name, value in defaults.items()
    ]
    return "\n".join(
        [
            f"papermill {os.path.relpath(notebook)} -p NAME VALUE -p NAME VALUE …",
            "",
            "Names, what they are if not given, and what is valid:",
            *lines,
        ]
    )


def executed_name(stem, parameters):
    """Return the name of a notebook's executed copy, made of the parameters that differ from its defaults.

    Both the workflow and a plain `papermill notebooks/train.ipynb -p loss dice` use it, so each finds the results
    of the other.

    Parameters
    ----------
    stem : str
        Name of a notebook in `notebooks/` without its ending, for example ``"train"``.
    parameters : dict
        Name to value of the given parameters; values may be text, as on a command line. Parameters that are not given
        or equal to the default do not change the name, but `loss` is always in it.

    Returns
    -------
    str
        For example ``"train_dice.ipynb"``, ``"train_dice_smoke.ipynb"``, ``"train_dice_seed1.ipynb"``. Texts appear
        unchanged (of a path, its last part), other values after the name of their parameter, and the values of a
        dictionary after their keys.
    """
    defaults = default_parameters(paths.notebook(stem))
    order = [*defaults, *(name for name in parameters if name not in defaults)]
    words = [stem]
    for name in order:
        default = defaults.get(name, "")
        value = parameters.get(name, default)
        if name in ALWAYS_NAMED or str(value) != str(default):
            words.append(_word(name, value, default))
    return "_".join(words) + ".ipynb"


def slug(value):
    """Return a value as part of a file name; a folder becomes its last part, several folders are joined by `+`."""
    parts = (part.rstrip("/").rpartition("/")[2] for part in str(value).split(os.pathsep))
    return "+".join(re.sub(r"[^A-Za-z0-9.+-]+", "-", part).strip("-.") for part in parts) or "none"


def _word(name, value, default):
    """Return one parameter as part of a file name; numbers get the name of the parameter."""
    if isinstance(value, dict):
        return "_".join(f"{key}{slug(entry)}" for key, entry in value.items())
    return slug(value) if isinstance(default, str) else f"{name}{slug(value)}"


def _target(statement):
    """Return what a statement assigns to; None if it assigns nothing."""
    if isinstance(statement, ast.Assign):
        return statement.targets[0]
    return statement.target if isinstance(statement, ast.AnnAssign) else None


def _literal_assignments(source, notebook):
    """Yield name and value of each assignment in a `parameters` cell."""
    for statement in ast.parse(source).body:
        if (target := _target(statement)) is None:
            continue
        try:
            yield target.id, ast.literal_eval(statement.value)
        except (ValueError, TypeError):
            raise ValueError(f"{notebook}: the parameter {ast.unparse(target)} must be a literal value") from None
