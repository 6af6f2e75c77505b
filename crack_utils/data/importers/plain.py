"""Masks to correct: black and white exchanged, gray edges, saved as JPEG, or the crack in one of many colours.

The colour of the crack must be given (`crack-utils import FOLDER --crack black`).
"""

from collections import Counter
from functools import partial

import numpy as np
from PIL import ImageColor

from crack_utils.data.importers.pixels import BLACK, WHITE, pairs, read_pixels
from crack_utils.data.importers.shapes import Annotated
from crack_utils.data.stored import DataError

NEAR = 32  # of 255, in red, green and blue: how far JPEG moves a colour


def read(folder, options):
    """Yield an `Annotated` for each mask beside a photograph; its only class is the crack's colour."""
    colour = parse_colour(options.crack)
    for file, photograph in pairs(folder):
        yield Annotated(file, photograph, Counter([options.crack]), partial(_mask, file, colour))


def parse_colour(text):
    """Return a colour as (red, green, blue) in 0 to 255 from "black", "#fa3253" or "250,50,83".

    Raises
    ------
    ValueError
        If the text is not a colour.
    """
    try:
        return ImageColor.getrgb(f"rgb({text})" if text[:1].isdigit() else text)[:3]
    except ValueError:
        raise ValueError(f"{text!r} is not a colour; expected one such as black, white or 250,50,83") from None


def _mask(file, colour, labels, size):
    """Return the mask: for black or white, the darker or brighter half of the gray values; else all similar colours.

    A mask with values such as 0 and 1, which look the same, is refused.
    """
    values = read_pixels(file, colours=True)
    if colour in (BLACK, WHITE):
        crack = (values.max(axis=2) < 128) if colour == BLACK else (values.min(axis=2) >= 128)
        away = values.max() if colour == WHITE else 255 - values.min()  # from a background of the other colour
        if 0 < away < NEAR:
            wanted, other = ("white", "black") if colour == WHITE else ("black", "white")
            raise DataError(f"{file}: no pixel is {wanted}, yet not all are {other}; are its values 0 and 1?")
        return crack
    return (np.abs(values.astype(int) - colour) <= NEAR).all(axis=2)
