"""What anchors and proposals should have become, and which of them a step learns from (Ren et al. 2015).

Chance is an argument: `priority` is one uniform number in [0, 1) for each candidate, and the largest are taken.
"""

from typing import Any, NamedTuple

from keras import ops

from .boxes import iou

NEAR, FAR = 0.7, 0.3  # an anchor overlaps a crack's box by at least, or less than this: crack, or background
OVERLAP = 0.5  # the same for a proposal, in one


class Sample(NamedTuple):
    """Candidates that a step learns from; at most so many, of which those that are not `valid` do not count.

    Attributes
    ----------
    indices : int tensor, shape (batch, positives + count)
        Which candidate. The first `positives` are of cracks, the others of background.
    valid : bool tensor, shape (batch, positives + count)
    positives : int
    matched : int tensor, shape (batch, positives)
        To which crack the first ones belong.
    """

    indices: Any
    valid: Any
    positives: int
    matched: Any


def sample_anchors(anchors, boxes, valid, priority, count, share=0.5):
    """Choose anchors.

    An anchor is crack if it overlaps a crack's box by NEAR or more, or more than all others do; background if it
    overlaps none by FAR; all else is left out.

    Parameters
    ----------
    anchors : float tensor, shape (A, 4)
    boxes : float tensor, shape (batch, N, 4)
        Of the cracks.
    valid : bool tensor, shape (batch, N)
        Which of them there are.
    priority : float tensor, shape (batch, A)
    count : int
        Anchors of a picture.
    share : float
        Of cracks, at most; background fills up.

    Returns
    -------
    Sample
    """
    overlap = _overlap(anchors, boxes, valid)
    best = ops.max(overlap, axis=-1)
    nearest = ops.logical_and(overlap > 0, overlap >= ops.max(overlap, axis=1, keepdims=True))
    crack = ops.logical_or(best >= NEAR, ops.any(nearest, axis=-1))
    background = ops.logical_and(best < FAR, ops.logical_not(crack))
    return _sample(crack, background, overlap, priority, count, share)


def sample_proposals(proposals, there, boxes, valid, priority, count, share=0.5):
    """Choose proposals: crack if one overlaps a crack's box by OVERLAP or more, else background.

    Parameters
    ----------
    proposals : float tensor, shape (batch, K, 4)
    there : bool tensor, shape (batch, K)
        Which of them there are.
    boxes, valid, count, share
        As for `sample_anchors`.
    priority : float tensor, shape (batch, K)

    Returns
    -------
    Sample
    """
    overlap = _overlap(proposals, boxes, valid)
    near = ops.max(overlap, axis=-1) >= OVERLAP
    crack, background = ops.logical_and(there, near), ops.logical_and(there, ops.logical_not(near))
    return _sample(crack, background, overlap, priority, count, share)


def _overlap(candidates, boxes, valid):
    return ops.where(valid[:, None, :], iou(candidates, boxes), 0.0)


def _sample(crack, background, overlap, priority, count, share):
    positives = int(count * share)
    chosen, cracks = ops.top_k(ops.where(crack, priority, -1.0), positives)
    is_crack = chosen >= 0
    left = count - ops.sum(ops.cast(is_crack, "int32"), axis=-1, keepdims=True)
    chosen, others = ops.top_k(ops.where(background, priority, -1.0), count)
    is_other = ops.logical_and(chosen >= 0, ops.arange(count) < left)
    return Sample(
        ops.concatenate([cracks, others], axis=-1),
        ops.concatenate([is_crack, is_other], axis=-1),
        positives,
        ops.take_along_axis(ops.argmax(overlap, axis=-1), ops.cast(cracks, "int64"), axis=1),
    )
