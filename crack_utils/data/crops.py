"""Crops of photographs at full resolution, for thin cracks, with a balance of crack and background.

If a photograph is reduced by four, a crack two pixels wide becomes half a pixel wide and loses most of its contrast.
Crops keep every pixel, but most of them would show no crack. Therefore every second crop is drawn around a crack pixel,
and the others at a random position; nnU-Net does this with a third of its patches (Isensee et al. 2021,
doi:10.1038/s41592-020-01008-z). NumPy only.
"""

import numpy as np

from crack_utils.data import cache
from crack_utils.data.digests import image_content
from crack_utils.data.pairs import refuse


def check(pairs, size, reduction=1):
    """Raise an error for pictures that are too small for a crop.

    Parameters
    ----------
    pairs : list of Pair
    size : (height, width) [px]
    reduction : int
        Number by which the size of the pictures is divided first.

    Raises
    ------
    DataError
        One message that names every picture with a side below that of `size`.
    """
    why = "{}×{} pixels, too small for a crop of {}×{}; choose a smaller size, or fit='resize'"
    sizes = [(pair.image, cache.reduced(image_content(pair.image).size, reduction)) for pair in pairs]
    refuse([(path, why.format(*of, *size)) for path, of in sizes if of[0] < size[0] or of[1] < size[1]])


def tiles(shape, size):
    """Cover a picture with the smallest number of tiles of one size, to evaluate all of it in equal parts.

    Parameters
    ----------
    shape : (height, width) [px]
    size : (height, width) [px]
        At most that of the picture.

    Returns
    -------
    list of (row, column)
        Top left corner of each tile. Tiles overlap if the picture's size is not a multiple of theirs.

    Examples
    --------
    >>> tiles((4, 10), (4, 6))
    [(0, 0), (0, 4)]
    """
    starts = [
        np.linspace(0, whole - part, -(-whole // part)).round().astype(int).tolist()
        for whole, part in zip(shape, size, strict=True)
    ]
    return [(row, column) for row in starts[0] for column in starts[1]]


def draw(image, mask, size, around_crack, seed):
    """Draw the same random crop of a picture and its mask.

    Parameters
    ----------
    image, mask : ndarray, shape (H, W)
    size : (height, width) [px]
        At most that of the picture.
    around_crack, seed
        As for `place`.

    Returns
    -------
    image, mask : ndarray, shape `size`
        Views of the arguments.

    Raises
    ------
    ValueError
        If the picture is smaller than the crop.
    """
    part = place(mask, size, around_crack, seed)
    return image[part], mask[part]


def place(mask, size, around_crack, seed):
    """Draw the position of a random crop.

    Parameters
    ----------
    mask : ndarray, shape (H, W)
        Crack is where it is not zero.
    size : (height, width) [px]
        At most that of the picture.
    around_crack : bool
        If True, draw a crack pixel first, all with equal probability, and then one of the crops that contain it. If
        False, or without a crack, draw one of all crops.
    seed : sequence of int, at least 0
        The same seed gives the same crop.

    Returns
    -------
    (rows, columns) : tuple of slice

    Raises
    ------
    ValueError
        If the picture is smaller than the crop.
    """
    if (np.array(mask.shape) < size).any():
        raise ValueError("a crop of {}×{} does not fit into a picture of {}×{}".format(*size, *mask.shape))
    generator = np.random.default_rng(seed)
    first, last = (0, 0), np.subtract(mask.shape, size)  # limits of the top left corner
    if around_crack and (pixels := np.flatnonzero(mask)).size:
        pixel = np.array(np.unravel_index(generator.choice(pixels), mask.shape))
        first, last = np.maximum(pixel - size + 1, 0), np.minimum(pixel, last)
    row, column = generator.integers(first, last, endpoint=True)
    return np.s_[row : row + size[0], column : column + size[1]]
