"""PNG files made byte by byte, for what no encoder writes: wrong sizes, missing rows, unusual depths."""

import struct
import zlib


def bare_png(height, width, rows=(), bits=8, interlaced=False):
    """Return the bytes of a gray PNG (PNG specification 1.2).

    Parameters
    ----------
    height, width : int
        What its header says [px].
    rows : iterable of bytes
        The packed pixels of each row that is there, not filtered.
    bits : int
        Of a pixel, as the header says.
    interlaced : bool
        Whether the header says that it is interlaced.
    """
    header = struct.pack(">IIBBBBB", width, height, bits, 0, 0, 0, interlaced)
    pixels = zlib.compress(b"".join(b"\0" + row for row in rows))
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", pixels) + _chunk(b"IEND", b"")


def _chunk(name, content):
    return len(content).to_bytes(4) + name + content + zlib.crc32(name + content).to_bytes(4)
