"""Where things are: the project, what it makes, and the data of others. The working directory never matters."""

import os
from pathlib import Path


def root():
    """Return the project's root: the folder that holds `_toc.yml`, `notebooks/` and this package."""
    return Path(__file__).resolve().parents[2]


def artifacts():
    """Return the folder of everything that is made (git-ignored); `CRACK_UTILS_ARTIFACTS` moves it."""
    return Path(os.environ.get("CRACK_UTILS_ARTIFACTS") or root() / "artifacts").resolve()


def data():
    """Return the folder of generated and fetched data sets."""
    return artifacts() / "data"


def cache():
    """Return the folder of decoded, resized pictures that all trainings share."""
    return artifacts() / "cache"


def runs():
    """Return the folder that holds one folder a training."""
    return artifacts() / "runs"


def executed():
    """Return the folder of executed notebooks, one a variant."""
    return artifacts() / "executed"


def package():
    """Return the folder of this package's code."""
    return root() / "crack_utils"


def notebook(stem):
    """Return the path of the notebook of that stem in this project's `notebooks/`."""
    return root() / "notebooks" / f"{stem}.ipynb"


def find(path):
    """Return the file or folder of a path from the working directory or from the project's root, None if not there."""
    candidates = (Path(path).expanduser(), root() / path)
    return next((candidate.resolve() for candidate in candidates if candidate.exists()), None)


def named_data(name):
    """Return `CRACK_UTILS_DATA/<name>` if it exists, else None: looked at before anything is fetched."""
    folder = os.environ.get("CRACK_UTILS_DATA")
    candidate = Path(folder).expanduser() / name if folder else None
    return candidate.resolve() if candidate and candidate.is_dir() else None
