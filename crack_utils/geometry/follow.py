"""Follow a crack beyond the end of its mask, in the photograph at full resolution.

A network that sees a reduced photograph, or misses a hairline, ends a crack too early. Here the photograph is examined
in strips along the direction of the crack. Each strip is a few dozen pixels long and begins behind the end of the mask.

For each pixel of a strip, several features are computed: how well it fits a dark or bright line of several widths, in
standard deviations of the surface beside the crack, and the network's probability if it is given. Their weighted sum is
the evidence that the pixel is crack; it is negative for most pixels of a surface. Dynamic programming finds the path
with the largest sum of evidence, and the crack ends where this sum is largest. On a surface without a crack even the
best path has little evidence, and the crack is not followed.
"""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from scipy.special import logit

from crack_utils.geometry.centreline import arc_length

BEHIND, AHEAD, ASIDE = 24, 40, 20  # [px] size of a strip: behind the end, ahead of it, and to each side
SCALES = (0.7, 1.2, 2.0, 3.5)  # [px] half widths of the lines that are searched for
_ALONG = 2.5  # [px] standard deviation of the smoothing along the strip
_BESIDE = 8  # [px] from the strip's middle: farther away is surface, not crack
_LIMIT = 6.0  # standard deviations: larger features are cut to this
_FAINT = 0.12  # share of the crack's own contrast: smallest value that is used as the standard deviation
_GRAIN = 1e-3  # gray value: smallest value that is used as the standard deviation
_TURN = 0.3  # evidence that a step to the side costs
_PIXEL = 2.5  # largest evidence of one pixel: a single dark pore must not count as a crack
_GAP = 8.0  # evidence that a path may lose before it ends; about as many pixels without a visible crack
_SURE = 6.0  # largest absolute value of a logit
BESIDE = (-74, -58, -42, 42, 58, 74)  # [px] from the crack: strips that show how much evidence occurs by chance
LEAST = 9.0  # evidence above that of chance that is needed to follow a crack
_MOST = 60  # strips at most: 2,400 px

# Fitted by `crack_utils.study.follow_rule`: evidence = constant + Σ weight · feature.
WEIGHTS = {
    "constant": -2.75,
    "line as behind": 0.7,
    "opposite line": 0.16,
    "tone as behind": 0.5,
    "opposite tone": -0.35,
}
PROBABILITY = 0.5  # evidence per unit of the network's logit


@dataclass(frozen=True)
class Followed:
    """The end of a crack as the photograph shows it.

    Attributes
    ----------
    position : tuple of float
        (row, column) of the end [px].
    path : ndarray, shape (n, 2)
        The given path, extended to that position; points are about 1 px apart [px].
    evidence : float
        Sum of the evidence of the extension; 0 if the crack was not extended.
    """

    position: tuple
    path: np.ndarray
    evidence: float


def follow(image, path, probabilities=None):
    """Follow a crack in the photograph, beyond the end of its mask.

    Parameters
    ----------
    image : ndarray, float, shape (H, W), in [0, 1]
        The photograph.
    path : ndarray, shape (n, 2)
        (row, column) of the crack's middle [px], about 1 px apart. Its last point is the end to continue from.
    probabilities : callable, optional
        A function of two slices, a part of the photograph of (h, w) pixels, that returns the network's probability of
        crack there, an array of shape (h, w).

    Returns
    -------
    Followed
    """
    path, gained, running, turned = np.asarray(path, float), 0.0, False, False
    for _ in range(_MOST):
        added, strip_evidence, ends = _strip(image, path, probabilities, running, turned)
        if len(added):
            path, gained = np.concatenate([path, added]), gained + strip_evidence
            running, turned = not ends, False
        elif turned:
            break
        else:  # the crack does not continue as it was; try a line of the opposite kind
            running, turned = False, True
        if not _inside(path[-1] + _tangent(path[-5:]), image.shape):
            break
    return Followed(tuple(map(float, path[-1])), path, float(gained))


def _strip(image, path, probabilities, running, turned):
    """Return the points that extend a path in one strip, their evidence, and whether the crack ends in the strip."""
    along = arc_length(path)
    start = int(np.searchsorted(along, along[-1] - BEHIND))
    tangent, origin = _tangent(path[start:]), path[start]
    across = np.array([-tangent[1], tangent[0]])
    features, contrast = strip_features(image, origin, tangent, probabilities, turned=turned)
    start_row = min(int(np.rint((path[-1] - origin) @ tangent)), len(features) - 2)
    columns, values = best_path(evidence(features[start_row:]), (path[-1] - origin) @ across + ASIDE)
    stop = int(np.argmax(values))
    least = 0.0 if running else LEAST
    enough = stop > 0 and values[stop] >= least
    if enough and not running:  # chance takes longest to find out and only ever raises what is needed
        enough = values[stop] >= least + _by_chance(image, path[-1], tangent, contrast, probabilities, turned)
    if not enough:
        return np.empty((0, 2)), 0.0, True
    aside = _smooth(columns[: stop + 1] - ASIDE)[1:]
    added = origin + (start_row + np.arange(1, stop + 1))[:, None] * tangent + aside[:, None] * across
    added = added[[_inside(point, image.shape) for point in added]]
    return added, values[stop], stop < len(values) - 3


def _by_chance(image, end, tangent, contrast, probabilities, turned):
    """Return the largest evidence of paths on the bare surface beside the crack, which occurs by chance."""
    across = np.array([-tangent[1], tangent[0]])
    most = 0.0
    for aside in BESIDE:
        origin = end + aside * across - BEHIND * tangent
        if not _inside(origin + BEHIND * tangent, image.shape):
            continue
        features, _ = strip_features(image, origin, tangent, probabilities, contrast, turned)
        most = max(most, best_path(evidence(features[BEHIND:]), ASIDE)[1].max())
    return most


def strip_features(image, origin, tangent, probabilities=None, contrast=None, turned=False):
    """Return the features of all pixels of a strip.

    Parameters
    ----------
    image : ndarray, float, shape (H, W), in [0, 1]
        The photograph.
    origin, tangent : ndarray, shape (2,)
        Start of the strip's middle line (row, column) [px], and its direction, a unit vector.
    probabilities : callable, optional
        As for `follow`.
    contrast : ndarray, shape (len(SCALES) + 1,), optional
        Contrast of the crack: its strength as a line of each width, then its gray value minus that of the surface
        beside it. By default it is measured in the first `BEHIND` pixels of the strip.
    turned : bool
        Whether a line of the opposite kind is searched for: a bright one with a bright tone if the crack is a dark
        line. The tone behind is no help there: beside a dark gap with bright flanks it may be bright already.

    Returns
    -------
    features : ndarray, float, shape (BEHIND + AHEAD, 2·ASIDE + 1, n)
        In the order of `WEIGHTS` without the constant; the network's logit is last if `probabilities` is given.
    contrast : ndarray, shape (len(SCALES) + 1,)
        The contrast that was given or measured.
    """
    margin = int(4 * max(SCALES))
    at, aside = np.arange(-8, BEHIND + AHEAD + 8), np.arange(-ASIDE - margin, ASIDE + margin + 1)
    across = np.array([-tangent[1], tangent[0]])
    places = origin[:, None, None] + tangent[:, None, None] * at[:, None] + across[:, None, None] * aside
    gray, inside = _sampled(image, places)
    beside = np.abs(aside) >= _BESIDE
    rows, columns = slice(8, 8 + BEHIND), slice(margin + ASIDE - 1, margin + ASIDE + 2)
    lines = [ndimage.gaussian_filter(gray, (_ALONG, scale), order=(0, 2)) for scale in SCALES]
    tone = ndimage.gaussian_filter(gray, (_ALONG, 0.7))
    maps = [*lines, tone - np.median(tone[:, beside])]
    if contrast is None:
        contrast = np.array([values[rows, columns].mean() for values in maps])
    # On a smooth surface the standard deviation is almost 0, and the crack's own blur would count as a line.
    spreads = [
        max(1.4826 * np.median(np.abs(values[:, beside])), _FAINT * abs(own), _GRAIN)
        for values, own in zip(maps, contrast, strict=True)
    ]
    maps = np.clip(np.array(maps) / np.array(spreads)[:, None, None], -_LIMIT, _LIMIT)
    # A dark crack most likely stays dark, or becomes a bright line where only its flanks are visible.
    strongest = np.abs(contrast[:-1] / spreads[:-1]).argmax()
    line = -np.sign(contrast[strongest]) if turned else np.sign(contrast[strongest])  # 1 for a dark one, -1 bright
    lines, tone = line * maps[:-1], (-line if turned else np.sign(contrast[-1])) * maps[-1]
    features = [lines.max(axis=0), -lines.min(axis=0), np.maximum(tone, 0), np.maximum(-tone, 0)]
    features = [np.where(inside, values, -_LIMIT) for values in features]
    if probabilities is not None:
        features.append(_logits(image.shape, places, probabilities))
    return np.stack(features, axis=-1)[8:-8, margin:-margin], contrast


def evidence(features):
    """Return the evidence that each pixel of a strip is crack.

    Parameters
    ----------
    features : ndarray, float, shape (length, width, n)
        From `strip_features`.

    Returns
    -------
    ndarray, shape (length, width)
        At most `_PIXEL`; negative where the features speak against crack.
    """
    values = np.array([weight for name, weight in WEIGHTS.items() if name != "constant"])
    score = WEIGHTS["constant"] + features[..., : len(values)] @ values
    if features.shape[-1] > len(values):
        score = score + PROBABILITY * features[..., -1]
    return np.minimum(score, _PIXEL)


def best_path(score, column):
    """Find the path with the largest sum of evidence through a strip, by dynamic programming.

    From row to row the path moves by at most one column.

    Parameters
    ----------
    score : ndarray, shape (length, width)
        Evidence of each pixel, from `evidence`; that of the first row is not used.
    column : float
        Where the path starts in the first row, ± 2 px.

    Returns
    -------
    columns : ndarray of int, shape (length,)
        Columns of the path that ends at the row with the largest sum. For later rows: where the best path to that row
        ends.
    values : ndarray, shape (length,)
        Largest sum of evidence of a path to each row; -inf beyond a gap in which more than `_GAP` is lost.
    """
    length, width = score.shape
    sums, previous = np.full((length, width), -np.inf), np.zeros((length, width), int)
    middle = int(np.clip(np.rint(column), 2, width - 3))
    sums[0, middle - 2 : middle + 3] = 0.0
    padded = np.full(width + 2, -np.inf)
    for row in range(1, length):
        padded[1:-1] = sums[row - 1]
        options = np.stack([padded[:-2] - _TURN, padded[1:-1], padded[2:] - _TURN])
        choice = options.argmax(axis=0)
        sums[row] = options[choice, np.arange(width)] + score[row]
        previous[row] = np.arange(width) + choice - 1
    values = sums.max(axis=1)
    lost = np.flatnonzero(np.maximum.accumulate(values) - values > _GAP)
    if lost.size:
        values[lost[0] :] = -np.inf
    columns = np.empty(length, int)
    last = int(np.argmax(values))
    columns[last] = sums[last].argmax()
    for row in range(last, 0, -1):
        columns[row - 1] = previous[row, columns[row]]
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
    """Return the part of a picture that contains all places, as two slices, and its first row and column."""
    low = np.clip(np.floor(places.min(axis=(1, 2))).astype(int) - margin, 0, np.array(shape) - 1)
    high = np.clip(np.ceil(places.max(axis=(1, 2))).astype(int) + margin + 1, 1, shape)
    return tuple(slice(a, max(b, a + 1)) for a, b in zip(low, high, strict=True)), low


def _sampled(image, places):
    """Return gray values at places, and which places are inside the picture."""
    part, low = _window(places, image.shape, 2)
    gray = ndimage.map_coordinates(np.float32(image[part]), places - low[:, None, None], order=1, mode="nearest")
    shape = np.array(image.shape)[:, None, None]
    return gray, ((places >= -0.5) & (places <= shape - 0.5)).all(axis=0)


def _logits(shape, places, probabilities):
    part, low = _window(places, shape, 32)
    logits = logit(np.clip(probabilities(part), 1e-4, 1 - 1e-4))
    return np.clip(ndimage.map_coordinates(logits, places - low[:, None, None], order=1, mode="nearest"), -_SURE, _SURE)
