"""Textures of the materials that cracks are photographed on.

Each function of a material draws one surface. Its arguments are a random generator `rng` and `fields`, the `Fields` of
the picture. It returns gray values, about [0, 1], an ndarray of float32 of shape (height, width).
"""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage


@dataclass(frozen=True)
class Bond:
    """Sizes of bricks, tiles or slabs, whose joints cracks follow [px]."""

    height: float
    width: float
    shift: float
    joint: float
    origin: tuple


def draw_texture(rng, fields, plain=False):
    """Draw a surface.

    Parameters
    ----------
    rng : numpy.random.Generator
    fields : Fields
    plain : bool
        Whether to draw only plaster, which is fractal clouds and grain.

    Returns
    -------
    surface : ndarray of float32, shape (height, width)
    bond : Bond or None
        Of masonry only.
    """
    names = list(MATERIALS)
    weights = np.array([MATERIALS[name][1] for name in names])
    name, second = rng.choice(names, 2, p=weights / weights.sum())
    mixed = rng.random() < 0.15
    if plain:
        return plaster(rng, fields), None
    if name == "masonry":
        return masonry(rng, fields)
    surface = MATERIALS[name][0](rng, fields)
    if mixed and second != "masonry":  # worn paint, patches, a coat over another
        border = rng.uniform(0.2, 3) * fields.fractal(rng, 1.5)
        share = 1 / (1 + np.exp(-4 * (border - rng.uniform(-1, 1))))
        surface += share * (MATERIALS[second][0](rng, fields) - surface)
    return surface, None


def plaster(rng, fields):
    """Draw plaster: clouds and grain."""
    surface = _level(rng, 0.3, 0.85) + rng.uniform(0.01, 0.06) * fields.fractal(rng, rng.uniform(1, 2))
    return surface + rng.uniform(0.004, 0.08) * fields.fractal(rng, rng.uniform(-0.2, 0.7), coarsest=30)


def concrete(rng, fields):
    """Draw concrete, with pores, stones, and marks of the formwork."""
    surface = _level(rng, 0.3, 0.75) + rng.uniform(0.02, 0.08) * fields.fractal(rng, rng.uniform(1.2, 2))
    surface += rng.uniform(0.01, 0.07) * fields.fractal(rng, rng.uniform(-0.2, 0.6), coarsest=20)
    if rng.random() < 0.6:  # pores: dark, with a lit rim
        pores = _above(fields.grains(rng, rng.uniform(5, 22), 0.5), rng.uniform(1.8, 2.8), 0.3)
        surface -= rng.uniform(0.1, 0.4) * pores
        surface += rng.uniform(0, 0.1) * np.roll(pores, (1, 1), (0, 1))
    if rng.random() < 0.5:  # aggregate that shows through
        stones = np.tanh(rng.uniform(1, 3) * fields.grains(rng, rng.uniform(5, 25), rng.uniform(0.2, 0.6)))
        surface += rng.uniform(0.01, 0.07) * stones
    if rng.random() < 0.2:  # marks of the formwork or the broom
        surface += rng.uniform(0.01, 0.06) * fields.fractal(rng, 0.6, rng.uniform(8, 40), rng.uniform(0, np.pi))
    return surface


def asphalt(rng, fields):
    """Draw stones of many sizes in bitumen, lit from the side, some of them bright, and holes."""
    period, angle = float(np.exp(rng.uniform(np.log(2.5), np.log(12)))), rng.uniform(0, 2 * np.pi)
    height = fields.grains(rng, period, rng.uniform(0.5, 1.1)) + 0.5 * fields.grains(rng, 2.2 * period, 0.6)
    skew = rng.uniform(-0.5, 0.5)  # more of the one than of the other: stones stand out, or pits
    surface = _level(rng, 0.2, 0.65) + rng.uniform(0.02, 0.1) * (np.exp(skew * height) - 1) / skew
    surface += rng.uniform(0.0, 0.08) * _lit(height, angle)
    surface += rng.uniform(0.01, 0.05) * fields.fractal(rng, rng.uniform(1, 1.8))
    if rng.random() < 0.5:
        pale = fields.grains(rng, period * rng.uniform(0.7, 1.6), 0.6)
        surface += rng.uniform(0.05, 0.35) * _above(pale, rng.uniform(1.6, 2.6), 0.5)
        surface -= rng.uniform(0.0, 0.25) * _above(-pale, rng.uniform(1.6, 2.6), 0.5)
    if rng.random() < 0.3:  # worn: single large stones show
        stones, rim = cells(rng, fields.shape, period * rng.uniform(1.5, 3))
        shown = _above(rim, rng.uniform(0.05, 0.25), 0.15) * (stones > rng.uniform(-0.5, 1.2))
        surface += shown * (rng.uniform(-0.05, 0.2) + rng.uniform(0.02, 0.1) * np.roll(stones, 1, 0))
    return surface


def gravel(rng, fields):
    """Draw stones of one size."""
    period = float(np.exp(rng.uniform(np.log(6), np.log(45))))
    stones, rim = cells(rng, fields.shape, period)
    surface = _level(rng, 0.3, 0.7) + rng.uniform(0.04, 0.18) * stones
    surface -= rng.uniform(0.05, 0.35) * np.exp(-rim * period / rng.uniform(1.5, 5))
    return surface + rng.uniform(0.01, 0.06) * fields.fractal(rng, rng.uniform(0.2, 1))


def masonry(rng, fields):
    """Draw bricks, tiles or slabs; return the surface and its Bond."""
    height = np.exp(rng.uniform(np.log(28), np.log(150)))
    width, joint = (
        height * float(rng.choice([1.0, 2.0, 2.6, rng.uniform(1, 3)])),
        rng.uniform(1.2, max(2, 0.12 * height)),
    )
    shift = float(rng.choice([0.0, 0.5]))
    bond = Bond(height, width, shift, joint, (rng.uniform(0, height), rng.uniform(0, width)))
    uneven = rng.uniform(0, 0.12) * joint * fields.fractal(rng, 1.3)
    down = fields.rows + bond.origin[0] + uneven
    course = np.floor(down / height)
    along = fields.columns + bond.origin[1] + shift * width * (course % 2) + uneven
    stone = np.floor(along / width)
    edge = np.minimum(_to_edge(down - course * height, height), _to_edge(along - stone * width, width))
    tones = rng.standard_normal(256).astype(np.float32)[(57 * course + stone).astype(int) % 256]
    surface = _level(rng, 0.3, 0.75) + rng.uniform(0.0, 0.09) * tones
    surface += rng.uniform(0.01, 0.06) * fields.fractal(rng, rng.uniform(0.3, 1.4))
    ragged = edge + rng.uniform(0, 0.25) * joint * fields.fractal(rng, 0.8, coarsest=30)
    mortar = np.clip(0.5 + joint / 2 - ragged, 0, 1)
    grain = rng.uniform(0.01, 0.06) * fields.fractal(rng, 0.3, coarsest=20)
    return surface + mortar * (rng.uniform(-0.3, 0.3) + grain), bond


def metal(rng, fields):
    """Draw brushed, ground or rolled metal."""
    angle = rng.uniform(0, np.pi)
    surface = _level(rng, 0.25, 0.85) + rng.uniform(0.01, 0.1) * fields.fractal(
        rng, rng.uniform(0.2, 1), rng.uniform(10, 80), angle
    )
    surface += rng.uniform(0.0, 0.06) * fields.fractal(rng, rng.uniform(1.4, 2.2))
    return surface + rng.uniform(0.0, 0.04) * fields.fractal(rng, 0.2, rng.uniform(2, 6), angle)


def machined(rng, fields):
    """Draw turned or milled metal, with regular grooves, straight or in arcs."""
    period = rng.uniform(2.5, 14)
    if rng.random() < 0.5:
        at = fields.line(rng.uniform(0, np.pi), 0.0)
    else:
        reach = max(fields.shape)
        at = np.hypot(fields.rows - rng.uniform(-reach, 2 * reach), fields.columns - rng.uniform(-reach, 2 * reach))
    at = at + rng.uniform(0, 0.2) * period * fields.fractal(rng, 1.5)
    deep = rng.uniform(0.2, 1, 4096).astype(np.float32)[(at / period).astype(int) % 4096]
    surface = _level(rng, 0.3, 0.8) + rng.uniform(0.01, 0.12) * deep * np.sin(2 * np.pi / period * at)
    return surface + rng.uniform(0.01, 0.05) * fields.fractal(rng, rng.uniform(0.3, 1.5))


def rust(rng, fields):
    """Draw spots of rust on metal."""
    spots = _above(fields.fractal(rng, rng.uniform(0.8, 1.6)), rng.uniform(-0.5, 1.5), rng.uniform(0.1, 0.6))
    grain = fields.fractal(rng, rng.uniform(0.1, 0.7), coarsest=30)
    surface = _level(rng, 0.3, 0.75) + rng.uniform(0.0, 0.04) * fields.fractal(rng, 1.5)
    return surface + spots * (rng.uniform(-0.3, 0.1) + rng.uniform(0.02, 0.1) * grain) + rng.uniform(0, 0.03) * grain


def paint(rng, fields):
    """Draw paint with marks of the brush or roller, and places where it has come off."""
    surface = _level(rng, 0.25, 0.9) + rng.uniform(0.005, 0.03) * fields.fractal(rng, 1.8)
    stretch = float(rng.choice([1.0, rng.uniform(5, 25)]))
    angle = float(rng.choice([0, np.pi / 2])) + rng.normal(0, 0.2)
    marks = fields.fractal(rng, rng.uniform(0.4, 1.1), stretch, angle, coarsest=60)
    surface += rng.uniform(0.005, 0.05) * _lit(marks, rng.uniform(0, 2 * np.pi))
    if rng.random() < 0.35:
        off = _above(fields.fractal(rng, rng.uniform(1.2, 1.6)), rng.uniform(1, 2), 0.06)
        below = rng.uniform(-0.3, 0.3) + rng.uniform(0.02, 0.08) * fields.fractal(rng, 0.5)
        surface += off * below + rng.uniform(0, 0.4) * _lit(off, rng.uniform(0, 2 * np.pi))
    return surface


def wood(rng, fields):
    """Draw the grain of wood."""
    angle = float(rng.choice([0, np.pi / 2])) + rng.normal(0, 0.1)
    at = fields.line(angle, 0.0) / rng.uniform(4, 20) + rng.uniform(1, 4) * fields.fractal(rng, 2, 6, angle)
    surface = _level(rng, 0.25, 0.75) + rng.uniform(0.01, 0.08) * np.sin(2 * at)
    return surface + rng.uniform(0.01, 0.07) * fields.fractal(rng, 0.5, rng.uniform(10, 50), angle)


def speckle(rng, fields):
    """Draw a speckle pattern for digital image correlation: black dots on white, or white dots on black."""
    dots = _above(fields.grains(rng, rng.uniform(4, 20), rng.uniform(0.3, 0.7)), rng.uniform(0, 1.2), 0.15)
    dark, light = rng.uniform(0.02, 0.35), rng.uniform(0.45, 0.95)
    surface = dark + (light - dark) * (dots if rng.random() < 0.3 else 1 - dots)
    return surface + rng.uniform(0.01, 0.05) * fields.fractal(rng, rng.uniform(0.3, 1.5))


MATERIALS = {  # with how often each comes up: where cracks are photographed most
    "plaster": (plaster, 2.0),
    "concrete": (concrete, 5.0),
    "asphalt": (asphalt, 5.0),
    "gravel": (gravel, 1.0),
    "masonry": (masonry, 2.0),
    "metal": (metal, 1.2),
    "machined": (machined, 0.6),
    "rust": (rust, 1.0),
    "paint": (paint, 1.6),
    "wood": (wood, 0.6),
    "speckle": (speckle, 0.6),
}


def cells(rng, shape, period):
    """Divide a grid into stones.

    Parameters
    ----------
    rng : numpy.random.Generator
    shape : (height, width) [px]
    period : float [px]
        Mean distance of neighbouring stones.

    Returns
    -------
    tone : ndarray of float32, shape (height, width)
        One normal random number per stone, at all of its pixels.
    rim : ndarray of float32, shape (height, width)
        0 at the border between two stones; inside, about twice the distance from it, in units of `period`.
    """
    reduced = tuple(int(np.ceil(side / 2)) for side in shape)  # half the resolution: a fourth of the time
    down, along = (np.arange(side, dtype=np.float32) * np.float32(2 / period) + 1 for side in reduced)
    count = int(down[-1]) + 3, int(along[-1]) + 3
    points = (rng.random((2, *count), dtype=np.float32) - 0.5) * np.float32(0.9) + 0.5
    tones = rng.standard_normal(count).astype(np.float32)
    row, column = down.astype(int), along.astype(int)
    nearest = np.full(reduced, 9, np.float32)
    second, tone = nearest.copy(), np.zeros(reduced, np.float32)
    for i in (-1, 0, 1):
        for j in (-1, 0, 1):
            at = np.ix_(row + i, column + j)
            distance = np.hypot(points[0][at] + (row + i - down)[:, None], points[1][at] + (column + j - along)[None])
            closer = distance < nearest
            second = np.where(closer, nearest, np.minimum(second, distance))
            nearest, tone = np.where(closer, distance, nearest), np.where(closer, tones[at], tone)
    return tuple(part.repeat(2, 0).repeat(2, 1)[: shape[0], : shape[1]] for part in (tone, second - nearest))


def _level(rng, low, high):
    return np.float32(rng.uniform(low, high))


def _above(field, threshold, softness):
    """0 below a threshold, 1 above it, with an edge of a softness."""
    return np.clip((field - np.float32(threshold)) / np.float32(softness), 0, 1)


def _lit(height, angle):
    """Shade a relief lit from the side, by its slope towards the light."""
    return ndimage.correlate1d(height, [np.sin(angle), 0, -np.sin(angle)], 0) + ndimage.correlate1d(
        height, [np.cos(angle), 0, -np.cos(angle)], 1
    )


def _to_edge(at, period):
    return np.minimum(at, np.float32(period) - at)
