"""Instances: the connected cracks of a mask, each with its box. NumPy and SciPy, but for the ceiling."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

EIGHT = np.ones((3, 3))  # pixels that touch at a corner are connected
MARGIN = 2  # [px] that a crack's box is wider on each side: a box of one pixel's height is nearly impossible to hit


@dataclass(frozen=True)
class Instances:
    """Cracks of one picture, true or found.

    Attributes
    ----------
    boxes : ndarray, float32, shape (n, 4)
        (top, left, bottom, right) [px], edges counted from the picture's top left corner.
    scores : ndarray, float32, shape (n,), in [0, 1]
        How sure it is that there is a crack; the surest first. 1 for true ones.
    masks : ndarray of bool, shape (n, height, width)
    """

    boxes: np.ndarray
    scores: np.ndarray
    masks: np.ndarray

    def __len__(self):
        return len(self.boxes)


def label(mask, most):
    """Number the connected cracks of a mask, the largest first.

    Parameters
    ----------
    mask : ndarray, shape (height, width)
        Crack where it is above one half.
    most : int
        Cracks beyond this number, the smallest, are left out: they count as background.

    Returns
    -------
    ids : ndarray of int32, shape (height, width)
        0 background, 1 … of the cracks.
    boxes : ndarray of float32, shape (most, 4)
        MARGIN wider than the crack on each side, but within the picture; zeros beyond the last crack.
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
    """Label masks (batch, height, width, 1); return what `label` does, stacked."""
    return tuple(map(np.stack, zip(*(label(mask[..., 0], most) for mask in masks), strict=True)))


def true_instances(mask, most=1000):
    """Return the connected cracks of a mask (height, width) as Instances."""
    ids, boxes, valid = label(mask, most)
    number = int(valid.sum())
    return Instances(boxes[:number], np.ones(number, np.float32), ids == np.arange(1, number + 1)[:, None, None])


def match(true, found, threshold=0.75):
    """Match true cracks with found ones, each with one other at most.

    Parameters
    ----------
    true, found : Instances
        Of the same picture.
    threshold : float
        Intersection over union that the two masks must reach.

    Returns
    -------
    list of (int, int, float)
        Which true, which found, and the intersection over union of their masks. The surest finding chooses first,
        and takes of what is left the crack that it overlaps most.
    """
    left, pairs = set(range(len(true))), []
    for number, mask in enumerate(found.masks):
        overlap = {each: mask_iou(true.masks[each], mask) for each in left}
        best = max(overlap, key=overlap.get, default=None)
        if best is not None and overlap[best] >= threshold:
            pairs.append((best, number, overlap[best]))
            left.remove(best)
    return pairs


def mask_iou(first, second):
    """Return the intersection over union of two boolean masks, 1 if both are empty."""
    union = np.count_nonzero(first | second)
    return np.count_nonzero(first & second) / union if union else 1.0


def mask_ceiling(mask, bins):
    """Return the intersection over union with itself of a mask that a perfect network gave.

    A mask head draws each crack in `bins` × `bins` cells, whatever its box's size. What a cell of a large box averages
    away, no training brings back.

    Parameters
    ----------
    mask : ndarray, shape (height, width)
        Crack where it is above one half.
    bins : int

    Returns
    -------
    float in [0, 1]
    """
    from .roi_align import crop_masks, paste_masks

    true = true_instances(mask)
    drawn = np.zeros(np.shape(mask), bool)
    for box, crack in zip(true.boxes, true.masks, strict=True):
        cells = crop_masks(np.float32(crack)[None, None], box[None, None], bins)
        drawn |= np.asarray(paste_masks(cells, box[None, None], *drawn.shape))[0, 0] >= 0.5
    return mask_iou(np.asarray(mask) > 0.5, drawn)
