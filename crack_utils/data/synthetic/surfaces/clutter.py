"""Things on a surface that are not cracks, although many are thin, dark or long: joints, stains, hairs, shadows.

Each function draws one kind of thing. Its arguments are a random generator `rng`, `fields`, the `Fields` of the
picture, and `surface`, gray values of float32 and shape (height, width), about [0, 1]. It returns the new surface;
functions of objects also return where they hide the cracks, an ndarray of bool.
"""

import numpy as np
from scipy import ndimage

from crack_utils.data.synthetic.surfaces.cracks import Gap
from crack_utils.data.synthetic.surfaces.fields import smooth
from crack_utils.data.synthetic.surfaces.paths import Strand

_OFTEN = 1.3  # pieces of clutter a picture, in the mean
_COVERED, _SHADED = 0.25, 0.25  # shares of pictures with objects over the cracks, and with a shadow


def draw_clutter(rng, fields, surface):
    """Draw things that cracks run through, such as joints, lines, stains and scratches: none, one or several.

    Parameters
    ----------
    rng : numpy.random.Generator
    fields : Fields
        Of the picture.
    surface : ndarray of float32, shape (height, width)
        Gray values, about [0, 1].

    Returns
    -------
    ndarray of float32, shape (height, width)
    """
    kinds = (joint, step, painted_line, stain, water_mark, scratches, tyre_mark, chalk, film)
    for _ in range(rng.poisson(_OFTEN)):
        surface = kinds[rng.integers(len(kinds))](rng, fields, surface)
    return surface


def draw_objects(rng, fields, surface):
    """Draw objects that lie over the cracks, in a quarter of the pictures.

    Parameters
    ----------
    rng, fields, surface
        As for `draw_clutter`.

    Returns
    -------
    surface : ndarray of float32, shape (height, width)
    hidden : ndarray of bool, shape (height, width), or None
        Where cracks are hidden; None if nothing hides them.
    """
    if rng.random() > _COVERED:
        return surface, None
    kinds = (hairs, twig, leaves, holes, slot, bolts, edge_of_object)
    return kinds[rng.integers(len(kinds))](rng, fields, surface)


def draw_shadow(rng, fields, surface):
    """Draw the shadow of something outside the picture, in a quarter of the pictures: soft or hard, straight or round.

    Parameters
    ----------
    rng, fields, surface
        As for `draw_clutter`.

    Returns
    -------
    ndarray of float32, shape (height, width)
    """
    if rng.random() > _SHADED:
        return surface
    kind = rng.integers(3)
    if kind == 0:
        at = fields.line(rng.uniform(0, np.pi), rng.uniform(-0.4, 0.4) * min(fields.shape))
        at = at + rng.uniform(0, 6) * fields.fractal(rng, 1.8)
    elif kind == 1:  # a pole or a wire
        at = rng.uniform(2, 40) - np.abs(_line(rng, fields))
    else:
        at = 20 * (fields.fractal(rng, rng.uniform(1.5, 2.2)) - rng.uniform(-0.5, 1))
    shade = np.clip(0.5 + at / float(np.exp(rng.uniform(np.log(1), np.log(40)))), 0, 1)
    return surface * (1 - rng.uniform(0.15, 0.65) * shade)


def joint(rng, fields, surface):
    """Draw a straight gap of constant width between slabs, sometimes with a rim or a sealant."""
    at, half = _line(rng, fields), rng.uniform(0.7, 7)
    at = np.abs(at + rng.uniform(0, 0.15) * half * fields.fractal(rng, 1.2))
    surface = surface + rng.uniform(-0.1, 0.15) * np.clip(1.5 + half - at, 0, 1) * (rng.random() < 0.5)
    return _blend(surface, np.clip(0.5 + half - at, 0, 1), rng.uniform(0.3, 0.95), rng.uniform(0, 0.5))


def step(rng, fields, surface):
    """Draw the edge of a kerb, a patch or a plate: another gray value and texture beyond a line, sometimes a shadow."""
    at = _line(rng, fields) + rng.uniform(0, 2) * fields.fractal(rng, 1.3)
    beyond = np.clip(0.5 + at, 0, 1)
    other = rng.uniform(-0.3, 0.3) + rng.uniform(0, 0.05) * fields.fractal(rng, rng.uniform(0, 1), coarsest=40)
    line = rng.uniform(-0.35, 0.25) * np.exp(-np.abs(at) / rng.uniform(0.7, 4)) * (rng.random() < 0.6)
    return surface + beyond * other + line


def painted_line(rng, fields, surface):
    """Draw a road marking that is partly worn off."""
    at, half = np.abs(_line(rng, fields)), rng.uniform(5, 50)
    worn = np.clip((fields.fractal(rng, rng.uniform(0.7, 1.5)) + rng.uniform(-0.5, 2.5)) / 0.15, 0, 1)
    return _blend(surface, np.clip(0.5 + half - at, 0, 1) * worn, rng.uniform(0.5, 0.95), rng.uniform(0.6, 1.0))


def stain(rng, fields, surface):
    """Draw a spot of oil, moisture or dirt, dark or bright, with a soft or sharp edge."""
    spots = np.clip((fields.fractal(rng, rng.uniform(1.4, 2.2)) - rng.uniform(0.3, 2)) / rng.uniform(0.05, 1.5), 0, 1)
    return surface * (1 - rng.uniform(-0.25, 0.6) * spots)


def water_mark(rng, fields, surface):
    """Draw the thin curved rim of a dried puddle, or traces of water that ran down."""
    if rng.random() < 0.5:
        # Smooth, wide and faint; a dark, rough rim would look exactly like a crack.
        field = fields.fractal(rng, rng.uniform(2.3, 2.8)) - rng.uniform(-1, 1.5)
        rim = np.exp(-((field / rng.uniform(0.05, 0.25)) ** 2))
        return surface + rng.uniform(-0.08, 0.15) * rim + rng.uniform(-0.1, 0.1) * np.clip(field / 0.1, 0, 1)
    runs = fields.fractal(rng, 1.2, rng.uniform(8, 30), np.pi / 2 + rng.normal(0, 0.1)) - rng.uniform(0.3, 1.5)
    return surface + rng.uniform(-0.25, 0.2) * np.clip(runs, 0, 1.5)


def scratches(rng, fields, surface):
    """Draw thin scratches, straight or slightly bent, bright or dark, single or parallel."""
    side_by_side, heading = rng.random() < 0.5, rng.uniform(0, np.pi)
    strands = []
    for _ in range(rng.integers(1, 9)):
        turn = rng.normal(0, 0.05) if side_by_side else rng.uniform(0, np.pi)
        strands.append(_bent(rng, fields.shape, heading + turn, rng.uniform(0.1, 1.2), rng.uniform(0.3, 0.9)))
    return _stroke(fields, surface, strands, rng.uniform(0.2, 0.8), float(rng.choice([0.05, 0.95])))


def tyre_mark(rng, fields, surface):
    """Draw a tyre mark: a wide dark band, slightly bent, with a tread pattern."""
    at = np.abs(_line(rng, fields) + 1e-4 * rng.uniform(-8, 8) * (fields.columns - fields.shape[1] / 2) ** 2)
    half = rng.uniform(10, 60)
    band = np.clip((half - at) / rng.uniform(2, 12), 0, 1)
    tread = 0.7 + 0.3 * np.sin(at * rng.uniform(0.2, 1.0)) + 0.3 * fields.fractal(rng, 1)
    return surface * (1 - rng.uniform(0.1, 0.5) * band * np.clip(tread, 0, 1))


def chalk(rng, fields, surface):
    """Draw handwriting or marks of chalk, crayon or spray paint."""
    tall, place = rng.uniform(14, 70), rng.uniform(0.1, 0.7, 2) * fields.shape
    half, strands = rng.uniform(0.6, 0.06 * tall + 0.8), []
    for number in range(rng.integers(1, 7)):
        for _ in range(rng.integers(1, 4)):
            start = place + tall * (np.array([0, 0.8 * number]) + rng.uniform(0, 0.6, 2))
            count = int(tall * rng.uniform(0.6, 2))
            way = rng.uniform(0, 2 * np.pi) + np.cumsum(
                np.full(count, rng.uniform(-4, 4) / tall * (rng.random() < 0.7))
            )
            points = start + np.cumsum(np.stack([np.sin(way), np.cos(way)], 1), 0)
            strands.append(Strand(points, np.full(count, half), np.ones(count)))
    crumbly = np.clip(0.8 + rng.uniform(0, 0.6) * fields.fractal(rng, 0.5, coarsest=15), 0, 1)
    return _stroke(fields, surface, strands, rng.uniform(0.4, 0.9) * crumbly, float(rng.choice([0.03, 0.9, 0.98])))


def film(rng, fields, surface):
    """Draw a thin layer of dust, or glare."""
    veil = np.clip(0.5 + 0.5 * fields.fractal(rng, rng.uniform(1.6, 2.4)), 0, 1)
    return surface + rng.uniform(0, 0.6) * veil * (rng.uniform(0.3, 1) - surface)


def hairs(rng, fields, surface):
    """Draw hairs, fibres or wires: thin, smooth lines of constant width."""
    half = rng.uniform(0.4, 2.5)
    strands = [
        _bent(rng, fields.shape, rng.uniform(0, 7), rng.uniform(0.1, 1.5), half, 0.9) for _ in range(rng.integers(1, 4))
    ]
    return _stroke(fields, surface, strands, rng.uniform(0.5, 1), float(rng.choice([0.03, 0.1, 0.9]))), None


def twig(rng, fields, surface):
    """Draw a twig or a blade of grass with its shadow."""
    strand = _bent(rng, fields.shape, rng.uniform(0, 7), rng.uniform(0.1, 0.6), rng.uniform(1.2, 4), 0.5)
    gap = Gap(fields.shape, [strand])
    cover = np.clip(0.5 + gap.inside, 0, 1)
    shade = np.roll(ndimage.gaussian_filter(cover, 1), tuple(rng.integers(-5, 6, 2)), (0, 1))
    surface = surface * (1 - 0.5 * shade)
    value = rng.uniform(0.1, 0.7) + 0.1 * np.clip(gap.inside, 0, 2)
    return surface + cover * (value - surface), gap.inside > 1


def leaves(rng, fields, surface):
    """Draw leaves or litter, brighter or darker than the ground, with a shadow."""
    hidden = np.zeros(fields.shape, bool)
    for _ in range(rng.integers(1, 6)):
        at = _disc(rng, fields, rng.uniform(4, 28), squeeze=rng.uniform(0.3, 1)) + 2 * fields.fractal(rng, 1.8)
        cover = np.clip(0.5 + at, 0, 1)
        surface = surface * (1 - 0.5 * np.roll(np.clip(0.5 + at / 2, 0, 1), tuple(rng.integers(-4, 5, 2)), (0, 1)))
        value = rng.uniform(0.1, 0.85) + rng.uniform(0, 0.08) * fields.fractal(rng, 0.8)
        surface, hidden = surface + cover * (value - surface), hidden | (at > 0)
    return surface, hidden


def holes(rng, fields, surface):
    """Draw drilled holes, large pores or rivets: round and dark, or with a rim."""
    reach, uneven = rng.uniform(2, 22), rng.uniform(0, 1.5) * fields.fractal(rng, 1.3, coarsest=40)
    hidden = np.zeros(fields.shape, bool)
    for _ in range(rng.integers(1, 7)):
        at = _disc(rng, fields, reach * rng.uniform(0.7, 1.3), rng.uniform(0.8, 1.2)) + uneven
        bottom = rng.uniform(0, 0.3) + rng.uniform(0, 0.02) * np.minimum(at, 10)
        surface = _blend(surface, np.clip(0.5 + at, 0, 1), rng.uniform(0.4, 1), bottom)
        surface = surface + rng.uniform(-0.1, 0.3) * np.exp(-np.abs(at + 1.5) / 1.5)
        hidden |= at > 0
    return surface, hidden


def slot(rng, fields, surface):
    """Draw a machined notch, slot or keyhole of constant width, with a round end or a hole at its end."""
    heading, length = rng.uniform(0, 2 * np.pi), rng.uniform(0.1, 0.5) * min(fields.shape)
    start, half = rng.uniform(0, 1, 2) * fields.shape, rng.uniform(1.5, 9)
    points = start + np.arange(int(length))[:, None] * np.array([np.sin(heading), np.cos(heading)])
    widths = np.full(len(points), half)
    if rng.random() < 0.4:  # the hole of a keyhole
        widths[-1:] = half * rng.uniform(1.5, 3)
    gap = Gap(fields.shape, [Strand(points, widths, np.ones(len(points)))])
    cover = np.clip(0.5 + gap.inside, 0, 1)
    return _blend(surface, cover, rng.uniform(0.6, 1), rng.uniform(0, 0.25)), gap.inside > 0


def bolts(rng, fields, surface):
    """Draw bolt heads, washers or coins: round and lit from the side."""
    reach, hidden, angle = rng.uniform(5, 30), np.zeros(fields.shape, bool), rng.uniform(0, 7)
    for _ in range(rng.integers(1, 4)):
        at = _disc(rng, fields, reach)
        dome = np.clip(at / reach, 0, 1)
        slope = np.sin(angle) * np.gradient(dome, axis=0) + np.cos(angle) * np.gradient(dome, axis=1)
        value = rng.uniform(0.15, 0.8) + 4 * slope - 0.3 * np.exp(-np.abs(at) / 2)
        surface = surface * (1 - 0.4 * np.roll(np.clip(0.5 + at / 3, 0, 1), tuple(rng.integers(-4, 5, 2)), (0, 1)))
        surface, hidden = surface + np.clip(0.5 + at, 0, 1) * (value - surface), hidden | (at > 0)
    return surface, hidden


def edge_of_object(rng, fields, surface):
    """Draw the edge of a specimen or a wall, with a dark, bright or blurred background beyond it."""
    at = fields.line(rng.uniform(0, 2 * np.pi), rng.uniform(0.2, 0.45) * min(fields.shape))
    other = rng.uniform(0, 1) + rng.uniform(0, 0.15) * fields.fractal(rng, rng.uniform(1, 2))
    line = rng.uniform(-0.4, 0.3) * np.exp(-((at / rng.uniform(0.7, 3)) ** 2))
    return surface + np.clip(0.5 + at, 0, 1) * (other - surface) + line, at > 0


def _line(rng, fields):
    """Distance from a straight line across the picture, often along or across it."""
    angle = rng.uniform(0, np.pi) if rng.random() < 0.5 else float(rng.choice([0, np.pi / 2])) + rng.normal(0, 0.08)
    return fields.line(angle, rng.uniform(-0.45, 0.45) * min(fields.shape))


def _disc(rng, fields, radius, squeeze=1.0):
    """Distance into a disc or an ellipse, positive inside [px]."""
    row, column = rng.uniform(0, 1, 2) * fields.shape
    return radius - np.hypot(fields.rows - np.float32(row), (fields.columns - np.float32(column)) / np.float32(squeeze))


def _bent(rng, shape, heading, length, half, bend=0.08):
    """A smooth line of even width, `length` times as long as the picture."""
    count = max(8, int(length * min(shape)))
    way = heading + bend * smooth(rng, count, max(20, count / 3))
    points = rng.uniform(0, 1, 2) * shape + np.cumsum(np.stack([np.sin(way), np.cos(way)], 1), 0)
    return Strand(points - (points[-1] - points[0]) / 2, np.full(count, half), np.ones(count))


def _stroke(fields, surface, strands, opacity, value):
    gap = Gap(fields.shape, strands)
    cover = np.clip(0.5 + gap.inside, 0, 1) * np.minimum(1, 2 * gap.half)
    return _blend(surface, cover, opacity, value)


def _blend(surface, cover, opacity, value):
    return surface + opacity * cover * (value - surface)
