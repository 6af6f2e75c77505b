"""The connected cracks of a mask and their boxes. No TensorFlow."""

import numpy as np
from scipy import ndimage

from crack_utils.geometry.skeleton import EIGHT

MARGIN = 2  # [px] added to a crack's box on each side, because a box one pixel high is nearly impossible to predict


def label(mask, most):
    """Number the connected cracks of a mask, the largest first.

    Parameters
    ----------
    mask : ndarray, shape (height, width)
        Crack where it is above one half.
    most : int
        Largest number of cracks. If there are more, the smallest count as background.

    Returns
    -------
    ids : ndarray of int32, shape (height, width)
        0 for background, 1, 2, … for the cracks.
    boxes : ndarray of float32, shape (most, 4)
        MARGIN wider than the crack on each side, but within the picture; zeros after the last crack.
    valid : ndarray of bool, shape (most,)
    """
    labels, number = ndimage.label(np.asarray(mask) > 0.5, EIGHT)
    order = np.argsort(-np.bincount(labels.ravel(), minlength=number + 1)[1:], kind="stable")[:most]
    rank = np.zeros(number + 1, np.int32)
    rank[order + 1] = np.arange(1, len(order) + 1)
    ids = rank[labels]
    boxes = np.zeros((most, 4), np.float32)
    for box, (rows, columns) in zip(boxes, ndimage.find_objects(ids), strict=False):
        box[:] = rows.start - MARGIN, columns.start - MARGIN, rows.stop + MARGIN, columns.stop + MARGIN
    height, width = ids.shape
    boxes = np.clip(boxes, 0, np.float32([height, width, height, width]))
    return ids, boxes, np.arange(most) < len(order)


def label_batch(masks, most):
    """Apply `label` to each mask of a batch.

    Parameters
    ----------
    masks : ndarray, shape (batch, height, width, 1)
    most : int
        As for `label`.

    Returns
    -------
    tuple of ndarray
        The results of `label`, with the batch as first axis.
    """
    return tuple(map(np.stack, zip(*(label(mask[..., 0], most) for mask in masks), strict=True)))
