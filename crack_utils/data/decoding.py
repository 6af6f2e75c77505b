"""Read the stored pixels of photographs, masks and parts, turned by their EXIF orientation as viewers show them.

PNG, JPEG, TIFF and BMP are read; the kind is found from the content of a file, not from its name. Files that are cut
off or need too much memory are refused. Every error of a decoder becomes a `DataError` that names the file.
"""

import os
import re
import stat
import zlib
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import imagecodecs
import numpy as np
import simplejpeg
from PIL import BmpImagePlugin, JpegImagePlugin

from crack_utils.data import tiff
from crack_utils.data.stored import LIMIT, DataError, Refused, Stored, TooLarge, from_pillow, refuse_large

# How many of 16 bits cameras and converters use. A picture with larger values uses all bits of its type.
BITS = (8, 10, 12, 14, 16)

OTHERS = {  # other kinds of files, by their first bytes, to name them in the message
    b"GIF8": "a GIF",
    b"%!PS": "PostScript",
    b"%PDF": "a PDF",
    b"\x00\x00\x00\x0cjP": "a JPEG 2000",
    b"DDS ": "a DDS",
    b"8BPS": "a Photoshop file",
}


def open_stored(path, limit=LIMIT):
    """Return the stored pixels of a picture file; other functions decide what they mean.

    Parameters
    ----------
    path : path-like
        A regular file: PNG, JPEG (also MPO), TIFF (also BigTIFF) or BMP.
    limit : float [bytes]
        Limit of the memory for the picture and its gray values in 32 bits; by default the most that is allowed.

    Returns
    -------
    Stored

    Raises
    ------
    DataError
        If the file cannot be read, for whatever reason; the message names it.
    TooLarge
        If it needs more memory than `limit`, and `limit` is below the default.
    """
    try:
        return _decode(_read_regular(path), limit)
    except TooLarge as error:
        if limit < LIMIT:
            raise
        raise DataError(f"{path}: {error}") from None
    except Refused as error:
        raise DataError(f"{path}: {error}") from None
    except FileNotFoundError:
        raise DataError(f"{path}: no such file") from None
    except MemoryError:
        raise DataError(f"{path}: not enough memory to read it") from None
    except Exception as error:
        why = " ".join(str(error).split()) or type(error).__name__
        raise DataError(f"{path}: cannot be read as a picture ({why[:200]})") from error


def bits_used(values):
    """Return how many bits of an integer type are used, from the brightest value: 8, 10, 12, 14, 16 or all.

    Parameters
    ----------
    values : ndarray
        An array of integers.
    """
    own = 8 * values.dtype.itemsize - (values.dtype.kind == "i")
    highest = int(values.max(initial=0))
    return min(own, next((bits for bits in BITS if highest < 2**bits), own))


def is_regular(path):
    """Return whether a path leads to a regular file, not to a pipe or a device, and not to a broken link."""
    try:
        return stat.S_ISREG(os.stat(path).st_mode)
    except (OSError, ValueError):
        return False


def _read_regular(path):
    """Return a file's bytes; pipes and devices are refused, because reading them may never end."""
    if not stat.S_ISREG(os.stat(path).st_mode):
        raise Refused("not a regular file")
    content = Path(path).read_bytes()
    if not content:
        raise Refused("an empty file")
    return content


def _decode(content, limit):
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return _png(content, limit)
    if content.startswith(b"\xff\xd8\xff"):
        return _jpeg(content, limit)
    if content[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        return _turned(*tiff.decode(content, limit))
    if content.startswith(b"BM"):
        return _bmp(content, limit)
    kind = next((kind for start, kind in OTHERS.items() if content.startswith(start)), None)
    if content[8:12] == b"WEBP":
        kind = "a WebP"
    if content[4:8] == b"ftyp":
        kind = "a HEIC or AVIF"
    what = f"{kind}; save it as PNG" if kind else "neither PNG, JPEG, TIFF nor BMP"
    raise Refused(f"cannot be read as a picture ({what})")


def _png(content, limit):
    """Decode a PNG from the chunks that its pixels need, so that faults in other chunks do no harm."""
    chunks = _png_chunks(content)
    header = chunks[0][1]
    width, height = (int.from_bytes(header[start : start + 4]) for start in (0, 4))
    bits, colour = header[8], header[9]
    refuse_large(height, width, {2: 3, 4: 2, 6: 4}.get(colour, 1) * max(1, bits // 8), limit)
    ancillary = [(name, data) for name, data in chunks if name not in (b"IHDR", b"IDAT")]
    for name, data in ancillary:
        if name == b"acTL" and int.from_bytes(data[:4]) > 1:
            raise Refused(f"holds {int.from_bytes(data[:4])} pictures (an animation); save one of them")
    needed = [(name, data) for name, data in chunks if name in (b"IHDR", b"tRNS", b"IDAT", b"IEND")]
    palette = next((data for name, data in ancillary if name == b"PLTE"), b"") if colour == 3 else None
    if colour == 3:  # decoded as if the indices were gray values, because the decoder would return colours
        needed = [(name, data) for name, data in needed if name != b"tRNS"]
        needed[0] = (b"IHDR", header[:9] + b"\0" + header[10:])
    values = imagecodecs.png_decode(b"\x89PNG\r\n\x1a\n" + b"".join(_png_chunk(*chunk) for chunk in needed))
    alpha = None
    if colour == 3:
        values = values if bits == 8 else values // (255 // (2**bits - 1))
        palette = np.frombuffer(palette[: len(palette) // 3 * 3], np.uint8).reshape(-1, 3)
        if len(palette) <= values.max():
            raise Refused("damaged: a colour that its palette does not have")
        if trns := next((data for name, data in ancillary if name == b"tRNS"), None):
            opacity = np.frombuffer(trns[: len(palette)].ljust(len(palette), b"\xff"), np.uint8)
            alpha = opacity[values]
    elif values.ndim == 3 and values.shape[2] in (2, 4):
        values, alpha = values[..., :-1], values[..., -1]
        values = values[..., 0] if values.shape[2] == 1 else values
    if bits == 1 and colour == 0:
        values = values > 0
    return _turned(Stored(values, palette=palette, alpha=alpha), _png_orientation(ancillary))


def _png_chunks(content):
    """Return the chunks up to the end of the picture as (name, data); those that its pixels need must be complete."""
    chunks, at = [], 8
    while True:
        length, name = int.from_bytes(content[at : at + 4]), content[at + 4 : at + 8]
        data, checksum = content[at + 8 : at + 8 + length], content[at + 8 + length : at + 12 + length]
        if len(checksum) < 4:
            raise Refused("cut off, its end is missing")
        if name in (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND") and zlib.crc32(name + data) != int.from_bytes(
            checksum
        ):
            raise Refused(f"damaged (a wrong checksum in {name.decode()})")
        chunks.append((name, data))
        if name == b"IEND":
            break
        at += 12 + length
    if chunks[0][0] != b"IHDR" or len(chunks[0][1]) != 13:
        raise Refused("damaged: it does not begin with a header")
    return chunks


def _png_chunk(name, data):
    return len(data).to_bytes(4) + name + data + zlib.crc32(data, zlib.crc32(name)).to_bytes(4)


def _png_orientation(chunks):
    for name, data in chunks:
        if name == b"eXIf":
            return exif_orientation(data)
    for name, data in chunks:
        if name == b"iTXt" and data.startswith(b"XML:com.adobe.xmp"):
            return _xmp_orientation(data)
    return 1


def _jpeg(content, limit):
    """Decode a JPEG (of an MPO the first picture), and refuse it if pixels are missing."""
    if b"\xff\xd9" not in content:
        raise Refused("cut off, its end is missing")
    height, width, space, _ = simplejpeg.decode_jpeg_header(content, strict=False)
    refuse_large(height, width, 1 if space == "Gray" else 3, limit)
    if not _has_all_scans(content):
        raise Refused("damaged, its last scans are missing")
    orientation = _jpeg_orientation(content)
    names = {"Gray": "GRAY", "CMYK": "CMYK", "YCCK": "CMYK"}
    try:
        values = simplejpeg.decode_jpeg(content, names.get(space, "RGB"), strict=True)
    except ValueError as error:
        # Cameras write harmless bytes between the markers. After other errors the decoder invents pixels.
        if re.search("premature|bad Huffman|instead of RST", str(error), re.IGNORECASE):
            raise Refused(f"damaged, a part of its pixels is missing ({error})") from error
        values = None
    if values is None or values.shape[2] == 4:
        return _turned(replace(from_pillow(JpegImagePlugin.JpegImageFile(BytesIO(content))), lossy=True), orientation)
    return _turned(Stored(values[..., 0] if values.shape[2] == 1 else values, lossy=True), orientation)


def _has_all_scans(content):
    """Return whether a progressive JPEG has the last bits of all values: without the last scans it looks whole."""
    first = content.find(b"\xff\xc2", 2)
    if first < 0 or not 0 <= first < (content.find(b"\xff\xda", 2)):
        return True
    components = content[first + 9]
    last = {}  # for each component and frequency, the lowest bit that its latest scan contains
    for scan in re.compile(rb"\xff\xda\x00(.)", re.DOTALL).finditer(content, first):
        at = scan.start() + 4
        count = content[at]
        if scan[1][0] != 6 + 2 * count or not 1 <= count <= 4:
            continue  # not a scan but bytes of a thumbnail or of text
        start, end, bits = content[at + 1 + 2 * count : at + 4 + 2 * count]
        for component in content[at + 1 : at + 1 + 2 * count : 2]:
            last.update({(component, frequency): bits & 15 for frequency in range(start, min(end, 63) + 1)})
    # An encoder may leave out high frequencies of the colours; but each frequency that was begun must be complete.
    return len({component for component, frequency in last if frequency == 0}) >= components and not any(last.values())


def _jpeg_orientation(content):
    at, from_xmp = 2, 1
    while content[at : at + 1] == b"\xff" and content[at + 1] not in (0xDA, 0xD9):
        length = int.from_bytes(content[at + 2 : at + 4])
        data = content[at + 4 : at + 2 + length]
        if content[at + 1] == 0xE1 and data.startswith(b"Exif\0\0"):
            return exif_orientation(data[6:])
        if content[at + 1] == 0xE1 and data.startswith(b"http://ns.adobe.com/xap/"):
            from_xmp = _xmp_orientation(data)
        at += 2 + length
        if length < 2 or at + 1 >= len(content):
            break
    return from_xmp


def _bmp(content, limit):
    if int.from_bytes(content[2:6], "little") > len(content):
        raise Refused("cut off, its end is missing")
    picture = BmpImagePlugin.BmpImageFile(BytesIO(_with_full_palette(content)))
    refuse_large(picture.height, picture.width, len(picture.getbands()), limit)
    return from_pillow(picture)


def _with_full_palette(content):
    """Return a BMP with a full palette if its palette is only black and white.

    Pillow reads the pixels of such a file as single bits, even if they have four or eight bits.
    """
    bits, colours = int.from_bytes(content[28:30], "little"), int.from_bytes(content[46:50], "little")
    if content[14:18] == (40).to_bytes(4, "little") and bits in (4, 8) and colours == 2:
        return content[:46] + bytes(4) + content[50:] + bytes(1024)  # as long as a full palette
    return content


def exif_orientation(block):
    """Return the orientation in an EXIF block, 1 if it has none; the rest of the block is not read.

    Parameters
    ----------
    block : bytes
        The block, starting with its byte order mark.
    """
    order = {b"II": "little", b"MM": "big"}.get(block[:2])
    if order is None:
        return 1

    def number(at, size):
        return int.from_bytes(block[at : at + size], order)

    start = number(4, 4)
    for at in range(start + 2, start + 2 + 12 * min(number(start, 2), 1000), 12):
        if number(at, 2) == 0x0112 and at + 12 <= len(block):
            turn = number(at + 8, {1: 1, 4: 4}.get(number(at + 2, 2), 2))
            return turn if 1 <= turn <= 8 else 1
    return 1


def _xmp_orientation(block):
    found = re.search(rb"tiff:Orientation(?:=\"|>)([1-8])", block)
    return int(found.group(1)) if found else 1


def _turned(picture, orientation):
    """Return a picture turned by an EXIF orientation (1 to 8), as viewers show it."""
    turns = {
        2: lambda values: values[:, ::-1],
        3: lambda values: values[::-1, ::-1],
        4: lambda values: values[::-1],
        5: lambda values: values.swapaxes(0, 1),
        6: lambda values: np.rot90(values, -1),
        7: lambda values: values[::-1, ::-1].swapaxes(0, 1),
        8: lambda values: np.rot90(values),
    }
    if orientation not in turns:
        return picture
    turn = turns[orientation]
    alpha = None if picture.alpha is None else turn(picture.alpha)
    return replace(picture, values=np.ascontiguousarray(turn(picture.values)), alpha=alpha, orientation=orientation)
