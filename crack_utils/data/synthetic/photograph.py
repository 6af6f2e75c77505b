"""One photograph of a test with its ground truth, from a handful of numbers."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from crack_utils.data.synthetic.camera import Camera
from crack_utils.data.synthetic.patterns import GROWING, PATTERNS, check_patterns
from crack_utils.data.synthetic.scene import Surface, paint_scene, picture_scale, primary_path
from crack_utils.data.synthetic.specimen import SOURCES, Specimen, camera_moves, draw_specimen

VERSION = 5  # of what is rendered: raised when the same arguments give other pictures


@dataclass(frozen=True)
class Photograph:
    """One synthetic photograph and its ground truth.

    Attributes
    ----------
    image : ndarray of uint8, shape (height, width)
    mask : ndarray of bool, shape (height, width)
        True where any of the pixel is cracked, never thinner than one pixel.
    parts : ndarray of uint8, shape (height, width)
        0 background, 1 primary crack, 2 secondary crack (R15).
    tip : tuple of float
        (row, column) of the primary crack's tip [px]; if it has forked, of its longest arm.
    path : ndarray, shape (n, 2)
        (row, column) along the primary crack's middle, from its mouth to its tip [px].
    width : ndarray, shape (n,)
        Its opening there [px], 0 at the tip and where it has healed.
    mm_per_px : float
    specimen : Specimen
        The geometry behind it.
    growth : float
        Progress of the test at this frame, in (0, 1].
    """

    image: np.ndarray
    mask: np.ndarray
    parts: np.ndarray
    tip: tuple
    path: np.ndarray
    width: np.ndarray
    mm_per_px: float
    specimen: Specimen
    growth: float


def render(specimen=0, frame=0, frames=10, size=(128, 160), seed=0, source=None, pattern="growing"):
    """Render one photograph of a test.

    Parameters
    ----------
    specimen : int
        Number of the specimen; together with `seed` it decides all that is drawn.
    frame, frames : int
        Moment of the test: frame `frames - 1` is its end.
    size : tuple of int
        (height, width) [px], at least 32 each. The same specimen is drawn at any size.
    seed : int
    source : str, optional
        "old" or "new"; by default even specimens are old, odd ones new.
    pattern : str
        One of `PATTERNS`, for example "forked".

    Returns
    -------
    Photograph

    Raises
    ------
    ValueError
        If an argument is out of range.
    """
    check_arguments(specimen + 1, frames, size, seed, (pattern,))
    if not 0 <= frame < frames:
        raise ValueError(f"frame={frame}: valid are 0 to {frames - 1}, as frames={frames}")
    source = SOURCES[specimen % 2] if source is None else source
    if source not in SOURCES:
        raise ValueError(f"source={source!r}: valid are {', '.join(SOURCES)}")
    surface, camera = _setting(seed, specimen, source, pattern)
    growth, pose, rng = _moment(seed, specimen, surface.specimen, frame, frames)
    scene, parts = paint_scene(surface, growth, pose, tuple(size))
    image = camera.photograph(scene, rng)
    path, width = primary_path(surface.specimen, growth, pose, size)
    mm_per_px = _resolution(surface.specimen, pose, size)
    tip = (float(path[-1, 0]), float(path[-1, 1]))
    return Photograph(image, parts > 0, parts, tip, path, width, mm_per_px, surface.specimen, growth)


def measure(specimen, frame, frames, size, seed, pattern="growing"):
    """Return (tip, mm_per_px) of a photograph as `render` does, without drawing it: a thousand times as fast."""
    geometry = _geometry(seed, specimen, SOURCES[specimen % 2], pattern)
    growth, pose, _ = _moment(seed, specimen, geometry, frame, frames)
    path, _ = primary_path(geometry, growth, pose, size)
    return (float(path[-1, 0]), float(path[-1, 1])), _resolution(geometry, pose, size)


@lru_cache(maxsize=2)  # the frames of a specimen share its textures, which take longer to draw than a small picture
def _setting(seed, specimen, source, pattern):
    geometry = _geometry(seed, specimen, source, pattern)
    return Surface(_rng(seed, specimen, 1), geometry), Camera(_rng(seed, specimen, 2), source)


def _geometry(seed, specimen, source, pattern):
    return PATTERNS[pattern](_rng(seed, specimen, 4), draw_specimen(_rng(seed, specimen, 0), source))


def _moment(seed, specimen, geometry, frame, frames):
    """Growth and pose at a frame, and the generator for what chance does to its picture."""
    rng = _rng(seed, specimen, 3, frame)
    return geometry.growth(frame, frames), camera_moves(rng, geometry.pose), rng


def _resolution(geometry, pose, size):
    return geometry.millimetres / picture_scale(size) / pose.zoom


def _rng(seed, *key):
    """A generator of its own for each purpose: nothing depends on order, workers, or how many specimens there are."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))


def check_arguments(specimens, frames, size, seed, patterns=GROWING):
    """Refuse what cannot be drawn."""
    for name, value in (("specimens", specimens), ("frames", frames)):
        if value < 1:
            raise ValueError(f"{name}={value}: valid are whole numbers from 1")
    if len(size) != 2 or min(size) < 32:
        raise ValueError(f"size={size}: valid is (height, width) with at least 32 pixels each")
    if seed < 0:
        raise ValueError(f"seed={seed}: valid are whole numbers from 0")
    check_patterns(patterns)
