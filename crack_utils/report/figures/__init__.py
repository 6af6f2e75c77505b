"""Functions that draw the book's figures from data, in one style."""

from crack_utils.report.figures.architectures import attention, by_width
from crack_utils.report.figures.audit import audited
from crack_utils.report.figures.certainty import disagreement, error_bounds, reliability_diagram
from crack_utils.report.figures.data import appearance, baseline, flips, labelled, pictures, resize_trap, split_chart
from crack_utils.report.figures.fingerprint import fingerprint
from crack_utils.report.figures.geometry import measured_crack
from crack_utils.report.figures.growth import moving, outlined
from crack_utils.report.figures.growth_sequence import growth_law, sequence
from crack_utils.report.figures.network import activations, network, receptive_field
from crack_utils.report.figures.real_photographs import f1_over_minutes, ingredients, label_curves
from crack_utils.report.figures.results import comparison, curves, paired, predictions, schedule, side_by_side
from crack_utils.report.figures.speed import cost_growth
from crack_utils.report.figures.study import claims, crack_probabilities, ranks, saturation, threshold_curves
from crack_utils.report.figures.style import credit, use_style
from crack_utils.report.figures.table1 import consistency_curves
from crack_utils.report.figures.tips import enlarged_tips, right_end_reliability, tip_gallery, tips_found

__all__ = [
    "activations",
    "appearance",
    "attention",
    "audited",
    "baseline",
    "by_width",
    "claims",
    "comparison",
    "consistency_curves",
    "cost_growth",
    "crack_probabilities",
    "credit",
    "curves",
    "disagreement",
    "enlarged_tips",
    "error_bounds",
    "f1_over_minutes",
    "fingerprint",
    "flips",
    "growth_law",
    "ingredients",
    "label_curves",
    "labelled",
    "measured_crack",
    "moving",
    "network",
    "outlined",
    "paired",
    "pictures",
    "predictions",
    "ranks",
    "receptive_field",
    "reliability_diagram",
    "resize_trap",
    "right_end_reliability",
    "saturation",
    "schedule",
    "sequence",
    "side_by_side",
    "split_chart",
    "threshold_curves",
    "tip_gallery",
    "tips_found",
    "use_style",
]
