"""Things on and around a specimen that are not cracks: grips, pins, bolts, scratches, pen marks, rulers, wires."""

import math

import numpy as np

from crack_utils.data.synthetic.drawing import box, disc, solid
from crack_utils.data.synthetic.wide.canvas import CLEAR, resample
from crack_utils.data.synthetic.wide.writing import write_label


def paint_marks(canvas, rng, gray, body):
    """Paint what is on the surface: scratches, pen lines, a ruler, letters, stickers and ground spots.

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
    half = np.abs(canvas.y).max(), np.abs(canvas.x).max()

    def anywhere():
        return np.array([rng.uniform(-half[1], half[1]), rng.uniform(-half[0], half[0])])

    contrast = 0.3 if gray < 0.5 else -0.3
    for _ in range(rng.poisson(rng.choice([0, 2, 8]))):  # scratches
        way = rng.uniform(0, 2 * math.pi)
        start, length = anywhere(), rng.exponential(0.25) + 0.03
        bend = rng.normal(0, 0.04) * length
        ends = np.array([[0, 0], [0.5 * length, bend], [length, 0]])
        turn = np.array([[math.cos(way), math.sin(way)], [-math.sin(way), math.cos(way)]])
        points, dark = start + ends @ turn, rng.random() < 0.4
        if not dark or canvas.clear(resample(points), CLEAR):
            value = rng.uniform(0, 0.5 * gray) if dark else min(gray + rng.uniform(0.15, 0.5), 1)
            canvas.line(points, rng.uniform(0.0004, 0.002), value, rng.uniform(0.2, 0.9), body)
    if rng.random() < 0.22:  # pen lines, one or a grid
        angle, pitch = rng.uniform(0, math.pi), rng.uniform(0.06, 0.2)
        way, aside = np.array([math.cos(angle), math.sin(angle)]), np.array([-math.sin(angle), math.cos(angle)])
        middle, width = anywhere() * 0.6, rng.uniform(0.001, 0.004)
        for step in range(rng.integers(1, 8)):
            foot = middle + step * pitch * aside
            reach = rng.uniform(0.2, 1.0)
            points = [foot - reach * way, foot + reach * way]
            # A line along the crack would be taken for it; one across it is drawn below it.
            if canvas.clear(resample(points), CLEAR) or (rng.random() < 0.5 and step):
                canvas.line(points, width, gray + contrast * rng.uniform(0.6, 1.8), rng.uniform(0.4, 0.95), body)
    if rng.random() < 0.2:
        _paint_ruler(canvas, rng, anywhere())
    if rng.random() < 0.2:
        write_label(canvas, rng, anywhere(), max(gray + 2 * contrast, 0.02), body)
    for _ in range(rng.integers(1, 5) if rng.random() < 0.2 else 0):  # stickers, ground spots, target marks
        centre, radius = anywhere(), rng.uniform(0.012, 0.06)
        if canvas.clear([centre], radius + CLEAR):
            distance = disc(canvas.x, canvas.y, centre, radius)
            value = rng.uniform(0.0, 1.0)
            canvas.image += solid(canvas.scale * distance) * body * (value - canvas.image)
            if rng.random() < 0.5:
                inner = disc(canvas.x, canvas.y, centre, radius * rng.uniform(0.3, 0.7))
                canvas.image += solid(canvas.scale * inner) * body * (1 - value - canvas.image)


def _paint_ruler(canvas, rng, start):
    """Paint short strokes in a row, on a light strip or none."""
    angle, pitch = rng.uniform(0, 2 * math.pi), rng.uniform(0.008, 0.03)
    way, aside = np.array([math.cos(angle), math.sin(angle)]), np.array([-math.sin(angle), math.cos(angle)])
    count, tall = rng.integers(8, 50), rng.uniform(0.02, 0.05)
    strip = start + tall * aside / 2, start + count * pitch * way + tall * aside / 2
    if not canvas.clear(resample(strip), 1.3 * tall + CLEAR):
        return
    if rng.random() < 0.6:
        canvas.line(strip, 0.9 * tall, rng.uniform(0.6, 0.95))
    for index in range(count):
        foot = start + index * pitch * way
        canvas.line([foot, foot + (tall if index % 5 == 0 else 0.6 * tall) * aside], 0.12 * pitch, 0.05, 0.9)


def paint_rig(canvas, rng, layout, fields):
    """Paint what holds and loads the specimen, away from the cracks.

    Parameters
    ----------
    canvas : Canvas
        Painted in place.
    rng : numpy.random.Generator
    layout : Layout
        Of the specimen.
    fields : ndarray of float32, shape (height, width)
        Texture of grips and blocks, mean 0 and variance 1.
    """
    gray = rng.uniform(0.15, 0.9)
    if layout.kind == "compact" and rng.random() < 0.9:
        _load_compact(canvas, rng, layout, gray, fields)
    elif layout.kind == "middle":
        for side in (-1, 1):
            edge = layout.half_height * rng.uniform(0.65, 0.95)
            grip = (0.0, side * (edge + 0.5)), (layout.ahead * rng.uniform(1.0, 1.3), 0.5)
            _paint_block(canvas, rng, *grip, gray, fields)
            for place in np.linspace(-0.6, 0.6, rng.integers(1, 4)):
                _paint_pin(canvas, rng, (place * layout.ahead, side * (edge + 0.08)), rng.uniform(0.02, 0.04))
    elif layout.kind == "bend":
        radius = rng.uniform(0.04, 0.09)
        for u, v in ((-layout.behind - radius, -1), (-layout.behind - radius, 1), (layout.ahead + radius, 0)):
            _paint_pin(canvas, rng, (u, v * rng.uniform(0.25, 0.5)), radius)
    elif rng.random() < 0.35:
        for _ in range(rng.integers(1, 3)):
            side, out = rng.choice([-1, 1]), rng.uniform(0.3, 0.5)
            if rng.random() < 0.5:
                block = (rng.uniform(-0.2, 0.4), side * (out + 0.3)), (rng.uniform(0.06, 0.8), 0.3)
                _paint_block(canvas, rng, *block, gray, fields)
            else:
                _paint_pin(canvas, rng, (rng.uniform(-0.4, 0.5), side * out), rng.uniform(0.015, 0.06))


def _load_compact(canvas, rng, layout, gray, fields):
    """Paint the two loading holes of a C(T), with pins and clevises in front or none (ASTM E647: hole 0.25 W)."""
    width = (layout.behind + layout.ahead) / 1.25
    radius, line = 0.125 * width, 0.25 * width - layout.behind
    clevis = rng.random() < 0.5
    for side in (-1, 1):
        centre = (line, side * 0.275 * width)
        if clevis:
            wide, end = rng.uniform(1.3, 1.8) * radius, rng.uniform(1.2, 1.7) * radius
            reach = 0.5 + end / 2
            _paint_block(canvas, rng, (line, centre[1] + side * (reach - end)), (wide, reach), gray, fields, 0.4 * wide)
        elif rng.random() < 0.9 and canvas.clear([_to_xy(layout, centre)], radius + 0.01):
            canvas.image += solid(canvas.scale * disc(canvas.u, canvas.v, centre, radius)) * (0.05 - canvas.image)
        if clevis or rng.random() < 0.6:
            _paint_pin(canvas, rng, centre, radius * rng.uniform(0.5, 0.9))


def _to_xy(layout, place):
    return layout.pose.to_picture(np.array([place], float))[0]


def _paint_block(canvas, rng, centre, half_size, gray, fields, corner=0.01):
    """Paint a metal part with a shadow around it and a light or dark edge; not where it would hide a crack."""
    distance = box(canvas.u, canvas.v, centre, half_size, min(corner, 0.9 * min(half_size)))
    if not _keeps_clear(canvas, distance):
        return
    near = distance < 0.08
    d, local = distance[near], canvas.image[near]
    local *= 1 - 0.6 * np.exp(-np.maximum(d, 0) / rng.uniform(0.005, 0.03))
    value = gray * (1 + rng.uniform(0, 0.3) * np.cos(rng.uniform(3, 12) * canvas.u[near] + rng.uniform(0, 6)))
    value += rng.uniform(0.005, 0.03) * fields[near]
    local += solid(canvas.scale * d) * (value - local)
    local += rng.uniform(-0.3, 0.6) * np.exp(-((d / 0.003) ** 2)) * (0.9 - local)
    canvas.image[near] = local


def _paint_pin(canvas, rng, centre, radius):
    """Paint a pin, bolt or roller: a shaded disc, with a dark gap around."""
    distance = disc(canvas.u, canvas.v, centre, radius)
    if not _keeps_clear(canvas, distance):
        return
    near = distance < 0.06
    d, local = distance[near], canvas.image[near]
    local *= 1 - 0.8 * np.exp(-((np.maximum(d, 0) / rng.uniform(0.004, 0.012)) ** 2))
    du, dv = (canvas.u[near] - centre[0]) / radius, (canvas.v[near] - centre[1]) / radius
    shine = np.exp(
        -((np.hypot(du - rng.uniform(-0.4, 0.4), dv - rng.uniform(-0.4, 0.4)) / rng.uniform(0.15, 0.6)) ** 2)
    )
    value = rng.uniform(0.05, 0.5) + rng.uniform(0.2, 0.8) * shine
    if rng.random() < 0.3:  # a socket in the bolt's head
        turned = np.maximum.reduce(
            [np.abs(du * math.cos(a) + dv * math.sin(a)) for a in (0, math.pi / 3, -math.pi / 3)]
        )
        value = np.where(turned < 0.5, 0.06, value)
    canvas.image[near] = local + solid(canvas.scale * d) * (value - local)


def _keeps_clear(canvas, distance):
    """Whether a solid, given by its signed distances, keeps off the cracks."""
    if not len(canvas.cracks):
        return True
    rows, columns = np.rint(canvas.to_pixels(canvas.cracks)).astype(int).T
    seen = (rows >= 0) & (rows < distance.shape[0]) & (columns >= 0) & (columns < distance.shape[1])
    return distance[rows[seen], columns[seen]].min(initial=9.0) > CLEAR


def draw_wires(rng):
    """Draw wires and gauge leads before the specimen: (points (x, y), half width, gray)."""
    wires = []
    for _ in range(rng.integers(1, 4) if rng.random() < 0.18 else 0):
        at = np.linspace(-1.2, 1.2, 50)[:, None]
        angle = rng.uniform(0, math.pi)
        way, aside = np.array([[math.cos(angle), math.sin(angle)]]), np.array([[-math.sin(angle), math.cos(angle)]])
        bend = rng.uniform(-0.4, 0.4) * at**2 + rng.uniform(0, 0.06) * np.sin(rng.uniform(2, 5) * at)
        points = at * way + (rng.uniform(-0.6, 0.6) + bend) * aside
        wires.append((points, rng.uniform(0.003, 0.016), rng.uniform(0.05, 0.8)))
    return wires


def paint_wires(canvas, wires):
    """Paint wires that keep off the cracks, each with its shadow and a light line."""
    for points, half_width, gray in wires:
        if canvas.clear(resample(points), half_width + CLEAR):
            canvas.line(points + 0.6 * half_width, 1.2 * half_width, 0.0, 0.35)
            canvas.line(points, half_width, gray)
            canvas.line(points - 0.25 * half_width, 0.3 * half_width, min(gray + 0.35, 1), 0.7)


def paint_gauge(canvas, rng, layout):
    """Paint a clip gauge's two arms at the notch's mouth.

    Parameters
    ----------
    canvas : Canvas
        Painted in place.
    rng : numpy.random.Generator
    layout : Layout
        Of the specimen.
    """
    gray, gap = rng.uniform(0.3, 0.9), rng.uniform(0.02, 0.06)
    for side in (-1, 1):
        half_size = rng.uniform(0.1, 0.4), rng.uniform(0.008, 0.02)
        centre = -min(layout.behind, 0.45) - half_size[0] + 0.03, side * (gap + half_size[1])
        distance = box(canvas.u, canvas.v, centre, half_size, 0.004)
        if _keeps_clear(canvas, distance):
            canvas.image *= 1 - 0.4 * np.exp(-np.maximum(distance, 0) / 0.01)
            canvas.image += solid(canvas.scale * distance) * (gray - canvas.image)
