"""Write a synthetic data set with several processes; an interrupted call continues where it stopped."""

import csv
import json
import os
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

from crack_utils.data.synthetic.patterns import GROWING, pattern_of
from crack_utils.data.synthetic.photograph import VERSION, check_arguments, measure, render
from crack_utils.data.synthetic.specimen import SOURCES
from crack_utils.data.synthetic.wide import WIDE_VERSION, measure_specimen, render_specimen
from crack_utils.runtime.atomic import atomic_write, lock
from crack_utils.runtime.csv_files import write_csv
from crack_utils.runtime.workers import cores, share

COLUMNS = ("name", "source", "specimen", "frame", "tip_row", "tip_column", "mm_per_px")
TIP2_COLUMNS = ("tip2_row", "tip2_column")  # of wide looks: a crack may have two tips, or none
LOOKS = ("usual", "wide")
_KINDS = ("images", "masks", "parts")
_RECIPE = "synthetic.json"
_BEGUN = ".begun.json"  # the recipe of an unfinished data set: only pictures of the same recipe may be kept
_PICTURE, _PIXEL = 0.03, 7e-7  # [s] approximate time of one core per picture and per pixel, on a cloud machine
_WORTHWHILE = 8.0  # [s] smallest amount of work for several processes; to start them takes 1 to 2 s


def generate(
    folder,
    specimens=24,
    frames=10,
    size=(128, 160),
    seed=0,
    workers=None,
    progress=False,
    patterns=GROWING,
    looks="usual",
):
    """Write a synthetic data set: two sources, `<folder>/old` and `<folder>/new` (R20).

    Each has images/, masks/ (0/255), parts/ (0 background, 1 primary, 2 secondary) and metadata.csv. With wide looks,
    many kinds of specimens, notches and rigs are drawn (`render_specimen`), and the table has columns for a second tip;
    they are empty if there is no crack yet.

    The same arguments give the same bytes, with any number of workers and after any interruption. A finished folder
    with the same arguments is not changed, and an unfinished one is completed. Only one process at a time writes to a
    folder; others wait.

    Parameters
    ----------
    folder : path-like
        Created if it does not exist.
    specimens : int
        Number of specimens, alternately old and new.
    frames : int
        Number of photographs of each specimen; its crack grows from one to the next.
    size : tuple of int
        (height, width) [px], at least 32 each.
    seed : int
        Not negative.
    workers : int, optional
        Number of processes, at least 1; by default one per core if there is enough work, otherwise 1.
    progress : bool
        Whether to show a progress bar.
    patterns : sequence of str
        One or more of `PATTERNS`; the specimens of each source take them in turn. Only with usual looks.
    looks : str
        "usual" (as in the book's data set) or "wide".

    Returns
    -------
    list of dict
        One row per photograph, with the columns of metadata.csv.

    Raises
    ------
    ValueError
        If an argument is out of range, or the folder contains another data set.
    OSError
        If a file cannot be written.
    """
    check_arguments(specimens, frames, size, seed, patterns)
    if workers is not None and workers < 1:
        raise ValueError(f"workers={workers}: valid are whole numbers of at least 1, or None")
    if looks not in LOOKS:
        raise ValueError(f"looks={looks!r}: valid are {', '.join(LOOKS)}")
    folder, size = Path(folder), tuple(map(int, size))
    recipe = {"version": VERSION, "specimens": specimens, "frames": frames, "size": list(size), "seed": seed}
    if tuple(patterns) != GROWING:  # older data sets have no patterns in their recipe
        if looks != "usual":
            raise ValueError(f"patterns={patterns!r}: with looks={looks!r} only the default is valid")
        recipe["patterns"] = list(patterns)
    if looks != "usual":
        recipe |= {"version": WIDE_VERSION, "looks": looks}
    if not (folder / _RECIPE).exists():
        folder.mkdir(parents=True, exist_ok=True)
        with lock(folder, f"Another process draws {folder}; this one waits for it"):
            if not (folder / _RECIPE).exists():  # another process may have finished while this one waited
                _write(folder, recipe, workers, progress)
    check_recipe(folder, _RECIPE, recipe)
    return [row for source in SOURCES for row in _read_rows(folder / source / "metadata.csv")]


def write_specimen(specimen, folder, frames, size, seed, patterns=GROWING, looks="usual"):
    """Draw and write the frames of a specimen whose files do not exist yet.

    Parameters
    ----------
    specimen : int
        Number of the specimen.
    folder : path-like
        Folder of the data set; those of its parts must exist.
    frames, size, seed, patterns, looks
        As for `generate`.

    Raises
    ------
    OSError
        If a file cannot be written.
    """
    for frame in range(frames):
        places = _places(Path(folder), specimen, frame)
        if all(place.exists() for place in places):
            continue
        if looks == "wide":
            shot = render_specimen(seed, specimen, frame, frames, size)
        else:
            shot = render(specimen, frame, frames, size, seed, pattern=pattern_of(specimen, patterns))
        for place, array in zip(places, (shot.image, 255 * shot.mask.astype(np.uint8), shot.parts), strict=True):
            with atomic_write(place) as draft:
                Image.fromarray(array).save(draft, format="PNG", compress_level=3)


def _write(folder, recipe, workers, progress):
    """Write the missing pictures of a data set, its tables, and last its recipe, which marks it as complete."""
    specimens, frames, size, seed = (recipe[key] for key in ("specimens", "frames", "size", "seed"))
    _prepare(folder, recipe)
    missing = {number: _missing(folder, number, frames) for number in range(specimens)}
    to_do = [number for number, count in missing.items() if count]
    job = {"folder": str(folder.resolve()), "frames": frames, "size": size, "seed": seed}
    job |= {"patterns": _patterns(recipe), "looks": recipe.get("looks", "usual")}
    workers = workers or useful_workers(sum(missing.values()), size)
    total = specimens * frames
    done = total - sum(missing.values())
    with tqdm(total=total, initial=done, unit="picture", disable=not progress) as bar:
        for number in share(partial(write_specimen, **job), to_do, workers):
            bar.update(missing[number])
    for first, source in enumerate(SOURCES):
        rows = [_row(number, frame, recipe) for number in range(first, specimens, 2) for frame in range(frames)]
        write_csv(folder / source / "metadata.csv", rows, COLUMNS)
    os.replace(folder / _BEGUN, folder / _RECIPE)


def _prepare(folder, recipe):
    """Make the folders, remove incomplete files of killed processes, and refuse pictures of another data set."""
    begun = (folder / _BEGUN).exists()
    if begun:
        check_recipe(folder, _BEGUN, recipe)
    specimens, frames = recipe["specimens"], recipe["frames"]
    for first, source in enumerate(SOURCES):
        expected = {f"{_name(s, f)}.png" for s in range(first, specimens, 2) for f in range(frames)}
        for kind in _KINDS:
            place = folder / source / kind
            place.mkdir(parents=True, exist_ok=True)
            strange = sorted(path.name for path in place.glob("[!.]*.png") if path.name not in expected)
            if strange:
                raise ValueError(
                    f"folder={folder}: {place} holds other pictures ({strange[0]}, …); choose another folder"
                )
            if not begun:  # nobody knows of which data set these pictures are
                for path in place.glob("*.png"):
                    path.unlink()
    with atomic_write(folder / _BEGUN) as draft:
        draft.write_text(json.dumps(recipe) + "\n")


def check_recipe(folder, name, recipe):
    """Check that a data set was drawn with the arguments of this call.

    Parameters
    ----------
    folder : pathlib.Path
    name : str
        Of a JSON file in the folder, with the arguments the data set was drawn with.
    recipe : dict
        The arguments of this call.

    Raises
    ------
    ValueError
        If the two differ.
    """
    stored = json.loads((folder / name).read_text())
    if stored != recipe:
        raise ValueError(f"folder={folder}: holds another data set, {stored}; choose another folder or remove it")


def useful_workers(pictures, size):
    """Return the number of processes for a number of pictures of `size` (height, width): one per core, or 1 if few."""
    seconds = pictures * (_PICTURE + _PIXEL * size[0] * size[1])
    return cores() if seconds > _WORTHWHILE else 1


def _missing(folder, specimen, frames):
    """Return the number of frames of a specimen that are not complete."""
    return sum(not all(place.exists() for place in _places(folder, specimen, frame)) for frame in range(frames))


def _places(folder, specimen, frame):
    source = folder / SOURCES[specimen % 2]
    return [source / kind / f"{_name(specimen, frame)}.png" for kind in _KINDS]


def _name(specimen, frame):
    return f"s{specimen:03d}_f{frame:02d}"


def _row(specimen, frame, recipe):
    """Return the row of a photograph in metadata.csv."""
    place = {"name": _name(specimen, frame), "source": SOURCES[specimen % 2], "specimen": f"s{specimen:03d}"}
    place["frame"] = frame
    if recipe.get("looks") == "wide":
        tips, mm_per_px = measure_specimen(recipe["seed"], specimen, frame, recipe["frames"], recipe["size"])
        tips = [(round(float(row), 3), round(float(column), 3)) for row, column in tips]
        first, second = (tips + [("", "")] * 2)[:2]
        columns = (*COLUMNS, *TIP2_COLUMNS)
        return dict(zip(columns, (*place.values(), *first, round(mm_per_px, 6), *second), strict=True))
    pattern = pattern_of(specimen, _patterns(recipe))
    tip, mm_per_px = measure(specimen, frame, recipe["frames"], recipe["size"], recipe["seed"], pattern)
    row, column = (round(value, 3) for value in tip)
    return dict(zip(COLUMNS, (*place.values(), row, column, round(mm_per_px, 6)), strict=True))


def _patterns(recipe):
    return recipe.get("patterns", GROWING)


def _read_rows(path):
    numbers = {"frame": int} | dict.fromkeys((*COLUMNS[4:], *TIP2_COLUMNS), lambda text: float(text) if text else None)
    with open(path, newline="", encoding="utf-8") as file:
        return [{key: numbers.get(key, str)(value) for key, value in row.items()} for row in csv.DictReader(file)]
