"""Notches, which are cut into a specimen so that its crack begins there. A notch is not a crack."""

import math
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d

from crack_utils.data.synthetic.drawing import solid

SHAPES = ("square", "round", "v", "keyhole", "stepped", "chevron", "saw", "edm", "hole")
INSIDES = ("dark", "background", "lit", "shadowed")
_THIN = 0.004, 0.012  # width of an electric discharge machined notch: 2 to 6 px at 512 px


@dataclass(frozen=True)
class Notch:
    """A notch as a half width behind its tip.

    Attributes
    ----------
    shape : str
        One of `SHAPES`.
    half_width : float
        Of the slot, or of the hole.
    tip_half_width : float
        Where the crack begins.
    step : float
        Behind the tip, where it becomes as wide as it is.
    depth : float
        Its length from the tip; from the middle for one with two tips.
    two_ended : bool
        True for a slot in the middle of a plate or pipe, with a tip at either end.
    waves : ndarray, shape (n,)
        Unevenness of its walls, per unit of length.
    """

    shape: str
    half_width: float
    tip_half_width: float
    step: float
    depth: float
    two_ended: bool
    waves: np.ndarray

    def behind(self, u):
        """Distance behind the notch's (nearer) tip, negative ahead of it."""
        return self.depth - np.abs(u) if self.two_ended else -u

    def width(self, behind):
        """Half width at a distance behind the tip; not positive where there is no notch."""
        half, q = self.half_width, np.maximum(behind, 0)
        if self.shape in ("round", "edm"):
            full = np.sqrt(np.maximum(half**2 - np.maximum(half - q, 0) ** 2, 0))
        elif self.shape == "v":
            full = np.minimum(half, self.tip_half_width + q * half / self.step)
        elif self.shape == "chevron":
            full = half * np.minimum(q / self.step, 1) ** 0.5
        elif self.shape == "stepped":
            corner = np.clip((q - self.step) / (0.6 * half), 0, 1)
            full = self.tip_half_width + (half - self.tip_half_width) * (2 * corner - corner**2) ** 0.5
        elif self.shape == "keyhole":
            radius = self.step
            disc = np.sqrt(np.maximum(radius**2 - (q - radius) ** 2, 0))
            full = np.maximum(disc, np.where(q > radius, half, 0))
        elif self.shape == "hole":
            full = np.sqrt(np.maximum(half**2 - (q - half) ** 2, 0))
        else:
            full = np.full_like(q, half)
        if self.shape == "saw":
            full = full + np.interp(q, np.linspace(0, 1.5, len(self.waves)), self.waves)
        return full

    def distance(self, u, v):
        """Signed distance from the notch, about, in the units of `u` and `v`, negative inside."""
        if self.shape == "hole":
            return np.hypot(u + (0 if self.two_ended else self.half_width), v) - self.half_width
        behind = self.behind(u)
        distance = np.maximum(np.abs(v) - self.width(behind), -behind)
        return distance if self.two_ended else np.maximum(distance, behind - self.depth)


def draw_notch(rng, depth, two_ended):
    """Draw a notch.

    Parameters
    ----------
    rng : numpy.random.Generator
    depth : float
        Its length, to the specimen's edge or beyond; of one with two tips half of it.
    two_ended : bool
        For a slot in the middle.

    Returns
    -------
    Notch
    """
    shapes = ("square", "round", "v", "edm", "saw", "hole") if two_ended else SHAPES
    shape = str(rng.choice(shapes))
    half = math.exp(rng.uniform(math.log(0.005), math.log(0.05)))
    if shape == "edm":
        half = 0.5 * rng.uniform(*_THIN)
    if shape == "hole":
        half = rng.uniform(0.02, 0.09)
        depth = half if two_ended else 2 * half
    tip, step = half, 0.0
    if shape in ("v", "chevron"):
        half = max(half, 0.01)
        tip, step = rng.uniform(0.05, 0.2) * half, half * rng.uniform(0.9, 4)
    if shape == "stepped":
        half = rng.uniform(0.02, 0.055)
        tip, step = half * rng.uniform(0.15, 0.5), rng.uniform(0.04, 0.2)
    if shape == "keyhole":
        half = rng.uniform(0.004, 0.02)
        tip = step = half * rng.uniform(1.5, 3.5)
    waves = 0.1 * half * gaussian_filter1d(rng.normal(size=400), 2) if shape == "saw" else np.zeros(0)
    return Notch(shape, half, tip, step, depth, two_ended, waves)


class NotchLook:
    """What is seen in a notch and along its edges; the same in every frame."""

    def __init__(self, rng, gray):
        self.inside = str(rng.choice(INSIDES, p=(0.55, 0.15, 0.12, 0.18)))
        self.value = rng.uniform(0.0, 0.12) if self.inside != "lit" else rng.uniform(0.7, 1.1)
        # The wall that is seen is not as light as the surface.
        self.wall = gray + rng.uniform(0.2, 0.5) if gray < 0.6 and rng.random() < 0.4 else gray * rng.uniform(0.25, 0.7)
        self.lean = rng.uniform(-1, 1)  # the side of the wall that is seen
        # Share of the width that the wall takes.
        self.wall_share = rng.uniform(0.2, 0.7) if self.inside == "shadowed" or rng.random() < 0.25 else 0.0
        self.edge = rng.choice([0.0, 1.0, -0.6], p=(0.5, 0.35, 0.15)) * rng.uniform(0.2, 0.7)
        self.edge_width = rng.uniform(0.5, 1.6)  # [px]
        self.fade = rng.uniform(-0.3, 0.3) if rng.random() < 0.3 else 0.0

    def paint_edge(self, image, distance, within):
        """Paint a light or dark rim around a notch in place, from signed distances [px]; the cracks go through it."""
        if self.edge:
            near = np.abs(distance) < 8
            rim = np.exp(-(((distance[near] - 0.7) / self.edge_width) ** 2)) * within[near]
            image[near] += abs(self.edge) * rim * ((1.0 if self.edge > 0 else 0.0) - image[near])

    def paint(self, image, notch, u, v, scale, within, background):
        """Paint what is seen in a notch in place, and return its coverage of each pixel, shape of the image."""
        covered = solid(scale * notch.distance(u, v)) * within
        inside = covered > 0
        behind, side = notch.behind(u[inside]), math.copysign(1, self.lean) * v[inside]
        value = np.full(side.shape, background if self.inside == "background" else self.value, np.float32)
        value += self.fade * np.clip(behind / 0.3, 0, 1)
        if self.wall_share:
            half = np.maximum(notch.width(behind), 1e-4)
            lit = np.clip(0.5 + scale * (side - (1 - 2 * self.wall_share) * half), 0, 1)
            value += lit * (self.wall - value)
        image[inside] += covered[inside] * (value - image[inside])
        return covered
