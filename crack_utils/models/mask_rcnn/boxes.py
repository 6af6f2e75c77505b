"""Arithmetic of boxes: overlap, corrections, clipping, non-maximum suppression.

A box is (top, left, bottom, right) [px]. Its edges are counted from the picture's top left corner, so it covers the
pixels ``[top:bottom, left:right]``. (Positions elsewhere in the package are those of pixel centres, half a pixel
further in.) Everything works in graphs and with XLA: shapes are fixed, and unused entries are marked as not valid.
"""

import math

from keras import ops

LARGEST = math.log(1000 / 16)  # limit of a correction's logarithms, to prevent overflow (the usual value)


def area(boxes):
    """Return the area of boxes (..., 4) [px²]; 0 if an edge is beyond the opposite one."""
    top, left, bottom, right = ops.unstack(boxes, 4, axis=-1)
    return ops.maximum(bottom - top, 0) * ops.maximum(right - left, 0)


def iou(first, second):
    """Return the intersection over union of all pairs of boxes from two lists.

    Parameters
    ----------
    first, second : float tensors, shape (..., N, 4) and (..., M, 4)
        Leading axes are broadcast.

    Returns
    -------
    float tensor, shape (..., N, M), in [0, 1]
        0 where both are empty.
    """
    a, b = ops.expand_dims(first, -2), ops.expand_dims(second, -3)
    sides = ops.maximum(ops.minimum(a[..., 2:], b[..., 2:]) - ops.maximum(a[..., :2], b[..., :2]), 0)
    common = sides[..., 0] * sides[..., 1]
    union = area(a) + area(b) - common
    return common / ops.maximum(union, 1e-6)


def encode(boxes, anchors, spread=(1.0, 1.0, 1.0, 1.0)):
    """Return the corrections that turn anchors into boxes (Ren et al. 2015).

    Parameters
    ----------
    boxes, anchors : float tensors, shape (..., 4)
    spread : four floats
        Corrections are divided by this, so that a head predicts numbers of about one.

    Returns
    -------
    float tensor, shape (..., 4)
        Shift of the centre down and to the right, in heights and widths of the anchor, and the logarithms of the ratios
        of the heights and of the widths.
    """
    (down, right, height, width), (down0, right0, height0, width0) = _centred(boxes), _centred(anchors)
    parts = [
        (down - down0) / height0,
        (right - right0) / width0,
        ops.log(height / height0),
        ops.log(width / width0),
    ]
    return ops.stack([part / s for part, s in zip(parts, spread, strict=True)], axis=-1)


def decode(corrections, anchors, spread=(1.0, 1.0, 1.0, 1.0)):
    """Apply corrections to anchors; the inverse of `encode`.

    Parameters
    ----------
    corrections, anchors : float32 tensors, shape (..., 4)
        As `encode` returns and takes them.
    spread : tuple of four float
        As for `encode`.

    Returns
    -------
    float32 tensor, shape (..., 4)
        Boxes [px].
    """
    down, right, tall, wide = (part * s for part, s in zip(ops.unstack(corrections, 4, axis=-1), spread, strict=True))
    down0, right0, height0, width0 = _centred(anchors)
    down, right = down0 + down * height0, right0 + right * width0
    height = height0 * ops.exp(ops.minimum(tall, LARGEST))
    width = width0 * ops.exp(ops.minimum(wide, LARGEST))
    return ops.stack([down - height / 2, right - width / 2, down + height / 2, right + width / 2], axis=-1)


def clip(boxes, height, width):
    """Return boxes, a tensor of shape (..., 4) [px], clipped at the borders of a picture of `height` × `width` [px]."""
    height, width = ops.cast(height, boxes.dtype), ops.cast(width, boxes.dtype)
    return ops.minimum(ops.maximum(boxes, 0), ops.stack([height, width, height, width]))


def non_maximum_suppression(boxes, scores, threshold, count):
    """Keep the boxes with the best scores and remove those that overlap a better one.

    The result is that of the greedy method: from the best box to the worst, a box is kept unless it overlaps one kept
    before. Here all boxes are decided at once, from the previous decision, until nothing changes. After n rounds the n
    best boxes are final; usually a few rounds are enough (Zheng et al. 2021 call this cluster NMS).

    Parameters
    ----------
    boxes : float tensor, shape (batch, N, 4)
    scores : float tensor, shape (batch, N)
        Boxes with a negative score are ignored.
    threshold : float
        Two boxes overlap if their intersection over union is larger.
    count : int
        Number of boxes to return, at most N.

    Returns
    -------
    indices : int tensor, shape (batch, count)
        Ordered by score, the best first.
    valid : bool tensor, shape (batch, count)
        False where fewer boxes were kept.
    """
    number = ops.shape(scores)[1]
    scores, order = ops.top_k(scores, number)
    boxes = ops.take_along_axis(boxes, order[..., None], axis=1)
    place = ops.arange(number)
    hindered = ops.logical_and(iou(boxes, boxes) > threshold, place[:, None] > place[None, :])  # [box, better box]

    def unsettled(kept, changed):
        return changed

    def decide(kept, changed):
        new = ops.logical_not(ops.any(ops.logical_and(hindered, kept[:, None, :]), axis=-1))
        return new, ops.any(ops.not_equal(new, kept))

    kept, _ = ops.while_loop(unsettled, decide, (scores >= 0, ops.convert_to_tensor(True)))
    best, chosen = ops.top_k(ops.where(kept, scores, -1.0), count)
    return ops.take_along_axis(order, chosen, axis=1), best >= 0


def take(values, indices):
    """Return, for each picture, the rows of `values` (batch, N, …) at the positions `indices` (batch, K)."""
    indices = ops.reshape(indices, (*ops.shape(indices), *[1] * (len(values.shape) - 2)))
    return ops.take_along_axis(values, indices, axis=1)


def _centred(boxes):
    """Return centre (row, column), height and width of boxes."""
    top, left, bottom, right = ops.unstack(boxes, 4, axis=-1)
    return (top + bottom) / 2, (left + right) / 2, bottom - top, right - left
