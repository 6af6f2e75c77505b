"""Measures of predicted masks, and confidence intervals for them. NumPy, SciPy and scikit-image only."""

from crack_utils.metrics.masks import (
    Confusion,
    cldice,
    confusion,
    mean_width,
    one_hot,
    pooled,
    tolerant_f1,
    tolerant_precision_recall,
)
from crack_utils.metrics.probabilities import (
    ROUNDS_TO_ONE,
    best_threshold,
    confusions_by_threshold,
    expected_calibration_error,
    reliability,
    reliability_sums,
    unthresholded_mean_iou,
)

__all__ = [
    "ROUNDS_TO_ONE",
    "Confusion",
    "best_threshold",
    "cldice",
    "confusion",
    "confusions_by_threshold",
    "expected_calibration_error",
    "mean_width",
    "one_hot",
    "pooled",
    "reliability",
    "reliability_sums",
    "tolerant_f1",
    "tolerant_precision_recall",
    "unthresholded_mean_iou",
]
