"""Writing on a specimen: printed letters, and what a person writes and draws with a pen."""

import math

import numpy as np
from scipy.interpolate import make_interp_spline

from crack_utils.data.synthetic.wide.canvas import CLEAR, resample

_BESIDE = 0.5  # share of the writing that is near a crack, as people write next to what they mark
_GLYPHS = {  # strokes of letters on a 2 by 4 grid
    "0": [(0, 0), (2, 0), (2, 4), (0, 4), (0, 0)],
    "1": [(0, 1), (1, 0), (1, 4)],
    "2": [(0, 0), (2, 0), (2, 2), (0, 4), (2, 4)],
    "3": [(0, 0), (2, 0), (1, 2), (2, 3), (1, 4), (0, 4)],
    "4": [(2, 3), (0, 3), (1, 0), (1, 4)],
    "5": [(2, 0), (0, 0), (0, 2), (2, 2), (2, 4), (0, 4)],
    "7": [(0, 0), (2, 0), (1, 4)],
    "A": [(0, 4), (1, 0), (2, 4), (1.5, 2.5), (0.5, 2.5)],
    "C": [(2, 0), (0, 0), (0, 4), (2, 4)],
    "L": [(0, 0), (0, 4), (2, 4)],
    "N": [(0, 4), (0, 0), (2, 4), (2, 0)],
    "T": [(0, 0), (2, 0), (1, 0), (1, 4)],
}


def write_label(canvas, rng, start, value, body):
    """Write some printed letters and digits in a row, unless they would hide a crack.

    Parameters
    ----------
    canvas : Canvas
        Painted in place.
    rng : numpy.random.Generator
    start : (x, y)
        Of the row, in units of the frame.
    value : float in [0, 1]
        Gray value of the letters.
    body : ndarray of float, shape (height, width)
        Share of each pixel that the specimen covers, in [0, 1].
    """
    angle, tall = rng.choice(4) * math.pi / 2 + rng.normal(0, 0.1), rng.uniform(0.03, 0.1)
    glyphs = [np.array(_GLYPHS[letter], float) for letter in rng.choice(sorted(_GLYPHS), rng.integers(2, 7))]
    turn = _turn(angle)
    letters = [start + (tall / 4 * (glyph + np.array([3 * place, 0]))) @ turn for place, glyph in enumerate(glyphs)]
    if all(canvas.clear(resample(letter), CLEAR) for letter in letters):
        for letter in letters:
            canvas.line(letter, rng.uniform(0.05, 0.08) * tall, value, 0.85, body)


def write_by_hand(canvas, rng, gray, body):
    """Write words, numbers, arrows and frames with a pen: pencil, ball pen or felt pen.

    What is written keeps off the cracks, and is often beside one. Strokes that would hide a crack are left out.

    Parameters
    ----------
    canvas : Canvas
        Painted in place.
    rng : numpy.random.Generator
    gray : float in [0, 1]
        Mean gray value of the surface.
    body : ndarray of float, shape (height, width)
        Share of each pixel that the specimen covers, in [0, 1].
    """
    half = np.array([np.abs(canvas.x).max(), np.abs(canvas.y).max()])
    dark = gray > 0.35 or rng.random() < 0.5
    value = rng.uniform(0, 0.5 * gray) if dark else rng.uniform(min(gray + 0.3, 0.9), 1)
    half_width = math.exp(rng.uniform(math.log(0.0008), math.log(0.006)))
    opacity, angle = rng.uniform(0.45, 0.95), rng.choice(4) * math.pi / 2 + rng.normal(0, 0.15)
    tall = max(rng.uniform(0.02, 0.1), 6 * half_width)
    for _ in range(rng.integers(1, 4)):
        start = rng.uniform(-half, half)
        if len(canvas.cracks) and rng.random() < _BESIDE:
            start = canvas.cracks[rng.integers(len(canvas.cracks))] + rng.normal(0, 0.1, 2)
        drawn = _page(rng, tall) if rng.random() < 0.75 else _sign(rng, tall)
        for points in drawn:
            points = start + points @ _turn(angle)
            if canvas.clear(resample(points), CLEAR):
                canvas.line(points, half_width * rng.uniform(0.85, 1.15), value, opacity, body)


def _page(rng, tall):
    """Strokes of one to three lines of a few words, shape (n, 2) each; all lines begin near the left end."""
    letter = _letter if rng.random() < 0.6 else _print
    slant, strokes = rng.normal(0, 0.2), []
    for line in range(rng.integers(1, 4)):
        place = rng.uniform(-0.3, 0.3)
        for _ in range(rng.integers(1, 3)):
            for _ in range(rng.integers(1, 7)):
                points = letter(rng)
                leaning = np.stack([points[:, 0] - slant * points[:, 1], points[:, 1]], axis=1)
                strokes.append(tall * (leaning + np.array([place, 1.6 * line + rng.normal(0, 0.06)])))
                place += rng.uniform(0.6, 0.9)
            place += 0.6
    return strokes


def _letter(rng):
    """One round stroke through a few points of a cell, about 0.55 wide and 1 high."""
    corners = rng.uniform(0, 1, (rng.integers(3, 7), 2)) * [0.55, 1]
    return make_interp_spline(np.arange(len(corners)), corners, k=2)(np.linspace(0, len(corners) - 1, 24))


def _print(rng):
    """One of the printed letters as a hand draws it, in a cell that is 0.5 wide and 1 high."""
    glyph = np.array(_GLYPHS[str(rng.choice(sorted(_GLYPHS)))], float) / 4
    return glyph + rng.normal(0, 0.04, glyph.shape)


def _sign(rng, tall):
    """Strokes of an arrow, a ring, a frame or a cross."""
    long = tall * rng.uniform(1, 6)
    kind = rng.integers(4)
    if kind == 0:
        head = 0.25 * min(long, 2 * tall)
        shaft = np.array([[0, 0], [0.5 * long, rng.normal(0, 0.05) * long], [long, 0]])
        return [shaft, np.array([[long - head, -0.6 * head], [long, 0], [long - head, 0.6 * head]])]
    if kind == 1:
        turn = np.linspace(0, rng.uniform(5.6, 7), 60)
        ring = np.stack([long * np.cos(turn), long * rng.uniform(0.5, 1) * np.sin(turn)], axis=1)
        return list(_pieces(ring * (1 + 0.03 * np.sin(turn + rng.uniform(0, 6)))[:, None]))
    if kind == 2:
        corners = np.array([[0, 0], [long, 0], [long, 1.6 * tall], [0, 1.6 * tall], [0, 0]])
        return list(_pieces(corners + rng.normal(0, 0.03 * tall, corners.shape)))
    return [tall * np.array([[-0.5, -0.5], [0.5, 0.5]]), tall * np.array([[-0.5, 0.5], [0.5, -0.5]])]


def _pieces(points):
    """Parts of a line, so that the part that would hide a crack can be left out alone."""
    step = 3 if len(points) > 6 else 1  # of a curve's many short sides, three at a time
    for start in range(0, len(points) - 1, step):
        yield points[start : start + step + 1]


def _turn(angle):
    return np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
