"""The point of a sharp end: where a crack that narrows to nothing stops, however its last pixels bend.

A skeleton stops short of it, and a tangent misses the point of an end like a hook. It is the part of the end that is
farthest to reach within the crack. On a blunt end that would be a corner, so there is no point.
"""

import numpy as np
from skimage.graph import MCP_Geometric

from crack_utils.geometry.centreline import ray

_BACK = 3.0  # half widths: how far from the skeleton's end the ways to its point begin
_ONE_POINT = 2.0  # [px] apart at most are the pixels of an end's point, of which the middle is taken
_LEVEL = 0.5  # [px] by which their ways may be shorter
_SHARP = 0.7  # of a flat end's area: what an end as sharp as a half disc has


def sharp_point(field, level, pixels, radii, outward):
    """Return where the end of a crack comes to a point, or None if it is blunt, or too short to tell.

    Parameters
    ----------
    field : ndarray of float32, shape (height, width)
        At least `level` where there is crack.
    level : float
    pixels : ndarray of int, shape (n, 2)
        The skeleton's path, ending at this end.
    radii : ndarray, shape (n,)
        Distance of each pixel from the background [px].
    outward : ndarray, shape (2,)
        Unit vector along the end.

    Returns
    -------
    ndarray, shape (2,), or None
        (row, column) [px]. Masks mark each pixel that the crack touches, so it lies in the last pixel, not at its edge.
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
    ways, _ = MCP_Geometric(np.where(window, 1.0, np.inf)).find_costs([tuple(map(int, start - low))])
    inside = np.argwhere(np.isfinite(ways))
    ways, inside = ways[tuple(inside.T)], inside + low
    from_end = np.hypot(*(inside - end).T)
    near = (from_end <= 2 * max(radii[-1], 2.0) + 4) & (from_end < np.hypot(*(inside - start).T))
    ways, inside = ways[near], inside[near]
    depth = max(2.0, 0.7 * radius)
    if np.count_nonzero(ways > ways.max() - depth) >= _SHARP * depth * (2 * radius - 1):
        return None
    last = (ways >= ways.max() - _LEVEL) & (np.hypot(*(inside - inside[ways.argmax()]).T) <= _ONE_POINT)
    point = inside[last].mean(axis=0)
    return point + (ray(field, level, point, outward, 1.0) - 0.5) * outward
