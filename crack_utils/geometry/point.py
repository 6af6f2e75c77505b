"""The point of a sharp end: where a crack that narrows to nothing stops.

A skeleton stops before this point, and the tangent misses it if the end is curved like a hook. The point is the part of
the end with the longest path to it inside the crack. A blunt end has no point: the longest path would lead to a corner.
"""

import numpy as np
from skimage.graph import MCP_Geometric

from crack_utils.geometry.centreline import is_sharp, ray

_BACK = 3.0  # half widths from the skeleton's end to the pixel at which the paths start
_ONE_POINT = 2.0  # [px] largest distance between pixels that are averaged to one point
_LEVEL = 0.5  # [px] by which the paths to these pixels may be shorter than the longest


def sharp_point(field, level, pixels, radii, outward):
    """Return the point of a sharp end of a crack.

    Parameters
    ----------
    field : ndarray of float32, shape (height, width)
        Mask or probability, at least `level` where there is crack.
    level : float
        Threshold of crack, in (0, 1).
    pixels : ndarray of int, shape (n, 2)
        Path of the skeleton that stops at this end, (row, column) [px].
    radii : ndarray, shape (n,)
        Distance of each pixel from the background [px].
    outward : ndarray, shape (2,)
        Unit vector out of the crack at this end.

    Returns
    -------
    ndarray, shape (2,), or None
        (row, column) [px]; None if the end is blunt, or if the crack is too short to decide. Masks mark every pixel
        that the crack touches, so the point lies inside the last pixel, not at its edge.
    """
    end = pixels[-1]
    steps = np.hypot(*np.diff(pixels, axis=0).T)
    left = np.append(np.cumsum(steps[::-1])[::-1], 0.0)
    behind = np.flatnonzero(left >= _BACK * np.maximum(radii, 1.5))
    if not behind.size or not np.isfinite(radii[behind[-1]]):
        return None
    start, radius = pixels[behind[-1]], radii[behind[-1]]
    reach = int(left[behind[-1]] + 2 * radius + 2)
    low = np.maximum(start - reach, 0)
    window = field[low[0] : start[0] + reach + 1, low[1] : start[1] + reach + 1] >= level
    lengths, _ = MCP_Geometric(np.where(window, 1.0, np.inf)).find_costs([tuple(map(int, start - low))])
    inside = np.argwhere(np.isfinite(lengths))
    lengths, inside = lengths[tuple(inside.T)], inside + low
    from_end = np.hypot(*(inside - end).T)
    near = (from_end <= 2 * max(radii[-1], 2.0) + 4) & (from_end < np.hypot(*(inside - start).T))
    lengths, inside = lengths[near], inside[near]
    if not is_sharp(lengths, radius):
        return None
    last = (lengths >= lengths.max() - _LEVEL) & (np.hypot(*(inside - inside[lengths.argmax()]).T) <= _ONE_POINT)
    point = inside[last].mean(axis=0)
    return point + (ray(field, level, point, outward, 1.0) - 0.5) * outward
