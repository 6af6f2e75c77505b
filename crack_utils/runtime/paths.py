"""Paths of the project, its results and external data; they do not depend on the working directory."""

import os
from pathlib import Path


def root():
    """Return the project's root: the folder with `_toc.yml`, `notebooks/` and this package."""
    return Path(__file__).resolve().parents[2]


def artifacts():
    """Return the folder of all results (ignored by git); the variable `CRACK_UTILS_ARTIFACTS` sets another one."""
    return Path(os.environ.get("CRACK_UTILS_ARTIFACTS") or root() / "artifacts").resolve()


def data():
    """Return the folder of generated and downloaded data sets."""
    return artifacts() / "data"


def cache():
    """Return the folder of decoded, resized pictures that all trainings share."""
    return artifacts() / "cache"


def runs():
    """Return the folder with one subfolder per training."""
    return artifacts() / "runs"


def executed():
    """Return the folder of executed notebooks, one per variant."""
    return artifacts() / "executed"


def package():
    """Return the folder of this package's code."""
    return root() / "crack_utils"


def notebook(stem):
    """Return the path of the notebook of that stem in this project's `notebooks/`."""
    return root() / "notebooks" / f"{stem}.ipynb"


def find(path):
    """Find a path relative to the working directory or to the project's root; return None if it does not exist."""
    candidates = (Path(path).expanduser(), root() / path)
    return next((candidate.resolve() for candidate in candidates if candidate.exists()), None)


def named_data(name):
    """Return the folder `CRACK_UTILS_DATA/<name>` if it exists, else None; checked before a data set is downloaded."""
    folder = os.environ.get("CRACK_UTILS_DATA")
    candidate = Path(folder).expanduser() / name if folder else None
    return candidate.resolve() if candidate and candidate.is_dir() else None
