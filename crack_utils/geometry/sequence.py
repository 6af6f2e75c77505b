"""The photographs of one specimen as one measurement: the crack's tip frame by frame, which does not go back.

Frames are registered to the first one, since the camera or the specimen moves. Each frame's tip becomes a position
along the crack's path as the longest crack shows it. A crack does not shrink, so those positions rise: the frames that
agree on that, give or take the noise, and weigh most, are kept, all others are outliers; the rising sequence of least
squares through those that are kept is the joint measurement. Frames of a standstill show how well a tip is repeated.
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import isotonic_regression
from scipy.spatial import cKDTree
from skimage.registration import phase_cross_correlation
from skimage.transform import resize

from crack_utils.geometry.centreline import arc_length

_SIDE = 512  # [px] to which the longer side is reduced for registration
_FINE = 32  # parts of such a pixel to which a shift is found
_FALL = 4.0  # standard deviations of the noise by which a tip may lie behind an earlier one
_LEAST = 3.0  # [px] by which it always may


@dataclass(frozen=True)
class Joint:
    """The tips of a sequence of frames, measured together.

    Attributes
    ----------
    tips : ndarray, shape (n, 2)
        (row, column) in each frame's own pixels [px]; a frame without a tip, or with a wrong one, has that of its
        neighbours.
    along : ndarray, shape (n,)
        How far the tip lies along the path, from the path's first point [px]; never falls.
    single : ndarray, shape (n,)
        The same of each frame's own tip; NaN without one.
    outliers : ndarray of bool, shape (n,)
        Whose own tip contradicts all others.
    """

    tips: np.ndarray
    along: np.ndarray
    single: np.ndarray
    outliers: np.ndarray


def register(images, region=None):
    """Return how far each frame has moved against the first one, by phase correlation.

    Parameters
    ----------
    images : iterable of ndarray, float, shape (H, W)
        Read one at a time, so a generator keeps memory bounded.
    region : (slice, slice), optional
        Part of the pictures that belongs to the specimen; by default all of them.

    Returns
    -------
    ndarray, shape (n, 2)
        (row, column) [px] to be added to a position of the first frame.

    References
    ----------
    Guizar-Sicairos, Thurman, Fienup (2008), Optics Letters 33, 156–158.
    """
    shifts, first = [], None
    for image in images:
        part = np.asarray(image, np.float32)[region or slice(None)]
        factor = max(1.0, max(part.shape) / _SIDE)
        small = part
        if factor > 1:
            small = resize(part, tuple(max(8, round(side / factor)) for side in part.shape), anti_aliasing=True)
        window = np.outer(*(np.hanning(side + 2)[1:-1] for side in small.shape))  # borders are no edges of the specimen
        small = (small - small.mean()) * window
        if first is None:
            first = small
        if small.shape != first.shape:
            raise ValueError(f"frames are of shapes {first.shape} and {small.shape}: all of one shape are needed")
        moved = phase_cross_correlation(small, first, upsample_factor=_FINE, normalization=None)[0]
        shifts.append(moved * np.array(part.shape) / small.shape)
    return np.array(shifts).reshape(-1, 2)


def joint_tips(tips, path, shifts=None, weights=None):
    """Measure the tips of a sequence together.

    Parameters
    ----------
    tips : sequence of (row, column) or None
        Of each frame, in the order of time [px].
    path : ndarray, shape (m, 2)
        The crack's middle from its mouth to the tip in the first frame's pixels, of the frame with the longest crack.
    shifts : ndarray, shape (n, 2), optional
        From `register`; by default nothing moves.
    weights : sequence of float, optional
        How much a frame's tip counts, such as its `right_end_probability`; by default all the same.

    Returns
    -------
    Joint

    Raises
    ------
    ValueError
        If no frame has a tip, or numbers of frames differ.
    """
    count = len(tips)
    shifts = np.zeros((count, 2)) if shifts is None else np.asarray(shifts, float)
    weights = np.ones(count) if weights is None else np.asarray(weights, float)
    path = np.asarray(path, float)
    if shifts.shape != (count, 2) or weights.shape != (count,):
        raise ValueError(f"{count} tips, shifts of shape {shifts.shape}, weights of {weights.shape}: one a frame each")
    there = np.array([tip is not None for tip in tips])
    if not there.any() or path.ndim != 2 or len(path) < 2:
        raise ValueError("a sequence needs one tip or more, and a path of two points or more")
    own = np.array([tip if tip is not None else (np.nan, np.nan) for tip in tips], float)
    single = np.full(count, np.nan)
    single[there] = along_path(own[there] - shifts[there], path)
    kept = _agreeing(single, weights, _LEAST)
    noise = np.std(single[kept] - isotonic_regression(single[kept], weights=weights[kept]).x)
    kept = _agreeing(single, weights, max(_LEAST, _FALL * noise))
    fitted = isotonic_regression(single[kept], weights=weights[kept]).x
    along = np.interp(np.arange(count), np.flatnonzero(kept), fitted)
    points = _at(path, along) + shifts
    # A kept tip keeps where it lies across the path, which may have bent since.
    points[kept] = own[kept] + _at(path, along[kept]) - _at(path, single[kept])
    return Joint(points, along, single, there & ~kept)


def along_path(points, path):
    """Return how far along a path points lie [px]; beyond its ends along its tangents there.

    Parameters
    ----------
    points : ndarray, shape (n, 2)
    path : ndarray, shape (m, 2)
    """
    length = arc_length(path)
    even = np.linspace(0, length[-1], max(2, int(2 * length[-1])))
    nearest = cKDTree(_at(path, even)).query(points)[1]
    found = even[nearest]
    tangents = np.gradient(_at(path, even), axis=0)[nearest]
    tangents /= np.maximum(np.hypot(*tangents.T), 1e-9)[:, None]
    found = np.clip(found + ((points - _at(path, found)) * tangents).sum(axis=1).clip(-0.5, 0.5), 0, length[-1])
    for end, outward in ((0, _outward(path[::-1])), (len(even) - 1, _outward(path))):
        beyond = np.maximum((points - _at(path, even[[end]])) @ outward, 0)
        found = np.where(nearest == end, found + (beyond if end else -beyond), found)
    return found


def repeatability(along, standstill):
    """Return how well a tip is repeated [px]: the standard deviation of its position while the crack stood still.

    Parameters
    ----------
    along : ndarray, shape (n,)
        As `Joint.single`; NaN is left out.
    standstill : sequence of length n
        Which frames show the same moment of the test, such as the number of cycles.

    Returns
    -------
    float
        Pooled over the moments with two frames or more; NaN if there is none.
    """
    along, standstill = np.asarray(along, float), np.asarray(standstill)
    squares, freedom = 0.0, 0
    for moment in np.unique(standstill):
        values = along[(standstill == moment) & np.isfinite(along)]
        if len(values) > 1:
            squares += ((values - values.mean()) ** 2).sum()
            freedom += len(values) - 1
    return float(np.sqrt(squares / freedom)) if freedom else float("nan")


def _outward(path):
    """Unit vector out of a path's last point, over its last 10 px."""
    back = path[max(0, len(path) - 11)]
    return (path[-1] - back) / max(np.hypot(*(path[-1] - back)), 1e-9)


def _at(path, along):
    """Positions along a path; beyond its last point straight on."""
    length = arc_length(path)
    points = np.stack([np.interp(along, length, path[:, axis]) for axis in (0, 1)], axis=1)
    return (
        points
        + np.maximum(along - length[-1], 0)[:, None] * _outward(path)
        + np.maximum(-along, 0)[:, None] * _outward(path[::-1])
    )


def _agreeing(along, weights, fall):
    """Which frames are in the sequence of most weight whose values never fall by more than `fall`."""
    there = np.flatnonzero(np.isfinite(along))
    best, before = np.zeros(len(there)), np.full(len(there), -1)
    for number, frame in enumerate(there):
        earlier = np.flatnonzero(along[there[:number]] <= along[frame] + fall)
        if earlier.size:
            before[number] = earlier[best[earlier].argmax()]
            best[number] = best[before[number]]
        best[number] += weights[frame]
    kept = np.zeros(len(along), bool)
    at = int(best.argmax())
    while at >= 0:
        kept[there[at]] = True
        at = before[at]
    return kept
