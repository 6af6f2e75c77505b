"""Patterns: what a specimen's crack may look like, and its body, beyond the one that the report's photographs show.

A pattern takes a specimen as `draw_specimen` made it and changes it. What the ground truth says:

- *forked*: the crack splits once or twice. Stem and longest arm are the primary crack, and the tip is that arm's; the
  other arms are secondary cracks, as branches always are (R15). In every frame the primary arm is the longest.
- *closed*: parts of the crack are pressed together to a hairline. They are crack: it is there, and can be seen.
- *healed*: parts of the crack are filled, and a faint light scar is left. They are background, as nothing is open
  there; the mask has gaps. What lies beyond a gap is the same primary crack, and the tip is its end.
"""

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np

from crack_utils.data.synthetic.specimen import Crack, meander, placed
from crack_utils.geometry.centreline import arc_length

_APART = 0.06  # that cracks keep from each other
_REACH = 0.27  # that an inclined crack may go to the side: farther out the rig would hide its tip


def growing(rng, specimen):
    """Leave the specimen as it is: a plate or a pipe's section with a crack that grows ahead of the notch."""
    return specimen


def forked(rng, specimen):
    """Let the crack split once or twice, each time into two arms that turn away from each other."""
    primary, first = specimen.cracks[0], specimen.first_length
    path, arms, side = primary.path, [], float(rng.choice([-1, 1]))
    for share in np.sort(rng.uniform(0.3, 0.6, rng.integers(1, 3))):
        along = arc_length(path)
        node = int(np.searchsorted(along, share * along[-1]))
        left = along[-1] - along[node]
        longest = meander(rng, left, side * rng.uniform(0.2, 0.45), path[node])
        shorter = meander(rng, rng.uniform(0.6, 0.9) * left, -side * rng.uniform(0.3, 0.7), path[node])
        # It appears when the tip comes by, and ends with the test, so it is shorter all the time in between.
        appears = max(0.0, (along[node] - first) / (along[-1] - first))
        arms.append(Crack(shorter, rng.uniform(0.8, 1) * primary.opening, appears=appears))
        path, side = np.concatenate([path[:node], longest]), -side
    return replace(specimen, cracks=(replace(primary, path=path), *arms, *_far_from(path, specimen.cracks[1:])))


def inclined(rng, specimen):
    """Let the crack leave the notch at 25 to 55 degrees from its direction, as under shear."""
    primary, angle = specimen.cracks[0], rng.uniform(math.radians(25), math.radians(55))
    path = meander(rng, min(primary.length, _REACH / math.sin(angle)), float(rng.choice([-1, 1])) * angle)
    # A shorter crack of the same growth: it begins as short in proportion.
    first = min(specimen.first_length, 0.5 * arc_length(path)[-1])
    cracks = (replace(primary, path=path), *_far_from(path, specimen.cracks[1:]))
    return replace(specimen, cracks=cracks, first_length=first)


def closed(rng, specimen):
    """Press one to three parts of the crack together to a hairline."""
    return _shut(rng, specimen, healed=False)


def healed(rng, specimen):
    """Fill one to three parts of the crack, which leaves a faint scar."""
    return _shut(rng, specimen, healed=True)


def perforated(rng, specimen):
    """Drill up to eight round, dark holes away from the cracks; they are not cracks."""
    holes, cracks = [], np.concatenate([crack.path for crack in specimen.cracks])
    side = min(specimen.half_height, 0.45)
    for _ in range(8):
        radius = rng.uniform(0.018, 0.04)
        place = rng.uniform([-specimen.behind + 0.06, 0.06 - side], [specimen.ahead - 0.06, side - 0.06])
        on_the_notch = place[0] < 0 and abs(place[1]) < radius + 0.09
        others = np.array([(*hole[:2],) for hole in holes]).reshape(-1, 2)
        if not on_the_notch and _distance(place, cracks) > radius + 0.05 and _distance(place, others) > 0.1:
            holes.append((*place.tolist(), radius))
    return replace(specimen, holes=tuple(holes))


def tube(rng, specimen):
    """Change the specimen to a pipe with a crack along its axis; it is shaded across and held at its far end."""
    half_height = rng.uniform(0.28, 0.36)
    pose = placed(rng, rng.normal(0, 0.05), specimen.pose.mirror, 0.3, 0.6)
    cracks = [crack for crack in specimen.cracks[1:] if np.abs(crack.path[:, 1]).max() < half_height - 0.02]
    size = {"behind": rng.uniform(0.26, 0.36), "ahead": 1.2, "half_height": half_height}
    return replace(specimen, kind="tube", pose=pose, cracks=(specimen.cracks[0], *cracks), **size)


def bar(rng, specimen):
    """Change the specimen to a bar in three-point bending: two rollers beside the notch, one opposite."""
    behind = rng.uniform(0.08, 0.14)
    angle = float(rng.choice([-0.5, 0.5])) * math.pi + rng.normal(0, 0.03)
    pose = placed(rng, angle, specimen.pose.mirror, behind, specimen.ahead)
    return replace(specimen, kind="bar", behind=behind, half_height=0.8, pose=pose)


PATTERNS = {
    "growing": growing,
    "forked": forked,
    "inclined": inclined,
    "closed": closed,
    "healed": healed,
    "perforated": perforated,
    "tube": tube,
    "bar": bar,
}


GROWING = ("growing",)  # the usual data set


def pattern_of(specimen, patterns):
    """Return the pattern of a specimen by its number: the specimens of each source take the patterns in turn."""
    return patterns[specimen // 2 % len(patterns)]


def check_patterns(patterns):
    """Raise a ValueError unless `patterns` is a sequence of names in PATTERNS; the message lists them."""
    unknown = [name for name in patterns if name not in PATTERNS] if not isinstance(patterns, str) else [patterns]
    if unknown or not patterns:
        raise ValueError(f"patterns={patterns!r}: valid are one or more of {', '.join(PATTERNS)}")


def _shut(rng, specimen, healed):
    """Choose parts of the primary crack to close: its middle is divided into equal stretches, with one part in each."""
    primary, count = specimen.cracks[0], rng.integers(1, 4)
    edges = np.linspace(0.12, 0.8, count + 1) * primary.length
    parts = []
    for low, high in pairwise(edges):
        length = min(rng.uniform(0.05, 0.1), 0.7 * (high - low))
        start = rng.uniform(low, high - length)
        parts.append((start, start + length))
    return replace(specimen, cracks=(replace(primary, shut=tuple(parts), healed=healed), *specimen.cracks[1:]))


def _far_from(path, cracks):
    """Return the cracks that begin neither at the notch nor at another crack, and are far enough from a path."""
    return [crack for crack in cracks if crack.embedded and min(_distance(p, path) for p in crack.path[::8]) > _APART]


def _distance(place, points):
    return np.min(np.hypot(*(points - place).T), initial=np.inf)
