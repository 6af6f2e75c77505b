"""Masks that are picture files: find the photograph of each, and read the pixels."""

import numpy as np

from crack_utils.data.decoding import bits_used, open_stored
from crack_utils.data.images import SUFFIXES
from crack_utils.data.names import without_mark
from crack_utils.data.stored import DataError

FOLDERS = (  # names of folders with masks, in small letters; photographs are in other folders
    "masks",
    "mask",
    "segmentationclass",
    "segmentationclasspng",
    "groundtruth",
    "ground_truth",
    "gt",
    "labels",
    "label",
    "annotations",
)
BLACK, WHITE = (0, 0, 0), (255, 255, 255)


def masks(folder):
    """Return the mask files in a `Folder`."""
    return [
        file
        for file in folder.ending(*SUFFIXES)
        if any(part.lower() in FOLDERS for part in file.relative_to(folder.root).parts[:-1])
    ]


def pairs(folder):
    """Yield (mask, photograph); masks without photograph become problems, and photographs without mask a note.

    Both have the same name, or the mask's ends in `_mask`, `_GT`, `-label` or the like.
    """
    files = masks(folder)
    others, used = set(files), set()
    for mask in files:
        try:
            photograph = folder.picture_of([mask.stem, without_mark(mask.stem)], mask, others)
        except DataError as error:
            folder.problems.append(str(error))
            continue
        used.add(photograph)
        yield mask, photograph
    rest = [file for file in folder.pictures() if file not in others | used]
    if rest:
        folder.notes.append(f"{len(rest)} pictures without mask are left out, such as {rest[0]}")


def read_pixels(path, colours=False):
    """Return the pixels of a mask; transparent pixels are black.

    Parameters
    ----------
    path : path-like
    colours : bool
        Return colours, even if there are only gray values or indices of a palette.

    Returns
    -------
    ndarray, integers of shape (H, W), indices of a palette too, or uint8 of shape (H, W, 3) where there is any colour

    Raises
    ------
    DataError
        If the file cannot be read, or its values are not integers.
    """
    stored = open_stored(path)
    values = stored.values
    if values.dtype.kind == "f":
        raise DataError(f"{path}: a mask of floating-point numbers; expected whole numbers or colours")
    if stored.palette is not None:
        # If a mask uses only black and white of its palette, these colours count, not the indices.
        used = {tuple(colour) for colour in stored.palette[np.unique(values)].tolist()}
        if colours or used <= {BLACK, WHITE}:
            values = stored.shown()
    if colours or values.ndim == 3 or values.dtype == bool:
        full = 1 if values.dtype == bool else 2 ** bits_used(values) - 1
        values = np.rint(values * (255 / full)).astype(np.uint8)
    if stored.alpha is not None:
        opaque = stored.alpha >= np.iinfo(stored.alpha.dtype).max / 2
        values = values * (opaque[..., None] if values.ndim == 3 else opaque).astype(values.dtype)
    if values.ndim == 2:
        return values[..., None].repeat(3, axis=2) if colours else values
    return values if colours or (values != values[..., :1]).any() else values[..., 0]
