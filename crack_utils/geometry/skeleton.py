"""Skeleton of a mask as a graph: spurs cut off, ends, and the longest path of each component.

Pixels of the skeleton are nodes; neighbours are linked at their distance, 1 or √2. A diagonal link is left out where
a third pixel already links both, so that a pixel with one link is an end and one with three or more a junction.

**Spurs.** Thinning grows a branch into every corner and bump of the outline. A branch from a junction to an end that is
shorter than the crack is wide at the junction (twice the distance to the nearest background) is such a spur, and is cut
off, the shortest of a junction first, until none is left. Of the fork in a flat end the longer branch stays.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import ndimage
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components, dijkstra
from scipy.spatial import cKDTree
from skimage.morphology import remove_small_holes, skeletonize

EIGHT = np.ones((3, 3), dtype=bool)  # pixels that touch at a corner belong together, as on a diagonal crack
_PORE = 8  # [px] area of the largest hole that is filled: noise, which would make a loop of the skeleton
_SWEEPS = 4  # a tree needs two; loops may take more


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
        """Indices of the pixels with at most one link: free ends, empty for a closed loop."""
        return np.flatnonzero(_degrees(self.links) <= 1)

    def distances(self, start):
        """Distances along the skeleton from pixel `start` to every pixel [px], and the last pixel before each."""
        if start not in self._reached:
            self._reached[start] = dijkstra(self.links, directed=False, indices=start, return_predecessors=True)
        return self._reached[start]

    @cached_property
    def _reached(self):
        """What `distances` has returned, by its start: a crack is measured from its few ends again and again."""
        return {}

    @cached_property
    def lines(self):
        """What `centreline.line_of` has returned, by its path."""
        return {}

    def path(self, start, stop):
        """Indices of the pixels on the shortest way from `start` to `stop`."""
        before = self.distances(start)[1]
        way = [stop]
        while way[-1] != start:
            way.append(before[way[-1]])
        return np.array(way[::-1])

    def longest_path(self):
        """Return the longest of all shortest ways between two pixels, and whether it is closed.

        Exact on a tree; with loops found by sweeps from farthest to farthest pixel. A skeleton that is one loop
        without ends is followed all around.

        Returns
        -------
        path : ndarray of int
            Indices of pixels, in order.
        closed : bool
            True where the last pixel is linked to the first.
        """
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
        way = [0, self.links[[0]].indices[0]]
        while len(way) < len(self.pixels):
            first, second = self.links[[way[-1]]].indices
            way.append(second if first == way[-2] else first)
        return np.array(way)


def without_pores(mask):
    """Return a mask with holes of a few pixels filled.

    Parameters
    ----------
    mask : ndarray of bool, shape (height, width)
    """
    return remove_small_holes(mask, max_size=_PORE, connectivity=1)


def skeletons(mask):
    """Return the skeleton of each component, without spurs.

    Parameters
    ----------
    mask : ndarray of bool, shape (height, width)
        Pixels that touch at a side or a corner belong to one component. What lies outside the picture counts neither
        as crack nor as background.

    Returns
    -------
    list of Skeleton
        By their component's first pixel, row by row.
    """
    rows, columns = np.nonzero(mask)
    if not rows.size:
        return []
    corner = np.array([rows.min(), columns.min()])
    part = mask[corner[0] : rows.max() + 1, corner[1] : columns.max() + 1]  # most of a picture is background
    # Not Zhang's method, the default: it deletes diagonal lines whose width is even.
    pixels = np.argwhere(skeletonize(part, method="lee")) + corner
    radii = _radii(mask, pixels)
    links = _link(pixels, mask.shape)
    kept = _without_spurs(links, radii)
    pixels, radii, links = pixels[kept], radii[kept], _link(pixels[kept], mask.shape)
    count, labels = connected_components(links, directed=False)
    order = np.argsort(labels, kind="stable")
    members = np.split(order, np.cumsum(np.bincount(labels, minlength=count))[:-1])
    return [Skeleton(pixels[each], links[each][:, each], radii[each]) for each in members]


def skeleton_mask(mask):
    """Return the pixels of all of a mask's skeletons as a mask, for measures that count them.

    Parameters
    ----------
    mask : ndarray of bool, shape (height, width)

    Returns
    -------
    ndarray of bool, shape (height, width)
        Empty for an empty mask alone. A mask without background, whose skeleton has no meaning, is its own.
    """
    thin = np.zeros(mask.shape, bool)
    if mask.all():
        return mask.copy()
    for skeleton in skeletons(mask):
        thin[tuple(skeleton.pixels.T)] = True
    return thin


def _radii(mask, pixels):
    """Distances of pixels from the background's pixels next to the mask [px]; infinite without background."""
    edge = np.argwhere(ndimage.binary_dilation(mask, EIGHT) & ~mask)
    return cKDTree(edge).query(pixels)[0] if len(edge) else np.full(len(pixels), np.inf)


def _link(pixels, shape):
    """Distances between neighbouring pixels, as a symmetric sparse array."""
    number = np.full((shape[0] + 2, shape[1] + 2), -1)  # a frame of nothing, so that every pixel has neighbours
    number[tuple(pixels.T + 1)] = np.arange(len(pixels))
    first, second, length = [], [], []
    for down, right in ((0, 1), (1, 0), (1, 1), (1, -1)):
        other = number[pixels[:, 0] + 1 + down, pixels[:, 1] + 1 + right]
        linked = other >= 0
        if down and right:
            below = number[pixels[:, 0] + 1 + down, pixels[:, 1] + 1]
            beside = number[pixels[:, 0] + 1, pixels[:, 1] + 1 + right]
            linked &= (below < 0) & (beside < 0)
        first.append(np.flatnonzero(linked))
        second.append(other[linked])
        length.append(np.full(linked.sum(), np.hypot(down, right)))
    first, second, length = map(np.concatenate, (first, second, length))
    both = np.concatenate([length, length]), (np.concatenate([first, second]), np.concatenate([second, first]))
    return coo_array(both, shape=(len(pixels), len(pixels))).tocsr()


def _degrees(links):
    return np.diff(links.indptr)


def _without_spurs(links, radii):
    """Return which pixels remain, a boolean array, once no branch is left that is a spur."""
    kept = np.ones(len(radii), dtype=bool)
    while True:
        index = np.flatnonzero(kept)
        left = links[index][:, index]
        shortest = {}  # at each junction: with it gone, the next one may turn out to be the crack itself
        for junction, length, way in _branches(left):
            if length < min(2 * radii[index[junction]], shortest.get(junction, (np.inf,))[0]):
                shortest[junction] = length, way
        if not shortest:
            return kept
        for _, way in shortest.values():
            kept[index[way]] = False


def _branches(links):
    """Yield (junction, length, pixels without the junction) of each branch from an end to a junction."""
    degrees = _degrees(links)
    neighbours, steps = np.split(links.indices, links.indptr[1:-1]), np.split(links.data, links.indptr[1:-1])
    for end in np.flatnonzero(degrees == 1):
        way, length, before, here = [], 0.0, -1, end
        while degrees[here] <= 2 and (before < 0 or degrees[here] == 2):
            way.append(here)
            ahead = int(neighbours[here][0] == before)
            length += steps[here][ahead]
            before, here = here, neighbours[here][ahead]
        if degrees[here] > 2:
            yield here, length, way
