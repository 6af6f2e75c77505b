"""Geometry of a test: specimen, notch, cracks with their growth, and the pose of the camera.

Lengths are in units of the picture (`scene.picture_scale`). Positions on the specimen are (u, v): the origin is at the
tip of the notch (or in the middle between two tips), `u` points along the primary crack and `v` across it.
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from crack_utils.data.synthetic.specimen import Pose
from crack_utils.data.synthetic.wide.crack import Arm, wander
from crack_utils.data.synthetic.wide.notch import Notch, draw_notch
from crack_utils.geometry.centreline import arc_length

KINDS = ("filling", "plate", "compact", "middle", "bend", "pipe", "tube")
_SHARES = (0.26, 0.16, 0.18, 0.10, 0.07, 0.13, 0.10)
_FAR = 9.0  # distance of an edge outside the picture
_INSIDE = 0.035  # smallest distance of a tip from the picture's border and the specimen's edges
_OUTSIDE = 0.03  # distance from the border at which a crack from outside the picture begins
_SHORTEST = 0.05  # if there is less room for a crack, another one is drawn


@dataclass(frozen=True)
class Layout:
    """A test's geometry.

    Attributes
    ----------
    kind : str
        "filling" (a plate without edges in the picture), "plate" (with edges), "compact" C(T), "middle" M(T),
        "bend" SE(B), "pipe" (crack across the axis), "tube" (crack along the axis).
    behind, ahead, half_height : float
        Distances of the specimen's edges from the origin.
    notch : Notch or None
    arms : tuple of Arm
        Primary arms first, one for each tip; empty if there is no crack.
    pose : Pose
    start, delay, power : float
        Growth: share of the final length at the first frame, share of the test before the crack begins, and exponent of
        the growth.
    hold : tuple of float
        Shares of the test between which the crack does not grow.
    millimetres : float
        Length of one unit [mm].
    """

    kind: str
    behind: float
    ahead: float
    half_height: float
    notch: Notch | None
    arms: tuple
    pose: Pose
    start: float
    delay: float
    power: float
    hold: tuple
    millimetres: float

    def growth(self, frame, frames):
        """Return the share of the final length at frame `frame` of `frames`, in [0, 1]; 0 before the crack begins."""
        time = (frame + 1) / frames
        if self.hold[0] < time < self.hold[1]:
            time = self.hold[0]
        if time <= self.delay:
            return 0.0
        return self.start + (1 - self.start) * ((time - self.delay) / (1 - self.delay)) ** self.power

    def length(self, arm, growth):
        """Return the length of an arm at a `growth` of the test in [0, 1]."""
        return arm.length * max(0.0, growth - arm.appears) / (1 - arm.appears)

    @property
    def across(self):
        """(axis, middle, radius) of a pipe: axis 0 if `u` runs around it, 1 if `v` does; None for a plate."""
        if self.kind == "pipe":
            return 0, 0.5 * (self.ahead - self.behind), 0.5 * (self.ahead + self.behind)
        return (1, 0.0, self.half_height) if self.kind == "tube" else None


def draw_layout(rng, half):
    """Draw a test.

    Parameters
    ----------
    rng : numpy.random.Generator
    half : tuple of float
        Half the picture's height and width, in units.

    Returns
    -------
    Layout
    """
    kind = str(rng.choice(KINDS, p=_SHARES))
    two = kind == "middle" or rng.random() < {"pipe": 0.6, "tube": 0.6, "filling": 0.2, "plate": 0.15}.get(kind, 0)
    start = _draw_start(rng, kind, two)
    behind, ahead, half_height = _draw_body(rng, kind, two, start)
    depth = rng.uniform(0.02, 0.15) if two else (_FAR if start == "notch" else 0.0)
    if kind == "filling" and not two and rng.random() < 0.3:
        depth = rng.uniform(0.05, 0.3)  # a starter cut on the surface
    notch = draw_notch(rng, depth, two) if start == "notch" else None
    angle = rng.choice(4) * math.pi / 2 + rng.normal(0, 0.06) if rng.random() < 0.6 else rng.uniform(0, 2 * math.pi)
    layout = Layout(
        kind=kind,
        behind=behind,
        ahead=ahead,
        half_height=half_height,
        notch=notch,
        arms=(),
        pose=_draw_pose(rng, float(angle), two, start, half, min(ahead, 0.7), min(behind, 0.5)),
        start=0.0 if rng.random() < 0.35 else rng.uniform(0.1, 0.6),
        delay=rng.uniform(0.1, 0.35) if rng.random() < 0.3 else 0.0,
        power=rng.uniform(0.8, 2.2),
        hold=tuple(np.sort(rng.uniform(0.2, 0.9, 2))) if rng.random() < 0.35 else (0.0, 0.0),
        millimetres=math.exp(rng.uniform(math.log(8), math.log(200))),
    )
    cracks = rng.random() >= (0.2 if start == "notch" else 0.1)
    return replace(layout, arms=_draw_arms(rng, layout, two, half)) if cracks else layout


def _draw_start(rng, kind, two):
    """Draw where the crack begins: at a notch, inside the plate without a notch, or at the border."""
    if two:
        return "notch" if rng.random() < 0.5 else "nothing"
    if kind in ("filling", "plate", "pipe", "tube"):
        return "notch" if rng.random() < 0.75 else "border"
    return "notch"


def _draw_body(rng, kind, two, start):
    """Draw the distances of the edges behind and ahead of the origin and to each side."""
    if kind == "filling":
        return _FAR, _FAR, _FAR
    if kind == "compact":
        width, crack = rng.uniform(0.55, 1.2), rng.uniform(0.2, 0.45)
        return (0.25 + crack) * width, (1 - crack) * width, 0.6 * width * rng.uniform(0.95, 1.05)
    if kind == "middle":
        width = rng.uniform(0.25, 0.6)
        return width, width, rng.uniform(0.5, 0.9)
    if kind == "bend":
        return rng.uniform(0.06, 0.25), rng.uniform(0.25, 0.5), _FAR
    if two:
        width = rng.uniform(0.3, 0.65)
        ends = (width, width) if kind != "tube" else (_FAR, _FAR)
        return *ends, rng.uniform(0.3, 0.6) if kind == "tube" else _FAR
    behind = 0.0 if start == "border" else rng.uniform(0.08, 0.45)
    ahead = rng.uniform(0.35, 0.9) if kind == "pipe" or rng.random() < 0.7 else _FAR
    if kind == "tube":
        return behind, _FAR, rng.uniform(0.25, 0.55)
    return behind, ahead, _FAR if kind == "pipe" or rng.random() < 0.4 else rng.uniform(0.25, 0.6)


def _draw_pose(rng, angle, two, start, half, ahead, behind):
    """Draw a pose that shows the middle of the final crack near the picture's centre."""
    way = np.array([math.cos(angle), math.sin(angle)])
    to_border = min(half[1] / max(abs(way[0]), 1e-6), half[0] / max(abs(way[1]), 1e-6))
    if two:
        origin = rng.normal(0, 0.08, 2)
    elif start == "border" and behind > 0:
        # The crack begins outside the picture.
        origin = -(to_border + 0.06) * way
    else:
        origin = -way * min(rng.uniform(0.05, 0.8) * to_border, 0.5 * ahead + 0.1)
        origin = origin + rng.normal(0, 0.1) * np.array([-way[1], way[0]])
    return Pose(angle, 1.0, tuple(float(value) for value in origin))


def _draw_arms(rng, layout, two, half):
    """Draw the arms of the primary crack and, in a third of the tests, secondary cracks; none if there is no room."""
    kind = rng.choice(["straight", "smooth", "rough"], p=(0.2, 0.2, 0.6))
    straight = kind == "straight"
    least, most = {"straight": (0.02, 0.15), "smooth": (0.3, 2.0), "rough": (0.2, 1.4)}[kind]
    roughness = math.exp(rng.uniform(math.log(least), math.log(most)))
    waves = 2 if kind == "smooth" else 5
    heading = rng.normal(0, 0.04) if straight or rng.random() < 0.5 else rng.normal(0, 0.3)
    kinks = 0 if kind != "rough" else int(rng.choice(4, p=(0.6, 0.2, 0.12, 0.08)))
    notch, arms = layout.notch, []
    narrow = 2 * notch.tip_half_width if notch else 0.05
    mouth = math.exp(rng.uniform(math.log(0.0025), math.log(0.035)))
    mouth = min(mouth, 0.9 * narrow)
    reach = rng.uniform(0.25, 0.97)
    for side in (1, -1) if two else (1,):
        origin = (side * (notch.depth if notch else 0.0) if two else 0.0, 0.0)
        for _ in range(8):
            path = wander(rng, 1.8, heading + (math.pi if side < 0 else 0), origin, roughness, kinks, waves)
            path = _within(path, layout, half, two)
            if arc_length(path)[-1] > _SHORTEST:
                break
        else:
            return ()
        part = max(reach * rng.uniform(0.9, 1.0) * arc_length(path)[-1], 0.8 * _SHORTEST)
        path = path[arc_length(path) <= part]
        arms.append(Arm(path, mouth / math.sqrt(part), mouth="middle" if two and not notch else "open"))
    return (*arms, *_draw_secondary(rng, layout, arms, half)) if rng.random() < 0.35 else tuple(arms)


def _within(path, layout, half, two):
    """Return the part of a path before it leaves the picture or the specimen."""
    x, y = layout.pose.to_picture(path).T
    inside = np.minimum(half[1] - np.abs(x), half[0] - np.abs(y))
    edges = np.minimum(layout.ahead - path[:, 0], layout.half_height - np.abs(path[:, 1]))
    room = np.minimum(inside, edges)
    if layout.across:  # near its outline, the surface of a pipe is seen at a small angle
        axis, middle, radius = layout.across
        side = path[:, axis] - middle
        one_way = layout.kind == "pipe" and not two
        room = np.minimum(room, 0.9 * radius - (side if one_way else np.abs(side)))
    if two:
        room = np.minimum(room, path[:, 0] + layout.behind)
    entered = np.argmax(room > _INSIDE)  # where a crack from outside enters the picture
    left = np.flatnonzero(room[entered:] < _INSIDE)
    begins = np.argmax(inside > -_OUTSIDE)
    return path[begins : entered + left[0]] if len(left) else path[begins:]


def _draw_secondary(rng, layout, arms, half):
    """Branches, short ones mostly, and small cracks beside the primary one."""
    others, primary, two = [], arms[0], len(arms) == 2
    for _ in range(rng.integers(1, 5)):
        node = int(rng.uniform(0.15, 0.8) * len(primary.path))
        along = arc_length(primary.path)
        length = math.exp(rng.uniform(math.log(0.015), math.log(0.2)))
        length = min(length, 0.7 * (along[-1] - along[node]))
        way = primary.path[min(node + 5, len(primary.path) - 1)] - primary.path[node]
        heading = math.atan2(way[1], way[0])
        opening = primary.opening * rng.uniform(0.4, 0.9)
        appears = 0.98 * along[node] / along[-1]
        if rng.random() < 0.7:
            turn = rng.choice([-1, 1]) * rng.uniform(0.35, 1.2)
            path = wander(rng, length, heading + turn, primary.path[node], rng.uniform(0.2, 1))
            others.append(Arm(_within(path, layout, half, two), opening, 2, appears))
            continue
        aside = rng.choice([-1, 1]) * rng.uniform(0.05, 0.3)
        place = primary.path[node] + aside * np.array([-math.sin(heading), math.cos(heading)])
        path = _within(wander(rng, length, heading + rng.normal(0, 0.4), place, 0.6), layout, half, two)
        gap = np.min(np.hypot(*(path[::20, None] - primary.path[None, ::8]).transpose(2, 0, 1)), initial=9.0)
        if gap > 0.03 and (layout.notch is None or np.min(layout.notch.distance(*path.T), initial=9.0) > 0.02):
            others.append(Arm(path, opening, 2, 0.5 * appears, mouth="tip"))
    return [arm for arm in others if len(arm.path) > 3 and arm.length > 0.012]
