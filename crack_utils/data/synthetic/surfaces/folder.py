"""A data set of surfaces on disk: written by several processes, continued where it was interrupted."""

import csv
import json
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

from crack_utils.data.synthetic.dataset import useful_workers
from crack_utils.data.synthetic.surfaces.picture import VERSION, check_arguments, render_surface
from crack_utils.data.synthetic.workers import share
from crack_utils.runtime.atomic import atomic_write, lock

SOURCE = "surfaces"
_RECIPE, _BEGUN = "surfaces.json", ".begun.json"


def generate_surfaces(folder, pictures=400, size=(384, 384), seed=0, workers=None, progress=False, without=()):
    """Write pictures of surfaces with masks: data to teach a network photographs of surfaces it has never seen.

    `<folder>/images` and `masks` (0/255) hold 00000.png and so on, metadata.csv names their source, "surfaces". The
    same arguments give the same bytes, with any number of workers and however often it was interrupted. A finished
    folder of the same arguments is left as it is, an unfinished one is continued.

    Parameters
    ----------
    folder : path-like
        Created if it is missing.
    pictures : int
        From 1. The first pictures of a larger data set are those of a smaller one.
    size, seed, without
        As for `render_surface`.
    workers : int, optional
        Processes, at least 1; by default one a core where there is enough to do, else none besides this one.
    progress : bool
        Show a progress bar.

    Returns
    -------
    list of str
        The pictures' names.

    Raises
    ------
    ValueError
        If an argument is out of range, or the folder holds other pictures.
    OSError
        If a file cannot be written.
    """
    size = check_arguments(seed, 0, size, without)
    for name, value in (("pictures", pictures), ("workers", 1 if workers is None else workers)):
        if value < 1:
            raise ValueError(f"{name}={value}: valid are whole numbers from 1")
    folder = Path(folder)
    recipe = {"surfaces": VERSION, "pictures": pictures, "size": list(size), "seed": seed, "without": sorted(without)}
    folder.mkdir(parents=True, exist_ok=True)
    with lock(folder, f"{folder}: another process writes there; waiting"):
        if not (folder / _RECIPE).exists():
            _write(folder, recipe, workers, progress)
    _compare(folder, _RECIPE, recipe)
    return [_name(index) for index in range(pictures)]


def write_surface(index, folder, size, seed, without):
    """Draw and write one picture and its mask, the mask last: where it is, both are."""
    image, mask = render_surface(seed, index, size, without)
    for kind, array in (("images", image), ("masks", 255 * mask.astype(np.uint8))):
        with atomic_write(Path(folder) / kind / f"{_name(index)}.png") as draft:
            Image.fromarray(array).save(draft, compress_level=3)


def _write(folder, recipe, workers, progress):
    """Write what is missing, the table, and last of all the recipe, which says that the data set is complete."""
    if (folder / _BEGUN).exists():
        _compare(folder, _BEGUN, recipe)
    elif strange := [path for kind in ("images", "masks") for path in (folder / kind).glob("*")]:
        raise ValueError(f"folder={folder}: holds other pictures ({strange[0].name}, …); choose another folder")
    for kind in ("images", "masks"):
        (folder / kind).mkdir(exist_ok=True)
    with atomic_write(folder / _BEGUN) as draft:
        draft.write_text(json.dumps(recipe) + "\n")
    indices = range(recipe["pictures"])
    to_do = [index for index in indices if not (folder / "masks" / f"{_name(index)}.png").exists()]
    job = {"folder": str(folder.resolve()), **{key: recipe[key] for key in ("size", "seed", "without")}}
    workers = workers or useful_workers(2 * len(to_do), recipe["size"])  # each takes as long as two of a specimen
    if workers == 1 or len(to_do) < 2:
        written = (write_surface(index, **job) for index in to_do)
    else:
        written = share(job, to_do, workers, write_surface)
    for _ in tqdm(written, total=len(indices), initial=len(indices) - len(to_do), unit="picture", disable=not progress):
        pass
    with atomic_write(folder / "metadata.csv") as draft, open(draft, "w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerows([("name", "source"), *((_name(index), SOURCE) for index in indices)])
    (folder / _BEGUN).replace(folder / _RECIPE)


def _compare(folder, name, recipe):
    there = json.loads((folder / name).read_text())
    if there != recipe:
        raise ValueError(f"folder={folder}: holds another data set, {there}; choose another folder or remove it")


def _name(index):
    return f"{index:05d}"
