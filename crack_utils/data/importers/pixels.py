"""Masks that are pictures beside their photographs: which belongs to which, and what their pixels hold."""

import re

import numpy as np
from PIL import ImageOps

from crack_utils.data.images import SUFFIXES, DataError, _opened

FOLDERS = (  # of masks, in small letters; photographs stand elsewhere
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
ENDINGS = re.compile(r"[-_. ](mask|gt|label|labels|seg|segmentation)$", re.IGNORECASE)  # of masks' names


def masks(folder):
    """Return the mask files in a `Folder`."""
    return [
        file
        for file in folder.ending(*SUFFIXES)
        if any(part.lower() in FOLDERS for part in file.relative_to(folder.root).parts[:-1])
    ]


def pairs(folder):
    """Yield (mask, photograph), and tell the folder of masks without photograph and photographs without mask.

    Both have the same name, or the mask's ends in `_mask`, `_GT`, `-label` or the like.
    """
    files = masks(folder)
    others, used = set(files), set()
    for mask in files:
        try:
            photograph = folder.picture_of([mask.stem, ENDINGS.sub("", mask.stem)], mask, others)
        except DataError as error:
            folder.problems.append(str(error))
            continue
        used.add(photograph)
        yield mask, photograph
    rest = [file for file in folder.pictures() if file not in others | used]
    if rest:
        folder.notes.append(f"{len(rest)} pictures without mask are left out, such as {rest[0]}")


def read_pixels(path, colours=False):
    """Return the pixels of a mask; what is transparent is black.

    Parameters
    ----------
    path : path-like
    colours : bool
        Return colours also where there are only gray values, or indices of a palette.

    Returns
    -------
    ndarray, integers of shape (H, W), indices of a palette too, or uint8 of shape (H, W, 3) where there is any colour

    Raises
    ------
    DataError
        If the file cannot be read, or holds no integers.
    """
    picture = ImageOps.exif_transpose(_opened(path))
    # Where a palette is used for black and white alone, these are meant, whatever their order.
    if picture.mode == "P" and {colour for _, colour in picture.convert("RGB").getcolors(256)} <= {BLACK, WHITE}:
        picture = picture.convert("L")
    if picture.mode.startswith("I") or (picture.mode in ("P", "L") and not colours):
        return np.asarray(picture)
    if picture.mode == "F":
        raise DataError(f"{path}: a mask of floating-point numbers; expected whole numbers or colours")
    values = np.asarray(picture.convert("RGBA"))
    shown = np.where(values[..., 3:] < 128, 0, values[..., :3]).astype(np.uint8)
    return shown if colours or (shown != shown[..., :1]).any() else shown[..., 0]
