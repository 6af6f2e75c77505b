"""Where a result comes from: commit, source fingerprint, versions, machine, time, memory."""

import ast
import hashlib
import importlib.metadata
import json
import platform
import subprocess
import time
from pathlib import Path

from crack_utils import paths
from crack_utils.files import whole

PACKAGES = ("tensorflow", "keras", "numpy", "scikit-image", "scipy", "pillow")


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
    """Return a hash of the code of modules of this package; comments, layout and docstrings do not count.

    Parameters
    ----------
    *modules : str
        Paths relative to the package, such as "measures.py", or folders such as "models".
    """
    package = Path(__file__).parent
    files = [file for name in modules for file in (sorted((package / name).rglob("*.py")) or [package / name])]
    parts = [(file.relative_to(package).as_posix(), ast.dump(_without_docstrings(file))) for file in files]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _without_docstrings(file):
    tree = ast.parse(file.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        documented = isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        if documented and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:]
    return tree


def describe(started=None):
    """Return commit, versions, machine, time and peak memory, ready for JSON.

    Parameters
    ----------
    started : float, optional
        `time.time()` when the work began.
    """
    from crack_utils import hardware

    now = time.time()
    return {
        "commit": commit(),
        "python": platform.python_version(),
        "packages": {name: importlib.metadata.version(name) for name in PACKAGES},
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
    with whole(path) as draft:
        draft.write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")
