"""Write a data set of surfaces with several processes; an interrupted call continues where it stopped."""

import json
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

from crack_utils.data.synthetic.dataset import check_recipe, useful_workers
from crack_utils.data.synthetic.surfaces.picture import VERSION, check_arguments, render_surface
from crack_utils.runtime.atomic import atomic_write, lock
from crack_utils.runtime.csv_files import write_csv
from crack_utils.runtime.workers import share

SOURCE = "surfaces"
_RECIPE, _BEGUN = "surfaces.json", ".begun.json"


def generate_surfaces(folder, pictures=400, size=(384, 384), seed=0, workers=None, progress=False, without=()):
    """Write pictures of surfaces with masks, to train a network for real photographs.

    `<folder>/images` and `<folder>/masks` (0/255) contain 00000.png and so on; metadata.csv names their source,
    "surfaces". The same arguments give the same bytes, with any number of workers and after any interruption. A
    finished folder with the same arguments is not changed, and an unfinished one is completed.

    Parameters
    ----------
    folder : path-like
        Created if it does not exist.
    pictures : int
        Number of pictures, at least 1. A larger data set begins with the pictures of a smaller one.
    size, seed, without
        As for `render_surface`.
    workers : int, optional
        Number of processes, at least 1; by default one per core if there is enough work, otherwise 1.
    progress : bool
        Whether to show a progress bar.

    Returns
    -------
    list of str
        The names of the pictures.

    Raises
    ------
    ValueError
        If an argument is out of range, or the folder contains other pictures.
    OSError
        If a file cannot be written.
    """
    size = check_arguments(seed, 0, size, without)
    for name, value in (("pictures", pictures), ("workers", 1 if workers is None else workers)):
        if value < 1:
            raise ValueError(f"{name}={value}: valid are whole numbers of at least 1")
    folder = Path(folder)
    recipe = {"surfaces": VERSION, "pictures": pictures, "size": list(size), "seed": seed, "without": sorted(without)}
    folder.mkdir(parents=True, exist_ok=True)
    with lock(folder, f"{folder}: another process writes there; waiting"):
        if not (folder / _RECIPE).exists():
            _write(folder, recipe, workers, progress)
    check_recipe(folder, _RECIPE, recipe)
    return [_name(index) for index in range(pictures)]


def write_surface(index, folder, size, seed, without):
    """Draw and write one picture, then its mask: if the mask exists, both are complete.

    Parameters
    ----------
    index : int
        Number of the picture, and its name.
    folder : path-like
        With folders `images` and `masks`.
    size, seed, without
        As for `render_surface`.

    Raises
    ------
    OSError
        If a file cannot be written.
    """
    image, mask = render_surface(seed, index, size, without)
    for kind, array in (("images", image), ("masks", 255 * mask.astype(np.uint8))):
        with atomic_write(Path(folder) / kind / f"{_name(index)}.png") as draft:
            Image.fromarray(array).save(draft, compress_level=3)


def _write(folder, recipe, workers, progress):
    """Write the missing pictures, the table, and last the recipe, which marks the data set as complete."""
    if (folder / _BEGUN).exists():
        check_recipe(folder, _BEGUN, recipe)
    elif strange := [path for kind in ("images", "masks") for path in (folder / kind).glob("*")]:
        raise ValueError(f"folder={folder}: holds other pictures ({strange[0].name}, …); choose another folder")
    for kind in ("images", "masks"):
        (folder / kind).mkdir(exist_ok=True)
    with atomic_write(folder / _BEGUN) as draft:
        draft.write_text(json.dumps(recipe) + "\n")
    indices = range(recipe["pictures"])
    to_do = [index for index in indices if not (folder / "masks" / f"{_name(index)}.png").exists()]
    job = {"folder": str(folder.resolve()), **{key: recipe[key] for key in ("size", "seed", "without")}}
    workers = workers or useful_workers(2 * len(to_do), recipe["size"])  # a surface takes twice as long as a specimen
    written = share(partial(write_surface, **job), to_do, workers)
    for _ in tqdm(written, total=len(indices), initial=len(indices) - len(to_do), unit="picture", disable=not progress):
        pass
    write_csv(folder / "metadata.csv", [{"name": _name(index), "source": SOURCE} for index in indices])
    (folder / _BEGUN).replace(folder / _RECIPE)


def _name(index):
    return f"{index:05d}"
