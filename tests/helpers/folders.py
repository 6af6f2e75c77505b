"""Folders of photographs with masks, as small as a test needs them."""

import numpy as np
from PIL import Image

from crack_utils.data import Pair


def fake_pairs(specimens=10, frames=4, sources=("old", "new")):
    """Return pairs without files."""
    return [
        Pair(f"{source}{s}_{f}", image=f"{source}/{s}_{f}", mask="m", source=source, specimen=f"{source}{s}", frame=f)
        for source in sources
        for s in range(specimens)
        for f in range(frames)
    ]


def make_folder(folder, images, masks=None, metadata=None):
    """Write a data set.

    Parameters
    ----------
    folder : pathlib.Path
        Made, with all above it.
    images, masks : dict of ndarray
        By name; without masks there is no folder for them.
    metadata : str, optional
        The text of `metadata.csv`.

    Returns
    -------
    pathlib.Path
        The folder.
    """
    for part, pictures in (("images", images), ("masks", masks or {})):
        for name, values in pictures.items():
            (folder / part).mkdir(parents=True, exist_ok=True)
            Image.fromarray(values).save(folder / part / f"{name}.png")
    if metadata:
        (folder / "metadata.csv").write_text(metadata)
    return folder


def dark_cracks(folder, masks):
    """Write photographs of noise in which the cracks of the masks (uint8, 0 and 255) are dark; named by number."""
    generator = np.random.default_rng(0)
    images = [np.where(mask > 0, 40, generator.integers(120, 220, mask.shape)).astype(np.uint8) for mask in masks]
    return make_folder(folder, *({str(number): each for number, each in enumerate(part)} for part in (images, masks)))


def photograph(seed=0, size=(8, 10)):
    """Return gray noise, uint8, as a photograph without a crack."""
    return np.random.default_rng(seed).integers(90, 200, size).astype(np.uint8)


def dark_bar(height=40, width=60):
    """A bright picture with a dark bar of 30×4 px, 120 px in all, and above it a line of 2×6 px."""
    values = np.full((height, width), 230, np.uint8)
    values[18:22, 10:40] = 20
    values[5:7, 20:26] = 20
    return values


def contents(folder):
    """Return the bytes of all files of a folder but its lock, by their names."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != ".lock"]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def ten_dark_lines(folder):
    """Write ten pictures of 16×24 with a dark vertical line as crack, and return the folder."""
    masks = np.zeros((10, 16, 24), np.uint8)
    for mask, column in zip(masks, np.random.default_rng(0).integers(3, 20, 10), strict=True):
        mask[:, column] = 255
    return dark_cracks(folder, masks)
