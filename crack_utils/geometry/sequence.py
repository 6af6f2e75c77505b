"""Measure the tips of all photographs of one specimen together, as one series in time.

A crack does not become shorter, and this makes wrong tips visible. The steps are:

1. Each frame is registered to the first one, because the camera or the specimen may move.
2. Each frame's tip becomes a position along the path of the longest sure crack of the series.
3. A tip far from this path is an outlier. The positions of the others must rise, apart from noise. The frames with the
   largest sum of weights that agree on this are kept, and all others are outliers.
4. A rising sequence is fitted to the kept positions by least squares (isotonic regression).
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from scipy.optimize import isotonic_regression
from scipy.spatial import cKDTree
from skimage.registration import phase_cross_correlation
from skimage.transform import downscale_local_mean

from crack_utils.geometry.centreline import arc_length, points_at

_SIDE = 512  # [px] longer side of the reduced pictures that are registered
_FINE = 32  # shifts are found to 1/32 of a pixel of the reduced pictures
_FALL = 6.0  # standard deviations of the noise by which a tip may lie behind an earlier one
_LEAST = 5.0  # [px] by which a tip may always lie behind an earlier one
_ROUNDS = 20  # at most, until the noise and the frames that agree fit each other
_ASIDE, _ASIDE_LEAST = 0.1, 10.0  # share of the path's length, and [px]: a tip farther from the path is on another line
_ALIKE = 0.75  # least correlation of two frames whose movement is trusted; the parts of an open specimen move apart
_SHADES = 16  # [px of the reduced picture] gray values that change over a longer way are shades, not grain
_TOUCHED, _AROUND = 0.02, 3  # share of crack in a reduced pixel that is left out, and how many pixels around it
_FLAT = 1e-4  # gray value: a surface of a smaller standard deviation has no grain


@dataclass(frozen=True)
class Joint:
    """The tips of a series of n frames, measured together.

    Attributes
    ----------
    tips : ndarray, shape (n, 2)
        (row, column) in the pixels of each frame [px]. A frame without a tip, or with an outlier, has the tip that is
        interpolated from its neighbours.
    along : ndarray, shape (n,)
        Distance of the tip along the path from the path's first point [px]; it never decreases.
    single : ndarray, shape (n,)
        The same distance for the tip measured in each frame alone; NaN without a tip.
    outliers : ndarray of bool, shape (n,)
        True for frames whose own tip contradicts the others.
    """

    tips: np.ndarray
    along: np.ndarray
    single: np.ndarray
    outliers: np.ndarray


def register(images, masks=None):
    """Return the movement of each frame relative to the first one, by cross-correlation.

    Where a frame has too little in common with the first one, it is that between its neighbours.

    Parameters
    ----------
    images : iterable of ndarray, float, shape (H, W)
        All of one shape. They are read one at a time, so a generator saves memory.
    masks : iterable of ndarray, bool, shape (H, W), optional
        Cracks, which are left out: a crack that grows looks as if it moved.

    Returns
    -------
    ndarray, shape (n, 2)
        (row, column) [px]. Add it to a position in the first frame to get the position in the other frame.

    Raises
    ------
    ValueError
        If there is no picture, or they have different shapes.

    References
    ----------
    Guizar-Sicairos, Thurman, Fienup (2008), Optics Letters 33, 156–158.
    """
    frames = ((image,) for image in images) if masks is None else zip(images, masks, strict=True)
    first, moved = None, [np.zeros(2)]
    for frame in frames:
        part = surface(*frame)
        if first is not None:
            shift, alike = movement(first, part)
            moved.append(shift if alike else np.full(2, np.nan))
        first = part if first is None else first
    if first is None:
        raise ValueError("no picture: at least one is needed")
    return between(np.array(moved))


def between(moved):
    """Return movements, shape (n, 2), in which those that are not known (NaN) lie between their neighbours."""
    known, frames = np.isfinite(moved).all(axis=1), np.arange(len(moved))
    return np.stack([np.interp(frames, frames[known], column[known]) for column in np.transpose(moved)], axis=1)


@dataclass(frozen=True)
class Surface:
    """What `movement` compares: the grain of a photograph, reduced by a factor, without its cracks and its shades."""

    grain: np.ndarray
    factor: int
    shape: tuple


def surface(image, mask=None):
    """Return the surface that a photograph shows, so that it can be compared with others; see `register`.

    Raises
    ------
    ValueError
        If the mask has another shape than the photograph.
    """
    if mask is not None and mask.shape != image.shape:
        raise ValueError(
            f"a photograph of shape {image.shape} and a mask of shape {mask.shape}: both must have one shape"
        )
    factor = math.ceil(max(image.shape) / _SIDE)
    grain = downscale_local_mean(np.asarray(image, np.float32), (factor, factor))
    weight = np.ones_like(grain)
    if mask is not None:
        crack = downscale_local_mean(np.asarray(mask, np.float32), (factor, factor)) > _TOUCHED
        weight[ndimage.binary_dilation(crack, iterations=_AROUND)] = 0
    shade, seen = (ndimage.gaussian_filter(part, _SHADES) for part in (grain * weight, weight))
    fade = np.outer(*(np.hanning(side + 2)[1:-1] for side in grain.shape))  # the picture's border must not count
    return Surface((grain - shade / np.maximum(seen, 1e-3)) * weight * fade, factor, image.shape)


def movement(first, other):
    """Return the movement of one frame relative to the first one, and whether it can be trusted.

    Parameters
    ----------
    first, other : Surface

    Returns
    -------
    shift : ndarray, shape (2,)
        (row, column) [px], as `register` returns it.
    alike : bool
        False if the two have too little in common.

    Raises
    ------
    ValueError
        If the photographs have different shapes.
    """
    if first.shape != other.shape:
        raise ValueError(f"frames are of shapes {first.shape} and {other.shape}: all must have one shape")
    if not (first.grain.std() > _FLAT and other.grain.std() > _FLAT):
        return np.zeros(2), False
    shift, error, _ = phase_cross_correlation(other.grain, first.grain, upsample_factor=_FINE, normalization=None)
    # The error is that of the best fit: 1 - error² is the squared correlation of the two.
    return shift * first.factor, bool(1 - error**2 >= _ALIKE**2)


def joint_tips(tips, path, shifts=None, weights=None):
    """Measure the tips of a series of frames together, and mark the frames with a wrong tip.

    Parameters
    ----------
    tips : sequence of (row, column) or None
        The tip of each of n frames, in the order of time [px].
    path : ndarray, shape (m, 2)
        Centreline of the longest sure crack of the series, from the mouth to the tip, in pixels of the first frame.
    shifts : ndarray, shape (n, 2), optional
        Movement of each frame [px], from `register`; by default no frame has moved.
    weights : sequence of float, optional
        Weight of each frame's tip, for example its `right_end_probability`; by default all are equal.

    Returns
    -------
    Joint

    Raises
    ------
    ValueError
        If no frame has a tip near the path, the path has fewer than two points, or the numbers of frames differ.
    """
    count = len(tips)
    shifts = np.zeros((count, 2)) if shifts is None else np.asarray(shifts, float)
    weights = np.ones(count) if weights is None else np.asarray(weights, float)
    path = np.asarray(path, float)
    if shifts.shape != (count, 2) or weights.shape != (count,):
        raise ValueError(
            f"{count} tips, but shifts of shape {shifts.shape} and weights of shape {weights.shape}: "
            f"({count}, 2) and ({count},) are needed"
        )
    has_tip = np.array([tip is not None for tip in tips])
    if not has_tip.any() or path.ndim != 2 or len(path) < 2:
        raise ValueError("a sequence needs at least one tip, and a path of at least two points")
    own = np.array([tip if tip is not None else (np.nan, np.nan) for tip in tips], float)
    single = np.full(count, np.nan)
    single[has_tip] = along_path(own[has_tip] - shifts[has_tip], path)
    aside = np.hypot(*(own - shifts - _at(path, single)).T)
    on_path = aside <= max(_ASIDE_LEAST, _ASIDE * arc_length(path)[-1])  # False without a tip
    if not on_path.any():
        raise ValueError("no tip lies near the path")
    along, kept = rising(np.where(on_path, single, np.nan)[:, None], weights)
    along = along[:, 0]
    points = _at(path, along) + shifts
    # Kept tips are moved along the path only: the crack may since have changed its course across it.
    points[kept] = own[kept] + _at(path, along[kept]) - _at(path, single[kept])
    return Joint(points, along, single, has_tip & ~kept)


def rising(single, weights):
    """Fit values that never decrease to those of single frames, and mark the frames that agree with the others.

    Parameters
    ----------
    single : ndarray, shape (n, k)
        How far each of k tips has come in each frame [px]; NaN where it is not known, but not everywhere.
    weights : ndarray, shape (n,)

    Returns
    -------
    along : ndarray, shape (n, k)
        The fitted values; where a frame does not agree, those between its neighbours.
    kept : ndarray of bool, shape (n,)
        True for frames all of whose tips agree.
    """
    slack = 0.0
    for _ in range(_ROUNDS):  # the noise is estimated from frames that agree, and they agree within the noise
        before, slack = slack, max(_LEAST, slack)
        kept = _agreeing(single, weights, slack)
        fitted = np.stack([isotonic_regression(tip, weights=weights[kept]).x for tip in single[kept].T], axis=1)
        slack = max(slack, _FALL * np.std(single[kept] - fitted, axis=0).max())
        if slack == before:
            break
    frames = np.arange(len(single))
    return np.stack([np.interp(frames, frames[kept], tip) for tip in fitted.T], axis=1), kept


def along_path(points, path):
    """Return the distance along a path of the path's points that are nearest to the given points [px].

    Parameters
    ----------
    points : ndarray, shape (n, 2)
        (row, column) [px].
    path : ndarray, shape (m, 2)
        (row, column) [px], m ≥ 2.

    Returns
    -------
    ndarray, shape (n,)
        Distance from the path's first point. Beyond its ends the path continues straight: values may be negative, or
        larger than its length.
    """
    length = arc_length(path)
    even = np.linspace(0, length[-1], max(2, int(2 * length[-1])))
    nearest = cKDTree(_at(path, even)).query(points)[1]
    along = even[nearest]
    tangents = np.gradient(_at(path, even), axis=0)[nearest]
    tangents /= np.maximum(np.hypot(*tangents.T), 1e-9)[:, None]
    along = np.clip(along + ((points - _at(path, along)) * tangents).sum(axis=1).clip(-0.5, 0.5), 0, length[-1])
    for end, outward in ((0, _outward(path[::-1])), (len(even) - 1, _outward(path))):
        beyond = np.maximum((points - _at(path, even[[end]])) @ outward, 0)
        along = np.where(nearest == end, along + (beyond if end else -beyond), along)
    return along


def _outward(path):
    """Return the unit vector out of a path's last point, over its last 10 px."""
    back = path[max(0, len(path) - 11)]
    return (path[-1] - back) / max(np.hypot(*(path[-1] - back)), 1e-9)


def _at(path, along):
    """Return positions at distances along a path, which continues straight beyond its ends."""
    length = arc_length(path)[-1]
    return (
        points_at(path, along)
        + np.maximum(along - length, 0)[:, None] * _outward(path)
        + np.maximum(-along, 0)[:, None] * _outward(path[::-1])
    )


def _agreeing(along, weights, fall):
    """Return which frames belong to the sequence of largest weight in which no tip falls by more than `fall`."""
    frames = np.flatnonzero(np.isfinite(along).all(axis=1))
    best, before = np.zeros(len(frames)), np.full(len(frames), -1)
    for number, frame in enumerate(frames):
        earlier = np.flatnonzero((along[frames[:number]] <= along[frame] + fall).all(axis=1))
        if earlier.size:
            before[number] = earlier[best[earlier].argmax()]
            best[number] = best[before[number]]
        best[number] += weights[frame]
    kept = np.zeros(len(along), bool)
    last = int(best.argmax())
    while last >= 0:
        kept[frames[last]] = True
        last = before[last]
    return kept
