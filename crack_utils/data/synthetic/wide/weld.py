"""Weld seams of pipes and plates, which are not cracks.

A seam is a bead of metal with ripples. Its edges, the toes, are often dark lines. The heat has coloured the metal
beside it (the tint), and small drops of metal lie around (the spatter).
"""

import math

import numpy as np

from crack_utils.data.synthetic.drawing import box, disc, solid

_ON_PIPES, _ON_PLATES = 0.4, 0.12  # shares of specimens with a seam


def paint_weld(rng, fields, surface, layout, grids, scale):
    """Paint a weld seam on a surface, on some specimens; cracks may cross it or run along it.

    Parameters
    ----------
    rng : numpy.random.Generator
    fields : Fields
        Of the picture.
    surface : ndarray of float32, shape (height, width)
        Gray values of the specimen; changed in place.
    layout : Layout
        Of the specimen.
    grids : (u, v)
        Positions on the specimen, ndarrays of float32, shape (height, width).
    scale : float
        Pixels per unit.
    """
    if rng.random() >= (_ON_PIPES if layout.across else _ON_PLATES):
        return
    half_width = math.exp(rng.uniform(math.log(0.015), math.log(0.09)))
    along, across = _seam(rng, layout, grids, half_width)
    across = across + rng.uniform(0, 0.12) * half_width * fields.cloudy(1.6)  # no welder holds a straight line
    # A whole seam crosses the picture, a repair ends in it.
    middle, half_length = (
        (0.0, 9.0) if rng.random() < 0.75 else (rng.uniform(-0.4, 0.4), rng.uniform(1.5, 8) * half_width)
    )
    outside = box(along, across, (middle, 0.0), (half_length + half_width, half_width), 0.95 * half_width)
    _tint(rng, surface, outside, half_width)
    bead = _bead(rng, fields, surface, along, across, half_width, scale)
    surface += solid(scale * outside).astype(np.float32) * (bead - surface)
    _toes(rng, fields, surface, outside, across, scale)
    _spatter(rng, surface, grids, half_width, scale)


def _seam(rng, layout, grids, half_width):
    """Positions along and across a seam: around a pipe or along it, or anywhere on a plate."""
    if layout.across or rng.random() < 0.6:
        angle = rng.choice([0, math.pi / 2]) + rng.normal(0, 0.03)
    else:
        angle = rng.uniform(0, math.pi)
    aside = rng.normal(0, 0.25)
    if rng.random() < 0.2:  # the crack runs along the seam
        angle, aside = rng.normal(0, 0.03), rng.choice([-1, 1]) * rng.uniform(0.6, 1.6) * half_width
    u, v = grids
    return math.cos(angle) * u + math.sin(angle) * v, math.cos(angle) * v - math.sin(angle) * u - np.float32(aside)


def _bead(rng, fields, surface, along, across, half_width, scale):
    """Gray values of the bead: rippled and round, or ground flat."""
    at = np.clip(across / half_width, -1.5, 1.5)
    own = np.float32(rng.uniform(0.5, 1.4)) * surface
    if rng.random() < 0.25:  # ground flat
        return own + rng.uniform(0.01, 0.06) * fields.lines(rng.uniform(0, math.pi), 1.2, 30)
    pitch = max(rng.uniform(0.08, 0.5) * half_width, 3 / scale)
    phase = 2 * math.pi * (along + rng.uniform(0.2, 1.0) * half_width * at**2) / pitch
    phase = phase + rng.uniform(0.2, 1.2) * fields.cloudy(1.5)
    ripple = np.sin(phase) + rng.uniform(0, 0.5) * np.sin(2 * phase + 1)
    light = rng.uniform(-0.3, 0.3) * at - rng.uniform(0, 0.15) * at**2
    shine = rng.uniform(0, 0.3) * np.exp(-(((at - rng.uniform(-0.6, 0.6)) / rng.uniform(0.1, 0.4)) ** 2))
    return (
        own + light + rng.uniform(0.02, 0.14) * ripple * (1 + shine) + shine + rng.uniform(0, 0.03) * fields.cloudy(0.8)
    )


def _tint(rng, surface, outside, half_width):
    """Darken or lighten bands beside the seam, which the heat has coloured."""
    reach = np.maximum(outside, 0) / half_width
    for _ in range(rng.integers(0, 4)):
        band = np.exp(-(((reach - rng.uniform(0, 1.5)) / rng.uniform(0.15, 0.8)) ** 2))
        surface += rng.uniform(-0.15, 0.08) * band


def _toes(rng, fields, surface, outside, across, scale):
    """Paint the lines where the bead meets the plate: dark or lit, and not everywhere."""
    for side in (-1, 1):
        thin = max(math.exp(rng.uniform(math.log(0.0008), math.log(0.006))), 0.4 / scale)
        strength = rng.uniform(0, 0.9) * np.clip(0.6 + rng.uniform(0, 0.8) * fields.cloudy(1.4), 0, 1)
        line = np.exp(-((outside / thin) ** 2)) * (side * across > 0) * strength
        value = rng.uniform(0, 0.2) if rng.random() < 0.7 else rng.uniform(0.7, 1.0)
        surface += line.astype(np.float32) * (np.float32(value) - surface)


def _spatter(rng, surface, grids, half_width, scale):
    """Paint small drops of metal, light on one side and dark on the other."""
    u, v = grids
    for _ in range(rng.integers(3, 25) if rng.random() < 0.35 else 0):
        centre, radius = rng.uniform(-0.6, 0.6, 2), rng.uniform(0.03, 0.12) * half_width + 1 / scale
        near = (np.abs(u - centre[0]) < 2 * radius) & (np.abs(v - centre[1]) < 2 * radius)
        cover = solid(scale * disc(u[near], v[near], centre, radius))
        surface[near] += cover * (rng.uniform(0.1, 0.6) + 0.3 * (u[near] - centre[0]) / radius - surface[near])
