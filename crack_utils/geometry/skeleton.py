"""Skeleton of a mask as a graph, without spurs: its ends, and the longest path of each component.

The nodes of the graph are the pixels of the skeleton. Neighbouring pixels are linked, with their distance 1 or √2. A
diagonal link is left out if a third pixel already links both. So a pixel with one link is an end, and a pixel with
three or more links is a junction.

**Spurs.** Thinning makes a short branch towards every corner and bump of the outline. A branch from a junction to an
end is such a spur if it is shorter than the crack's width at the junction (twice the distance to the nearest
background). Spurs are removed until none is left, the shortest of each junction first.
"""

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from scipy import ndimage
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components, dijkstra
from scipy.spatial import cKDTree
from skimage.morphology import skeletonize

EIGHT = np.ones((3, 3), dtype=bool)  # 8-connectivity: pixels that touch at a corner belong together
_PORE = 8  # [px] largest area of a hole that is filled: such holes are noise and would make loops
_BAND = 256  # [px] rows of a mask that are searched for pores at a time
_SWEEPS = 4  # searches for the farthest pixel: a tree needs two, loops may need more


@dataclass(frozen=True)
class Skeleton:
    """Skeleton of one connected component.

    Attributes
    ----------
    pixels : ndarray of int, shape (n, 2)
        (row, column) of its pixels, n ≥ 1.
    links : csr_array, shape (n, n)
        Distances between linked pixels [px], symmetric.
    radii : ndarray, shape (n,)
        Distance of each pixel's centre from the nearest background pixel's centre [px].
    """

    pixels: np.ndarray
    links: object
    radii: np.ndarray

    @cached_property
    def ends(self):
        """Indices of the pixels with at most one link (the free ends), shape (k,); empty for a closed loop."""
        return np.flatnonzero(_degrees(self.links) <= 1)

    def distances(self, start):
        """Return the distances along the skeleton from pixel `start` to all pixels [px], and each pixel's predecessor.

        Both are arrays of shape (n,); `start` is an index of `pixels`.
        """
        if start not in self._reached:
            self._reached[start] = dijkstra(self.links, directed=False, indices=start, return_predecessors=True)
        return self._reached[start]

    @cached_property
    def _reached(self):
        """Cache of `distances` by start: the distances from the few ends of a crack are needed many times."""
        return {}

    @cached_property
    def lines(self):
        """Cache of `centreline.line_of` by path."""
        return {}

    @cached_property
    def end_points(self):
        """Cache of `tip.both_ends` by path: positions and directions of the ends."""
        return {}

    @cached_property
    def heading(self):
        """Direction in which its pixels spread most, see `principal_axis`."""
        return principal_axis(self.pixels)

    def path(self, start, stop):
        """Return the indices of the pixels on the shortest path from pixel `start` to pixel `stop`, shape (k,)."""
        before = self.distances(start)[1]
        path = [stop]
        while path[-1] != start:
            path.append(before[path[-1]])
        return np.array(path[::-1])

    def longest_path(self):
        """Return the longest of all shortest paths between two pixels, and whether it is closed.

        The result is exact for a tree. With loops it is an approximation: the search repeatedly moves to the farthest
        pixel. If the whole skeleton is one loop, the path goes around it once.

        Returns
        -------
        path : ndarray of int
            Indices of the pixels, in order, shape (k,).
        closed : bool
            True if the last pixel is linked to the first.
        """
        return self._longest

    @cached_property
    def _longest(self):
        if len(self.pixels) > 3 and np.all(_degrees(self.links) == 2):
            return self._around(), True
        start, length = 0, -1.0
        for _ in range(_SWEEPS):
            reached = self.distances(start)[0]
            stop = int(np.argmax(reached))
            if reached[stop] <= length:
                break
            start, before, length = stop, start, reached[stop]
        return self.path(before, start), False

    def _around(self):
        path = [0, self.links[[0]].indices[0]]
        while len(path) < len(self.pixels):
            first, second = self.links[[path[-1]]].indices
            path.append(second if first == path[-2] else first)
        return np.array(path)


def principal_axis(points):
    """Return the direction in which points spread most, a unit vector (row, column) that points to the right.

    If the points spread equally in all directions, it is (0, 1).

    Parameters
    ----------
    points : ndarray, shape (n, 2)
        (row, column) [px].
    """
    spread = np.cov(points.T, bias=True)
    values, vectors = np.linalg.eigh(spread)
    if values[1] - values[0] < 1e-9:
        return np.array([0.0, 1.0])
    axis = vectors[:, 1]
    return -axis if axis[1] < 0 or (axis[1] == 0 and axis[0] > 0) else axis


def without_pores(mask):
    """Return a mask with holes of at most 8 pixels filled; such holes are noise and would make loops in the skeleton.

    Parameters
    ----------
    mask : ndarray of bool, shape (height, width)
    """
    if not mask.any():
        return mask  # a picture of few pixels without crack is not a hole in one
    filled = mask.copy()
    for start in range(0, len(mask), _BAND):
        # A pore that reaches into the band lies within it and this many rows around it: labels of a whole picture would
        # take four bytes a pixel.
        first, last = max(0, start - _PORE - 1), min(len(mask), start + _BAND)
        labels, _ = ndimage.label(~mask[first : last + _PORE + 1])
        pores = np.bincount(labels.ravel()) <= _PORE
        pores[0] = False
        filled[start:last] |= pores[labels[start - first : last - first]]
    return filled


def box_of(mask, margin=0):
    """Return the rectangle around all pixels of a mask, a pair of slices: most of a picture is background.

    Parameters
    ----------
    mask : ndarray of bool, shape (height, width)
        With one pixel at least.
    margin : int [px]
        By which it is wider on each side, as far as the picture goes.
    """
    inside = [np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0)]
    return tuple(
        slice(max(places[0] - margin, 0), min(places[-1] + margin + 1, side))
        for places, side in zip(inside, mask.shape, strict=True)
    )


def skeletons(mask):
    """Return the skeleton of each component, without spurs.

    Parameters
    ----------
    mask : ndarray of bool, shape (height, width)
        Pixels that touch at a side or a corner belong to one component. Pixels outside the picture count neither as
        crack nor as background.

    Returns
    -------
    list of Skeleton
        One per component, in the order of the components' first pixels, row by row.
    """
    if not mask.any():
        return []
    box = box_of(mask)
    corner = np.array([side.start for side in box])
    # Lee's method, because Zhang's (the default) deletes diagonal lines of even width.
    pixels = np.argwhere(skeletonize(mask[box], method="lee")) + corner
    radii = _radii(mask, pixels)
    links = _link(pixels, mask.shape)
    kept = _without_spurs(links, radii)
    pixels, radii, links = pixels[kept], radii[kept], _link(pixels[kept], mask.shape)
    count, labels = connected_components(links, directed=False)
    order = np.argsort(labels, kind="stable")
    links = links[order][:, order]  # component after component
    stops = np.cumsum(np.bincount(labels, minlength=count))
    return [
        Skeleton(pixels[order[start:stop]], _block(links, start, stop), radii[order[start:stop]])
        for start, stop in pairwise([0, *stops])
    ]


def _block(links, start, stop):
    """Return the links of the pixels from `start` to `stop`, which are linked to each other only."""
    first, last = links.indptr[[start, stop]]
    parts = links.data[first:last], links.indices[first:last] - start, links.indptr[start : stop + 1] - first
    return csr_array(parts, shape=(stop - start, stop - start))


def skeleton_mask(mask):
    """Return the skeletons of a mask as a mask, for measures that count skeleton pixels.

    Parameters
    ----------
    mask : ndarray of bool, shape (height, width)

    Returns
    -------
    ndarray of bool, shape (height, width)
        Empty only for an empty mask. A mask without background has no meaningful skeleton and is returned as it is.
    """
    thin = np.zeros(mask.shape, bool)
    if mask.all():
        return mask.copy()
    for skeleton in skeletons(mask):
        thin[tuple(skeleton.pixels.T)] = True
    return thin


def _radii(mask, pixels):
    """Return the distance of each pixel from the nearest background pixel [px]; infinite without background."""
    edge = np.argwhere(grown(grown(mask, 0), 1) & ~mask)
    return cKDTree(edge).query(pixels)[0] if len(edge) else np.full(len(pixels), np.inf)


def grown(mask, axis):
    """Return a mask grown by a pixel to both sides along an axis; a tenth of the time of `binary_dilation`.

    Parameters
    ----------
    mask : ndarray of bool
    axis : int
    """
    result, ahead, behind = mask.copy(), np.s_[1:], np.s_[:-1]
    mask, along = np.moveaxis(mask, axis, 0), np.moveaxis(result, axis, 0)
    along[ahead] |= mask[behind]
    along[behind] |= mask[ahead]
    return result


def _link(pixels, shape):
    """Return the distances between linked pixels as a symmetric sparse array; the pixels go row by row."""
    width = shape[1] + 2  # one column more on both sides, so that rows do not touch
    places = pixels @ (width, 1)

    def neighbours(down, right):
        """Return the number of each pixel's neighbour, -1 where it has none."""
        wanted = places + (down * width + right)
        numbers = np.minimum(np.searchsorted(places, wanted), len(places) - 1)
        return np.where(places[numbers] == wanted, numbers, -1)

    beside, below = neighbours(0, 1), neighbours(1, 0)
    first, second, length = [], [], []
    for other, distance in (
        (beside, 1.0),
        (below, 1.0),
        (np.where((below < 0) & (beside < 0), neighbours(1, 1), -1), np.sqrt(2)),
        (np.where((below < 0) & (neighbours(0, -1) < 0), neighbours(1, -1), -1), np.sqrt(2)),
    ):
        linked = np.flatnonzero(other >= 0)
        first.append(linked)
        second.append(other[linked])
        length.append(np.full(len(linked), distance))
    first, second, length = map(np.concatenate, (first, second, length))
    both = np.concatenate([length, length]), (np.concatenate([first, second]), np.concatenate([second, first]))
    return coo_array(both, shape=(len(pixels), len(pixels))).tocsr()


def _degrees(links):
    return np.diff(links.indptr)


def _without_spurs(links, radii):
    """Return which pixels remain after all spurs are removed, a boolean array."""
    kept = np.ones(len(radii), dtype=bool)
    while True:
        index = np.flatnonzero(kept)
        left = links[index][:, index]
        shortest = {}  # per junction; without its shortest spur, a longer branch may be part of the crack itself
        for junction, length, branch in _branches(left):
            if length < min(2 * radii[index[junction]], shortest.get(junction, (np.inf,))[0]):
                shortest[junction] = length, branch
        if not shortest:
            return kept
        for _, branch in shortest.values():
            kept[index[branch]] = False


def _branches(links):
    """Yield (junction, length, pixels without the junction) of each branch from an end to a junction."""
    # Lists, because a pixel of an array takes ten times as long.
    degrees, starts, neighbours, steps = (
        values.tolist() for values in (_degrees(links), links.indptr, links.indices, links.data)
    )
    for end in np.flatnonzero(_degrees(links) == 1).tolist():
        branch, length, before, here = [], 0.0, -1, end
        while degrees[here] <= 2 and (before < 0 or degrees[here] == 2):
            branch.append(here)
            ahead = starts[here] + (neighbours[starts[here]] == before)
            length += steps[ahead]
            before, here = here, neighbours[ahead]
        if degrees[here] > 2:
            yield here, length, branch
