"""Paths and widths of cracks of many kinds on surfaces, in pixels."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.spatial import QhullError, Voronoi

from crack_utils.data.synthetic.surfaces.fields import smooth

_WIDEST = 25.0  # [px]


@dataclass(frozen=True)
class Strand:
    """One piece of a crack.

    Attributes
    ----------
    points : ndarray, shape (n, 2)
        (row, column) along its middle, about one pixel apart [px].
    half : ndarray, shape (n,)
        Half of its width there [px].
    strength : ndarray, shape (n,)
        How visible it is there: 1 fully, 0 not at all.
    """

    points: np.ndarray
    half: np.ndarray
    strength: np.ndarray


def draw_strands(rng, shape, bond=None, thinnest=1.0, without=()):
    """Draw the cracks of a picture.

    Parameters
    ----------
    rng : numpy.random.Generator
    shape : tuple of int
        (height, width) of the picture [px].
    bond : Bond, optional
        Where the surface has joints; cracks may then follow them in steps.
    thinnest : float
        Smallest width of the widest crack [px]; a thinner crack would not be visible.
    without : collection of str
        Of "networks", "branches", "steps", "varying widths", "faint".

    Returns
    -------
    list of Strand
    """
    habits = {"meandering": 0.46, "straight": 0.12, "bundle": 0.07, "network": 0.25, "short": 0.1}
    widest = max(thinnest, min(_WIDEST, 0.12 * min(shape)))
    width = float(np.exp(rng.uniform(np.log(thinnest), np.log(widest))))
    habit = rng.choice(list(habits), p=list(habits.values()))
    follows = rng.random() < 0.5
    if bond and follows and "steps" not in without:
        paths = [_steps(rng, shape, bond) for _ in range(rng.integers(1, 3))]
        widths = [min(width, 0.2 * bond.height) * rng.uniform(0.5, 1) for _ in paths]
    elif habit == "network" and "networks" not in without:
        period = float(np.exp(rng.uniform(np.log(22), np.log(130))))
        width = min(width, 0.5 * width + 3, 0.15 * period)
        paths, openness = _network(rng, shape, period)
        main = rng.uniform(0, 1)  # in some networks all cracks are alike, in others a few are wide
        widths = [max(thinnest, width * np.exp(main * min(0, value - 1))) for value in openness]
    elif habit == "bundle":
        width = min(width, 5)
        paths = _bundle(rng, shape)
        widths = [width * rng.uniform(0.4, 1) for _ in paths]
    else:
        paths, widths = _trees(rng, shape, width, habit, "branches" not in without)
    if not paths:  # a network whose rims all lie outside the picture
        paths, widths = _trees(rng, shape, width, "meandering", branches=False)
    return [
        _strand(rng, path, w, 0.35 * thinnest, without) for path, w in zip(paths, widths, strict=True) if len(path) > 3
    ]


def wander(rng, start, heading, length, bends, rough):
    """Draw a random path in steps of one pixel.

    Parameters
    ----------
    rng : numpy.random.Generator
    start : (row, column)
    heading : float
        Mean direction [rad].
    length : float
        [px]
    bends, rough : float
        Standard deviations of the direction in wide curves and from step to step [rad].

    Returns
    -------
    ndarray, shape (n, 2)
        (row, column) [px].
    """
    count = max(4, int(length))
    way = heading + bends * (0.7 * smooth(rng, count, 60) + 0.7 * smooth(rng, count, 18))
    way += rough * (0.7 * smooth(rng, count, 6) + 0.7 * smooth(rng, count, 2))
    return np.asarray(start, float) + np.cumsum(np.stack([np.sin(way), np.cos(way)], axis=1), axis=0)


def _character(rng, habit="meandering"):
    if habit == "straight":
        return rng.uniform(0, 0.12), rng.uniform(0.1, 0.4)
    return rng.uniform(0.1, 0.6), rng.uniform(0.05, 0.9)


def _trees(rng, shape, width, habit, branches):
    """One to three cracks from the picture's edge or its inside, and their branches."""
    bends, rough = _character(rng, habit)
    often = rng.choice([0.0, 0.6, 1.5]) if branches else 0.0
    paths, widths, reach = [], [], float(np.hypot(*shape))
    for _ in range(int(rng.choice([1, 2, 3], p=[0.65, 0.25, 0.1]))):
        start, heading = _entry(rng, shape)
        if habit == "short":
            start, heading = rng.uniform(0.1, 0.9, 2) * shape, rng.uniform(0, 2 * np.pi)
        length = reach * (rng.uniform(0.1, 0.4) if habit == "short" else rng.uniform(0.4, 1.2))
        jobs = [(start, heading, length, width * rng.uniform(0.7, 1), 0)]
        while jobs:
            start, heading, length, wide, level = jobs.pop()
            path = wander(rng, start, heading, length, bends, rough)
            paths.append(path)
            widths.append(wide)
            for _ in range(rng.poisson(often / (1 + level)) if level < 2 else 0):
                fork = path[rng.integers(len(path))]
                turn = heading + rng.choice([-1, 1]) * rng.uniform(0.3, 1.5)
                jobs.append((fork, turn, length * rng.uniform(0.1, 0.6), wide * rng.uniform(0.25, 0.8), level + 1))
    return paths, widths


def _entry(rng, shape):
    """A point on the picture's edge, and a heading inwards."""
    along, side = rng.uniform(), rng.integers(4)
    start = np.array([(along, 0.0), (along, 1.0), (0.0, along), (1.0, along)][side]) * (np.array(shape) - 1)
    inwards = np.array([0.5, 0.5]) * shape + rng.uniform(-0.3, 0.3, 2) * shape - start
    return start, float(np.arctan2(*inwards))


def _bundle(rng, shape):
    """Fine cracks side by side, as over a reinforcement or a bend."""
    count, heading = rng.integers(2, 7), rng.uniform(0, np.pi)
    bends, rough = _character(rng)
    across = np.array([np.cos(heading), -np.sin(heading)])
    middle, spacing = rng.uniform(0.3, 0.7, 2) * shape, rng.uniform(0.05, 0.2) * min(shape)
    paths = []
    for number in range(count):
        length = rng.uniform(0.2, 1.2) * min(shape)
        at = middle + across * spacing * (number - count / 2 + rng.uniform(-0.3, 0.3))
        start = at - 0.5 * length * np.array([np.sin(heading), np.cos(heading)])
        paths.append(wander(rng, start, heading + rng.normal(0, 0.1), length, 0.5 * bends, rough))
    return paths


def _network(rng, shape, period):
    """Alligator or map cracking: the rims of cells, one every `period` [px], in a part of the picture or everywhere."""
    tall, long = (int(np.ceil(side / period)) + 4 for side in shape)
    points = np.stack(np.mgrid[:tall, :long], axis=-1).reshape(-1, 2) - 2.0
    points += rng.uniform(0.35, 0.9) * rng.uniform(-1, 1, points.shape)
    stretch = float(np.exp(rng.normal(0, 0.35)))
    try:
        diagram = Voronoi(points * period * np.array([stretch, 1 / stretch]))
    except QhullError:
        return [], []
    open_, rough = rng.standard_normal(len(diagram.vertices)), rng.uniform(0.03, 0.25)
    closed = rng.uniform(-2.5, 0.2)  # rims around the least open corners have not cracked
    middle, reach = rng.uniform(0, 1, 2) * shape, rng.uniform(0.25, 1.6) * min(shape)
    paths, openness = [], []
    for first, last in diagram.ridge_vertices:
        ends = diagram.vertices[[first, last]]
        inside = first >= 0 and np.all((ends > -period) & (ends < np.array(shape) + period))
        value = (open_[first] + open_[last]) / np.sqrt(2)
        if inside and value > closed and np.hypot(*(ends.mean(0) - middle)) < reach:
            paths.append(_between(rng, *ends, rough))
            openness.append(value)
    return paths, openness


def _between(rng, start, end, rough):
    """A rough path from one point to another."""
    length = float(np.hypot(*(end - start)))
    count = max(4, int(length))
    along = np.linspace(0, 1, count)
    aside = smooth(rng, count, max(4, count / 4)) * length * rough * 0.5 + smooth(rng, count, 4) * rough * 3
    aside *= np.sqrt(4 * along * (1 - along))
    normal = np.array([-(end - start)[1], (end - start)[0]]) / max(length, 1e-6)
    return start + along[:, None] * (end - start) + aside[:, None] * normal


def _steps(rng, shape, bond):
    """Along the joints, up and sideways in turn, now and then through a stone."""
    course, stone = rng.integers(0, max(1, shape[0] / bond.height)), rng.integers(0, max(1, shape[1] / bond.width))
    side, down = rng.choice([-1, 1], 2)
    straight = rng.uniform(0.05, 0.5)
    corners, at = [], np.array([float(course), float(stone)])
    for _ in range(rng.integers(3, 20)):
        shift = bond.shift * (at[0] % 2)
        corners.append([at[0] * bond.height - bond.origin[0], (at[1] - shift) * bond.width - bond.origin[1]])
        corners.append([corners[-1][0] + down * bond.height, corners[-1][1]])
        at[0] += down
        half = bond.shift * (1 - 2 * ((at[0] - down) % 2))  # the next course's joints lie half a stone aside
        at[1] += half if rng.random() < straight else side
        at[1] = np.round(at[1] * 2) / 2 if bond.shift else np.round(at[1])
    corners = np.array(corners)
    rough = rng.uniform(0, 0.03)
    return np.concatenate([_between(rng, a, b, rough) for a, b in pairwise(corners)])


def _strand(rng, path, width, end, without):
    """Give a path its widths, half of them at least `end` [px]: opening, changes, blobs, and faint stretches."""
    count = len(path)
    along = np.linspace(0, 1, count)
    half = np.full(count, width / 2)
    draws = rng.random(5)
    opening = [np.ones(count), np.sqrt(1 - along), np.sqrt(np.clip(4 * along * (1 - along), 0, 1))]
    kind = int(np.searchsorted([0.5, 0.85], draws[0]))
    changes = 1 + rng.uniform(0, 0.45) * smooth(rng, count, 25) + rng.uniform(0, 0.4) * smooth(rng, count, 5)
    blobs = _bumps(rng, count, rng.poisson(count / 150), 0.5 + 0.5 * width)
    strength = np.ones(count)
    faint = _bumps(rng, count, rng.poisson(count / 120), 18)
    depth = rng.uniform(0.3, 0.95)
    if "varying widths" not in without:
        half = half * opening[kind] * np.clip(changes, 0.3, 2.2)
        if draws[1] < 0.4:
            half = half * (1 + rng.uniform(0.3, 1.2) * blobs)
    beads = np.clip(1 - rng.uniform(0, 0.5) * np.abs(smooth(rng, count, rng.uniform(3, 12))), 0.1, 1)
    if "faint" not in without:
        strength = beads if draws[3] < 0.5 else strength
        strength = strength * (1 - depth * np.clip(faint, 0, 1)) if draws[2] < 0.4 else strength
    return Strand(path, np.clip(half, end, 0.75 * _WIDEST), strength)


def _bumps(rng, count, number, reach):
    """The sum of smooth bumps of height 1 at chance places along a line."""
    at = rng.uniform(0, count, number)[:, None]
    wide = reach * rng.uniform(0.5, 2, number)[:, None]
    return np.exp(-(((np.arange(count) - at) / wide) ** 2)).sum(0)
