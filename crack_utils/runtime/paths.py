"""Paths of the project, its results and external data; they do not depend on the working directory."""

import hashlib
import os
import unicodedata
from pathlib import Path

LONGEST_NAME = 200  # [bytes] of a file's name; most systems hold 255 with ending and draft


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


def file_name(*parts):
    """Return a safe file name, without ending, made of texts: never a path, and different for different texts.

    The texts, such as the name of a source, come from a file and may contain anything, even "../..".

    Parameters
    ----------
    *parts : str

    Returns
    -------
    str
        The parts joined by hyphens. What is not a letter, digit, space or one of "._+()" is written as %XX, and so is
        a hyphen in any part except the last; a name of more than 200 bytes is cut, and ends with a hash of the whole.

    Examples
    --------
    >>> file_name("old", "S1_003"), file_name("camera 1/2", "p-00"), file_name("a-b", "c")
    ('old-S1_003', 'camera 1%2F2-p-00', 'a%2Db-c')
    """
    parts = [unicodedata.normalize("NFC", part) for part in parts]
    quoted = [_quoted(part, "._+() ") for part in parts[:-1]] + [_quoted(parts[-1], "._+() -")]
    name = "-".join(quoted)
    name = f"%2E{name[1:]}" if name.startswith(".") else name
    if len(name.encode()) > LONGEST_NAME:
        digest = hashlib.sha256(name.encode()).hexdigest()[:16]
        name = f"{name.encode()[: LONGEST_NAME - 19].decode(errors='ignore')}%..{digest}"
    return name


def _quoted(text, kept):
    return "".join(
        character
        if character.isalnum() or character in kept
        else "".join(f"%{byte:02X}" for byte in character.encode("utf-8", "surrogateescape"))
        for character in text
    )


def find(path):
    """Find a path relative to the working directory or to the project's root; return None if it does not exist."""
    candidates = (Path(path).expanduser(), root() / path)
    return next((candidate.resolve() for candidate in candidates if candidate.exists()), None)


def named_data(name):
    """Return the folder `CRACK_UTILS_DATA/<name>` if it exists, else None; checked before a data set is downloaded."""
    folder = os.environ.get("CRACK_UTILS_DATA")
    candidate = Path(folder).expanduser() / name if folder else None
    return candidate.resolve() if candidate and candidate.is_dir() else None
