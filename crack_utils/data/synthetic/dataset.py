"""Photographs with ground truth, one by one (`render`) or as a data set on disk (`generate`)."""

import csv
import json
import os
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import lru_cache, partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

from crack_utils.data.synthetic.camera import Camera
from crack_utils.data.synthetic.scene import Surface, paint_scene, picture_scale
from crack_utils.data.synthetic.specimen import SOURCES, Specimen, camera_moves, draw_specimen

VERSION = 5  # of what is rendered: raised when the same arguments give other pictures
COLUMNS = ("name", "source", "specimen", "frame", "tip_row", "tip_column", "mm_per_px")
_KINDS = ("images", "masks", "parts")
_RECIPE = "synthetic.json"


@dataclass(frozen=True)
class Photograph:
    """One synthetic photograph and its ground truth.

    Attributes
    ----------
    image : ndarray of uint8, shape (height, width)
    mask : ndarray of bool, shape (height, width)
        True where any of the pixel is cracked, never thinner than one pixel.
    parts : ndarray of uint8, shape (height, width)
        0 background, 1 primary crack, 2 secondary crack (R15).
    tip : tuple of float
        (row, column) of the primary crack's tip [px].
    path : ndarray, shape (n, 2)
        (row, column) along the primary crack's middle, from its mouth to its tip [px].
    width : ndarray, shape (n,)
        Its opening there [px], 0 at the tip.
    mm_per_px : float
    specimen : Specimen
        The geometry behind it.
    growth : float
        Progress of the test at this frame, in (0, 1].
    """

    image: np.ndarray
    mask: np.ndarray
    parts: np.ndarray
    tip: tuple
    path: np.ndarray
    width: np.ndarray
    mm_per_px: float
    specimen: Specimen
    growth: float


def render(specimen=0, frame=0, frames=10, size=(128, 160), seed=0, source=None):
    """Render one photograph of a test.

    Parameters
    ----------
    specimen : int
        Number of the specimen; together with `seed` it decides all that is drawn.
    frame, frames : int
        Moment of the test: frame `frames - 1` is its end.
    size : tuple of int
        (height, width) [px], at least 32 each. The same specimen is drawn at any size.
    seed : int
    source : str, optional
        "old" or "new"; by default even specimens are old, odd ones new.

    Returns
    -------
    Photograph

    Raises
    ------
    ValueError
        If an argument is out of range.
    """
    _check(specimen + 1, frames, size, seed)
    if not 0 <= frame < frames:
        raise ValueError(f"frame={frame}: valid are 0 to {frames - 1}, as frames={frames}")
    source = SOURCES[specimen % 2] if source is None else source
    if source not in SOURCES:
        raise ValueError(f"source={source!r}: valid are {', '.join(SOURCES)}")
    surface, camera = _setting(seed, specimen, source)
    growth = surface.specimen.growth(frame, frames)
    rng = _rng(seed, specimen, 3, frame)
    pose = camera_moves(rng, surface.specimen.pose)
    scene, parts, path, width = paint_scene(surface, growth, pose, tuple(size))
    image = camera.photograph(scene, rng)
    mm_per_px = surface.specimen.millimetres / picture_scale(size) / pose.zoom
    tip = (float(path[-1, 0]), float(path[-1, 1]))
    return Photograph(image, parts > 0, parts, tip, path, width, mm_per_px, surface.specimen, growth)


@lru_cache(maxsize=2)  # the frames of a specimen share its textures, which take longer to draw than a small picture
def _setting(seed, specimen, source):
    geometry = draw_specimen(_rng(seed, specimen, 0), source)
    return Surface(_rng(seed, specimen, 1), geometry), Camera(_rng(seed, specimen, 2), source)


def _rng(seed, *key):
    """A generator of its own for each purpose: nothing depends on order, workers, or how many specimens there are."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))


def generate(folder, specimens=24, frames=10, size=(128, 160), seed=0, workers=None, progress=False):
    """Write a synthetic data set: two sources, `<folder>/old` and `<folder>/new` (R20).

    Each has images/, masks/ (0/255), parts/ (0 background, 1 primary, 2 secondary) and metadata.csv. The same
    arguments give the same bytes. A finished folder of the same arguments is left as it is.

    Parameters
    ----------
    folder : path-like
        Created if it is missing.
    specimens : int
        Number of specimens, alternately old and new.
    frames : int
        Photographs of each specimen, in which its crack grows.
    size : tuple of int
        (height, width) [px], at least 32 each.
    seed : int
        Not negative.
    workers : int, optional
        Processes; by default one here, without a pool.
    progress : bool
        Show a progress bar.

    Returns
    -------
    list of dict
        One row a photograph, with the columns of metadata.csv.

    Raises
    ------
    ValueError
        If an argument is out of range, or the folder holds another data set.
    """
    _check(specimens, frames, size, seed)
    folder = Path(folder)
    recipe = {"version": VERSION, "specimens": specimens, "frames": frames, "size": list(map(int, size)), "seed": seed}
    if (folder / _RECIPE).exists():
        found = json.loads((folder / _RECIPE).read_text())
        if found != recipe:
            raise ValueError(f"folder={folder}: holds another data set, {found}; choose another folder or remove it")
        return [row for source in SOURCES for row in _read_rows(folder / source / "metadata.csv")]
    _prepare(folder, specimens, frames)
    work = partial(_write_specimen, folder, frames, tuple(size), seed)
    if workers is None or workers == 1:
        results = list(tqdm(map(work, range(specimens)), total=specimens, unit="specimen", disable=not progress))
    else:
        # Spawned, not forked: a caller that has loaded TensorFlow runs threads, which a fork would break.
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
            done = pool.map(work, range(specimens))
            results = list(tqdm(done, total=specimens, unit="specimen", disable=not progress))
    rows = [row for part in results for row in part]
    for source in SOURCES:
        _write_rows(folder / source / "metadata.csv", [row for row in rows if row["source"] == source])
    _replace(folder / _RECIPE, lambda path: path.write_text(json.dumps(recipe) + "\n"))
    return [row for source in SOURCES for row in rows if row["source"] == source]


def _write_specimen(folder, frames, size, seed, specimen):
    """Render and write all frames of a specimen; the rows of its metadata."""
    rows = []
    for frame in range(frames):
        shot = render(specimen, frame, frames, size, seed)
        name, source = _name(specimen, frame), shot.specimen.source
        pictures = {"images": shot.image, "masks": 255 * shot.mask.astype(np.uint8), "parts": shot.parts}
        for kind, array in pictures.items():
            _replace(folder / source / kind / f"{name}.png", partial(_save_png, array))
        row, column = (round(value, 3) for value in shot.tip)
        values = (name, source, f"s{specimen:03d}", frame, row, column, round(shot.mm_per_px, 6))
        rows.append(dict(zip(COLUMNS, values, strict=True)))
    return rows


def _name(specimen, frame):
    return f"s{specimen:03d}_f{frame:02d}"


def _prepare(folder, specimens, frames):
    """Make the folders; what a killed run left is written again, but nothing else may lie there."""
    for number, source in enumerate(SOURCES):
        expected = {f"{_name(s, f)}.png" for s in range(number, specimens, 2) for f in range(frames)}
        for kind in _KINDS:
            place = folder / source / kind
            place.mkdir(parents=True, exist_ok=True)
            strange = sorted(path.name for path in place.glob("*.png") if path.name not in expected)
            if strange:
                raise ValueError(
                    f"folder={folder}: {place} holds other pictures ({strange[0]}, …); choose another folder"
                )


def _save_png(array, path):
    Image.fromarray(array).save(path, format="PNG", compress_level=3)


def _replace(path, write):
    """Write a file under another name first, so that nobody ever reads half of it."""
    partial_path = path.with_name(f".{path.name}.{os.getpid()}")
    write(partial_path)
    os.replace(partial_path, path)


def _write_rows(path, rows):
    def write(partial_path):
        with open(partial_path, "w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)

    _replace(path, write)


def _read_rows(path):
    numbers = {"frame": int, "tip_row": float, "tip_column": float, "mm_per_px": float}
    with open(path, newline="", encoding="utf-8") as file:
        return [{key: numbers.get(key, str)(value) for key, value in row.items()} for row in csv.DictReader(file)]


def _check(specimens, frames, size, seed):
    """Refuse what cannot be drawn."""
    for name, value in (("specimens", specimens), ("frames", frames)):
        if value < 1:
            raise ValueError(f"{name}={value}: valid are whole numbers from 1")
    if len(size) != 2 or min(size) < 32:
        raise ValueError(f"size={size}: valid is (height, width) with at least 32 pixels each")
    if seed < 0:
        raise ValueError(f"seed={seed}: valid are whole numbers from 0")
