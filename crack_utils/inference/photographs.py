"""The photographs that files and folders stand for, and what is known of their scale."""

import os
import warnings
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from crack_utils.data.images import SUFFIXES, read_image
from crack_utils.data.metadata import read_metadata
from crack_utils.data.pairs import refuse


@dataclass(frozen=True)
class Photograph:
    """A picture to look for cracks in; `name` is its file's name without the ending."""

    name: str
    path: Path
    mm_per_px: float | None = None


def find_photographs(*places, mm_per_px=None):
    """Return the photographs of files and folders.

    Parameters
    ----------
    *places : path-like
        A file, or a folder: its pictures or, if it has a folder `images/`, those of that. A `metadata.csv` in the
        folder (columns `name`, `mm_per_px`) tells their scales.
    mm_per_px : float, optional
        Scale of all pictures, whatever tables say.

    Returns
    -------
    list of Photograph
        In the order of the places and, within one, of the names.

    Raises
    ------
    DataError
        One message that lists all that is wrong: what is not there, folders without pictures or that cannot be read,
        wrong lines of tables, and pictures of one name, whose results would overwrite each other.
    ValueError
        If the scale is none.
    """
    if mm_per_px is not None and not 0 < mm_per_px < float("inf"):
        raise ValueError(f"mm_per_px={mm_per_px}: valid is a number above 0")
    found, problems = [], []
    for place in map(Path, places):
        if place.is_dir():
            _add_folder(place, found, problems)
        elif place.exists():
            found.append(Photograph(place.stem, place))
        else:
            problems.append((place, "no such file or folder"))
    first = {}
    for each in found:
        other = first.setdefault(each.name, each)
        if other is not each:
            problems.append((each.path, f"has the name of {other.path}; results go by names, so use two --out folders"))
    refuse(problems)
    return found if mm_per_px is None else [Photograph(each.name, each.path, mm_per_px) for each in found]


def read_photograph(path):
    """Read a photograph as `read_image` does, and refuse one of more than Pillow's 89 megapixels.

    Returns
    -------
    ndarray, float32, shape (H, W), in [0, 1]

    Raises
    ------
    DataError
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"PIL\.")  # its words on a damaged file: the error says it
        # Pillow itself only warns up to twice its limit; such a picture would need gigabytes.
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        return read_image(path)


def _add_folder(folder, found, problems):
    place = folder / "images" if (folder / "images").is_dir() else folder
    try:
        files = sorted(os.scandir(place), key=lambda entry: entry.name)
    except OSError as error:
        problems.append((place, f"cannot be read ({error.strerror})"))
        return
    paths = [Path(file) for file in files if not file.name.startswith(".") and file.is_file()]
    paths = [path for path in paths if path.suffix.lower() in SUFFIXES]
    if not paths:
        problems.append((place, f"no picture ({', '.join(SUFFIXES)})"))
    table = folder / "metadata.csv"
    known, wrong, _ = read_metadata(table, {path.stem for path in paths})
    problems.extend((table, why) for why in wrong)
    found.extend(Photograph(path.stem, path, known.get(path.stem, {}).get("mm_per_px")) for path in paths)
