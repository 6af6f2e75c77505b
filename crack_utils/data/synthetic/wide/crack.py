"""Draw a crack at the resolution of the photograph: dark gap, bright fracture flanks, edges, and the zone at the tip.

The opening is proportional to the square root of the distance from the tip.
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from crack_utils.data.synthetic.drawing import SPACING, densify
from crack_utils.data.synthetic.wide.uneven import waves
from crack_utils.data.synthetic.wide.whitening import Whitening
from crack_utils.geometry.centreline import arc_length, points_at

_CORNERS = 900
_WAVES = ((4, 0.12), (12, 0.16), (40, 0.2), (130, 0.3), (400, 0.4))  # of a path: corners, and spread of angles [rad]
_TIP_TAPER = 1.0  # [px] over which a crack's last hairline ends


@dataclass(frozen=True)
class Arm:
    """A crack from its mouth to its tip.

    Attributes
    ----------
    path : ndarray, shape (n, 2)
        Points (u, v) from its mouth to its final tip.
    opening : float
        Width at distance 1 from the tip: width = opening · √distance (linear elastic fracture mechanics).
    part : int
        1 primary, 2 secondary.
    appears : float
        Growth of the test, in [0, 1), at which it starts.
    mouth : str
        Kind of the path's start: "open" (at a notch, the border or another crack), "middle" (of a crack with two tips,
        which opens as an ellipse) or "tip" (the other tip of such a crack).
    """

    path: np.ndarray
    opening: float
    part: int = 1
    appears: float = 0.0
    mouth: str = "open"

    def grown(self, length):
        """Return the points (u, v) of the crack when it has a given length, shape (m, 2)."""
        along = arc_length(self.path)
        return points_at(self.path, np.union1d(along[along < length], [min(length, along[-1])]))

    @property
    def length(self):
        """Final length along the path."""
        return float(arc_length(self.path)[-1])


def wander(rng, length, heading, start=(0.0, 0.0), roughness=1.0, kinks=0, waves=5):
    """Draw the path of a crack that wanders around a heading, with sudden turns.

    Parameters
    ----------
    rng : numpy.random.Generator
    length : float
        Of the path, in the unit of `start`.
    heading : float
        Mean direction [rad], from the first axis towards the second.
    start : (float, float)
        First point.
    roughness : float
        Factor of the random change of direction, which has five wavelengths; 0 gives a straight path.
    kinks : int
        Number of sudden turns, of 0.3 to 0.9 rad each; after a while the path turns back.
    waves : int
        How many of the wavelengths, from the longest; with two the path is smooth.

    Returns
    -------
    ndarray of float, shape (n, 2)
        Points at equal distances.
    """
    at = np.linspace(0, 1, _CORNERS)
    angle = np.full(_CORNERS, float(heading))
    for corners, spread in _WAVES[:waves]:
        angle += roughness * np.interp(at, np.linspace(0, 1, corners), rng.normal(0, spread, corners))
    for place in rng.uniform(0.05, 0.6, kinks):
        turned = (at > place) & (at < place + rng.uniform(0.03, 0.4))
        angle[turned] += rng.choice([-1, 1]) * rng.uniform(0.3, 0.9)
    steps = length / (_CORNERS - 1) * np.stack([np.cos(angle), np.sin(angle)], axis=1)[:-1]
    return np.concatenate([[start], np.asarray(start) + np.cumsum(steps, axis=0)])


class CrackLook:
    """The appearance of a test's cracks; the same in all frames.

    Parameters
    ----------
    rng : numpy.random.Generator
    low, high : float
        Dark and bright gray values of the surface around the cracks.
    exposure : float
        Factor from these values to those of the photograph, which cannot be brighter than white.
    """

    def __init__(self, rng, low, high, exposure):
        gray = 0.5 * (low + high)
        can_be_light, can_be_dark = high * exposure < 0.6, low * exposure > 0.15
        backlit = can_be_light and rng.random() < (0.05 if can_be_dark else 0.4)
        self.gap = high + rng.uniform(0.25, 0.6) if backlit else rng.uniform(0.0, 0.5) * min(low, 0.35)
        self.flanks = str(rng.choice(["none", "one", "both"], p=(0.5, 0.36, 0.14))) if can_be_light else "none"
        if not can_be_dark and not backlit and self.flanks == "none":
            self.flanks = str(rng.choice(["one", "both"]))
        self.flank = high + rng.uniform(0.25, 0.6)
        self.share = rng.uniform(0.25, 0.75)  # of the opening, that a flank takes
        self.side = float(rng.choice([-1, 1]))
        self.flank_to_tip = rng.uniform(0.008, 0.04) if rng.random() < 0.7 else 0.0  # there it fills the opening
        if abs(self._mixed - gray) < 0.2:  # blurred, light and dark would cancel out
            self.share = 0.2 if can_be_dark else 0.85
        self.roughness = rng.uniform(0.0, 0.3)
        self.lips = rng.choice([0.0, 1.0], p=(0.5, 0.5)) * rng.normal(0, 0.25, 2)
        self.lip_width = rng.uniform(0.7, 3.0)  # [px] at 512 px
        self.zone = rng.choice([0.0, 1.0], p=(0.6, 0.4)) * float(np.clip(rng.normal(0, 0.06), -0.25 * gray, 0.15))
        self.zone_size = rng.uniform(0.008, 0.05)
        self.visibility = rng.uniform(1.4, 2.8)
        if can_be_dark and not backlit and self.flanks == "none" and rng.random() < 0.4:
            # A shallow, soiled or blurred crack: an even gray instead of a dark gap.
            self.gap, self.roughness = rng.uniform(0.3, 0.75) * gray, rng.uniform(0.0, 0.1)
        can_be_white = can_be_light and can_be_dark and not backlit  # where the band is ragged, the gap must be seen
        self.whitening = Whitening(rng, high) if can_be_white and rng.random() < 0.25 else None
        if self.whitening:
            self.flanks = "none"

    @property
    def _mixed(self):
        """Mean gray value of gap and flanks."""
        return self.gap + self.share * (self.flank - self.gap) if self.flanks != "none" else self.gap

    def contrast(self, gray):
        """Return the smallest difference in gray value between the crack and a surface of value `gray`."""
        others = [self.flank] if self._to_tip else [self.whitening.gray] if self.whitening else []
        return min(abs(value - gray) for value in (self._mixed, *others))

    @property
    def _to_tip(self):
        return self.flanks != "none" and self.flank_to_tip > 0


class Ribbon:
    """The pixels around a path, with their positions along and beside it.

    Parameters
    ----------
    shape : (height, width) [px]
    corners : ndarray, shape (k, 2)
        (row, column) of the path's corners [px].
    margin : float [px]
        Largest distance from the path.

    Attributes
    ----------
    rows, columns : ndarray of int, shape (n,)
    beside : ndarray, shape (n,)
        Signed distance from the path [px].
    index : ndarray of int, shape (n,)
        Index of the nearest point in `points`.
    reach : ndarray, shape (n,)
        Extent of the pixel across the path, 1 to √2 [px].
    points, along : ndarray, shapes (m, 2) and (m,)
        Dense points (row, column) of the path, and their distances from its start [px].
    """

    def __init__(self, shape, corners, margin):
        self.points, _ = densify(corners, np.zeros(len(corners)))
        self.along = arc_length(self.points)
        near, step = np.zeros(shape, bool), max(1, int(margin / 4 / SPACING))
        block = math.ceil(1.3 * margin) + 1
        for row, column in np.rint(self.points[::step]).astype(int):
            near[max(row - block, 0) : max(row + block + 1, 0), max(column - block, 0) : max(column + block + 1, 0)] = 1
        rows, columns = np.nonzero(near)
        pixels = np.stack([rows, columns], axis=1).astype(float)
        distance, index = cKDTree(self.points).query(pixels, distance_upper_bound=1.3 * margin)
        close = np.isfinite(distance)
        self.rows, self.columns, self.index = rows[close], columns[close], index[close]
        tangent = np.gradient(self.points, axis=0)
        tangent /= np.maximum(np.hypot(*tangent.T), 1e-12)[:, None]
        offset, way = pixels[close] - self.points[self.index], tangent[self.index]
        slide = np.clip((offset * way).sum(1), -SPACING / 2, SPACING / 2)
        offset -= slide[:, None] * way
        size = np.hypot(*offset.T)
        self.reach = np.where(size > 0.02, np.abs(offset).sum(1) / np.maximum(size, 0.02), 1.0)
        self.beside = np.where(way[:, 0] * offset[:, 1] - way[:, 1] * offset[:, 0] >= 0, size, -size)

    def band(self, low, high):
        """Return the share of each pixel between two signed distances from the path, arrays of shape (n,) [px]."""
        return np.clip(0.5 + (high - self.beside) / self.reach, 0, 1) - np.clip(
            0.5 + (low - self.beside) / self.reach, 0, 1
        )

    def touched(self, low, high):
        """Return whether each pixel touches the band between two signed distances, arrays of shape (n,) [px]."""
        return (self.beside <= high + self.reach / 2) & (self.beside >= low - self.reach / 2)


def paint_arm(image, parts, corners, arm, look, hairline, scale, rng, within):
    """Paint a crack in place, with its ground truth.

    Parameters
    ----------
    image : ndarray of float32, shape (height, width)
    parts : ndarray of uint8, shape (height, width)
    corners : ndarray, shape (n, 2)
        The grown part of its path (row, column) [px].
    arm : Arm
    look : CrackLook
    hairline : float
        Least width up to the tip [px].
    scale : float
        Pixels per unit.
    rng : numpy.random.Generator
        For the flanks; the same for all frames of a test.
    within : ndarray of float32, shape (height, width)
        Share of each pixel that can crack: specimen, and not beside the notch.
    """
    widest = max(arm.opening * math.sqrt(arc_length(corners)[-1] / scale) * scale, hairline)
    lip_width = look.lip_width * max(scale / 512, 0.5)
    white = look.whitening
    beside = 3 * white.width * scale if white else 0.0
    ribbon = Ribbon(image.shape, corners, 0.7 * widest * (1 + look.roughness) + 3 * lip_width + beside + 3)
    if not len(ribbon.rows):
        return
    ahead = min(white.ahead * scale, 0.6 * ribbon.along[-1]) if white else 0.0
    to_tip = np.maximum(ribbon.along[-1] - ahead - ribbon.along, 0)  # 0 where the gap has ended
    whole = {"open": np.inf, "middle": 2 * ribbon.along[-1], "tip": ribbon.along[-1]}[arm.mouth]
    width = np.maximum(arm.opening * np.sqrt(to_tip * (1 - to_tip / whole) * scale), hairline)
    width *= np.sqrt(np.clip(to_tip / _TIP_TAPER, 0, 1))
    if arm.mouth == "tip":
        width *= np.sqrt(np.clip(ribbon.along / _TIP_TAPER, 0, 1))
    count = len(ribbon.points)
    high, low = (width * (0.5 + side * _uneven(rng, count, scale, look.roughness, width)) for side in (1, 1))
    index, edges = ribbon.index, (-low, high)
    high, low, width, to_tip = high[index], -low[index], width[index], to_tip[index]
    before, can = image[ribbon.rows, ribbon.columns], within[ribbon.rows, ribbon.columns]
    image_part = before.copy()
    outside = np.maximum(np.maximum(ribbon.beside - high, low - ribbon.beside), 0)
    for side, strength in zip((1, -1), look.lips, strict=True):
        lip = np.exp(-outside / lip_width) * (side * ribbon.beside > 0) * np.clip(width / 2, 0.2, 1)
        image_part += strength * lip
    image_part += _cover(ribbon, low, high, look, to_tip, scale, rng, image_part)
    touched = ribbon.touched(low, high)
    if white:
        touched &= (width > 0) | (ahead == 0)
        share, gray, bright = white.draw(ribbon, *edges, ahead, hairline, scale, rng)
        image_part += share * (gray - image_part)
        touched |= bright
    image[ribbon.rows, ribbon.columns] = before + can * (image_part - before)
    touched &= can >= 0.5
    parts[ribbon.rows[touched], ribbon.columns[touched]] = arm.part


def _cover(ribbon, low, high, look, to_tip, scale, rng, image):
    """What gap and flanks change in the pixels' gray values."""
    gap = ribbon.band(low, high)
    value = np.full(len(image), look.gap)
    change = gap * (value - image)
    if look.flanks == "none":
        return change
    share = look.share + (1 - look.share) * np.exp(-to_tip / (1e-6 + look.flank_to_tip * scale))
    texture = look.flank * (1 + 0.12 * rng.standard_normal(len(image)))
    for side in (look.side,) if look.flanks == "one" else (-1.0, 1.0):
        part = share if look.flanks == "one" else share / 2
        inner = (high - part * (high - low), high) if side > 0 else (low, low + part * (high - low))
        change += ribbon.band(*inner) * (texture - look.gap)
    return change


def _uneven(rng, count, scale, roughness, width):
    """Unevenness of one flank, as a share of the width, at points of its path."""
    return np.clip(roughness * waves(rng, count, scale), -0.35, 0.6) * np.clip((width - 1.2) / 2, 0, 1)


def shade_tip(image, tip, direction, look, scale):
    """Shade the plastic zone: two lobes ahead of the tip, where the surface dimples or whitens (Irwin 1957).

    Parameters
    ----------
    image : ndarray of float32, shape (height, width)
        Changed in place.
    tip : (row, column) [px]
    direction : (rows, columns)
        Unit vector in which the crack grows.
    look : CrackLook
        Its `zone` is the largest change of gray value, and `zone_size` the size of the zone.
    scale : float
        Pixels per unit of `zone_size`.
    """
    size = look.zone_size * scale
    reach = int(3 * size) + 1
    spans = zip(np.rint(tip).astype(int), image.shape, strict=True)
    window = tuple(slice(max(at - reach, 0), max(min(at + reach + 1, end), 0)) for at, end in spans)
    rows, columns = np.mgrid[window]
    dr, dc = rows - tip[0], columns - tip[1]
    ahead = dr * direction[0] + dc * direction[1]
    aside = dr * direction[1] - dc * direction[0]
    lobes = np.exp(-((ahead / size - 0.4) ** 2) - (np.abs(aside) / size - 0.5) ** 2)
    image[window] += look.zone * lobes.astype(np.float32)
