"""Read masks; what is crack follows from the colours that a picture shows, not from how the file stores them.

Labelling tools write 0 and 1, 0 and 255, black and white, black and one colour, a palette of these in any order, or an
opaque crack on a transparent background. JPEG and smooth resizing leave gray edges. If it is not clear what is crack,
the error message names the values that were found and what to do.
"""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import binary_dilation, binary_opening, label, maximum_filter

from crack_utils.data.decoding import bits_used, open_stored
from crack_utils.data.stored import DataError

NEAR = 32  # [of 255] values this near to black or white count as black or white: JPEG changes them by so much
COLOUR_NEAR = 48  # [of 255] the same for distances from a mixture of black and the crack's colour

TINGE = 8  # [of 255] largest difference between the channels of a colour of a palette that counts as gray

# A mask is gray at edges only. A photograph, which may be given by mistake, is gray nearly everywhere.
GRAY_SHARE = 0.25
EDGE_SHARE = 0.9  # least share of the gray pixels that must lie within two pixels of the crack
CLASSES = 2  # this number of gray levels, or fewer, may be classes
SMOOTH = 8  # this number of gray levels, or more, are no classes: resizing can leave thin cracks without a white pixel
SMOOTH_SHARE = 0.1
SMEARED = 32  # this number of colours, or more, comes from JPEG: nobody draws with so many colours
SPECK = 16  # [px] largest connected area of low values that JPEG leaves; classes cover more
ECHO, ECHO_REACH = 10, 6  # [of 255] [px] brightness and distance of faint lines that resizing leaves beside a crack
PEAK_SHARE = 0.9  # share of the brightest value that every local maximum of a smoothed crack reaches


@dataclass(frozen=True, eq=False)
class Mask:
    """A mask that was read, and how much of it was gray.

    Attributes
    ----------
    crack : ndarray, bool, shape (H, W)
    gray : int
        Number of pixels that were gray, between background and crack.
    """

    crack: np.ndarray
    gray: int = 0


def read_mask(file):
    """Read a mask of a labelling tool; see `understand`.

    Parameters
    ----------
    file : path-like
        PNG, JPEG, TIFF or BMP. EXIF orientation is applied, as to a photograph.

    Returns
    -------
    ndarray, bool, shape (H, W)
        True on crack.

    Raises
    ------
    DataError
        If the file cannot be read, or if it is not clear what is crack.
    """
    stored = open_stored(file)
    try:
        return understand(stored).crack
    except ValueError as error:
        raise DataError(f"{file}: {error}") from None


def read_parts(file):
    """Read a picture of the parts of a mask.

    Returns
    -------
    ndarray, uint8, shape (H, W)
        0 background, 1 primary crack, 2 secondary crack.

    Raises
    ------
    DataError
        If the file cannot be read or has other values.
    """
    values = open_stored(file).values
    if values.ndim != 2 or not np.isin(levels := levels_of(values), (0, 1, 2)).all():
        what = "colours" if values.ndim != 2 else _shown(levels)
        raise DataError(f"{file}: parts hold 0 for background, 1 for primary and 2 for secondary crack; found {what}")
    return values.astype(np.uint8)


def understand(stored):
    """Return the mask in a picture whose file was read.

    Of two colours, black is the background; of two values, it is 0 or the value near 0. The colours of a palette count
    if they are gray or if one is black; otherwise index 0 is the background. If all visible pixels have one colour
    other than black, or if the whole picture is black, the opacity is the mask. Gray pixels brighter than the middle
    are crack.

    Parameters
    ----------
    stored : Stored

    Returns
    -------
    Mask

    Raises
    ------
    ValueError
        If it is not clear what is crack; the message contains the values found and what to do.
    """
    alpha = stored.alpha
    if alpha is None or (alpha == alpha[0, 0]).all():
        return _by_colours(stored)
    shown, opaque = stored.shown(), _of_gray(alpha)
    painted = shown[alpha > 0]  # the colours of transparent pixels cannot be seen
    if (painted == painted[0]).all() and (painted.any() or not shown.any()):
        return opaque
    coloured = _by_colours(stored)
    if (coloured.crack != opaque.crack).any():
        raise ValueError("its colours and its transparency show different masks; save it in black and white")
    return coloured


def levels_of(values):
    """Return the different values of a picture in increasing order."""
    if values.dtype != np.uint8:
        return np.unique(values)
    counts = sum(np.bincount(band.ravel(), minlength=256) for band in np.array_split(values, -(-values.size // 2**24)))
    return np.flatnonzero(counts)


def _by_colours(stored):
    if stored.palette is None:
        return _of_gray(stored.values, stored.lossy) if stored.values.ndim == 2 else _of_colours(stored)
    used = levels_of(stored.values)
    colours = stored.palette[used]
    if np.ptp(colours.astype(int), axis=1).max() <= TINGE and (len(used) == 1 or (colours != colours[0]).any()):
        return _of_gray(stored.palette[:, 1][stored.values])
    black = ~colours.any(axis=1)
    different = np.unique(colours, axis=0)  # a palette may contain a colour twice
    if len(different) == 2 and black.any():
        return Mask(~black[np.searchsorted(used, stored.values)])
    if len(used) > 2 or (len(used) == 2 and used[0] != 0):
        raise ValueError(_no_mask(different))
    return Mask(stored.values != 0)


def _of_gray(values, lossy=False):
    if values.dtype == bool:
        return Mask(values)
    levels = levels_of(values)
    if values.dtype.kind == "f":
        if not np.isfinite(levels).all():
            raise ValueError(
                "a mask holds 0 for background and one other value for crack; found values that are not finite numbers"
            )
        full = max(1.0, float(levels[-1]))
    else:
        full = 255 if values.dtype == np.uint8 else 2 ** bits_used(values) - 1
    blurred = lossy and len(levels) == 2 and levels[1] < full * (255 - NEAR) / 255
    if levels[0] >= 0 and not blurred and (len(levels) == 1 or (len(levels) == 2 and levels[0] == 0)):
        return Mask(values > 0)
    crack = values > full / 2
    dark = 0 <= levels[0] <= full * NEAR / 255
    if not dark or not crack.any() or not _gray_at_edges(values, levels, full):
        raise ValueError(
            f"a mask holds 0 for background and one other value for crack; found {_shown(levels)}; "
            "save it with 0 and 255 only"
        )
    return Mask(crack, int(np.count_nonzero((values > 0) & (values < full))) if len(levels) > 2 else 0)


def _gray_at_edges(values, levels, full):
    """Return whether the gray pixels look like the edges of a crack, not like classes or a photograph."""
    low, high = full * NEAR / 255, full * (255 - NEAR) / 255
    middle = (values > low) & (values < high)
    count = np.count_nonzero(middle)
    others = levels[1:-1]
    if count == 0:  # large areas of low values are classes, and white marks other pixels: 0, 1, 255
        if not len(others) or others[-1] > low or _largest(np.isin(values, others)) <= SPECK:
            return True
        return levels[-1] < full and _slopes(values, full)
    if count > GRAY_SHARE * values.size:
        return False
    white = values >= high
    between = np.count_nonzero((levels > low) & (levels < high))
    # Classes have few gray levels. JPEG and smoothing give many, near black and white or between them.
    if max(between, len(levels) - between) >= SMOOTH and count <= SMOOTH_SHARE * values.size:
        return True
    if _slopes(values, full):
        return True
    if between <= CLASSES:  # gray pixels all along the crack, as after a reduction by a whole number
        beside = binary_dilation(white, np.ones((3, 3)))
        return count >= max(8, np.count_nonzero(white) / 10) and not (middle & ~beside).any()
    return np.count_nonzero(middle & binary_dilation(white, np.ones((5, 5)))) >= EDGE_SHARE * count


def _slopes(values, full):
    """Return whether gray values decrease with the distance from the crack, as after smoothing; classes are flat."""
    flat = (values > 0) & (values < PEAK_SHARE * values.max()) & (values == maximum_filter(values, 3))
    echo = flat & (values <= full * ECHO / 255)
    echo &= ~binary_opening(echo, np.ones((3, 3)))  # a faint echo of an edge is a thin line; a larger area is a class
    if echo.any():
        flat &= ~(echo & binary_dilation(values > full / 2, np.ones((2 * ECHO_REACH + 1,) * 2)))
    return not flat.any()


def _largest(mask):
    """Return the size of the largest piece of a mask [px]."""
    return np.bincount(label(mask, np.ones((3, 3)))[0].ravel())[1:].max(initial=0)


def _of_colours(stored):
    values = stored.values
    if values.dtype != np.uint8:
        if values.dtype.kind == "f":
            values = np.clip(values, 0, 1) * 255
        else:
            values = values / ((2 ** bits_used(values) - 1) / 255)
        values = np.rint(values).astype(np.uint8)
    if (values == values[..., :1]).all():
        return _of_gray(stored.values[..., 0], stored.lossy)
    if stored.lossy and np.ptp(values, axis=2).max() <= NEAR:
        return _of_gray(values[..., 1], lossy=True)
    packed = values.astype(np.uint32) @ np.array([65536, 256, 1], np.uint32)
    colours, counts = np.unique(packed, return_counts=True)
    if len(colours) == 2 and colours[0] == 0:
        return Mask(packed > 0)
    rows = np.stack([colours >> 16, colours >> 8 & 255, colours & 255], axis=1).astype(np.uint8)
    far = rows.max(axis=1) > 255 // 2
    if len(colours) <= 2 or colours[0] > 0 or not far.any():
        raise ValueError(_no_mask(rows[np.argsort(-counts)]))
    # Black, one colour, and the mixtures of both that blur or JPEG leaves.
    colour = rows[far][counts[far].argmax()].astype(float)
    place = rows @ colour / (colour @ colour)
    gray = np.uint8(np.rint(np.clip(place, 0, 1) * 255))
    where = np.searchsorted(colours, packed)
    strange = (np.abs(rows - place[:, None] * colour).max(axis=1) > COLOUR_NEAR)[where]
    # JPEG stores colours at half the resolution of gray, so it smears them at edges into many shades.
    near = binary_dilation((gray[where] > 127) & ~strange, np.ones((7, 7)))
    if strange.any() and (len(colours) < SMEARED or (strange & ~near).any()):
        raise ValueError(_no_mask(rows[np.argsort(-counts)]))
    return _of_gray(gray[where], lossy=True)


def _no_mask(colours):
    shown = ", ".join(str(tuple(map(int, colour))) for colour in colours[:4]) + (", …" if len(colours) > 4 else "")
    return (
        f"a colour picture is not a mask; expected black and one colour, found {len(colours)}: {shown}; "
        "if these are classes, `crack-utils import FOLDER --crack R,G,B --out DATA` takes the colour of the crack"
    )


def _shown(levels):
    return ", ".join(f"{level:g}" for level in levels[:6].tolist()) + (", …" if len(levels) > 6 else "")
