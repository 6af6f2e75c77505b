"""Decode TIFF files: with tifffile where Pillow reads them wrongly or not at all, otherwise with Pillow."""

import logging
from io import BytesIO

import numpy as np
import tifffile
from PIL import TiffImagePlugin

from crack_utils.data.stored import Refused, Stored, from_pillow, refuse_large

# What tifffile has no decoder for, or leaves as it is stored: fax, the old JPEG; colours other than gray, RGB, palette.
FAX_AND_OLD_JPEG = (2, 3, 4, 6)
WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, PALETTE, TRANSPARENCY = range(5)
REDUCED, MASK = 1, 4  # bits of a page's subfile type
ALPHA = (1, 2)  # kinds of extra samples

# Errors of a file are reported by exceptions, not by the log.
logging.getLogger("tifffile").addHandler(logging.NullHandler())


def decode(content, limit):
    """Decode a TIFF, of several pages the one in full size.

    Parameters
    ----------
    content : bytes
    limit : float [bytes]
        Of memory, see `refuse_large`.

    Returns
    -------
    picture : Stored
        As it is stored, not turned.
    orientation : int
        By the EXIF numbers, 1 to 8.

    Raises
    ------
    Refused
        If there are several pictures, it is too large, or the layout is one that neither library reads.
    """
    with tifffile.TiffFile(BytesIO(content)) as file:
        page, alone = _full_page(file)
        orientation = _number(page, 274, 1)
        refuse_large(page.imagelength, page.imagewidth, page.samplesperpixel * max(1, page.bitspersample // 8), limit)
        _refuse_cut(page, len(content))
        plain = page.photometric in (WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, PALETTE, TRANSPARENCY)
        whole = page.bitspersample >= 8 or page.dtype == bool
        if plain and whole and page.compression not in FAX_AND_OLD_JPEG:
            try:
                return _by_tifffile(page), orientation
            except Refused:
                raise
            except Exception as error:
                failure = error
        else:
            failure = None
    if not alone:
        raise Refused(_kind(page)) from failure
    try:
        picture = TiffImagePlugin.TiffImageFile(BytesIO(content))
        turned = picture.tag_v2.get(274, 1) in range(2, 9)
        stored = from_pillow(picture)
    except Exception as error:
        raise Refused(f"{_kind(page)} ({failure or error})") from error
    return stored, 1 if turned else orientation  # Pillow has turned it


def _full_page(file):
    """Return the page that is the picture, and whether there is no other; refuse a file of several pictures."""
    pages = []
    for page in file.pages:
        page = page.aspage() if hasattr(page, "aspage") else page
        pages += [page, *(page.pages or [])] if page.subifds else [page]
    stack = file.imagej_metadata or {}
    count = int(stack.get("images", 1)) if file.is_imagej else 1
    if count > len(pages) == 1:
        raise Refused(f"holds {count} pictures (a stack); save one of them")
    kinds = [_number(page, 254, 0) for page in pages]
    whole = [page for page, kind in zip(pages, kinds, strict=True) if not kind & (REDUCED | MASK)] or pages
    full = max(whole, key=lambda page: page.imagelength * page.imagewidth)
    others = [page for page in whole if page is not full and not _is_reduction(page, full)]
    if others:
        sizes = ", ".join(f"{page.imagelength}×{page.imagewidth}" for page in [full, *others][:4])
        raise Refused(f"holds {len(whole)} pictures ({sizes}{', …' if len(others) > 3 else ''}); save one of them")
    if full.imagedepth > 1:
        raise Refused(f"holds {full.imagedepth} pictures (a volume); save one of them")
    return full, len(pages) == 1


def _is_reduction(page, full):
    """Return whether a page shows the whole of a larger one, as its thumbnail: of its shape, to a pixel."""
    height, width = page.imagelength, page.imagewidth
    factor = full.imagelength / height
    return factor > 1.2 and abs(full.imagewidth / factor - width) <= 1.5


def _number(page, code, default):
    """Return the integer in a tag; the default if the tag is missing or not an integer."""
    value = page.tags.valueof(code, default)
    return int(value) if isinstance(value, int | np.integer) else default


def _refuse_cut(page, length):
    """Refuse a page if rows are missing: decoders would make them black, or read other bytes as pixels."""
    offsets, counts = page.dataoffsets, page.databytecounts
    if any(start + count > length for start, count in zip(offsets, counts, strict=False)):
        raise Refused("cut off, its end is missing")
    strips = -(-page.imagelength // page.rowsperstrip) if not page.is_tiled else len(offsets)
    if page.planarconfig == 2 and not page.is_tiled:
        strips *= page.samplesperpixel
    if len(offsets) < strips or not all(counts):
        raise Refused("damaged, a part of its pixels is missing")
    row = page.imagewidth * page.bitspersample * (page.samplesperpixel if page.planarconfig == 1 else 1)
    if (
        page.compression == 1
        and not page.is_tiled
        and sum(counts) < -(-row // 8) * page.imagelength * (page.samplesperpixel if page.planarconfig == 2 else 1)
    ):
        raise Refused("damaged, a part of its pixels is missing")


def _by_tifffile(page):
    values = np.asarray(page.asarray())
    if values.dtype.kind == "c" or page.axes not in ("YX", "YXS", "SYX"):
        raise Refused(_kind(page))
    values = values.astype(values.dtype.newbyteorder("="), copy=False)
    if page.axes == "SYX":
        values = np.ascontiguousarray(np.moveaxis(values, 0, -1))
    if page.photometric == PALETTE:
        if values.ndim != 2 or values.dtype != np.uint8 or page.colormap is None:
            raise Refused(_kind(page))
        return Stored(values, palette=(np.asarray(page.colormap).T >> 8).astype(np.uint8))
    alpha = None
    if values.ndim == 3:
        values, alpha = _colours(page, values)
    if page.photometric == WHITE_IS_ZERO:
        if values.dtype.kind not in "buf":
            raise Refused(_kind(page))
        white = {"b": True, "f": 1}.get(values.dtype.kind, 2**page.bitspersample - 1)  # 12 bits are unpacked to 16
        values = values ^ values.dtype.type(white) if values.dtype.kind in "bu" else white - values
    return Stored(values, alpha=alpha)


def _colours(page, values):
    """Divide samples into gray or colour and alpha."""
    count, extra = values.shape[2], tuple(page.extrasamples)
    colours = 3 if page.photometric == RGB or count == 3 else 1
    alpha = extra and extra[0] in ALPHA and count == colours + len(extra)
    if count < colours or (colours == 1 and count != 1 + bool(extra)):
        raise Refused(_kind(page))
    opacity = values[..., colours] if alpha or (count == colours + 1 and extra) else None
    return values[..., :3] if colours == 3 else values[..., 0], opacity


def _kind(page):
    samples = f"{page.samplesperpixel} × {page.bitspersample} bit"
    names = [getattr(part, "name", str(part)).lower() for part in (page.photometric, page.compression)]
    return f"a TIFF of a kind that cannot be read ({samples}, {', '.join(names)}); save it as 8-bit or 16-bit gray"
