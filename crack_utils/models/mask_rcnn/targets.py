"""Training targets of anchors and proposals, and the choice of those that a step uses (Ren et al. 2015).

Randomness is an argument: `priority` is one uniform number in [0, 1) per candidate, and the largest are chosen.
"""

from typing import Any, NamedTuple

from keras import ops

from .boxes import iou

NEAR, FAR = 0.7, 0.3  # an anchor is crack from an IoU of NEAR with a crack's box, background below FAR
OVERLAP = 0.5  # a proposal is crack from this IoU, else background


class Sample(NamedTuple):
    """Candidates that a training step uses, in arrays of fixed size; entries that are not `valid` are ignored.

    Attributes
    ----------
    indices : int tensor, shape (batch, positives + count)
        Positions of the candidates. The first `positives` are cracks, the others background.
    valid : bool tensor, shape (batch, positives + count)
    positives : int
    matched : int tensor, shape (batch, positives)
        The true crack of each positive candidate.
    """

    indices: Any
    valid: Any
    positives: int
    matched: Any


def sample_anchors(anchors, boxes, valid, priority, count, share=0.5):
    """Choose the anchors that a training step uses.

    An anchor is crack if its IoU with a crack's box is at least NEAR, or the largest of all anchors. It is background
    if its IoU with all cracks is below FAR. All others are ignored.

    Parameters
    ----------
    anchors : float tensor, shape (A, 4)
    boxes : float tensor, shape (batch, N, 4)
        Boxes of the cracks.
    valid : bool tensor, shape (batch, N)
        Which of the boxes exist.
    priority : float tensor, shape (batch, A)
    count : int
        Anchors per picture.
    share : float
        Largest share of cracks; the rest is background.

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


def sample_proposals(proposals, exists, boxes, valid, priority, count, share=0.5):
    """Choose the proposals that a step uses: crack from an IoU of OVERLAP with a crack's box, else background.

    Parameters
    ----------
    proposals : float tensor, shape (batch, K, 4)
    exists : bool tensor, shape (batch, K)
        Which of the proposals exist.
    boxes, valid, count, share
        As for `sample_anchors`.
    priority : float tensor, shape (batch, K)

    Returns
    -------
    Sample
    """
    overlap = _overlap(proposals, boxes, valid)
    near = ops.max(overlap, axis=-1) >= OVERLAP
    crack, background = ops.logical_and(exists, near), ops.logical_and(exists, ops.logical_not(near))
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
