"""Figures of a followed test: its frames' tips alone and together; and length and growth rate of a test."""

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from matplotlib import colormaps

from crack_utils.report.figures.growth_sheet import lengths, rates
from crack_utils.report.figures.style import CRACK, MISSED, QUIET, show

BELOW = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.18), "ncols": 2}  # a legend that no curve can run through


def sequence(followed):
    """Show the tips of all frames over the last photograph, and how far along the crack they lie, frame by frame.

    Parameters
    ----------
    followed : growth_examples.FollowedTest

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4.4), width_ratios=(1.1, 1))
    joint, shifts = followed.joint, followed.shifts
    show(left, np.float32(followed.photographs[-1].image) / 255, "Tips over the last photograph")
    last = shifts[-1] - shifts
    true = followed.true_tips + last
    left.plot(true[:, 1], true[:, 0], color="white", lw=3)
    left.plot(true[:, 1], true[:, 0], color=QUIET, lw=1, label="true")
    tips = np.array([tip if tip is not None else (np.nan, np.nan) for tip in followed.tips], float) + last
    colours = colormaps["viridis"](np.linspace(0.4, 1, len(tips)))  # the first ones would vanish on a dark page
    kept = ~joint.outliers
    left.scatter(tips[kept, 1], tips[kept, 0], c=colours[kept], s=28, ec="white", lw=0.5, zorder=3, label="found")
    left.plot(tips[~kept, 1], tips[~kept, 0], "x", color=MISSED, mew=2, label="outlier")
    left.legend(loc="lower left", labelcolor="white", frameon=True, facecolor="#26313b", edgecolor="none")
    frames = np.arange(1, len(tips) + 1)
    right.plot(frames, followed.true_along, color=QUIET, label="true")
    right.plot(frames, joint.along, color=CRACK, lw=1.2, label="all frames together")
    edge = {"ec": QUIET, "lw": 0.5}  # else the last ones would vanish on a white page
    right.scatter(frames[kept], joint.single[kept], c=colours[kept], s=28, zorder=3, label="each frame alone", **edge)
    right.plot(frames[~kept], joint.single[~kept], "x", color=MISSED, mew=2, label="outlier")
    right.set(xlabel="frame", ylabel="way along the crack [px]", title="Growth")
    right.xaxis.get_major_locator().set_params(integer=True)
    right.legend(**BELOW)
    return figure


def growth_law(*results):
    """Show the crack's length against the cycles, and its growth rate against ΔK, a row a test.

    Parameters
    ----------
    *results : GrowthResult
        With rates.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, grid = plt.subplots(len(results), 2, figsize=(10, 4.4 * len(results)), squeeze=False)
    for (left, right), result in zip(grid, results, strict=True):
        lengths(left, result)
        rates(right, result)
        sns.move_legend(left, **BELOW)
        sns.move_legend(right, **BELOW)
        left.set_title(f"Crack length, {result.specimen.name}")
    return figure
