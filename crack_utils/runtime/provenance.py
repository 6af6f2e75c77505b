"""Where a result comes from: commit, source fingerprint, versions, machine, time, memory."""

import ast
import hashlib
import importlib.metadata
import json
import platform
import subprocess
import time

from crack_utils.runtime import imports, paths
from crack_utils.runtime.atomic import atomic_write

PACKAGES = ("tensorflow", "keras", "numpy", "scikit-image", "scipy", "pillow", "tifffile", "imagecodecs", "simplejpeg")


def commit():
    """Return the project's commit (short), with '+' if files differ from it, or 'unknown' outside a git checkout."""
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
    """Return a hash of the code that decides what modules of this package compute, all that they import included.

    Comments, layout and docstrings do not count.

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
    parts = [(file, ast.dump(_without_docstrings(paths.package() / file))) for file in files]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _without_docstrings(file):
    tree = ast.parse(file.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        documented = isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        if documented and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:]
    return tree


def versions():
    """Return the versions of the libraries that can change a result, by name."""
    return {name: importlib.metadata.version(name) for name in PACKAGES}


def describe(started=None):
    """Return commit, versions, machine, time and peak memory, ready for JSON.

    Parameters
    ----------
    started : float, optional
        `time.time()` when the work began.
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
    unit = 2**10 if platform.system() == "Linux" else 1  # kilobytes there, bytes on macOS
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**30, 2)


def write_json(path, values):
    """Write JSON so that the file is whole or not there."""
    with atomic_write(path) as draft:
        draft.write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")
