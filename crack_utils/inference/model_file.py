"""Load the network in a `.keras` file, after a check of the sizes in it; every error message names the file."""

import json
import zipfile

from crack_utils import models

MOST_BYTES = 2**31  # of the unpacked archive: a thousand times the size of the networks of this project
MOST_CONFIG = 2**24  # [bytes] of the description of a network
DEEPEST = 100  # largest nesting of brackets in the description; the networks here have about 15
NAMES = ("shared_object_id", "seed")  # entries of a description whose numbers are not sizes
WIDEST = 2**16  # any number in the description: filters, units, sides of a picture


def load_network(file):
    """Return the Keras model of a file.

    Parameters
    ----------
    file : pathlib.Path
        A `.keras` archive.

    Returns
    -------
    keras.Model
        Not compiled. Code in the file is never run (Keras' safe mode).

    Raises
    ------
    ValueError
        If it is no such file, is damaged, or describes a network too large to be one that finds cracks.
    """
    if problem := _problem(file):
        raise ValueError(f"{file}: cannot be read as a Keras model ({problem})")
    try:
        return models.load(file)
    except (Exception, MemoryError) as error:  # damaged files raise different exceptions
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise ValueError(f"{file}: cannot be read as a Keras model ({reason[0][:300]})") from None


def _problem(file):
    """Return why a file is not read, an empty text if it can be read."""
    try:
        with zipfile.ZipFile(file) as archive:
            members = {member.filename: member for member in archive.infolist()}
            if "config.json" not in members:
                return "no config.json in it"
            if sum(member.file_size for member in members.values()) > MOST_BYTES:
                return f"it unpacks to more than {MOST_BYTES / 2**30:g} GiB"
            if members["config.json"].file_size > MOST_CONFIG:
                return f"its description has more than {MOST_CONFIG / 2**20:g} MiB"
            text = archive.read("config.json").decode("utf-8")
    except (OSError, zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, ValueError) as error:
        return str(error) or type(error).__name__
    if _depth(text) > DEEPEST:
        return f"its description is nested more than {DEEPEST} deep"
    try:
        largest = _largest(json.loads(text))
    except ValueError as error:
        return f"its description is not JSON: {error}"
    return f"a layer of size {largest}; at most {WIDEST} is read" if largest > WIDEST else ""


def _depth(text):
    """Return the largest nesting of brackets; brackets in strings count too, so the result may be too large."""
    deepest = depth = 0
    for character in text:
        if character in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in "]}":
            depth -= 1
    return deepest


def _largest(value):
    """Return the largest whole number anywhere in the content of a JSON file, except under the keys in `NAMES`."""
    if isinstance(value, dict):
        value = [entry for name, entry in value.items() if name not in NAMES]
    if isinstance(value, list):
        return max(map(_largest, value), default=0)
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
