"""Which of the cracks in a picture is the primary one.

From a mask alone it is the longest. The photograph tells more: a specimen's edge has another gray value on either side,
a scratch is straight and of one width, and the primary crack has a notch or a border at one of its ends, but not at the
other. The signs of each candidate are weighed by a conditional logistic regression (McFadden 1974).
"""

import numpy as np
from scipy import ndimage

from crack_utils.geometry.centreline import line_of
from crack_utils.geometry.ends import WITH_IMAGE, signs_of
from crack_utils.geometry.pieces import join_pieces
from crack_utils.geometry.skeleton import skeletons

_MOST = 60  # pieces, the longest first, that are looked at for being joined: more is noise
_CANDIDATES = 12  # cracks, the longest first, of which one is the primary crack
_BESIDE = (3.0, 8.0)  # [px] from a crack's edge: where the material beside it is looked at
_FLAT = 0.02  # gray value: least standard deviation of the material beside a crack
_BORDER = 1.5  # [px] from the picture's edge

# Fitted by `crack_utils.study.primary_rule` on synthetic specimens and what the default model found in them.
WEIGHTS = {
    "length": 0.93,
    "probability": 5.13,
    "step": -0.66,
    "dark": 1.89,
    "bright": -0.01,
    "wide": -0.25,
    "narrows": -0.52,
    "wavy": -0.06,
    "tip and mouth": 0.07,
    "tip": 0.36,
    "closed": -4.77,
    "turns": 0.0,
}


def ranked(field, level, image=None):
    """Return the cracks of a picture, broken-up ones in one piece, the primary crack first.

    Parameters
    ----------
    field : ndarray of float32, shape (height, width)
        At least `level` where there is crack.
    level : float
    image : ndarray, float, shape (height, width), in [0, 1], optional
        The photograph.

    Returns
    -------
    field : ndarray of float32, shape (height, width)
        With bridges between the pieces of a crack.
    cracks : list of (Skeleton, path, closed)
        Path and whether it is closed as of `Skeleton.longest_path`; the primary one first, then the longest.
    """
    joined, pieces, signs = candidates(field, level, image)
    if signs is not None and len(pieces) > 1:
        pieces.insert(0, pieces.pop(int(np.argmax(signs @ list(WEIGHTS.values())))))
    return joined, pieces


def candidates(field, level, image=None):
    """Return what `ranked` does, the longest crack first, and the signs of those that may be the primary one.

    Returns
    -------
    field, cracks
        As of `ranked`.
    signs : ndarray, shape (n, k), or None
        Of the first n cracks, in the order of `WEIGHTS`; None without an image.
    """
    pieces = _longest_first(skeletons(field >= level))
    joined = join_pieces(field, level, [crack for crack, _, _ in pieces[:_MOST]], image)
    if joined is not field:
        pieces = _longest_first(skeletons(joined >= level))
    if image is None:
        return joined, pieces, None
    mask = joined >= level
    found = [signs_of_crack(joined, level, mask, image, *piece) for piece in pieces[:_CANDIDATES]]
    return joined, pieces, np.array(found).reshape(-1, len(WEIGHTS))


def signs_of_crack(field, level, mask, image, crack, way, closed):
    """Return the signs of one crack, in the order of `WEIGHTS`.

    Parameters
    ----------
    field : ndarray of float32, shape (height, width)
    level : float
    mask : ndarray of bool, shape (height, width)
    image : ndarray, float, shape (height, width), in [0, 1]
    crack, way, closed
        As `ranked` returns them.

    Returns
    -------
    ndarray, shape (n,)
    """
    line = line_of(field, level, crack, way, closed)
    points, half = line.points, line.widths / 2
    along = np.gradient(points, axis=0)
    along /= np.maximum(np.hypot(*along.T), 1e-9)[:, None]
    across = np.stack([-along[:, 1], along[:, 0]], axis=1)
    distances = np.linspace(*_BESIDE, 4)
    sides = []
    for sign in (-1, 1):
        places = points[:, None] + sign * (half[:, None] + distances)[..., None] * across[:, None]
        sides.append(ndimage.map_coordinates(image, places.reshape(-1, 2).T, order=1, mode="nearest"))
    inside = ndimage.map_coordinates(image, points.T, order=1, mode="nearest")
    middles = [float(np.median(side)) for side in sides]
    spread = max(np.mean([1.4826 * np.median(np.abs(side - np.median(side))) for side in sides]), _FLAT)
    beyond = (np.median(inside) - np.array(middles)) / spread
    chord = np.hypot(*(points[-1] - points[0])) / max(line.length, 1.0)
    shape = np.array(field.shape) - 1
    at_border = [bool((end < _BORDER).any() or (end > shape - _BORDER).any()) for end in (points[0], points[-1])]
    tip, mouth = 0.0, 0.0
    falls = 0.0
    if not closed:
        ends = signs_of(line, at_border, image, mask)
        falls = abs(ends[0, 2])
        likeness = np.where(at_border, -4.0, np.clip(ends @ list(WITH_IMAGE.values()), -4, 4))
        tip, mouth = likeness.max(), likeness.min()
    return np.array(
        [
            np.log(line.length + 1),
            float(np.mean(field[tuple(crack.pixels[way].T)])),
            np.log1p(abs(middles[0] - middles[1]) / spread),
            np.log1p(max(-beyond.max(), 0.0)),
            np.log1p(max(beyond.min(), 0.0)),
            np.log(line.widths.mean() + 0.5),
            falls,
            np.log1p(100 * max(1 - chord, 0.0)),
            tip - mouth,
            tip,
            float(closed),
            _turns(line),
        ]
    )


def _turns(line):
    """By what angle a crack turns in all, from its beginning to its end [rad]: the rim of a hole turns far."""
    points = line.points[:: max(len(line.points) // 12, 1)]
    steps = np.diff(points, axis=0)
    angles = np.unwrap(np.arctan2(steps[:, 0], steps[:, 1]))
    return float(abs(angles[-1] - angles[0])) if len(angles) else 0.0


def _longest_first(cracks):
    found = []
    for crack in cracks:
        way, closed = crack.longest_path()
        found.append((crack.distances(way[0])[0][way[-1]], crack, way, closed))
    return [tuple(rest) for _, *rest in sorted(found, key=lambda each: -each[0])]
