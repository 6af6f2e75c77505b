"""The PDF sheet of a photograph: what was found in it, its measures, and how they were made."""

import io
import textwrap
from datetime import UTC, datetime
from importlib.metadata import version

import numpy as np

from crack_utils.data.colours import CRACK, SECONDARY, TIP
from crack_utils.data.contrast import contrast_stretch
from crack_utils.data.digests import sha256
from crack_utils.data.images import resize_image
from crack_utils.runtime import provenance

A4 = (8.27, 11.69)  # [in]
SHARP = 1600  # [px] longest side of the picture on the sheet
CLOSE = 0.12  # side of the picture around the tip, as a share of the photograph's longest side
LETTERS = 105  # in a line
LINES = 6  # half the largest number of lines of sentences at full size; with more lines the font is smaller
MEASURES = {  # name → words, power of the unit
    "length": ("length along the crack", 1),
    "mean_width": ("mean width", 1),
    "max_width": ("greatest width", 1),
    "area": ("area", 2),
    "tip_uncertainty": ("the tip is placed within", 1),
}


def sheet(photograph, image, trained):
    """Return the sheet of a photograph.

    Parameters
    ----------
    photograph : Photograph
        With findings.
    image : ndarray, float, shape (H, W), in [0, 1]
    trained : Predictor

    Returns
    -------
    bytes
        A PDF of one A4 page.
    """
    file = io.BytesIO()
    metadata = {"Title": photograph.name, "Creator": f"crack-utils {_version()}"}
    draw_sheet(photograph, image, trained).savefig(file, format="pdf", metadata=metadata)
    return file.getvalue()


def draw_sheet(photograph, image, trained):
    """Draw the sheet of a photograph: the picture, its tip, the measures, and where they come from.

    Parameters
    ----------
    photograph : Photograph
    image : ndarray, float, shape (H, W), in [0, 1]
    trained : Predictor

    Returns
    -------
    matplotlib Figure
        Of one A4 page.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=A4)
    write = _writer(figure)
    crack = photograph.findings.cracks[0] if photograph.findings.cracks else None
    write(0.955, photograph.name, fontsize=15, weight="bold")
    write(0.935, _result(photograph), fontsize=10)
    _draw_whole(figure.add_axes((0.08, 0.49, 0.84, 0.43)), photograph, image)
    if crack is not None and crack.tip.found:
        _draw_tip(figure.add_axes((0.62, 0.245, 0.3, 0.21)), photograph, image)
    for number, (words, value) in enumerate(_measures(crack)):
        write(0.445 - 0.018 * number, words, fontsize=9)
        write(0.445 - 0.018 * number, value, x=0.3, fontsize=9)
    sentences = [*photograph.findings.sure]
    sentences += [f"Unlike the photographs of the training: {why}." for why in photograph.unlike]
    lines = [line for sentence in sentences for line in textwrap.wrap(sentence, 62 if crack else LETTERS)]
    size = 8 * min(1.0, 2 * LINES / max(len(lines), 1))  # so that all lines fit on the sheet
    write(0.445 - 0.018 * 9.5, "\n".join(lines), fontsize=size, linespacing=1.4)
    write(0.09, "\n".join(_provenance(photograph, trained)), fontsize=7, color="0.3", linespacing=1.4, va="bottom")
    return figure


def _writer(figure):
    """Return a function that writes text; a dollar sign in a name does not start a formula."""

    def write(y, text, x=0.08, va="top", **look):
        figure.text(x, y, text, va=va, parse_math=False, **look)

    return write


def _result(photograph):
    height, width = photograph.shape
    cracks = photograph.findings.cracks
    count = {0: "no crack found", 1: "one crack"}.get(len(cracks), f"{len(cracks)} cracks, the primary one in orange")
    scale = photograph.settings.mm_per_px
    return f"{height}×{width} px, {f'{scale:.4g} mm per px' if scale else 'scale not known'}; {count}"


def _measures(crack):
    """Return words and values of the primary crack's measures."""
    if crack is None:
        return []
    values, scale = crack.to_dict(), crack.mm_per_px
    rows = []
    for name, (words, power) in MEASURES.items():
        value = values[f"{name}_px2" if power == 2 else f"{name}_px"]
        if value is None or not np.isfinite(value):
            continue
        unit = "²" * (power == 2)
        in_mm = f"{value * scale**power:.4g} mm{unit}  ({value:.5g} px{unit})" if scale else f"{value:.5g} px{unit}"
        rows.append((words, in_mm))
    for words, position in (("tip (row, column)", crack.tip.position), ("other end", crack.tip.other_end)):
        if position is not None:
            rows.append((words, f"{position[0]:.1f}, {position[1]:.1f} px"))
    return [*rows, ("orientation", f"{crack.orientation:.1f}°")]


def _draw_whole(axes, photograph, image):
    scale = min(1.0, SHARP / max(image.shape))
    small = resize_image(contrast_stretch(image), tuple(max(1, round(scale * side)) for side in image.shape))
    _draw(axes, photograph, small, image.shape, (0, 0), line=0.8)


def _draw_tip(axes, photograph, image):
    """Draw the surroundings of the tip, in the photograph's own pixels."""
    half = max(20, round(CLOSE * max(image.shape) / 2))
    row, column = np.rint(photograph.findings.cracks[0].tip.position).astype(int)
    top, left = max(0, row - half), max(0, column - half)
    part = image[top : row + half, left : column + half]
    _draw(axes, photograph, contrast_stretch(part), part.shape, (top, left), line=1.2)
    axes.set_title("around the tip", fontsize=8)


def _draw(axes, photograph, gray, shape, corner, line):
    """Draw a part of a photograph with outlines and tips; its axes are the photograph's rows and columns."""
    (top, left), (height, width) = corner, shape
    extent = (left - 0.5, left + width - 0.5, top + height - 0.5, top - 0.5)
    axes.imshow(gray, cmap="gray", vmin=0, vmax=1, extent=extent)
    primary = set(photograph.findings.primary)
    for number, points in enumerate(photograph.lines):
        colour = CRACK if number in primary else SECONDARY
        axes.plot(points[:, 1], points[:, 0], color=colour, lw=line)
    for row, column in photograph.findings.cracks[0].tip.positions if photograph.findings.cracks else []:
        for edge, wide in (("black", 3.2), (TIP, 1.8)):
            axes.plot(column, row, "o", ms=13, mfc="none", mec=edge, mew=wide)
    axes.set(xlim=extent[:2], ylim=extent[2:])
    axes.tick_params(labelsize=6)


def _provenance(photograph, trained):
    """Return the lines that say how the sheet was made."""
    settings = photograph.settings
    by_hand = f"; decided by hand: {', '.join(settings.corrections)}" if settings.corrections else ""
    if settings.strokes:
        by_hand += f" ({len(settings.strokes)} strokes)"
    lines = [
        f"photograph: SHA-256 {sha256(photograph.file)}",
        f"model: {trained.source}",
        f"model's SHA-256 {trained.digest}; temperature {trained.temperature:.4g}",
        f"threshold {settings.threshold:.4g}{by_hand}",
        f"crack-utils {_version()}, commit {provenance.commit()}; {datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
    ]
    return [part for line in lines for part in textwrap.wrap(line, 130)]


def _version():
    return version("crack-utils")
