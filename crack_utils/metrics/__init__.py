"""Measures of masks against masks, after the fact, and intervals for them. NumPy and SciPy only."""

from crack_utils.metrics.masks import (
    ROUNDS_TO_ONE,
    Confusion,
    cldice,
    confusion,
    confusions_by_threshold,
    expected_calibration_error,
    mean_per_image,
    mean_width,
    one_hot,
    pooled,
    reliability,
    share_at_one,
    threshold_sweep,
    tolerant_f1,
    tolerant_precision_recall,
    unthresholded_mean_iou,
)

__all__ = [
    "ROUNDS_TO_ONE",
    "Confusion",
    "cldice",
    "confusion",
    "confusions_by_threshold",
    "expected_calibration_error",
    "mean_per_image",
    "mean_width",
    "one_hot",
    "pooled",
    "reliability",
    "share_at_one",
    "threshold_sweep",
    "tolerant_f1",
    "tolerant_precision_recall",
    "unthresholded_mean_iou",
]
