"""Find the photographs in files and folders, and their scales."""

import os
from dataclasses import dataclass, replace
from pathlib import Path

from crack_utils.data.digests import common_bits
from crack_utils.data.images import SUFFIXES
from crack_utils.data.metadata import read_metadata
from crack_utils.data.names import normal, problem_of
from crack_utils.data.pairs import drawn_parts, refuse
from crack_utils.geometry.arguments import check_scale
from crack_utils.runtime.typeset import few

BESIDE = (".csv", ".json", ".txt", ".md", ".ini", ".db")  # endings of files that are ignored without a note
PARTS = ("images", "masks", "parts", "recipes", "found", "labels")  # folders that other commands of this package make


@dataclass(frozen=True)
class Photograph:
    """A picture to look for cracks in.

    Attributes
    ----------
    name : str
        The name of its file without the ending, in the Unicode form in which names are compared.
    path : pathlib.Path
    mm_per_px : float, optional
    bits : int, optional
        How many bits the photographs of its folder use, for `read_image`. None for a single file: `read_image` finds it
        from the values.
    problem : str, optional
        Why it cannot be used, as far as its name and kind of file show. Only this photograph fails.
    """

    name: str
    path: Path
    mm_per_px: float | None = None
    bits: int | None = None
    problem: str | None = None


def find_photographs(*places, mm_per_px=None, notes=None):
    """Return the photographs of files and folders.

    Parameters
    ----------
    *places : path-like
        A file, or a folder: its pictures or, if it has a folder `images/`, those of that, or what `crack-utils synth`
        has drawn in it. Their scales are read from `metadata.csv` (columns `name`, `mm_per_px`) in the folder, or
        beside the folder `images`. A file that is given twice counts once.
    mm_per_px : float, optional
        Scale of all pictures, whatever tables say.
    notes : list, optional
        A sentence is added for everything that is ignored: files of other kinds, rows and columns of tables.

    Returns
    -------
    list of Photograph
        In the order of the places and, within one place, of the names. If pictures in one folder have the same name,
        such as `a.jpg` and `a.png`, the first in this order is used, and the others have a problem.

    Raises
    ------
    DataError
        One message that lists all that is wrong: files and folders that do not exist, folders without pictures or that
        cannot be read, wrong lines of tables, and pictures in two folders with the same name, whose results would
        overwrite each other. If no picture can be used, it lists every picture.
    ValueError
        If the scale is not a number above 0 and at most 1e6.
    """
    check_scale(mm_per_px)
    found, problems, notes, single = [], [], [] if notes is None else notes, {}
    for place in (part for given in places for part in drawn_parts(given)):
        if place.is_dir():
            _add_folder(place, found, problems, notes)
        elif not (place.exists() or place.is_symlink()):
            problems.append((place, "no such file or folder"))
        else:
            single.setdefault(place.parent, []).append(place)
            found.append(Photograph(normal(place.stem), place, problem=problem_of(place)))
    scales = {path: scale for folder, files in single.items() for path, scale in _scales(folder, files, notes).items()}
    found = [replace(each, mm_per_px=scales.get(each.path, each.mm_per_px)) for each in found]
    once = {}
    for each in found:
        before = once.setdefault(os.path.abspath(each.path), each)
        if before.bits is None:  # given alone and with its folder: the folder knows more
            once[os.path.abspath(each.path)] = replace(each, path=before.path)
    found, first = list(once.values()), {}
    for index, each in enumerate(found):
        other = each if each.problem else first.setdefault(each.name, each)
        if other is each:
            continue
        why = f"has the same name as {other.path}, and results are named after photographs; rename one of the two"
        if os.path.abspath(each.path.parent) == os.path.abspath(other.path.parent):
            found[index] = replace(each, problem=why)  # a.jpg and a.png: the rest of the folder can be used
        else:
            problems.append((each.path, f"{why}, or use two --out folders"))
    if not problems and all(photograph.problem for photograph in found):  # then no network need be loaded
        problems = [(photograph.path, photograph.problem) for photograph in found]
    refuse(problems)
    return found if mm_per_px is None else [replace(each, mm_per_px=mm_per_px) for each in found]


def _known(folder, names, problems, notes):
    """Return what `metadata.csv` says of the pictures of a folder; for a folder `images/` it is in the folder above."""
    table = folder / "metadata.csv"
    if not table.is_file() and folder.absolute().name == "images":
        table = folder.absolute().parent / "metadata.csv"
    known, faults, told = read_metadata(table, set(names))
    problems.extend((table, why) for why in faults)
    notes.extend(f"{table}: {note}" for note in told)
    return known


def _scales(folder, files, notes):
    """Return the scales of single files. Another program may have written their table, so its faults are only notes."""
    names, wrong = {path: normal(path.stem) for path in files}, []
    known = _known(folder, names.values(), wrong, [])
    notes.extend(f"{table}: {why}" for table, why in wrong)
    return {path: known[name]["mm_per_px"] for path, name in names.items() if "mm_per_px" in known.get(name, {})}


def _add_folder(folder, found, problems, notes):
    place = folder / "images" if (folder / "images").is_dir() else folder
    try:
        files = sorted(place.iterdir())
    except OSError as error:
        problems.append((place, f"cannot be read ({error.strerror})"))
        return
    paths = [path for path in files if not path.name.startswith(".") and path.suffix.lower() in SUFFIXES]
    paths = [path for path in paths if not path.is_dir()]
    taken = set(paths)
    shown = [path for path in files if path not in taken and not path.name.startswith(".")]
    others = [path.name for path in shown if path.suffix.lower() not in BESIDE and path.name not in PARTS]
    if others:
        notes.append(f"{place}: passed over: {few(others)}; pictures end in {', '.join(SUFFIXES)}")
    if not paths:
        problems.append((place, f"no picture ({', '.join(SUFFIXES)})"))
    names = {path: normal(path.stem) for path in paths}
    wrong = {path: problem_of(path) for path in paths}
    known = _known(folder, names.values(), problems, notes)
    bits = common_bits(path for path in paths if not wrong[path])
    for path, name in names.items():
        found.append(Photograph(name, path, known.get(name, {}).get("mm_per_px"), bits, wrong[path]))
