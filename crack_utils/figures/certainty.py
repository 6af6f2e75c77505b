"""Figures of how sure a network is, and how sure it may be."""

import matplotlib.pyplot as plt
import numpy as np

from crack_utils.figures.style import CRACK, FOUND, QUIET
from crack_utils.measures import expected_calibration_error, reliability


def reliability_diagram(true, probability, calibrated):
    """Show the share of crack among pixels that were given the same probability, before and after calibration.

    Below, how many pixels there are: almost all of them near 0, so the error is small however the rest lies.

    Parameters
    ----------
    true : ndarray of bool, shape (N, H, W)
    probability, calibrated : ndarray of float in [0, 1], shape (N, H, W)
    """
    figure, (axes, below) = plt.subplots(2, 1, figsize=(6, 6.6), height_ratios=[3, 1], sharex=True)
    axes.plot([0, 1], [0, 1], color=QUIET, lw=1, ls="--")
    for values, colour, label in ((probability, CRACK, "network"), (calibrated, FOUND, "calibrated")):
        said, seen, pixels = reliability(true, values)
        error = expected_calibration_error(true, np.float32(values))
        axes.plot(said, seen, "o-", color=colour, lw=2, label=f"{label}, error {error:.4f}")
        below.plot(said, pixels, "o-", color=colour, lw=1.5, ms=4)
    axes.set(ylabel="share of crack", xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    axes.legend(loc="upper left")
    below.set(xlabel="probability of crack", ylabel="pixels", yscale="log")
    for each in (axes, below):
        each.grid(alpha=0.3)
    return figure
