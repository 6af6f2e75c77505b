"""Find the files of this package that a module or notebook imports. Only their text is read; nothing is run.

The workflow uses this to decide what must be made again, and run ids depend on the code that determines a result. Only
the standard library is used, because the workflow and papermill import this module at every start.
"""

import ast
import functools
import json
import threading
from importlib.util import resolve_name
from pathlib import Path

from crack_utils import PUBLIC_NAMES
from crack_utils.runtime import paths

_PARSING = threading.Lock()

# Code that a result uses but does not depend on. A run's identity contains the experiment, the hash of the data and the
# split as values, so the code that reads, draws or checks them is not needed in it.
UNDECISIVE = (
    "__init__.py",
    "runtime",
    "training/experiment.py",
    "training/run.py",
    "training/callbacks.py",
    "data/check.py",
    "data/crackforest.py",
    "data/metadata.py",
    "data/synthetic",
)


def sources(path):
    """List the files of this package that a notebook or module imports, directly or indirectly.

    The workflow makes a notebook's page again when one of these files changes.

    Parameters
    ----------
    path : pathlib.Path
        A notebook or a Python file.

    Returns
    -------
    list of str
        Paths relative to the project's root, sorted. Importing a package includes all of its modules, because its
        `__init__` may load them when they are first used.
    """
    return sorted(file.relative_to(paths.root()).as_posix() for file in _closure([path], _with_lazy_modules))


def decisive(*modules):
    """List the files that determine the results of modules: the modules and all their imports, without UNDECISIVE.

    Useful to check whether a stored result still agrees with the code. A package is represented by its `__init__`
    alone, so modules that it loads by name (a loss, an architecture) must be given separately.

    Parameters
    ----------
    *modules : str
        Paths relative to the package, such as ``"metrics/masks.py"``, or folders such as ``"models/mask_rcnn"``.

    Returns
    -------
    list of str
        Paths relative to the package, sorted.

    Examples
    --------
    >>> decisive("models/fcn.py")
    ['models/any_size.py', 'models/blocks.py', 'models/fcn.py', 'models/graph.py']
    """
    package = paths.package()
    starts = [file for name in modules for file in (sorted((package / name).rglob("*.py")) or [package / name])]

    def kept(files):
        relative = {file: file.relative_to(package).as_posix() for file in files}
        return {file for file, name in relative.items() if not any(_is_below(name, entry) for entry in UNDECISIVE)}

    files = {*starts, *_closure(starts, kept)}
    return sorted(file.relative_to(package).as_posix() for file in files)


def code_cells(notebook):
    """Return the code cells of a notebook (nbformat 4) as dictionaries."""
    content = json.loads(Path(notebook).read_text(encoding="utf-8"))
    return [cell for cell in content["cells"] if cell["cell_type"] == "code"]


@functools.cache
def _package_files():
    """Return the dotted name and file of every module of the package; the file of a package is its `__init__`."""
    files = {}
    for file in paths.package().rglob("*.py"):
        parts = file.relative_to(paths.root()).with_suffix("").parts
        files[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = file
    return files


def parse(text):
    """Parse Python source, one thread at a time: until 3.11.7, Python's own parser fails where two threads use it."""
    with _PARSING:
        return ast.parse(text)


def _closure(starts, choose):
    """Return the files that `starts` import, directly or indirectly; `choose` adds or removes files at each step."""
    reached, waiting = set(), set()
    for start in starts:
        waiting |= choose(_imported_files(Path(start)))
    while waiting:
        file = waiting.pop()
        if file not in reached:
            reached.add(file)
            waiting |= choose(_imported_files(file))
    return reached


def _with_lazy_modules(files):
    """Add to each package's `__init__` all modules below it, which it may load when they are first used."""
    below = {
        module
        for file in files
        if file.name == "__init__.py" and file.parent != paths.package()
        for module in file.parent.rglob("*.py")
    }
    return set(files) | below


def _is_below(name, entry):
    return name == entry or name.startswith(f"{entry}/")


@functools.cache
def _imported_files(path):
    """Return the files of the package in the import statements of one notebook or module."""
    if Path(path).suffix == ".ipynb":
        lines = "".join("".join(cell["source"]) + "\n" for cell in code_cells(path)).splitlines()
        source = "\n".join(line for line in lines if not line.startswith(("%", "!")))  # IPython commands, not Python
    else:
        source = Path(path).read_text(encoding="utf-8")
    files = _package_files()
    package = ".".join(Path(path).resolve().relative_to(paths.root()).parts[:-1])
    return {files[name] for name in _imported_names(parse(source), package) if name in files}


def _imported_names(tree, package):
    """Yield every dotted name that the import statements in a module of `package` may load, inside functions too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
            yield from names
            yield from PUBLIC_NAMES.values() if "crack_utils" in names else ()
        elif isinstance(node, ast.ImportFrom):
            module = resolve_name("." * node.level + (node.module or ""), package)
            for alias in node.names:
                # `crack_utils` imports its public names lazily from other modules.
                public = PUBLIC_NAMES.get(alias.name) if module == "crack_utils" else None
                submodule = f"{module}.{alias.name}"
                yield public or (submodule if submodule in _package_files() else module)
