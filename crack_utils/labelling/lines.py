"""Polylines with thickness: the tool for cracks. Between its vertices the line can follow the darkest way.

The darkest way is a path of least cost (Mortensen and Barrett, "Intelligent scissors", 1995). All costs are whole
numbers, and the rest is elementwise float64 arithmetic, so a polyline gives the same mask on every machine.
"""

import math
from itertools import pairwise
from numbers import Real

import numpy as np
from scipy import ndimage
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra

from crack_utils.data.contrast import as_unit
from crack_utils.labelling.arrays import GRID, as_mask, check_mode, check_points, check_same_size

FOLLOWS = ("dark", "bright", "straight")
MOST_POINTS = 10_000
WIDEST = 500.0  # [px]
LONGEST = 4000  # [px] between two vertices that are joined by following the crack

LEVELS = 65535  # gray values are converted to whole numbers up to it
ASIDE = (12, 80)  # [px] limits of the distance from the straight line, which is a quarter of its length
RIDGE = 21  # [px] least side of the square of the closing, which fills narrower lines; at least twice the crack's width
SMOOTHING = (2, 12)  # passes, with a standard deviation of 1 and 2.4 px
NEAR = 3  # [px] around the vertices; the darkest pixel there shows how dark the crack is
FLAT, STEEP = 8, 128  # cost of the darkest pixel, and how much more the brightest costs
STRAIGHT, DIAGONAL = 5, 7  # length of a step, times five
SMOOTH, EVERY = 5, 2  # pixels over which the steps of a followed line are averaged; pixels between its points
PIECE = 64  # [px] of a line that is drawn at once
ROUNDING = 1e-9


def polyline(image, mask, points, widths, follow="dark", mode="add"):
    """Add a line with thickness to a mask, or remove it: a few clicks make a long, thin crack.

    Parameters
    ----------
    image : array of shape (H, W) or (H, W, 3)
    mask : bool array of shape (H, W)
    points : sequence of (row, column) [px]
        The vertices, rounded to 1/16 px; a single one gives a disk.
    widths : sequence of float, 1 to 500 [px]
        Full width at each vertex, or one for all; between vertices it changes evenly along the line.
    follow : {"dark", "bright", "straight"}
        Between two vertices the line follows a crack of about this width that is darker or brighter than its
        surroundings, or goes straight.
    mode : {"add", "subtract"}

    Returns
    -------
    bool array of shape (H, W)

    Raises
    ------
    ValueError
        If points, widths or choices are not valid, or the line lies completely outside the image.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.full((3, 5), 200, np.uint8)
    >>> polyline(image, np.zeros((3, 5), bool), [(1, 0), (1, 3)], [1]).astype(int)
    array([[0, 0, 0, 0, 0],
           [1, 1, 1, 1, 0],
           [0, 0, 0, 0, 0]])
    """
    points, widths = check_polyline(points, widths, follow, mode)
    image, mask = as_unit(image), as_mask(mask)
    check_same_size(image, mask)
    line, radii = _with_radii(centre_lines(image, points, widths, follow), widths)
    region = thick_line(mask.shape, line, radii)
    if not region.any():
        raise ValueError(f"the line lies outside the image of {mask.shape[0]}×{mask.shape[1]} px")
    return mask | region if mode == "add" else mask & ~region


def check_polyline(points, widths, follow, mode):
    """Check the arguments of `polyline` other than the arrays.

    Parameters
    ----------
    points, widths, follow, mode
        As for `polyline`.

    Returns
    -------
    points : tuple of (row, column) [px]
    widths : tuple of float [px]
        Both rounded to their grid.

    Raises
    ------
    ValueError
        If an argument is invalid; the message says what is valid.
    """
    if follow not in FOLLOWS:
        raise ValueError(f"unknown follow {follow!r}; valid are {', '.join(FOLLOWS)}")
    check_mode(mode)
    points = check_points(points)
    if not 1 <= len(points) <= MOST_POINTS:
        raise ValueError(f"a polyline needs 1 to {MOST_POINTS} points, not {len(points)}")
    try:
        widths = tuple(widths)
    except TypeError as error:
        raise ValueError(f"widths must be a list of numbers, one for all or one for each point: {error}") from None
    if len(widths) not in (1, len(points)):
        raise ValueError(f"widths must have 1 number, or one for each of the {len(points)} points, not {len(widths)}")
    if not all(isinstance(width, Real) and not isinstance(width, bool) and 1 <= width <= WIDEST for width in widths):
        raise ValueError(f"widths must be numbers from 1 to {WIDEST:g} px")
    points = tuple(tuple(round(value * GRID) / GRID for value in point) for point in points)
    return points, tuple(round(width * GRID) / GRID for width in widths)


def centre_lines(image, points, widths, follow):
    """Return the line between each two neighbouring vertices of a polyline.

    Parameters
    ----------
    image : array of shape (H, W) or (H, W, 3), in [0, 1]
    points : tuple of (row, column) [px]
    widths : tuple of float [px]
        One, or as many as points.
    follow : str
        As for `polyline`.

    Returns
    -------
    list of ndarray, shape (N, 2)
        (row, column) [px], from vertex to vertex; for a single point that point.
    """
    if len(points) == 1:
        return [np.array([points[0]])]
    widths = widths * len(points) if len(widths) == 1 else widths
    between = [(one + other) / 2 for one, other in pairwise(widths)]
    return [centre_line(image, *ends, follow, width) for ends, width in zip(pairwise(points), between, strict=True)]


def centre_line(image, first, last, follow="dark", width=3.0):
    """Return the line between two points, both included, as an array of shape (N, 2).

    Parameters
    ----------
    image : float array of shape (H, W) or (H, W, 3) in [0, 1]
    first, last : (row, column) [px]
    follow : {"dark", "bright", "straight"}
        Points outside the image, or more than 4000 px apart, are joined by a straight line.
    width : float [px]
        Approximate width of the crack, which decides how much the picture is smoothed.
    """
    ends = np.array([first, last], dtype=float)
    pixels = np.rint(ends).astype(int)
    length = math.dist(first, last)
    outside = (pixels < 0).any() or (pixels >= image.shape[:2]).any()
    if follow == "straight" or outside or length > LONGEST or (pixels[0] == pixels[1]).all():
        return ends
    aside = min(max(math.ceil(length / 4), ASIDE[0]), ASIDE[1])
    low = np.maximum(pixels.min(axis=0) - aside, 0)
    high = np.minimum(pixels.max(axis=0) + aside + 1, image.shape[:2])
    costs = _costs(image, low, high, pixels, follow, width)
    path = low + _cheapest(costs, _corridor(costs.shape, pixels - low, aside), *(pixels - low))
    return np.concatenate([ends[:1], _smoothed(path)[1:-1:EVERY], ends[1:]])


def snapped(image, point, follow="dark", width=3.0):
    """Return the pixel of the crack nearest to a point: the darkest (or brightest) one within `NEAR` pixels.

    Parameters
    ----------
    image : float array of shape (H, W) or (H, W, 3) in [0, 1]
    point : (row, column) [px]
    follow : {"dark", "bright", "straight"}
        The point itself is returned for "straight", and if no crack is near.
    width : float
        Width of the crack [px].

    Returns
    -------
    (row, column) of float
    """
    pixel = np.rint(point).astype(int)
    if follow == "straight" or (pixel < 0).any() or (pixel >= image.shape[:2]).any():
        return tuple(point)
    low = np.maximum(pixel - NEAR - 1, 0)
    high = np.minimum(pixel + NEAR + 2, image.shape[:2])
    ridge = _ridge(image, low, high, follow, width)
    rows, columns = np.ogrid[low[0] : high[0], low[1] : high[1]]
    distance = (rows - pixel[0]) ** 2 + (columns - pixel[1]) ** 2
    peaks = (ridge == ndimage.maximum_filter(ridge, 3)) & (distance <= NEAR**2)  # not the side of a farther crack
    ridge = np.where(peaks, ridge, 0)
    if not ridge.any():
        return tuple(point)
    best = np.argwhere(ridge == ridge.max())
    nearest = best[np.argmin(((best + low - pixel) ** 2).sum(axis=1))] + low
    return tuple(float(value) for value in nearest)


def thick_line(size, line, radii):
    """Return the pixels whose centres lie within a line's radius of it.

    Parameters
    ----------
    size : (height, width) [px]
    line : float array of shape (N, 2)
    radii : float array of shape (N,) [px]
        At each point; it changes evenly between two.

    Returns
    -------
    bool array of shape (H, W)
    """
    region = np.zeros(size, dtype=bool)
    line, radii = _in_pieces(line, radii)
    for first, last, radius, other in zip(line, line[1:], radii, radii[1:], strict=False):
        widest = max(radius, other)
        low = np.maximum(np.floor(np.minimum(first, last) - widest), 0).astype(int)
        high = np.minimum(np.ceil(np.maximum(first, last) + widest) + 1, size).astype(int)
        if (low >= high).any():
            continue
        row = np.arange(low[0], high[0])[:, None] - first[0]
        column = np.arange(low[1], high[1])[None, :] - first[1]
        down, right = last - first
        squared = down * down + right * right
        along = np.clip((row * down + column * right) / squared, 0, 1) if squared else np.zeros(())
        away = (row - along * down) ** 2 + (column - along * right) ** 2
        limit = radius + along * (other - radius) + ROUNDING
        region[low[0] : high[0], low[1] : high[1]] |= away <= limit * limit
    return region


def _in_pieces(line, radii):
    """Return a line with points at most `PIECE` apart, so that the box around two of them is small; and the radii."""
    if len(line) == 1:
        return np.repeat(line, 2, axis=0), np.repeat(radii, 2)
    counts = np.maximum(np.ceil(np.abs(np.diff(line, axis=0)).max(axis=1) / PIECE), 1).astype(int)
    at = np.concatenate([index + np.arange(count) / count for index, count in enumerate(counts)] + [[len(counts)]])
    rows, columns, radii = (np.interp(at, np.arange(len(line)), values) for values in (*line.T, radii))
    return np.stack([rows, columns], axis=1), radii


def _with_radii(lines, widths):
    """Join the lines between vertices; return their points, and the radius at each."""
    radii = np.array(widths, dtype=float) / 2
    if len(radii) == 1:
        radii = np.repeat(radii, len(lines) + 1)
    points, at = [lines[0][:1]], [radii[:1]]
    for line, radius, other in zip(lines, radii, radii[1:], strict=False):
        steps = np.sqrt(((line[1:] - line[:-1]) ** 2).sum(axis=1))
        gone = np.cumsum(steps)
        share = gone / gone[-1] if len(gone) and gone[-1] else np.ones(len(gone))
        points.append(line[1:])
        at.append(radius + share * (other - radius))
    return np.concatenate(points), np.concatenate(at)


def _ridge(image, low, high, follow, width):
    """Return how much darker (or brighter) the pixels of a box are than their surroundings, in whole numbers.

    The gray values are smoothed with binomial weights and compared with their closing, which fills dark lines that are
    narrower than its square. With little smoothing, thin cracks are visible; with much, the middle of wide cracks.
    """
    side = max(RIDGE, 2 * math.ceil(width) + 1)
    margin = side + SMOOTHING[-1]
    near = np.maximum(low - margin, 0)
    far = np.minimum(high + margin, image.shape[:2])
    gray = np.rint(image[near[0] : far[0], near[1] : far[1]] * (16 * LEVELS)).astype(np.int64)
    gray = gray.sum(axis=2) if gray.ndim == 3 else gray
    gray = -gray if follow == "bright" else gray
    ridge, done = 0, 0
    for passes in SMOOTHING:
        for _ in range(passes - done):
            for axis in (0, 1):
                gray = ndimage.correlate1d(gray, np.array([1, 2, 1]), axis=axis, mode="nearest")
            gray //= 16
        done = passes
        ridge = ridge + ndimage.grey_closing(gray, side, mode="nearest") - gray
    return ridge[low[0] - near[0] : high[0] - near[0], low[1] - near[1] : high[1] - near[1]]


def _costs(image, low, high, ends, follow, width):
    """Return the cost of each pixel of a box: low for pixels as dark as the crack at the two ends."""
    ridge = _ridge(image, low, high, follow, width)
    darkest = 1
    for row, column in ends - low:
        around = ridge[max(row - NEAR, 0) : row + NEAR + 1, max(column - NEAR, 0) : column + NEAR + 1]
        darkest = max(darkest, int(around.max()))
    missing = 255 - np.minimum(ridge * 255 // darkest, 255)
    return FLAT + missing * missing * STEEP // 255**2


def _corridor(size, ends, aside):
    """Return the pixels of a box that lie within a distance of the straight line between two points."""
    return thick_line(size, ends.astype(float), np.array([aside, aside], dtype=float))


def _cheapest(costs, allowed, first, last):
    """Return the pixels of the cheapest 8-connected path, shape (N, 2); exact, as all costs are whole numbers."""
    number = np.full(costs.shape, -1)
    number[allowed] = np.arange(np.count_nonzero(allowed))
    edges = []
    for down, right, length in ((0, 1, STRAIGHT), (1, 0, STRAIGHT), (1, 1, DIAGONAL), (1, -1, DIAGONAL)):
        start = (slice(0, costs.shape[0] - down), slice(max(-right, 0), costs.shape[1] - max(right, 0)))
        end = (slice(down, None), slice(max(right, 0), costs.shape[1] + min(right, 0)))
        both = allowed[start] & allowed[end]
        edges.append((number[start][both], number[end][both], ((costs[start] + costs[end]) * length)[both]))
    one, other, weight = (np.concatenate(parts) for parts in zip(*edges, strict=True))
    graph = coo_array((weight.astype(float), (one, other)), shape=(number.max() + 1,) * 2).tocsr()
    source, target = number[tuple(first)], number[tuple(last)]
    _, before = dijkstra(graph, directed=False, indices=source, return_predecessors=True)
    path = [target]
    while path[-1] != source:
        path.append(before[path[-1]])
    return np.argwhere(allowed)[path[::-1]]


def _smoothed(path):
    """Return a path averaged over a few points, over fewer near its ends."""
    half = SMOOTH // 2
    total = np.concatenate([np.zeros((1, 2), dtype=np.int64), np.cumsum(path, axis=0)])
    index = np.arange(len(path))
    reach = np.minimum(np.minimum(index, len(path) - 1 - index), half)[:, None]
    return (total[index + reach[:, 0] + 1] - total[index - reach[:, 0]]) / (2 * reach + 1)
