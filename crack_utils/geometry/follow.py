"""From the end of a mask on to the end of the crack, at the photograph's own resolution.

A network that saw the photograph reduced, or missed a hairline, ends a crack too early; one that took a scratch for its
continuation, too late. Here the photograph is looked at in strips along the crack's direction, a few dozen pixels at a
time, from some way behind the mask's end: dark and bright lines of several widths, in standard deviations of what the
strip shows beside the crack, and the network's probability where it is given. Each becomes the evidence, for or against
crack, of a pixel; the path of most evidence is found by dynamic programming, and the crack ends where its sum is
largest. On a surface without crack even the best path loses, so that nothing is followed there.
"""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from scipy.special import logit

from crack_utils.geometry.centreline import arc_length

BEHIND, AHEAD, ASIDE = 24, 40, 20  # [px] that a strip reaches behind the end, before it, and to either side
SCALES = (0.7, 1.2, 2.0, 3.5)  # [px] half widths of the lines that are looked for
_ALONG = 2.5  # [px] standard deviation over which a line is averaged along the strip
_BESIDE = 8  # [px] from the strip's middle on lies what is not crack
_LIMIT = 6.0  # standard deviations that count at most
_FAINT = 0.12  # of the crack's own contrast: one standard deviation at least
_GRAIN = 1e-3  # gray value: least standard deviation of grain
_TURN = 0.3  # evidence that a step to the side costs
_PIXEL = 2.5  # evidence of a pixel that counts at most: a pore is no crack, however dark
_GAP = 8.0  # evidence that may be lost on the way: the crack is lost for about as many pixels
_SURE = 6.0  # of a logit that counts at most
BESIDE = (-74, -58, -42, 42, 58, 74)  # [px] from the crack, where one looks what evidence the surface offers by chance
LEAST = 12.0  # evidence beyond that, below which a crack is not followed
TURNED = 20.0  # the same where it would go on as a line of the opposite tone, as fracture flanks beyond a dark gap do
_MOST = 60  # strips at most: 2,400 px

# Fitted by `crack_utils.study.follow_rule`: evidence = constant + Σ weight · feature.
WEIGHTS = {
    "constant": -2.75,
    "line as behind": 0.7,
    "opposite line": 0.16,
    "tone as behind": 0.5,
    "opposite tone": -0.35,
}
PROBABILITY = 0.5  # evidence a unit of the network's logit, which then replaces half of the constant


@dataclass(frozen=True)
class Followed:
    """Where a crack ends by the photograph.

    Attributes
    ----------
    position : tuple of float
        (row, column) [px].
    path : ndarray, shape (n, 2)
        From behind the mask's end to that position, about 1 px apart.
    evidence : float
        Of the path beyond the mask's end; 0 where the crack ends there or before.
    """

    position: tuple
    path: np.ndarray
    evidence: float


def follow(image, path, probabilities=None, weights=WEIGHTS):
    """Follow a crack from the end of its mask.

    Parameters
    ----------
    image : ndarray, float, shape (H, W), in [0, 1]
    path : ndarray, shape (n, 2)
        The crack's middle, about 1 px apart, its last point the end to go on from.
    probabilities : callable, optional
        Part of the photograph, two slices, → the network's crack probability of its pixels, (h, w).
    weights : dict
        As `WEIGHTS`.

    Returns
    -------
    Followed
    """
    path, gained, running, turned = np.asarray(path, float), 0.0, False, False
    for _ in range(_MOST):
        added, found, ends = _strip(image, path, probabilities, weights, running, turned)
        if len(added):
            path, gained = np.concatenate([path, added]), gained + found
            running, turned = not ends, False
        elif turned:
            break
        else:  # as it was, the crack goes on no more; perhaps as a line of the opposite tone
            running, turned = False, True
        if not _inside(path[-1] + _tangent(path[-5:]), image.shape):
            break
    return Followed(tuple(map(float, path[-1])), path, float(gained))


def _strip(image, path, probabilities, weights, running, turned):
    """The points by which a path goes on in one strip, their evidence, and whether the crack ends before the strip."""
    along = arc_length(path)
    start = int(np.searchsorted(along, along[-1] - BEHIND))
    tangent, origin = _tangent(path[start:]), path[start]
    across = np.array([-tangent[1], tangent[0]])
    features, contrast = strip_features(image, origin, tangent, probabilities)
    if turned:
        contrast = -contrast
        features, _ = strip_features(image, origin, tangent, probabilities, contrast)
    known = min(int(np.rint((path[-1] - origin) @ tangent)), len(features) - 2)
    columns, values = best_path(evidence(features[known:], weights), (path[-1] - origin) @ across + ASIDE)
    stop = int(np.argmax(values))
    least = 0.0
    if not running:
        least = (TURNED if turned else LEAST) + _by_chance(image, path[-1], tangent, contrast, probabilities, weights)
    if stop == 0 or values[stop] < least:
        return np.empty((0, 2)), 0.0, True
    aside = _smooth(columns[: stop + 1] - ASIDE)[1:]
    added = origin + (known + np.arange(1, stop + 1))[:, None] * tangent + aside[:, None] * across
    added = added[[_inside(point, image.shape) for point in added]]
    return added, values[stop], stop < len(values) - 3


def _by_chance(image, end, tangent, contrast, probabilities, weights):
    """The most evidence that is found beside the crack, where a path begins at no crack: what the surface offers."""
    across = np.array([-tangent[1], tangent[0]])
    most = 0.0
    for aside in BESIDE:
        origin = end + aside * across - BEHIND * tangent
        if not _inside(origin + BEHIND * tangent, image.shape):
            continue
        features, _ = strip_features(image, origin, tangent, probabilities, contrast)
        most = max(most, best_path(evidence(features[BEHIND:], weights), ASIDE)[1].max())
    return most


def strip_features(image, origin, tangent, probabilities=None, contrast=None):
    """Return what the pixels of a strip show; float, shape (BEHIND + AHEAD, 2·ASIDE + 1, n), and the contrast.

    Parameters
    ----------
    image : ndarray, float, shape (H, W), in [0, 1]
    origin, tangent : ndarray, shape (2,)
        Where the strip's middle begins, and its direction, a unit vector.
    probabilities : callable, optional
        As for `follow`.
    contrast : ndarray, optional
        How strong a line of each width the crack is, and how much darker or brighter than what is beside it; by default
        as the strip's first `BEHIND` pixels show it.
    """
    margin = int(4 * max(SCALES))
    at, aside = np.arange(-8, BEHIND + AHEAD + 8), np.arange(-ASIDE - margin, ASIDE + margin + 1)
    across = np.array([-tangent[1], tangent[0]])
    places = origin[:, None, None] + tangent[:, None, None] * at[:, None] + across[:, None, None] * aside
    gray, seen = _sampled(image, places)
    beside = np.abs(aside) >= _BESIDE
    rows, columns = slice(8, 8 + BEHIND), slice(margin + ASIDE - 1, margin + ASIDE + 2)
    lines = [ndimage.gaussian_filter(gray, (_ALONG, scale), order=(0, 2)) for scale in SCALES]
    tone = ndimage.gaussian_filter(gray, (_ALONG, 0.7))
    maps = [*lines, tone - np.median(tone[:, beside])]
    if contrast is None:
        contrast = np.array([values[rows, columns].mean() for values in maps])
    # Without grain, the crack's own blur would count: a line of less than a part of its contrast is none.
    spreads = [
        max(1.4826 * np.median(np.abs(values[:, beside])), _FAINT * abs(own), _GRAIN)
        for values, own in zip(maps, contrast, strict=True)
    ]
    maps = np.clip(np.array(maps) / np.array(spreads)[:, None, None], -_LIMIT, _LIMIT)
    # A crack that was dark so far most likely stays so, or turns into a bright line where only its flanks are seen.
    strongest = np.abs(contrast[:-1] / spreads[:-1]).argmax()
    lines, tone = np.sign(contrast[strongest]) * maps[:-1], np.sign(contrast[-1]) * maps[-1]
    found = [lines.max(axis=0), -lines.min(axis=0), np.maximum(tone, 0), np.maximum(-tone, 0)]
    found = [np.where(seen, values, -_LIMIT) for values in found]
    if probabilities is not None:
        found.append(_logits(image.shape, places, probabilities))
    return np.stack(found, axis=-1)[8:-8, margin:-margin], contrast


def evidence(features, weights):
    """Return the evidence of each pixel of a strip; shape (length, width)."""
    values = np.array([weights[name] for name in weights if name not in ("constant", "probability")])
    score = weights["constant"] + features[..., : len(values)] @ values
    if features.shape[-1] > len(values):
        score = score + weights.get("probability", PROBABILITY) * features[..., -1]
    return np.minimum(score, _PIXEL)


def best_path(score, column):
    """Return the path of most evidence from a column of a strip's first row to each of its rows.

    Parameters
    ----------
    score : ndarray, shape (length, width)
    column : float
        Where the path begins, give or take 2 px; the first row is no evidence.

    Returns
    -------
    columns : ndarray of int, shape (length,)
        Of the path that ends where the sum is largest; beyond that, of the best path from there on.
    values : ndarray, shape (length,)
        Sum of the evidence up to each row, of the best path to there.
    """
    length, width = score.shape
    sums, came = np.full((length, width), -np.inf), np.zeros((length, width), int)
    middle = int(np.clip(np.rint(column), 2, width - 3))
    sums[0, middle - 2 : middle + 3] = 0.0
    padded = np.full(width + 2, -np.inf)
    for row in range(1, length):
        padded[1:-1] = sums[row - 1]
        ways = np.stack([padded[:-2] - _TURN, padded[1:-1], padded[2:] - _TURN])
        choice = ways.argmax(axis=0)
        sums[row] = ways[choice, np.arange(width)] + score[row]
        came[row] = np.arange(width) + choice - 1
    values = sums.max(axis=1)
    lost = np.flatnonzero(np.maximum.accumulate(values) - values > _GAP)
    if lost.size:
        values[lost[0] :] = -np.inf
    columns = np.empty(length, int)
    last = int(np.argmax(values))
    columns[last] = sums[last].argmax()
    for row in range(last, 0, -1):
        columns[row - 1] = came[row, columns[row]]
    columns[last + 1 :] = sums[last + 1 :].argmax(axis=1)
    return columns, values


def _tangent(path):
    way = path[-1] - path[0]
    return way / max(np.hypot(*way), 1e-9)


def _smooth(columns):
    return ndimage.gaussian_filter1d(columns.astype(float), 1.5, mode="nearest")


def _inside(point, shape):
    return bool(np.all(point >= -0.5) and np.all(point <= np.array(shape) - 0.5))


def _window(places, shape, margin):
    """The part of a picture that holds some places, as slices, and its first row and column."""
    low = np.clip(np.floor(places.min(axis=(1, 2))).astype(int) - margin, 0, np.array(shape) - 1)
    high = np.clip(np.ceil(places.max(axis=(1, 2))).astype(int) + margin + 1, 1, shape)
    return tuple(slice(a, max(b, a + 1)) for a, b in zip(low, high, strict=True)), low


def _sampled(image, places):
    """Gray values at places, and which of them are in the picture."""
    part, low = _window(places, image.shape, 2)
    gray = ndimage.map_coordinates(np.float32(image[part]), places - low[:, None, None], order=1, mode="nearest")
    shape = np.array(image.shape)[:, None, None]
    return gray, ((places >= -0.5) & (places <= shape - 0.5)).all(axis=0)


def _logits(shape, places, probabilities):
    part, low = _window(places, shape, 32)
    found = logit(np.clip(probabilities(part), 1e-4, 1 - 1e-4))
    return np.clip(ndimage.map_coordinates(found, places - low[:, None, None], order=1, mode="nearest"), -_SURE, _SURE)
