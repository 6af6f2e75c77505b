"""Draw one photograph of a test with its ground truth."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from crack_utils.data.synthetic.camera import Camera
from crack_utils.data.synthetic.patterns import GROWING, PATTERNS, check_patterns
from crack_utils.data.synthetic.scene import Surface, paint_scene, picture_scale, primary_path
from crack_utils.data.synthetic.specimen import SOURCES, Specimen, camera_moves, draw_specimen

LARGEST = 200 * 10**6  # [px] of a photograph
VERSION = 5  # increased when the same arguments give different pictures


@dataclass(frozen=True)
class Photograph:
    """One synthetic photograph and its ground truth.

    Attributes
    ----------
    image : ndarray of uint8, shape (height, width)
    mask : ndarray of bool, shape (height, width)
        True for each pixel that the crack touches; it is at least one pixel wide.
    parts : ndarray of uint8, shape (height, width)
        0 background, 1 primary crack, 2 secondary crack (R15).
    tip : tuple of float
        (row, column) of the tip of the primary crack [px]; if it is forked, of its longest branch.
    path : ndarray, shape (n, 2)
        (row, column) along the middle of the primary crack, from its mouth to its tip [px].
    width : ndarray, shape (n,)
        Opening of the crack at these points [px]; 0 at the tip and where it is healed.
    mm_per_px : float
        Scale of the picture.
    specimen : Specimen
        The geometry that was drawn.
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
        Number of the specimen; together with `seed` it determines everything that is drawn.
    frame, frames : int
        Time in the test: frame 0 to `frames - 1`, which is its end.
    size : tuple of int
        (height, width) [px], at least 32 each. The specimen does not depend on it.
    seed : int
    source : str, optional
        "old" or "new"; by default specimens with an even number are old, the others new.
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
    """Return tip and scale of a photograph without drawing it, a thousand times faster than `render`.

    Parameters
    ----------
    specimen, frame, frames, size, seed, pattern
        As for `render`.

    Returns
    -------
    tip : (row, column) [px]
    mm_per_px : float
    """
    geometry = _geometry(seed, specimen, SOURCES[specimen % 2], pattern)
    growth, pose, _ = _moment(seed, specimen, geometry, frame, frames)
    path, _ = primary_path(geometry, growth, pose, size)
    return (float(path[-1, 0]), float(path[-1, 1])), _resolution(geometry, pose, size)


@lru_cache(maxsize=2)  # frames of a specimen share its textures, which take longer to draw than a small picture
def _setting(seed, specimen, source, pattern):
    geometry = _geometry(seed, specimen, source, pattern)
    return Surface(stream(seed, specimen, 1), geometry), Camera(stream(seed, specimen, 2), source)


def _geometry(seed, specimen, source, pattern):
    return PATTERNS[pattern](stream(seed, specimen, 4), draw_specimen(stream(seed, specimen, 0), source))


def _moment(seed, specimen, geometry, frame, frames):
    """Return growth and pose at a frame, and the random generator of its picture."""
    rng = stream(seed, specimen, 3, frame)
    return geometry.growth(frame, frames), camera_moves(rng, geometry.pose), rng


def _resolution(geometry, pose, size):
    return geometry.millimetres / picture_scale(size) / pose.zoom


def stream(seed, *key):
    """Return a separate generator of random numbers for each purpose.

    Results then do not depend on the order, the workers or other specimens.

    Parameters
    ----------
    seed, *key : int
        Not negative. The same numbers give the same generator.

    Returns
    -------
    numpy.random.Generator
    """
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))


def check_arguments(specimens, frames, size, seed, patterns=GROWING):
    """Check arguments of `render` and `generate`.

    Parameters
    ----------
    specimens, frames : int
        At least 1.
    size : (height, width) [px]
        At least 32 each.
    seed : int
        Not negative.
    patterns : sequence of str
        One or more of `PATTERNS`.

    Raises
    ------
    ValueError
        If an argument is not valid; the message says what is.
    """
    for name, value in (("specimens", specimens), ("frames", frames)):
        if value < 1:
            raise ValueError(f"{name}={value}: valid are whole numbers of at least 1")
    if len(size) != 2 or min(size) < 32 or size[0] * size[1] > LARGEST:
        raise ValueError(
            f"size={size}: valid is (height, width) with at least 32 pixels each, at most {LARGEST // 10**6} megapixels"
        )
    if seed < 0:
        raise ValueError(f"seed={seed}: valid are whole numbers of at least 0")
    check_patterns(patterns)
