"""Choose the primary crack among the cracks in a picture.

With a mask alone, the primary crack is the longest. A photograph helps to reject other lines: the gray values on the
two sides of a specimen's edge differ, a scratch is straight and has a constant width, cables and scratches are smoother
than cracks, and the primary crack begins at a notch or at the border and ends inside the material. Such features of
each candidate are combined by a conditional logistic regression (McFadden 1974). One of its alternatives is that none
of the candidates is the primary crack.
"""

from typing import NamedTuple

import numpy as np
from numpy.polynomial import polynomial
from scipy import ndimage
from scipy.special import logit, softmax

from crack_utils.geometry.centreline import arc_length, line_of
from crack_utils.geometry.ends import WITH_IMAGE, falls_along, features_of
from crack_utils.geometry.pieces import join_pieces
from crack_utils.geometry.skeleton import EIGHT, box_of, skeletons

_MOST = 60  # longest pieces that may be joined; further ones are noise
_CANDIDATES = 12  # longest cracks that may be the primary crack
_BESIDE = (3.0, 8.0)  # [px] from a crack's edge: range in which the material beside it is measured
_FLAT = 0.02  # gray value: smallest standard deviation of the material beside a crack
_SURE = 0.99  # largest mean probability along a crack that counts
_CLEAR = 4.0  # largest absolute value of an end's logit
_SHORT = 10.0  # [px] length: a shorter crack is as rough as one of this length
_BORDER = 1.5  # [px] from the picture's edge

# Fitted by `crack_utils.study.primary_rule` on drawn specimens and surfaces, as the default model sees them.
WEIGHTS = {
    "length": 0.99,
    "sure": 0.7,
    "step": -0.8,
    "dark": 0.27,
    "bright": 0.35,
    "wide": 0.77,
    "narrows": -0.27,
    "rough": 0.88,
    "tip and mouth": 0.08,
    "tip": 0.01,
    "closed": -2.41,  # of an older fit: in the later ones none of the candidates was closed
    "turns": 0.03,
}
NONE = 6.64  # weighted sum of the alternative that none is the primary crack; fitted with the weights
_USUAL_ENDS = (3.2, 3.0)  # medians of the features of ends over the candidates of `primary_rule`
OF_ENDS = [list(WEIGHTS).index(name) for name in ("tip and mouth", "tip")]


class Chances(NamedTuple):
    """What the photograph says of the found cracks.

    Attributes
    ----------
    primary : float in (0, 1]
        Probability that the first one is the primary crack.
    none : float in [0, 1)
        Probability that none of the longest ones is: that there is no crack, or that it was not found.
    """

    primary: float = 1.0
    none: float = 0.0


def ranked(field, level, image=None, primary=None, least=0.0):
    """Return the cracks of a picture, the primary crack first, after joining the pieces of broken cracks.

    Parameters
    ----------
    field : ndarray of float32, shape (height, width)
        Mask or probability, from `arguments.as_field`; at least `level` where there is crack.
    level : float
        Threshold of crack, in (0, 1).
    image : ndarray, float, shape (height, width), in [0, 1], optional
        The photograph.
    primary : (row, column), optional
        The crack nearest to this position [px] is the primary one, whatever its features are.
    least : float
        Cracks that extend less far [px] are specks, and left out. A primary crack that a person has chosen is kept, and
        where all are specks, the most likely one.

    Returns
    -------
    field : ndarray of float32, shape (height, width)
        The same field with thin bridges between the pieces of a crack.
    cracks : list of (Skeleton, path, closed)
        Path and closed are those of `Skeleton.longest_path`. The primary crack is first, the others follow by length.
    chances : Chances
        1 and 0 without an image, and where a person has said which one is the primary crack.
    """
    joined, pieces = _joined(field, level, image)
    cracks = [piece for piece in pieces if _extent(*piece[:2]) >= least]
    if not pieces:
        return joined, [], Chances()
    among, first, chances = cracks or pieces, 0, Chances()
    if primary is not None:
        among = pieces
        first = int(np.argmin([np.hypot(*(crack.pixels - primary).T).min() for crack, _, _ in pieces]))
    elif image is not None:
        first, chances = _most_likely(joined, level, image, among[:_CANDIDATES])
    return joined, [among[first], *(crack for crack in cracks if crack is not among[first])], chances


def _extent(crack, way):
    """Return how far a skeleton's crack extends along its longest path, about [px]."""
    return arc_length(crack.pixels[way])[-1] + crack.radii[way[[0, -1]]].sum() - 1


def candidates(field, level, image=None):
    """Return the cracks of a picture by length, and the features of those that may be the primary crack.

    Parameters
    ----------
    field, level, image
        As for `ranked`.

    Returns
    -------
    field, cracks
        As of `ranked`, but with the longest crack first.
    features : ndarray, shape (n, k), or None
        Features of the n longest cracks, at most 12, in the order of `WEIGHTS`; None without an image.
    """
    joined, pieces = _joined(field, level, image)
    if image is None:
        return joined, pieces, None
    mask = joined >= level
    features = [features_of_crack(joined, level, mask, image, *piece) for piece in pieces[:_CANDIDATES]]
    return joined, pieces, np.array(features).reshape(-1, len(WEIGHTS))


def _most_likely(field, level, image, pieces):
    """Return which crack has the largest weighted sum of the features of `candidates`, and its `Chances`.

    Features of ends take most of the time. They are measured only where they could still make the sum the largest; for
    the chances, the other cracks have those that are usual.
    """
    weights = np.array(list(WEIGHTS.values()))
    features = np.array([_features_of_middle(field, level, image, *piece) for piece in pieces])
    without = features @ weights
    at_most = without + np.abs(weights[OF_ENDS]) @ (2 * _CLEAR, _CLEAR)
    sums, mask = np.full(len(pieces), -np.inf), field >= level
    for number in np.argsort(-at_most):
        if at_most[number] < sums.max():
            break
        features[number, OF_ENDS] = _features_of_ends(field, level, mask, image, *pieces[number])
        sums[number] = (features @ weights)[number]
    likely = np.where(np.isfinite(sums), sums, np.minimum(without + weights[OF_ENDS] @ _USUAL_ENDS, sums.max()))
    shares = softmax(np.append(likely, NONE))
    first = int(np.argmax(sums))
    return first, Chances(float(shares[first]), float(shares[-1]))


def _joined(field, level, image):
    """Return the field with bridges between the pieces of cracks, and its cracks, the longest first."""
    pieces = _longest_first(skeletons(field >= level))
    joined = join_pieces(field, level, [crack for crack, _, _ in pieces[:_MOST]], image)
    if joined is field:
        return field, pieces
    with_bridge, box = np.zeros(field.shape, bool), box_of(joined >= level)
    labels, count = ndimage.label(joined[box] >= level, EIGHT)
    bridged = np.zeros(count + 1, bool)
    bridged[labels[joined[box] != field[box]]] = True
    with_bridge[box] = bridged[labels]
    others = [crack for crack, _, _ in pieces if not with_bridge[tuple(crack.pixels[0])]]
    return joined, _longest_first(others + skeletons(with_bridge))


def features_of_crack(field, level, mask, image, crack, way, closed):
    """Measure the features of one crack that help to decide whether it is the primary crack.

    Parameters
    ----------
    field : ndarray of float32, shape (height, width)
        Mask or probability.
    level : float
        Threshold of crack, in (0, 1).
    mask : ndarray of bool, shape (height, width)
        True where the field is at least `level`.
    image : ndarray, float, shape (height, width), in [0, 1]
        The photograph.
    crack, way, closed
        Skeleton, path and whether the path is closed, as `ranked` returns them.

    Returns
    -------
    ndarray, shape (k,)
        In the order of `WEIGHTS`.
    """
    features = _features_of_middle(field, level, image, crack, way, closed)
    features[OF_ENDS] = _features_of_ends(field, level, mask, image, crack, way, closed)
    return features


def _features_of_middle(field, level, image, crack, way, closed):
    """Return the features of a crack, with 0 for those of its ends."""
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
    return np.array(
        [
            np.log(line.length + 1),
            float(logit(np.clip(np.mean(field[tuple(crack.pixels[way].T)]), 1 - _SURE, _SURE))),
            np.log1p(abs(middles[0] - middles[1]) / spread),
            np.log1p(max(-beyond.max(), 0.0)),
            np.log1p(max(beyond.min(), 0.0)),
            np.log(line.widths.mean() + 0.5),
            0.0 if closed else abs(falls_along(line)),
            _rough(line),
            0.0,
            0.0,
            float(closed),
            _turns(line),
        ]
    )


def _features_of_ends(field, level, mask, image, crack, way, closed):
    """Return how much more one end looks like a tip than the other, and how much it does, in logits."""
    if closed:
        return 0.0, 0.0
    line = line_of(field, level, crack, way)
    shape = np.array(field.shape) - 1
    at_border = [
        bool((end < _BORDER).any() or (end > shape - _BORDER).any()) for end in (line.points[0], line.points[-1])
    ]
    ends = features_of(line, at_border, image, mask)
    likeness = np.where(at_border, -_CLEAR, np.clip(ends @ list(WITH_IMAGE.values()), -_CLEAR, _CLEAR))
    return likeness.max() - likeness.min(), likeness.max()


def _rough(line):
    """How far a crack departs from a smooth curve, for its length: cables and scratches hardly do."""
    points = ndimage.gaussian_filter1d(line.points, 1.0, axis=0, mode="nearest")
    along = np.linspace(-1, 1, len(points))
    degree = min(3, len(points) - 1)
    curve = polynomial.polyval(along, polynomial.polyfit(along, points, degree)).T
    departure = np.sqrt(((points - curve) ** 2).sum(axis=1).mean())
    return float(np.log1p(100 * departure / max(line.length, _SHORT)))


def _turns(line):
    """By what angle a crack turns in all, from its beginning to its end [rad]: the rim of a hole turns far."""
    points = line.points[:: max(len(line.points) // 12, 1)]
    steps = np.diff(points, axis=0)
    angles = np.unwrap(np.arctan2(steps[:, 0], steps[:, 1]))
    return float(abs(angles[-1] - angles[0])) if len(angles) else 0.0


def _longest_first(cracks):
    with_length = []
    for crack in cracks:
        path, closed = crack.longest_path()
        with_length.append((-crack.distances(path[0])[0][path[-1]], *crack.pixels[0], (crack, path, closed)))
    return [entry[-1] for entry in sorted(with_length, key=lambda entry: entry[:-1])]
