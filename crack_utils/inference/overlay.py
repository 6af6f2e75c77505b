"""A photograph with its cracks outlined, the tip marked, and a strip below that says the measures and the scale."""

import math
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from PIL import Image, ImageColor, ImageDraw, ImageFont
from scipy import ndimage

from crack_utils.data.colours import CRACK, SECONDARY, TIP
from crack_utils.data.contrast import stretch_limits, stretched
from crack_utils.data.stored import bands
from crack_utils.geometry import part_of
from crack_utils.geometry.skeleton import EIGHT, box_of
from crack_utils.runtime.typeset import number

UNSURE = 0.5  # a tip with a smaller probability of being the right end is more likely wrong than right


def overlay(image, mask, cracks, name, mm_per_px=None):
    """Draw what was found in a photograph.

    Parameters
    ----------
    image : ndarray, float, shape (H, W), in [0, 1]
        Shown with its contrast stretched.
    mask : ndarray, bool, shape (H, W)
    cracks : list of geometry.Crack
        Of that mask, the primary crack first; empty if what the mask shows is not taken for a crack.
    name : str
        Of the photograph.
    mm_per_px : float, optional

    Returns
    -------
    PIL.Image, RGB
        The outline lies around the crack, so that the crack itself stays visible: the primary crack's in orange, all
        others' in blue. A tip is the middle of a yellow circle, which is dashed where the tip is unsure (`is_unsure`).
    """
    return Image.fromarray(overlay_array(image, mask, cracks, name, mm_per_px))


def overlay_array(image, mask, cracks, name, mm_per_px=None):
    """Return what `overlay` draws as a uint8 array of shape (height, width, 3).

    Of a photograph of 100 megapixels a picture of Pillow's would take as much memory again.
    """
    height, width = mask.shape
    line = max(1, round(max(mask.shape) / 1000))  # [px]
    primary = part_of(mask, cracks[0]) if cracks else np.zeros_like(mask)
    letters = max(12, round(max(mask.shape) / 50))  # [px]
    painted = np.empty((height + 4 * letters, width, 3), np.uint8)
    limits, start = stretch_limits(image), 0
    for band in bands(image):
        painted[start : start + len(band)] = _in_8_bits(stretched(band, *limits))[..., None]
        start += len(band)
    painted[height:] = 255
    for part, colour in ((mask & ~primary, SECONDARY), (primary, CRACK)):
        if part.any():
            box = tuple(slice(max(0, side.start - line), side.stop + line) for side in box_of(part))
            outline = ndimage.binary_dilation(part[box], EIGHT, iterations=line) & ~mask[box]
            painted[:height][box][outline] = ImageColor.getrgb(colour)
    for position in cracks[0].tip.positions if cracks else []:
        # A photograph of 2500 px is looked at with 900: there the circle's line still has 2 px.
        sizes = max(10, round(max(mask.shape) / 90)), max(2, round(max(mask.shape) / 400))
        _mark(painted, position, *sizes, is_unsure(cracks[0].tip))
    strip = Image.fromarray(painted[height:])
    draw, font = ImageDraw.Draw(strip), _font(letters)
    _write(draw, (letters // 2, letters // 2), f"{name}: {_words(cracks, mask.any())}", width - letters, font)
    _scale_bar(draw, (letters // 2, 2 * letters), width, letters, mm_per_px, font)
    painted[height:] = strip
    return painted


def is_unsure(tip):
    """Return whether a tip is more likely wrong than right: it may be the other end, or no crack at all.

    Parameters
    ----------
    tip : geometry.Tip
    """
    return tip.found and tip.right_end_probability is not None and tip.right_end_probability < UNSURE


def _in_8_bits(gray):
    gray *= 255
    return np.rint(gray, out=gray).astype(np.uint8)


def _mark(painted, position, radius, line, dashed):
    """Draw a circle around a position, and short strokes from it outwards, with a dark edge: grounds may be bright."""
    reach = 2 * radius + 4 * line  # farther away nothing is drawn
    top, left = (max(0, round(place) - reach) for place in position)
    window = painted[top : round(position[0]) + reach, left : round(position[1]) + reach]
    picture = Image.fromarray(window)
    draw, row, column = ImageDraw.Draw(picture), position[0] - top, position[1] - left
    for colour, edge in (("black", 1 + line // 3), (TIP, 0)):
        outer, width = radius + edge, line + 2 * edge
        box = (column - outer, row - outer, column + outer, row + outer)
        for start in range(0, 360, 45):
            draw.arc(box, start, start + (22 if dashed else 45), colour, width)
        for down, right in ((0, 1), (0, -1), (1, 0), (-1, 0)):
            start, stop = radius, 1.8 * radius + edge
            ends = [(column + right * at, row + down * at) for at in (start, stop)]
            draw.line(ends, fill=colour, width=width)
    window[:] = picture


def _font(size):
    """Return Matplotlib's font in a size [px]: Pillow's own has no letters beyond English."""
    folder = Path(find_spec("matplotlib").origin).parent  # found without its import, which takes long
    return ImageFont.truetype(folder / "mpl-data" / "fonts" / "ttf" / "DejaVuSans.ttf", size)


def _write(draw, corner, text, width, font):
    """Write a line of text that fits into a width [px], smaller if need be."""
    long = draw.textlength(text, font)
    draw.text(
        corner, text, "black", font if long <= width else font.font_variant(size=max(1, font.size * width / long))
    )


def _short(value, digits):
    """Return a value with `digits` significant digits, but always with all digits before the point."""
    return f"{value:.0f}" if value >= 10 ** (digits - 1) else f"{value:.{digits}g}"


def _words(cracks, outlined):
    if not cracks:
        return "no crack found" + ("; what is outlined is not taken for one" if outlined else "")
    crack = cracks[0]
    scale, unit = (1, "px") if crack.mm_per_px is None else (crack.mm_per_px, "mm")
    length, width = crack.length * scale, crack.mean_width * scale
    words = f"length {_short(length, 3)} {unit}, width {_short(width, 2)} {unit}"
    if crack.tip.found:
        words += ", tip at " + " and ".join(
            f"row {row:.0f}, column {column:.0f}" for row, column in crack.tip.positions
        )
        if is_unsure(crack.tip):
            words += f" (right with {number(crack.tip.right_end_probability, '.0%')})"
    return words + (f"; {len(cracks) - 1} more" if len(cracks) > 1 else "")


def _scale_bar(draw, corner, width, letters, mm_per_px, font):
    """Draw a bar of a round length, at most a quarter of the picture's width, and write its length beside it."""
    scale, unit = (1, "px") if mm_per_px is None else (mm_per_px, "mm")
    longest = width * scale / 4
    decade = 10.0 ** math.floor(math.log10(longest))
    length = max(step * decade for step in (1, 2, 5) if step * decade <= longest)
    left, top = corner
    thick = max(2, letters // 4)
    middle = top + 0.7 * letters
    draw.rectangle((left, middle - thick / 2, left + length / scale, middle + thick / 2), fill="black")
    draw.text((left + length / scale + letters // 2, top), f"{length:g} {unit}", "black", font)
