"""Which of the cracks in a picture is the primary one."""

from crack_utils.geometry.pieces import join_pieces
from crack_utils.geometry.skeleton import skeletons

_MOST = 60  # pieces, the longest first, that are looked at for being joined: more is noise


def ranked(field, level, image=None):
    """Return the cracks of a picture, broken-up ones in one piece, the primary crack first.

    Parameters
    ----------
    field : ndarray of float32, shape (height, width)
        At least `level` where there is crack.
    level : float
    image : ndarray, float, shape (height, width), in [0, 1], optional
        The photograph.

    Returns
    -------
    field : ndarray of float32, shape (height, width)
        With bridges between the pieces of a crack.
    cracks : list of (Skeleton, path, closed)
        Path and whether it is closed as of `Skeleton.longest_path`; the longest first.
    """
    pieces = _longest_first(skeletons(field >= level))
    joined = join_pieces(field, level, [crack for crack, _, _ in pieces[:_MOST]], image)
    if joined is not field:
        pieces = _longest_first(skeletons(joined >= level))
    return joined, pieces


def _longest_first(cracks):
    found = []
    for crack in cracks:
        way, closed = crack.longest_path()
        found.append((crack.distances(way[0])[0][way[-1]], crack, way, closed))
    return [tuple(rest) for _, *rest in sorted(found, key=lambda each: -each[0])]
