"""Boxes of detection: random ones, plain counterparts of what Mask R-CNN does with them, and the limit of its cells."""

import numpy as np

from crack_utils.metrics import confusion
from crack_utils.models.mask_rcnn import instances, roi_align


def random_boxes(*shape, side=60, seed=0):
    generator = np.random.default_rng(seed)
    corner, size = generator.uniform(0, side, (*shape, 2)), generator.uniform(1, side / 2, (*shape, 2))
    return np.float32(np.concatenate([corner, corner + size], axis=-1))


def plain_iou(a, b):
    rows, columns = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    common = max(rows, 0) * max(columns, 0)
    return common / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - common)


def chosen(sample, number):
    """Return the cracks and the background that were sampled for a picture, and the true box of each crack."""
    indices, valid = np.asarray(sample.indices)[number], np.asarray(sample.valid)[number]
    cracks, others = np.arange(len(indices)) < sample.positives, np.arange(len(indices)) >= sample.positives
    matched = np.asarray(sample.matched)[number][valid[cracks]]
    return indices[valid & cracks].tolist(), indices[valid & others].tolist(), matched.tolist()


def mask_ceiling(mask, bins):
    """Return the highest IoU with a true mask that masks of `bins` × `bins` cells a box can have; 1 without a crack."""
    ids, boxes, valid = instances.label(mask, most=1000)
    drawn = np.zeros(np.shape(mask), bool)
    for number, box in enumerate(boxes[valid], start=1):
        cells = roi_align.crop_masks(np.float32(ids == number)[None, None], box[None, None], bins)
        drawn |= np.asarray(roi_align.paste_masks(cells, box[None, None], *drawn.shape))[0, 0] >= 0.5
    return confusion(np.asarray(mask) > 0.5, drawn).crack_iou if valid.any() else 1.0
