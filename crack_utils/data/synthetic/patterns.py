"""Patterns: kinds of cracks and specimens that the report's photographs do not show.

A pattern is a function of a random generator and a specimen from `draw_specimen`; it returns a changed specimen. The
ground truth is:

- *forked*: the crack splits once or twice. The stem and the longest arm are the primary crack, whose tip is that of
  this arm. The other arms are secondary cracks, like all branches (R15). The primary arm is the longest in every frame.
- *closed*: parts of the crack are pressed together to a hairline. They are crack, because they are visible.
- *healed*: parts of the crack are filled, which leaves a faint bright scar. They are background, so the mask has
  gaps. The crack beyond a gap is still the primary crack, and the tip is at its end.
"""

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np

from crack_utils.data.synthetic.specimen import Crack, meander, placed
from crack_utils.geometry.centreline import arc_length

_APART = 0.06  # smallest distance between cracks
_REACH = 0.27  # largest distance of an inclined crack to the side; the rig would hide a tip farther away


def growing(rng, specimen):
    """Return the specimen unchanged: a plate or a section of a pipe, with a crack that grows ahead of the notch."""
    return specimen


def forked(rng, specimen):
    """Split the crack once or twice, each time into two arms that turn away from each other."""
    primary, first = specimen.cracks[0], specimen.first_length
    path, arms, side = primary.path, [], float(rng.choice([-1, 1]))
    for share in np.sort(rng.uniform(0.3, 0.6, rng.integers(1, 3))):
        along = arc_length(path)
        node = int(np.searchsorted(along, share * along[-1]))
        left = along[-1] - along[node]
        longest = meander(rng, left, side * rng.uniform(0.2, 0.45), path[node])
        shorter = meander(rng, rng.uniform(0.6, 0.9) * left, -side * rng.uniform(0.3, 0.7), path[node])
        # The arm begins when the tip reaches it and grows until the end of the test, so it is always the shorter one.
        appears = max(0.0, (along[node] - first) / (along[-1] - first))
        arms.append(Crack(shorter, rng.uniform(0.8, 1) * primary.opening, appears=appears))
        path, side = np.concatenate([path[:node], longest]), -side
    return replace(specimen, cracks=(replace(primary, path=path), *arms, *_far_from(path, specimen.cracks[1:])))


def inclined(rng, specimen):
    """Turn the crack by 25 to 55 degrees from the direction of the notch, as under shear."""
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
