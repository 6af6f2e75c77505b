"""Crops of photographs at their own size, for cracks too thin to be reduced: crack and background in balance.

A reduction by four leaves half a pixel of a crack that is two wide, and little of its contrast. Crops keep every pixel,
but most of them would show no crack. So every other crop is drawn around a crack pixel, as nnU-Net does with a third of
its patches (Isensee et al. 2021, doi:10.1038/s41592-020-01008-z), and the others from anywhere. NumPy only.
"""

import numpy as np

from crack_utils.data import cache
from crack_utils.data.digests import image_content
from crack_utils.data.pairs import refuse


def check(pairs, size, reduction=1):
    """Refuse pictures that are too small for a crop.

    Parameters
    ----------
    pairs : list of Pair
    size : (height, width) [px]
    reduction : int
        By which the pictures are reduced first.

    Raises
    ------
    DataError
        One message that names every picture with a side below that of `size`.
    """
    why = "{}×{} pixels, too small for a crop of {}×{}; choose a smaller size, or fit='resize'"
    sizes = [(pair.image, cache.reduced(image_content(pair.image).size, reduction)) for pair in pairs]
    refuse([(path, why.format(*of, *size)) for path, of in sizes if of[0] < size[0] or of[1] < size[1]])


def tiles(shape, size):
    """Cut a picture into the fewest tiles of one size that cover it, for a look at all of it in equal parts.

    Parameters
    ----------
    shape : (height, width) [px]
    size : (height, width) [px]
        At most that of the picture.

    Returns
    -------
    list of (row, column)
        Where each tile begins. They overlap where the picture is no multiple of them.

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
    """Draw a crop of a picture and the same of its mask, see `place`.

    Returns
    -------
    image, mask : ndarray, shape `size`
    """
    here = place(mask, size, around_crack, seed)
    return image[here], mask[here]


def place(mask, size, around_crack, seed):
    """Draw where a crop lies.

    Parameters
    ----------
    mask : ndarray, shape (H, W)
        Crack is where it is not zero.
    size : (height, width) [px]
        At most that of the picture.
    around_crack : bool
        Draw a crack pixel first, each as likely as the others, then one of the crops that hold it; from a picture
        without crack, and if False, one of all crops.
    seed : sequence of int, none negative
        The same gives the same crop.

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
    first, last = (0, 0), np.subtract(mask.shape, size)  # where a crop may begin
    if around_crack and (pixels := np.flatnonzero(mask)).size:
        pixel = np.array(np.unravel_index(generator.choice(pixels), mask.shape))
        first, last = np.maximum(pixel - size + 1, 0), np.minimum(pixel, last)
    row, column = generator.integers(first, last, endpoint=True)
    return np.s_[row : row + size[0], column : column + size[1]]
