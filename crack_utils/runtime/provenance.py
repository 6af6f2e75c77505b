"""Provenance of a result: commit, fingerprint of the code, versions, machine, time, memory."""

import ast
import functools
import hashlib
import importlib.metadata
import json
import platform
import subprocess
import time
from pathlib import Path

from crack_utils.runtime import imports, paths
from crack_utils.runtime.atomic import atomic_write

PACKAGES = ("tensorflow", "keras", "numpy", "scikit-image", "scipy", "pillow", "tifffile", "imagecodecs", "simplejpeg")


def commit():
    """Return the project's commit (10 digits), with '+' if files differ from it; 'unknown' outside a git checkout."""
    return _commit(paths.root())


def _commit(folder):
    def git(*words):
        return subprocess.run(["git", "-C", str(folder), *words], capture_output=True, text=True, check=True).stdout

    try:
        return git("rev-parse", "--short=10", "HEAD").strip() + (
            "+" if git("status", "--porcelain", "-uno").strip() else ""
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def fingerprint(*modules):
    """Return a hash of the code that determines the results of modules of this package, including their imports.

    A stored result with the same fingerprint need not be computed again. Comments, layout and docstrings do not change
    the hash.

    Parameters
    ----------
    *modules : str
        As for `imports.decisive`.

    Returns
    -------
    str
        SHA-256, hexadecimal.
    """
    files = imports.decisive(*modules)
    parts = [(file, _syntax((paths.package() / file).read_text(encoding="utf-8"))) for file in files]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


@functools.cache  # a study uses the same files many times
def _syntax(text):
    """Return the syntax tree of Python text, without docstrings, as text."""
    tree = imports.parse(text)
    for node in ast.walk(tree):
        documented = isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        if documented and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:]
    return ast.dump(tree)


def versions():
    """Return the versions of the libraries that can change a result: a dictionary by name."""
    return {name: importlib.metadata.version(name) for name in PACKAGES}


def describe(started=None):
    """Return the provenance to store with a result.

    Parameters
    ----------
    started : float, optional
        `time.time()` at the start of the work.

    Returns
    -------
    dict
        commit, python, packages, machine, finished (UTC), seconds (None without `started`) and peak_memory_gib; ready
        for JSON.
    """
    from crack_utils.runtime import hardware

    now = time.time()
    return {
        "commit": commit(),
        "python": platform.python_version(),
        "packages": versions(),
        "machine": hardware.describe(),
        "finished": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now)),
        "seconds": round(now - started, 1) if started else None,
        "peak_memory_gib": _peak_memory(),
    }


def _peak_memory():
    try:
        import resource
    except ImportError:  # not on Windows
        return None
    unit = 2**10 if platform.system() == "Linux" else 1  # kilobytes on Linux, bytes on macOS
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**30, 2)


def read_json(path):
    """Read a JSON file that contains an object.

    Returns
    -------
    dict

    Raises
    ------
    ValueError
        If it does not exist, cannot be read, or contains something else; the message names the file.
    """
    if Path(path).exists() and not Path(path).is_file():
        raise ValueError(f"{path}: cannot be read as JSON (not a regular file)")  # a pipe would never end
    try:
        values = json.loads(Path(path).read_text(encoding="utf-8"))
    except (ValueError, OSError, RecursionError) as error:
        raise ValueError(f"{path}: cannot be read as JSON ({str(error) or type(error).__name__})") from None
    if not isinstance(values, dict):
        raise ValueError(f'{path}: names with values are needed, as in {{"threshold": 0.5}}')
    return values


def read_kept(path, made_of):
    """Return a stored record if it was made from the same inputs, so that it need not be computed again.

    Parameters
    ----------
    path : pathlib.Path
        A file of `write_json`: a dict whose item "made_of" contains the inputs.
    made_of : dict
        The inputs of the record: digests of files and code, settings.

    Returns
    -------
    dict or None
        None if there is no such record, or if its inputs were different.
    """
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return record if isinstance(record, dict) and record.get("made_of") == made_of else None


def write_json(path, values):
    """Write `values` as JSON, atomically."""
    with atomic_write(path) as draft:
        draft.write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")
