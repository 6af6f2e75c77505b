"""Join the pieces of a crack whose mask is broken, end to end, also across a notch in its middle.

Networks miss parts of a crack where it is smooth or thin, or where a cable, say, crosses it. Ends are joined only if
they point at each other; a speck has no direction, so only the other end must point at it. First come ends with a path
between them on which the probability is too low for crack, but nowhere as low as on the surface (hysteresis
thresholding, Canny 1986); the most probable path becomes the bridge. Then two ends are joined by a straight line if the
gap is short and no longer than either piece, and no other end fits better. Two cracks that grew from the two sides of a
notch are farther apart. They are joined if the photograph shows no material between them, only the notch.

A bridge has the median width of the thinner of its two pieces. On a thinner bridge the crack would seem to become
narrow, as it does only at a tip. On a wider bridge, a hairline crack behind a tip would seem to become wide.
"""

import numpy as np
from scipy import ndimage
from skimage.draw import disk
from skimage.draw import line as pixels_between
from skimage.graph import MCP_Connect

from crack_utils.geometry.centreline import arc_length
from crack_utils.geometry.skeleton import EIGHT, box_of

_WEAK = 0.05  # probability: pixels from here on can continue a crack, but not start one
_ASIDE = 0.3  # share of the longer side of the box around all pieces: a path stays within this distance of the box
_FREE = 0.03  # cost of a crack pixel; above 0, so that a path leaves a piece near its end
_NEAR = 0.08  # share of the picture's shorter side: the longest gap
_ALWAYS = 6.0  # [px] gap that is always allowed, even between short pieces
_TURN = np.cos(np.radians(40))  # largest angle between an end's direction and the line to the other end
_STRAIGHT = np.cos(np.radians(35))  # the same across a notch
_NOTCH = 0.45  # share of the picture's shorter side: the longest notch in a crack's middle
_AWAY = 0.7  # cosine, smaller than _TURN and _STRAIGHT: pairs of ends below it are not examined
_SHORT = 8.0  # [px] length: shorter pieces (specks) have no direction
_TANGENT = 12.0  # [px] length over which an end's direction is measured
_COURSE = 40.0  # [px] the same for a notch: near its edge a mask may bend, so a longer part is measured
_ODD = 3.0  # standard deviations: a gray value that differs more from those beside the crack is not material
_STRETCH = 20  # [px] least length of a notch whose single pixels differ little, as grain does
_UNLIKE = 2.0  # standard deviations by which these pixels differ, all darker or all brighter
_BEFORE = 12  # [px] largest distance between the end of a mask and such a notch
_AT_ONCE = 64  # pixels of a bridge that are drawn together
_FLANK = 12  # [px] largest distance from the crack at which the gray values of the material are measured


def join_pieces(field, level, cracks, image=None):
    """Draw bridges between the pieces of broken cracks.

    Parameters
    ----------
    field : ndarray of float32, shape (height, width)
        Mask or probability, at least `level` where there is crack.
    level : float
        Threshold of crack, in (0, 1).
    cracks : list of Skeleton
        The skeletons of its components.
    image : ndarray, float, shape (height, width), in [0, 1], optional
        The photograph. Without it, ends are not joined across a notch.

    Returns
    -------
    ndarray of float32, shape (height, width)
        A copy with bridges, or `field` itself if nothing was joined.
    """
    ends = [end for number, crack in enumerate(cracks) for end in _ends(number, crack)]
    # First between long pieces: a speck near an end would otherwise be joined instead of the next piece.
    weak = _weak_ways(field, level, ends, specks=False) + _weak_ways(field, level, ends, specks=True)
    group, bridges = np.arange(len(cracks)), []
    used, used_by_long = set(), set()  # so that a speck in a notch does not prevent joining the two halves of a crack
    for number, (first, second, way) in enumerate(weak + _straight_ways(field, ends, image)):
        a, b = (group[ends[end]["piece"]] for end in (first, second))
        speck = _with_speck(ends[first], ends[second])
        if a == b or (number >= len(weak) and (used if speck else used_by_long) & {first, second}):
            continue  # another end fits better
        group[group == b] = a
        used |= {first, second}
        used_by_long |= set() if speck else {first, second}
        bridges.append(([ends[end]["piece"] for end in (first, second)], way))
    joined = field.copy() if bridges else field
    for pieces, way in bridges:
        radius = min(np.median(cracks[piece].radii) for piece in pieces)
        draw_way(joined, way, radius)
    return joined


def draw_way(field, way, radius):
    """Set the pixels in discs around the pixels of a path to 1.

    Parameters
    ----------
    field : ndarray of float32, shape (height, width)
        It is changed in place.
    way : ndarray of int, shape (n, 2)
        (row, column) [px].
    radius : float
        Radius of the discs [px].
    """
    around = np.stack(disk((0, 0), radius), axis=1)
    for start in range(0, len(way), _AT_ONCE):
        pixels = (way[start : start + _AT_ONCE, None] + around).reshape(-1, 2)
        field[tuple(pixels[((pixels >= 0) & (pixels < field.shape)).all(axis=1)].T)] = 1


def _ends(number, crack):
    """Return both ends of a piece's longest path as dicts: position, length, outward direction and course.

    The course is the direction over a longer part. Direction and course are None for a short piece.
    """
    way, closed = crack.longest_path()
    if closed:
        return []
    pixels = crack.pixels[way]
    along = arc_length(pixels)
    ends = []
    for path in (pixels, pixels[::-1]):
        direction = course = None
        if along[-1] >= _SHORT:
            direction, course = (_outward(path, min(part, along[-1] / 2)) for part in (_TANGENT, _COURSE))
        end = {"piece": number, "pixel": path[0], "length": along[-1] + 1}
        ends.append(end | {"direction": direction, "course": course})
    return ends[:1] if len(pixels) == 1 else ends


def _outward(path, length):
    """Return the unit vector from the point at `length` [px] along a path to its first point."""
    way = path[0] - path[np.searchsorted(arc_length(path), length)]
    return way / np.hypot(*way)


def _with_speck(*ends):
    """Return whether one of the ends belongs to a short piece."""
    return any(end["direction"] is None for end in ends)


class _Meetings(MCP_Connect):
    """Search from all ends at once; `ways` maps (end, end) to (cost of the best path, pixel on it, next pixel)."""

    def _reset(self):
        super()._reset()
        self.ways = {}

    def create_connection(self, id1, id2, pos1, pos2, cost1, cost2):
        if id1 > id2:
            id1, id2, pos1, pos2 = id2, id1, pos2, pos1
        self.ways[id1, id2] = min(self.ways.get((id1, id2), (np.inf,)), (cost1 + cost2, pos1, pos2))


def _weak_ways(field, level, ends, specks):
    """Return the paths between two ends on which no probability is below `_WEAK`, the most probable path first.

    Without `specks`, only long pieces count. With it, all pieces count, in the connected parts that contain a short
    one. Each path is (end, end, pixels between them that are not crack). The cost of a pixel is the negative logarithm
    of its probability.
    """
    numbers = [number for number, end in enumerate(ends) if specks or end["direction"] is not None]
    if not numbers or level <= _WEAK or (specks and not _with_speck(*ends)):
        return []
    box = _around(box_of(field >= level))  # saves memory: what follows takes many bytes per pixel
    corner, field = np.array([side.start for side in box]), field[box]
    labels, _ = ndimage.label(field >= _WEAK, EIGHT)
    ends_of = {}
    for number in numbers:
        ends_of.setdefault(labels[tuple(ends[number]["pixel"] - corner)], []).append(number)
    parts, ways = ndimage.find_objects(labels), []
    for label, those in ends_of.items():
        short = _with_speck(*(ends[number] for number in those))
        if short == specks and len({ends[number]["piece"] for number in those}) > 1:  # not in a binary mask
            part = parts[label - 1]
            inside = np.where(labels[part] == label, field[part], 0)
            ways += _ways_within(inside, level, corner + [side.start for side in part], ends, those)
    return [way[1:] for way in sorted(ways, key=lambda way: way[:3])]


def _ways_within(field, level, corner, ends, numbers):
    """Return the paths within a part of a picture, each with its cost first; `corner` is the position of the part."""
    cost = np.full(field.shape, -1.0)  # negative: no path goes there
    weak = field >= _WEAK
    cost[weak] = np.where(field[weak] >= level, _FREE, -np.log(field[weak]))
    graph = _Meetings(cost)
    graph.find_costs([tuple(map(int, ends[number]["pixel"] - corner)) for number in numbers])
    ways = []
    for pair, (total, before, after) in graph.ways.items():
        first, second = (numbers[start] for start in pair)
        way = np.array(graph.traceback(before) + graph.traceback(after)[::-1])
        gap = way[field[tuple(way.T)] < level] + corner
        a, b = ends[first], ends[second]
        if a["piece"] != b["piece"] and min(_cosines(a, b)) >= _TURN:
            ways.append((total, first, second, gap))
    return ways


def _around(box):
    """Return a larger box, because a crack may leave the box around its pieces in a bend."""
    margin = int(_ASIDE * max(side.stop - side.start for side in box))
    return tuple(slice(max(side.start - margin, 0), side.stop + margin) for side in box)


def _straight_ways(field, ends, image):
    """Return the straight lines between ends that may be joined, like `_weak_ways`: the best first, specks last."""
    ways = []
    for first, second in _facing(ends, _NOTCH * min(field.shape)):
        cost = _cost(ends[first], ends[second], min(field.shape), image)
        if cost is not None:
            ways.append((_with_speck(ends[first], ends[second]), cost, first, second))
    return [
        (first, second, np.stack(pixels_between(*ends[first]["pixel"], *ends[second]["pixel"]), axis=1))
        for _, _, first, second in sorted(ways)
    ]


def _facing(ends, farthest):
    """Return the few pairs of ends, among thousands, that may be joined; `_cost` decides about them."""
    if not ends:
        return []
    pieces = np.array([end["piece"] for end in ends])
    pixels = np.array([end["pixel"] for end in ends], float)
    ways = pixels - pixels[:, None]  # from the first to the second of a pair
    gaps = np.hypot(ways[..., 0], ways[..., 1])
    away = gaps > 3
    for name in ("direction", "course"):
        outward = np.array([(np.nan, np.nan) if end[name] is None else end[name] for end in ends])
        away &= (ways * outward[:, None]).sum(axis=-1) < _AWAY * gaps  # False where there is no direction
    possible = ~(away | away.T) & (gaps <= farthest + 1) & (pieces != pieces[:, None])
    return np.argwhere(np.triu(possible)).tolist()


def _cost(a, b, side, image):
    """Return the cost of joining two ends [px], low for ends that fit well; None if they must not be joined."""
    gap = np.hypot(*(b["pixel"] - a["pixel"]))
    if gap > _NOTCH * side or (a["direction"] is None and b["direction"] is None and gap > _ALWAYS):
        return None
    cosines = _cosines(a, b)
    # A gap is no longer than either piece: a false alarm beyond a tip is short, and not the crack's continuation.
    longest = max(_ALWAYS, min(_NEAR * side, a["length"], b["length"]))
    if gap <= longest and min(cosines) >= _TURN:
        return gap * (3 - sum(cosines))
    cosines = [max(pair) for pair in zip(cosines, _cosines(a, b, "course"), strict=True)]
    if image is None or min(cosines) < _STRAIGHT or not _notch_between(image, a["pixel"], b["pixel"]):
        return None
    return gap * (3 - sum(cosines))


def _cosines(a, b, name="direction"):
    """Return for both ends the cosine of the angle between direction and other end; 1 without a direction."""
    way = (b["pixel"] - a["pixel"]).astype(float)
    gap = np.hypot(*way)
    return [
        1.0 if end[name] is None or gap < 3 else float(end[name] @ (sign * way / gap))
        for end, sign in ((a, 1), (b, -1))
    ]


def _notch_between(image, first, second):
    """Return whether the photograph shows a notch between two ends.

    It does if there is no material on at least 80 % of the line between them. It also does if at least half of the line
    is one long stretch that is dark, or bright, almost everywhere, and that begins and ends near the two ends.
    """
    way = (second - first).astype(float)
    gap = np.hypot(*way)
    way /= gap
    across = np.array([-way[1], way[0]])
    at = np.arange(2, gap - 1)
    if len(at) < 4:
        return False
    between = first + at[:, None] * way
    gray = ndimage.map_coordinates(image, between.T, order=1)
    # The material is measured beside the crack behind both ends, where there is no notch.
    behind = np.concatenate([first - np.arange(2, 14)[:, None] * way, second + np.arange(2, 14)[:, None] * way])
    beside = [behind + side * across for side in (-_FLANK, -_FLANK + 4, _FLANK - 4, _FLANK)]
    material = ndimage.map_coordinates(image, np.concatenate(beside).T, order=1, mode="nearest")
    middle = np.median(material)
    spread = max(1.4826 * np.median(np.abs(material - middle)), 0.01)
    unlike = (gray - middle) / spread
    if (np.abs(unlike) > _ODD).mean() >= 0.8:
        return True
    odd = max((unlike > _UNLIKE, unlike < -_UNLIKE), key=np.count_nonzero)
    if odd.mean() < 0.5:
        return False
    first, last = np.flatnonzero(odd)[[0, -1]]
    long = last - first + 1 >= _STRETCH
    return bool(long and odd[first : last + 1].mean() >= 0.8 and max(first, len(odd) - 1 - last) <= _BEFORE)
