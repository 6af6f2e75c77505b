"""Data in, Figure out; one look for the whole book."""

from crack_utils.figures.data import baseline, flips, pictures, resize_trap, split_chart
from crack_utils.figures.geometry import measured_crack
from crack_utils.figures.network import activations, network, receptive_field
from crack_utils.figures.results import comparison, curves, predictions, schedule, side_by_side
from crack_utils.figures.style import credit, use_style

__all__ = [
    "activations",
    "baseline",
    "comparison",
    "credit",
    "curves",
    "flips",
    "measured_crack",
    "network",
    "pictures",
    "predictions",
    "receptive_field",
    "resize_trap",
    "schedule",
    "side_by_side",
    "split_chart",
    "use_style",
]
