"""Geometry of a specimen under test: plate or pipe section, notch, cracks and how they grow, camera pose.

Everything is in units of the picture: its height is 1, its width 1.25 (R24: 2048×2560). The specimen's own frame has
its origin at the notch's end, `u` along the primary crack and `v` across it. So one seed gives one specimen at every
resolution.
"""

import math
from dataclasses import dataclass

import numpy as np

from crack_utils.geometry.centreline import arc_length

SOURCES = ("old", "new")
ASPECT = 1.25  # width by height of the field of view
_NODES = 400  # corners of a crack's path
_TAPER = 0.02  # over which a crack narrows towards a part that is shut
_HAIRLINE = 0.0015  # half width of a part that is pressed together
_BEHIND_TIP = 0.06  # that a part which is shut keeps from the tip
_SHORTEST_SHUT = 0.02  # a shorter part stays open
_MIN_SHARE = 0.0045  # of the picture, that the first frame's primary crack covers


@dataclass(frozen=True)
class Crack:
    """One crack at its longest, and its growth.

    Attributes
    ----------
    path : ndarray, shape (n, 2)
        Corners (u, v) from its mouth (or first end) to its final tip.
    opening : float
        Width at unit distance from the tip: width = opening · √distance (linear elastic fracture mechanics).
    part : int
        1 primary, 2 secondary.
    appears : float
        Growth of the primary crack, in [0, 1], at which this one starts.
    embedded : bool
        True where both ends are tips (a crack that does not begin at the notch or at another crack).
    shut : tuple of (start, end)
        Parts along the path, in rising order, that shut behind the tip as soon as it has passed.
    healed : bool
        Those parts are filled, and no crack any more; otherwise they are pressed together, to a hairline.
    """

    path: np.ndarray
    opening: float
    part: int = 2
    appears: float = 0.0
    embedded: bool = False
    shut: tuple = ()
    healed: bool = False

    def at(self, length):
        """The part of the crack that has grown.

        Parameters
        ----------
        length : float
            Length along the path so far.

        Returns
        -------
        points : ndarray, shape (m, 2)
            Corners from the mouth to the present tip.
        half_width : ndarray, shape (m,)
            Half of the opening at each corner; 0 where it is healed.
        """
        points, half_width, _ = self._at(length)
        return points, half_width

    def pieces(self, length):
        """The parts of the crack that are not healed, as `at` gives them, from its mouth on."""
        points, half_width, at = self._at(length)
        if not self.healed:
            return [(points, half_width)]
        edges = [at[0], *(edge for part in self.shut_parts(length) for edge in part), at[-1]]
        inside = [(at >= start) & (at <= end) for start, end in zip(edges[::2], edges[1::2], strict=True)]
        return [(points[part], half_width[part]) for part in inside]

    def scars(self, length):
        """Where the crack has healed: a list of paths, shape (n, 2)."""
        if not self.healed:
            return []
        points, _, at = self._at(length)
        return [points[(at >= start) & (at <= end)] for start, end in self.shut_parts(length)]

    def shut_parts(self, length):
        """The parts (start, end) along the path that are shut while the crack is of some length."""
        parts = [(start, min(end, length - _BEHIND_TIP)) for start, end in self.shut]
        return [(start, end) for start, end in parts if end - start >= _SHORTEST_SHUT]

    def _at(self, length):
        """As `at`, and the length along the path at each corner."""
        along = arc_length(self.path)
        length = min(length, along[-1])
        # Corners get denser towards the tip, where the square root bends most.
        at = length * (1 - np.linspace(1, 0, _NODES) ** 2)
        if parts := self.shut_parts(length):
            at = np.union1d(at, np.ravel(parts))
        points = np.stack([np.interp(at, along, self.path[:, axis]) for axis in (0, 1)], axis=1)
        to_tip = length - at
        if self.embedded:
            # An internal crack opens as an ellipse: the square root of the distance to either tip.
            to_tip = to_tip * at / max(length, 1e-9)
        half_width = 0.5 * self.opening * np.sqrt(to_tip)
        for start, end in parts:
            outside = np.maximum(np.maximum(start - at, at - end), 0)
            narrow = half_width * np.sqrt(np.minimum(outside / _TAPER, 1))
            half_width = narrow if self.healed else np.maximum(narrow, np.minimum(half_width, _HAIRLINE))
        return points, half_width, at

    @property
    def length(self):
        """Final length along the path."""
        return float(arc_length(self.path)[-1])


@dataclass(frozen=True)
class Pose:
    """Where the specimen lies in the picture: mirrored or not, then turned by `angle` [rad], scaled, shifted."""

    angle: float
    mirror: float
    shift: tuple
    zoom: float = 1.0

    def to_picture(self, points):
        """Map (u, v) to (x, y), measured from the picture's centre, x to the right, y down. Shapes (n, 2)."""
        u, v = self.mirror * points[:, 0], points[:, 1]
        cosine, sine = math.cos(self.angle), math.sin(self.angle)
        turned = np.stack([cosine * u - sine * v, sine * u + cosine * v], axis=1)
        return self.zoom * turned + np.asarray(self.shift)

    def to_specimen(self, x, y):
        """Map picture coordinates to (u, v); arrays of one shape in, two arrays out."""
        x, y = (x - self.shift[0]) / self.zoom, (y - self.shift[1]) / self.zoom
        cosine, sine = math.cos(self.angle), math.sin(self.angle)
        return self.mirror * (cosine * x + sine * y), -sine * x + cosine * y


@dataclass(frozen=True)
class Specimen:
    """A specimen with all that stays the same from frame to frame.

    Attributes
    ----------
    source : str
        "old" or "new".
    kind : str
        "plate" (compact tension), "pipe" (a section seen from the side, notched across), "tube" (a pipe notched at its
        end, its axis along the crack) or "bar" (bent on three rollers).
    behind, ahead, half_height : float
        Extents from the notch's end: back to the notched edge, ahead to the far edge, and to either side.
    notch_type : str
        "slot", "keyhole" or "taper".
    notch_half_width : float
        Half width of the notch at the edge.
    cracks : tuple of Crack
        The primary crack first.
    first_length : float
        The primary crack's length in a test's first moment.
    pose : Pose
    millimetres : float
        The picture's height [mm].
    holes : tuple of (u, v, radius)
        Drilled through, away from the cracks.
    """

    source: str
    kind: str
    behind: float
    ahead: float
    half_height: float
    notch_type: str
    notch_half_width: float
    cracks: tuple
    first_length: float
    pose: Pose
    millimetres: float
    holes: tuple = ()

    def growth(self, frame, frames):
        """Progress of the test at a frame, in (0, 1]: slow first, then faster, as a fatigue crack."""
        return ((frame + 1) / frames) ** 1.3

    def length(self, crack, growth):
        """Length of one of the cracks at a growth of the test; 0 before it appears."""
        if crack.part == 1:
            return self.first_length + (crack.length - self.first_length) * growth
        return crack.length * max(0.0, growth - crack.appears) / (1 - crack.appears)

    def mouth(self, growth):
        """Opening of the primary crack where the notch ends."""
        primary = self.cracks[0]
        return primary.opening * math.sqrt(self.length(primary, growth))

    def notch_width(self, u, growth):
        """Half width of the notch at `u`; the crack's mouth opens it further. Not positive where there is no notch."""
        mouth = 0.5 * self.mouth(growth)
        wide = np.maximum(self.notch_half_width, 1.5 * mouth) + 0.12 * mouth * np.clip(-u / self.behind, 0, 1)
        if self.notch_type == "slot":
            return wide
        narrow = 1.25 * mouth + 0.004
        if self.notch_type == "taper":
            start = np.clip(-u / (0.35 * self.behind), 0, 1)
            return narrow + (np.maximum(wide, narrow) - narrow) * start
        radius = np.maximum(0.9 * self.notch_half_width, 1.6 * mouth) + 0.012
        hole = np.sqrt(np.maximum(radius**2 - (u + 0.8 * radius) ** 2, 0))
        return np.maximum(np.maximum(hole, narrow), np.where(u < -1.4 * radius, 0.8 * wide, 0))


def draw_specimen(rng, source):
    """Draw a specimen.

    Parameters
    ----------
    rng : numpy.random.Generator
    source : str
        "old" or "new".

    Returns
    -------
    Specimen
    """
    kind = "plate" if rng.random() < 0.65 else "pipe"
    if kind == "plate":
        behind, ahead, half_height = rng.uniform(0.28, 0.42), rng.uniform(0.58, 0.68), rng.uniform(0.34, 0.43)
        angle = rng.normal(0, 0.05)
    else:
        behind, ahead, half_height = rng.uniform(0.1, 0.17), rng.uniform(0.58, 0.66), 0.8
        angle = float(rng.choice([-0.5, 0.5])) * math.pi + rng.normal(0, 0.04)
    mirror = float(rng.choice([-1, 1]))
    pose = placed(rng, angle, mirror, behind, ahead)
    opening = rng.uniform(0.09, 0.11)
    first = (1.5 * ASPECT * _MIN_SHARE / opening) ** (2 / 3) * rng.uniform(1.0, 1.15)
    primary = Crack(meander(rng, rng.uniform(0.68, 0.86) * ahead, rng.normal(0, 0.08)), opening, part=1)
    return Specimen(
        source=source,
        kind=kind,
        behind=behind,
        ahead=ahead,
        half_height=half_height,
        notch_type=str(rng.choice(["slot", "keyhole", "taper"])),
        notch_half_width=rng.uniform(0.022, 0.036),
        cracks=(primary, *_secondary(rng, primary, kind)),
        first_length=first,
        pose=pose,
        millimetres=rng.uniform(60, 160),
    )


def placed(rng, angle, mirror, behind, ahead):
    """The pose that shows the middle between two ends of a specimen near the picture's middle."""
    centre = np.array([[0.5 * (ahead - behind), 0.0]])
    turned = Pose(angle, mirror, (0.0, 0.0)).to_picture(centre)[0]
    return Pose(angle, mirror, tuple((rng.normal(0, [0.03, 0.02]) - turned).tolist()))


def camera_moves(rng, pose):
    """The pose in one frame: the camera or the rig has moved a little."""
    shift = tuple((np.asarray(pose.shift) + rng.normal(0, 0.006, 2)).tolist())
    return Pose(pose.angle + rng.normal(0, 0.005), pose.mirror, shift, 1 + rng.normal(0, 0.004))


def meander(rng, length, heading, start=(0.0, 0.0)):
    """Draw a path whose direction wanders on four scales, and returns to its heading."""
    at = np.linspace(0, 1, _NODES)
    angle = np.full(_NODES, heading)
    for corners, spread in ((5, 0.13), (14, 0.2), (45, 0.26), (160, 0.4)):
        angle += np.interp(at, np.linspace(0, 1, corners), rng.normal(0, spread, corners))
    steps = length / (_NODES - 1) * np.stack([np.cos(angle), np.sin(angle)], axis=1)[:-1]
    return np.concatenate([[start], np.asarray(start) + np.cumsum(steps, axis=0)])


def _secondary(rng, primary, kind):
    """Branches of the primary crack, and small cracks away from it, in about half of the specimens."""
    cracks = []
    if rng.random() < 0.45:
        return cracks
    along = arc_length(primary.path)
    across = 0.3 if kind == "plate" else 0.38
    for _ in range(rng.integers(1, 4)):
        length = rng.uniform(0.13, 0.24)
        if rng.random() < 0.5:
            node = int(rng.uniform(0.25, 0.65) * _NODES)
            turn = rng.choice([-1, 1]) * rng.uniform(0.5, 1.0)
            path = meander(rng, length, turn, primary.path[node])
            cracks.append(Crack(path, rng.uniform(0.075, 0.09), appears=along[node] / along[-1] * 0.9))
            continue
        v = rng.choice([-1, 1]) * rng.uniform(0.12, across)
        path = meander(rng, length, rng.uniform(-0.6, 0.6), (rng.uniform(0.02, 0.35), v))
        if np.min(np.hypot(*(path[:, None, :] - primary.path[None, ::4, :]).transpose(2, 0, 1))) > 0.06:
            cracks.append(Crack(path, rng.uniform(0.1, 0.12), appears=rng.uniform(0, 0.4), embedded=True))
    return cracks
