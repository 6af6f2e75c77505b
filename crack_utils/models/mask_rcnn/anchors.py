"""Anchors, the initial boxes: one of each shape at each place of each level (Ren et al. 2015)."""

import numpy as np
from keras import ops

STRIDES = (4, 8, 16, 32, 64)  # [px] of the levels with anchors
SCALE = 4  # an anchor's side in strides: 16 to 256 px, one size per level as in Lin et al. 2017
RATIOS = (0.25, 0.5, 1.0, 2.0, 4.0)  # height / width: cracks are longer than usual objects, with ratios of 0.5 to 2


def shapes():
    """Return height and width [px] of an anchor at stride 1, one row per ratio; all have the same area."""
    ratios = np.array(RATIOS, np.float32)
    return SCALE * np.stack([np.sqrt(ratios), 1 / np.sqrt(ratios)], axis=1)


def anchors(height, width):
    """Return all anchors of a picture: the initial boxes that the network moves and scales (Ren et al. 2015).

    Parameters
    ----------
    height, width : int, or integer scalar tensors
        Of the picture, multiples of 32 [px].

    Returns
    -------
    float32 tensor, shape (anchors, 4)
        Top, left, bottom and right of each box [px], ordered by level, row, column and ratio. Boxes may reach
        beyond the picture.
    """
    return ops.concatenate([_of_level(-(-height // stride), -(-width // stride), stride) for stride in STRIDES])


def _of_level(rows, columns, stride):
    half = ops.convert_to_tensor(shapes() * stride / 2)  # (ratios, 2)
    down, right = ((ops.cast(ops.arange(length), "float32") + 0.5) * stride for length in (rows, columns))
    down, right = ops.meshgrid(down, right, indexing="ij")
    centres = ops.expand_dims(ops.stack([down, right], axis=-1), 2)  # (rows, columns, 1, 2)
    return ops.reshape(ops.concatenate([centres - half, centres + half], axis=-1), (-1, 4))
