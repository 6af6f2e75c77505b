"""Decoded, reduced pictures as memory-mapped arrays, made once for a data set and size, shared by all trainings."""

import hashlib
import json
import os
import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from crack_utils import paths
from crack_utils.data.images import MASK_COVERAGE, read_image, read_mask, resize_image, resize_mask
from crack_utils.data.pairs import sha256


def load(pairs, size):
    """Return the pictures and masks of `pairs` at `size`, decoding them only the first time.

    Parameters
    ----------
    pairs : list of Pair
    size : (height, width) [px]

    Returns
    -------
    images, masks : memory-mapped ndarrays, uint8, shape (N, H, W)
        Gray values 0–255; masks 0 or 1. In the order of `pairs`.
    """
    with ThreadPoolExecutor() as pool:
        content = list(pool.map(lambda pair: (sha256(pair.image), sha256(pair.mask)), pairs))
    key = hashlib.sha256(json.dumps([content, list(size), MASK_COVERAGE]).encode()).hexdigest()[:16]
    folder = paths.cache() / key
    if not folder.exists():
        _write(pairs, tuple(size), folder)
    return tuple(np.load(folder / f"{part}.npy", mmap_mode="r") for part in ("images", "masks"))


def _write(pairs, size, folder):
    """Fill a folder beside the final one and rename it: a killed or parallel writer leaves nothing half-written."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent)
    try:
        shape = (len(pairs), *size)
        arrays = {
            part: np.lib.format.open_memmap(f"{draft}/{part}.npy", mode="w+", dtype=np.uint8, shape=shape)
            for part in ("images", "masks")
        }

        def fill(index):
            image = resize_image(read_image(pairs[index].image), size)
            arrays["images"][index] = np.rint(image * 255)
            arrays["masks"][index] = resize_mask(read_mask(pairs[index].mask), size)

        with ThreadPoolExecutor() as pool:
            list(pool.map(fill, range(len(pairs))))
        for array in arrays.values():
            array.flush()
        try:
            os.rename(draft, folder)
        except OSError:
            if not folder.exists():
                raise
            # Another writer was first; its arrays are the same.
    finally:
        shutil.rmtree(draft, ignore_errors=True)
