"""Geometry of a synthetic specimen: plate or pipe section, notch, cracks with their growth, and camera pose.

The unit of length is the height of the picture; its width is 1.25 (R24: 2048×2560). Positions on the specimen are (u,
v): the origin is at the end of the notch, `u` points along the primary crack and `v` across it. A seed therefore gives
the same specimen at every resolution.
"""

import math
from dataclasses import dataclass

import numpy as np

from crack_utils.geometry.centreline import arc_length, points_at

SOURCES = ("old", "new")
ASPECT = 1.25  # width by height of the field of view
_NODES = 400  # points of a crack's path
_TAPER = 0.02  # length over which a crack narrows towards a closed part
_HAIRLINE = 0.0015  # half width of a part that is pressed together
_BEHIND_TIP = 0.06  # smallest distance of a closed part from the tip
_SHORTEST_SHUT = 0.02  # shorter parts stay open
_MIN_SHARE = 0.0045  # smallest share of the picture that the primary crack of the first frame covers


@dataclass(frozen=True)
class Crack:
    """One crack at its final length, and how it grows.

    Attributes
    ----------
    path : ndarray, shape (n, 2)
        Points (u, v) from its mouth (or first end) to its final tip.
    opening : float
        Width at distance 1 from the tip: width = opening · √distance (linear elastic fracture mechanics).
    part : int
        1 primary, 2 secondary.
    appears : float
        Growth of the primary crack, in [0, 1], at which this crack starts.
    embedded : bool
        True if both ends are tips: the crack begins neither at the notch nor at another crack.
    shut : tuple of (start, end)
        Parts along the path, in increasing order, that close after the tip has passed.
    healed : bool
        True if the closed parts are filled and no longer crack; False if they are pressed together to a hairline.
    """

    path: np.ndarray
    opening: float
    part: int = 2
    appears: float = 0.0
    embedded: bool = False
    shut: tuple = ()
    healed: bool = False

    def at(self, length):
        """Return the crack when it has a given length.

        Parameters
        ----------
        length : float
            Length along the path.

        Returns
        -------
        points : ndarray, shape (m, 2)
            Points (u, v) from the mouth to the current tip.
        half_width : ndarray, shape (m,)
            Half of the opening at each point; 0 where it is healed.
        """
        points, half_width, _ = self._at(length)
        return points, half_width

    def pieces(self, length):
        """Return the parts of the crack that are not healed, mouth first: a list of (points, half_width) as of `at`."""
        points, half_width, at = self._at(length)
        if not self.healed:
            return [(points, half_width)]
        edges = [at[0], *(edge for part in self.shut_parts(length) for edge in part), at[-1]]
        inside = [(at >= start) & (at <= end) for start, end in zip(edges[::2], edges[1::2], strict=True)]
        return [(points[part], half_width[part]) for part in inside]

    def scars(self, length):
        """Return the healed parts of the crack: a list of paths, ndarray of shape (n, 2)."""
        if not self.healed:
            return []
        points, _, at = self._at(length)
        return [points[(at >= start) & (at <= end)] for start, end in self.shut_parts(length)]

    def shut_parts(self, length):
        """Return the parts (start, end) along the path that are closed when the crack has a given length."""
        parts = [(start, min(end, length - _BEHIND_TIP)) for start, end in self.shut]
        return [(start, end) for start, end in parts if end - start >= _SHORTEST_SHUT]

    def _at(self, length):
        """Return what `at` returns, and the length along the path at each point."""
        along = arc_length(self.path)
        length = min(length, along[-1])
        # Points are denser near the tip, where the width changes most.
        at = length * (1 - np.linspace(1, 0, _NODES) ** 2)
        if parts := self.shut_parts(length):
            at = np.union1d(at, np.ravel(parts))
        points = points_at(self.path, at)
        to_tip = length - at
        if self.embedded:
            # A crack with two tips opens as an ellipse.
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
    """Position of the specimen in the picture: mirrored or not, then rotated by `angle` [rad], scaled and shifted."""

    angle: float
    mirror: float
    shift: tuple
    zoom: float = 1.0

    def to_picture(self, points):
        """Map (u, v) to (x, y) from the picture's centre, x to the right and y down; both of shape (n, 2)."""
        u, v = self.mirror * points[:, 0], points[:, 1]
        cosine, sine = math.cos(self.angle), math.sin(self.angle)
        turned = np.stack([cosine * u - sine * v, sine * u + cosine * v], axis=1)
        return self.zoom * turned + np.asarray(self.shift)

    def to_specimen(self, x, y):
        """Map picture coordinates x and y, arrays of one shape, to u and v, two arrays of this shape."""
        x, y = (x - self.shift[0]) / self.zoom, (y - self.shift[1]) / self.zoom
        cosine, sine = math.cos(self.angle), math.sin(self.angle)
        return self.mirror * (cosine * x + sine * y), -sine * x + cosine * y


@dataclass(frozen=True)
class Specimen:
    """The properties of a specimen that are the same in all frames.

    Attributes
    ----------
    source : str
        "old" or "new".
    kind : str
        "plate" (compact tension), "pipe" (a section from the side, with a notch across it), "tube" (a pipe with a notch
        at its end and a crack along its axis) or "bar" (three-point bending).
    behind, ahead, half_height : float
        Distances from the end of the notch to the notched edge, to the opposite edge, and to each side.
    notch_type : str
        "slot", "keyhole" or "taper".
    notch_half_width : float
        Half width of the notch at the edge.
    cracks : tuple of Crack
        The primary crack first.
    first_length : float
        Length of the primary crack at the start of the test.
    pose : Pose
    millimetres : float
        Height of the picture [mm].
    holes : tuple of (u, v, radius)
        Drilled holes, away from the cracks.
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
        """Return the progress of the test at a frame, in (0, 1]; slow first, then faster, like a fatigue crack."""
        return ((frame + 1) / frames) ** 1.3

    def length(self, crack, growth):
        """Return the length of a crack at a progress `growth` of the test in (0, 1]; 0 before it appears."""
        if crack.part == 1:
            return self.first_length + (crack.length - self.first_length) * growth
        return crack.length * max(0.0, growth - crack.appears) / (1 - crack.appears)

    def mouth(self, growth):
        """Return the opening of the primary crack at the end of the notch."""
        primary = self.cracks[0]
        return primary.opening * math.sqrt(self.length(primary, growth))

    def notch_width(self, u, growth):
        """Return the half width of the notch at positions `u`, an array; it grows with the crack. 0 or less: none."""
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
    """Draw a pose that shows the middle of a specimen, between its two edges, near the picture's centre.

    Parameters
    ----------
    rng : numpy.random.Generator
    angle : float [rad]
        By which the specimen is rotated in the picture.
    mirror : float
        1, or -1 if the specimen is mirrored.
    behind, ahead : float
        Distances from the notch tip to the two edges, in picture heights.

    Returns
    -------
    Pose
    """
    centre = np.array([[0.5 * (ahead - behind), 0.0]])
    turned = Pose(angle, mirror, (0.0, 0.0)).to_picture(centre)[0]
    return Pose(angle, mirror, tuple((rng.normal(0, [0.03, 0.02]) - turned).tolist()))


def camera_moves(rng, pose):
    """Return the pose in one frame, after a small movement of the camera or the rig."""
    shift = tuple((np.asarray(pose.shift) + rng.normal(0, 0.006, 2)).tolist())
    return Pose(pose.angle + rng.normal(0, 0.005), pose.mirror, shift, 1 + rng.normal(0, 0.004))


def meander(rng, length, heading, start=(0.0, 0.0)):
    """Draw a path whose direction varies on four scales around its heading.

    Parameters
    ----------
    rng : numpy.random.Generator
    length : float
    heading : float
        Mean direction, from the u axis [rad].
    start : (u, v)

    Returns
    -------
    ndarray, shape (n, 2)
        Points (u, v).
    """
    at = np.linspace(0, 1, _NODES)
    angle = np.full(_NODES, heading)
    for corners, spread in ((5, 0.13), (14, 0.2), (45, 0.26), (160, 0.4)):
        angle += np.interp(at, np.linspace(0, 1, corners), rng.normal(0, spread, corners))
    steps = length / (_NODES - 1) * np.stack([np.cos(angle), np.sin(angle)], axis=1)[:-1]
    return np.concatenate([[start], np.asarray(start) + np.cumsum(steps, axis=0)])


def _secondary(rng, primary, kind):
    """Draw branches of the primary crack and small separate cracks, in about half of the specimens."""
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
