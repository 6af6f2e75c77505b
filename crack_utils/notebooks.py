"""What a notebook says about itself: its parameters, the name of its executed copy, the code that it stands on.

The workflow asks this for every notebook each time it starts, and papermill at each of its starts, so only the
standard library is used, and nothing is run: notebooks and modules are read as text.
"""

import ast
import functools
import json
import os
import re
from importlib.util import resolve_name
from pathlib import Path

import crack_utils
from crack_utils import paths

ALWAYS_NAMED = ("loss",)  # four trainings come from one notebook: each name says which, the notebook's own default too


def notebook_path(stem):
    """Return the path of the notebook of that stem in this project's `notebooks/`."""
    return paths.root() / "notebooks" / f"{stem}.ipynb"


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
    for cell in _cells(notebook):
        if "parameters" in cell["metadata"].get("tags", []):
            return dict(_literal_assignments("".join(cell["source"]), notebook))
    return {}


def executed_name(stem, parameters):
    """Name the executed copy of a notebook by the parameters that differ from its own defaults.

    Both the workflow and a plain `papermill notebooks/train.ipynb -p loss dice` use it, so that either finds what the
    other has made.

    Parameters
    ----------
    stem : str
        Which notebook of `notebooks/`, for example ``"train"``.
    parameters : dict
        Name to value of the parameters given; values may be text, as on a command line. Those not given, or equal to
        the default, leave no trace in the name, but `loss` is always in it.

    Returns
    -------
    str
        For example ``"train_dice.ipynb"``, ``"train_dice_smoke.ipynb"``, ``"train_dice_seed1.ipynb"``. Texts stand for
        themselves (of a path, its last part), other values follow their parameter's name, and of a dictionary each
        value follows its key.
    """
    defaults = default_parameters(notebook_path(stem))
    order = [*defaults, *(name for name in parameters if name not in defaults)]
    words = [stem]
    for name in order:
        default = defaults.get(name, "")
        value = parameters.get(name, default)
        if name in ALWAYS_NAMED or str(value) != str(default):
            words.append(_word(name, value, default))
    return "_".join(words) + ".ipynb"


def slug(value):
    """Write a value so that it can stand in a file name; a folder gives its last part, several are joined by `+`."""
    parts = (part.rstrip("/").rpartition("/")[2] for part in str(value).split(os.pathsep))
    return "+".join(re.sub(r"[^A-Za-z0-9.+-]+", "-", part).strip("-.") for part in parts) or "none"


def sources(path):
    """List the package's own files that a notebook or module imports, directly or through others.

    Parameters
    ----------
    path : pathlib.Path
        A notebook or a Python file.

    Returns
    -------
    list of str
        Paths relative to the project's root, sorted. A package imported by its name brings all of its modules, because
        its `__init__` may load them when they are first used.
    """
    found = set()
    waiting = set(_imported_files(path))
    while waiting:
        file = waiting.pop()
        if file not in found:
            found.add(file)
            waiting |= _imported_files(file)
    return sorted(file.relative_to(paths.root()).as_posix() for file in found)


def _word(name, value, default):
    """Write one parameter as a part of a file name; a number alone would not tell what it is."""
    if isinstance(value, dict):
        return "_".join(f"{key}{slug(entry)}" for key, entry in value.items())
    return slug(value) if isinstance(default, str) else f"{name}{slug(value)}"


def _cells(notebook):
    """Return the code cells of a notebook as dictionaries."""
    content = json.loads(Path(notebook).read_text(encoding="utf-8"))
    return [cell for cell in content["cells"] if cell["cell_type"] == "code"]


def _literal_assignments(source, notebook):
    """Yield name and value of each assignment in a `parameters` cell."""
    for statement in ast.parse(source).body:
        if isinstance(statement, ast.Assign):
            target = statement.targets[0]
        elif isinstance(statement, ast.AnnAssign):
            target = statement.target
        else:
            continue
        try:
            yield target.id, ast.literal_eval(statement.value)
        except (ValueError, TypeError):
            raise ValueError(f"{notebook}: the parameter {ast.unparse(target)} must be a literal value") from None


@functools.cache
def _package_files():
    """Return the dotted name of every module of the package, with its file; packages stand for their `__init__`."""
    files = {}
    for file in (paths.root() / "crack_utils").rglob("*.py"):
        parts = file.relative_to(paths.root()).with_suffix("").parts
        files[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = file
    return files


@functools.cache
def _imported_files(path):
    """Return the files of the package that one notebook or module names in its import statements."""
    if Path(path).suffix == ".ipynb":
        lines = "".join("".join(cell["source"]) + "\n" for cell in _cells(path)).splitlines()
        source = "\n".join(line for line in lines if not line.startswith(("%", "!")))  # IPython's own, not Python
    else:
        source = Path(path).read_text(encoding="utf-8")
    files = _package_files()
    package = ".".join(Path(path).resolve().relative_to(paths.root()).parts[:-1])
    names = {name for name in _imported_names(ast.parse(source), package) if name in files}
    for name in list(names):
        if files[name].name == "__init__.py" and name != "crack_utils":
            names |= {module for module in files if module.startswith(f"{name}.")}
    return {files[name] for name in names}


def _imported_names(tree, package):
    """Yield every dotted name that the import statements in a module of `package` may load, inside functions too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
            yield from names
            yield from crack_utils._HOMES.values() if "crack_utils" in names else ()
        elif isinstance(node, ast.ImportFrom):
            module = resolve_name("." * node.level + (node.module or ""), package)
            yield module
            for alias in node.names:
                # Public names live elsewhere than where they are imported from.
                public = crack_utils._HOMES.get(alias.name) if module == "crack_utils" else None
                yield public or f"{module}.{alias.name}"
