"""Write a data set from photographs and annotations: as a whole, or not at all."""

import contextlib
import os
import shutil
import tempfile
from collections import Counter
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError
from tqdm import tqdm

from crack_utils.data.decoding import open_stored
from crack_utils.data.images import gray_values
from crack_utils.data.stored import DataError
from crack_utils.runtime.atomic import FULL, explain_full_disk

SUFFIX = {"PNG": ".png", "JPEG": ".jpg", "TIFF": ".tif", "BMP": ".bmp"}  # of photographs that are stored in annotations
ORIENTATION, QUARTER = 0x0112, 5  # the EXIF tag; its values from here on turn a photograph by 90°


@dataclass(frozen=True)
class Imported:
    """The result of an import.

    Attributes
    ----------
    folder : pathlib.Path
        The data set, with `images/` and `masks/`.
    format : str
    labels : tuple of str
        The classes that are crack.
    pictures, cracked : int
        Number of pictures, and of those that show a crack.
    problems, notes : list of str
        What could not be used, each with its file's name; and what was left out that is not a fault.
    """

    folder: Path
    format: str
    labels: tuple
    pictures: int
    cracked: int
    problems: list
    notes: list


@contextlib.contextmanager
def new_folder(path):
    """Give a draft folder to fill; when the block ends without an error, it becomes the new folder in one step.

    Parameters
    ----------
    path : path-like
        Of the new folder.

    Yields
    ------
    pathlib.Path
        The draft; it is removed if the block ends with an error.

    Raises
    ------
    ValueError
        If the path exists already, or if the folder above it does not exist.
    """
    path = Path(path)
    if path.is_symlink() or path.exists():
        raise ValueError(f"{path}: exists already; name a new folder")
    if not path.absolute().parent.is_dir():
        raise ValueError(f"{path}: there is no folder {path.parent} to make it in")
    with explain_full_disk(path.parent), tempfile.TemporaryDirectory(prefix=".draft-", dir=path.parent) as place:
        draft = Path(place) / "folder"
        draft.mkdir()
        yield draft
        os.rename(draft, path)


def write_pairs(annotated, names, labels, draft, problems):
    """Write photographs and masks into `images/` and `masks/` of a folder.

    Photographs are copied byte for byte; masks are PNG with 0 and 255, turned as viewers show the photograph.

    Parameters
    ----------
    annotated : list of Annotated
    names : list of str
        Names of the pairs, without ending, all different.
    labels : collection of str
        The classes that are crack.
    draft : pathlib.Path
        An empty folder.
    problems : list of str
        A message is added for each picture that cannot be written.

    Returns
    -------
    dict of str to float
        For each pair that was written, by name: the share of its mask that is crack.
    """
    (draft / "images").mkdir()
    (draft / "masks").mkdir()
    shares, first = {}, {}
    several = {image for image, count in Counter(each.image for each in annotated).items() if count > 1}
    # The bar shows at a terminal only.
    for each, name in zip(tqdm(annotated, unit="picture", disable=None, leave=False), names, strict=True):
        other = first.setdefault(name.casefold(), each)
        try:
            if each.image in several:
                raise DataError(f"{each.image}: annotated more than once, here in {each.file}; keep one of them")
            if other is not each:
                raise DataError(f"{each.file}: its picture has the same name {name!r} as that of {other.file}")
            shares[name] = _write_pair(each, name, labels, draft)
        except DataError as error:
            problems.append(str(error))
    return shares


def distinct_names(annotated, place):
    """Return a name for each picture: that of its file, with its folders before it if several files have the same name.

    Parameters
    ----------
    annotated : list of Annotated
    place : callable
        Returns the path of a file within the input folder, as text with slashes.
    """
    files = [each.file if callable(each.image) else each.image for each in annotated]
    count = Counter(file.stem.casefold() for file in files)
    return [
        file.stem if count[file.stem.casefold()] == 1 else place(file).removesuffix(file.suffix).replace("/", "-")
        for file in files
    ]


def _write_pair(annotated, name, labels, draft):
    """Write one pair and return the share of its mask that is crack; after an error, nothing of it remains."""
    origin = annotated.file if callable(annotated.image) else annotated.image
    content = annotated.image() if callable(annotated.image) else None
    suffix = origin.suffix if content is None else _suffix(content, origin)
    photograph = draft / "images" / f"{name}{suffix}"
    try:
        shutil.copyfile(origin, photograph) if content is None else photograph.write_bytes(content)
        mask = _mask(annotated, labels, photograph, _opened(photograph, origin))
        Image.fromarray(mask.astype(np.uint8) * 255).save(draft / "masks" / f"{name}.png")
    except BaseException as error:
        photograph.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno not in FULL:
            raise DataError(f"{origin}: {error.strerror or error}") from None
        raise
    return float(mask.mean())


def _suffix(content, file):
    """Return the file ending of a photograph that is stored in an annotation."""
    try:
        with Image.open(BytesIO(content), formats=list(SUFFIX)) as picture:
            return SUFFIX.get(picture.format, ".jpg")  # Pillow calls a JPEG with several pictures MPO
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise DataError(f"{file}: the picture that it contains cannot be read ({error})") from None


def _opened(photograph, origin):
    """Return the stored pixels of a photograph, after a check; an error names the file that it came from."""
    try:
        stored = open_stored(photograph)
        gray_values(stored)
    except ValueError as error:
        raise DataError(f"{origin}: {str(error).removeprefix(f'{photograph}: ')}") from None
    return stored


def _mask(annotated, labels, photograph, opened):
    """Return the mask of a photograph, turned as viewers show the photograph."""
    shown = opened.values.shape[:2]
    stored = shown[::-1] if opened.orientation >= QUARTER else shown
    drawn_on = annotated.drawn_on or shown
    if drawn_on not in (shown, stored):
        raise DataError(_mismatch("drawn on", drawn_on, annotated, photograph, shown))
    try:
        mask = annotated.mask(labels, tuple(int(side) for side in drawn_on))
    except DataError:
        raise
    except ValueError as error:
        raise DataError(f"{annotated.file}: {photograph.name!r}: {error}") from None
    if mask.shape not in (shown, stored):
        raise DataError(_mismatch("a mask of", mask.shape, annotated, photograph, shown))
    if mask.shape == shown:
        return mask
    # The mask was drawn on the photograph as it is stored; viewers show the photograph turned by 90°.
    turned = Image.fromarray(mask)
    turned.getexif()[ORIENTATION] = opened.orientation
    return np.asarray(ImageOps.exif_transpose(turned))


def _mismatch(what, size, annotated, photograph, shown):
    return "{}: {} {}×{} pixels, but {!r} has {}×{}".format(annotated.file, what, *size, photograph.name, *shown)
