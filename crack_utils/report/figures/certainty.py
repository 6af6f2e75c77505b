"""Figures of calibration, error bounds and disagreement."""

import matplotlib.pyplot as plt
import numpy as np

from crack_utils.evaluation.tally import THRESHOLD
from crack_utils.metrics.probabilities import expected_calibration_error, reliability
from crack_utils.report.figures.style import CRACK, FALSE_ALARM, FOUND, MISSED, QUIET, logarithmic, show, tint


def reliability_diagram(true, probability, calibrated):
    """Show the share of crack among pixels of the same probability, before and after calibration.

    The lower panel shows the number of pixels. Almost all are near 0, so the calibration error is always small.

    Parameters
    ----------
    true : ndarray of bool, shape (N, H, W)
    probability, calibrated : ndarray of float in [0, 1], shape (N, H, W)

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, (axes, below) = plt.subplots(2, 1, figsize=(6, 6.6), height_ratios=[3, 1], sharex=True)
    axes.plot([0, 1], [0, 1], color=QUIET, lw=1, ls="--")
    for values, colour, label in ((probability, CRACK, "network"), (calibrated, FOUND, "calibrated")):
        confidence, frequency, pixels = reliability(true, values)
        error = expected_calibration_error(true, np.float32(values))
        axes.plot(confidence, frequency, "o-", color=colour, lw=2, label=f"{label}, error {error:.4f}")
        below.plot(confidence, pixels, "o-", color=colour, lw=1.5, ms=4)
    axes.set(ylabel="share of crack", xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    axes.legend(loc="upper left")
    below.set(xlabel="probability of crack", ylabel="pixels")
    logarithmic(below.yaxis)
    for panel in (axes, below):
        panel.grid(alpha=0.3)
    return figure


def error_bounds(errors, intervals):
    """Show the share of pictures with an error below a value, and the error bounds; a title says where there is none.

    A curve ends below 1 if the crack was missed in some pictures.

    Parameters
    ----------
    errors : conformal.Errors
    intervals : dict
        `Calibration.intervals`; empty if there are none.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, grid = plt.subplots(1, 2, figsize=(10, 3.8), sharey=True)
    for axes, name in zip(grid, ("length", "tip"), strict=True):
        values = getattr(errors, name)
        values = np.sort(values[~np.isnan(values)])
        finite = values[np.isfinite(values)]
        share = np.arange(1, len(finite) + 1) / max(len(values), 1)
        axes.step([0, *finite], [0, *share], where="post", color=CRACK, lw=2)
        bound = intervals.get(name, {}).get("bound_px")
        title = f"error of the {name}" + (": no bound" if name in intervals and bound is None else "")
        axes.set(title=title, xlabel="error [px]", xscale="symlog", xlim=(0, None), ylim=(0, 1.02))
        axes.xaxis.set_major_formatter("{x:g}")
        if bound is not None:
            axes.plot([0, bound, bound], [intervals["level"]] * 2 + [0], color=FOUND, lw=1.5, ls="--")
            axes.annotate(f" {bound:.1f} px", (bound, 0.03), color=FOUND)
    grid[0].set_ylabel("share of pictures")
    return figure


def disagreement(image, true, mean, spread):
    """Show where several networks disagree, and where their mean is wrong at a threshold of 0.5.

    Parameters
    ----------
    image : ndarray, float, shape (H, W), in [0, 1]
    true : ndarray, bool, shape (H, W)
    mean, spread : ndarray, float, shape (H, W)
        From `ensemble.predict_ensemble`.

    Returns
    -------
    matplotlib.figure.Figure
    """
    height, width = image.shape
    figure, grid = plt.subplots(1, 4, figsize=(10, 10 / 4 * height / width + 0.9))
    predicted = mean >= THRESHOLD
    show(grid[0], image, "photograph")
    show(grid[1], mean, "mean")
    colours = grid[2].imshow(spread, cmap="magma", vmin=0, vmax=0.5)
    grid[2].set(title="spread", xticks=[], yticks=[])
    figure.colorbar(colours, ax=grid[2], shrink=0.6, location="bottom")
    layers = (true & predicted, FOUND), (true & ~predicted, MISSED), (~true & predicted, FALSE_ALARM)
    show(grid[3], tint(image, *layers), "errors")
    return figure
