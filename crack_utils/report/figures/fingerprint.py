"""Figure of the fingerprint: the cast mean IoU of four losses over training, and the report's four values."""

import matplotlib.pyplot as plt

from crack_utils.losses.registry import REPORTED, title
from crack_utils.report.figures.style import LOSS_COLOURS, QUIET
from crack_utils.study.published import TABLE_1


def fingerprint(curves, nearest):
    """Show the mean IoU of the same networks as cast and at 0.5, over their updates.

    Parameters
    ----------
    curves : DataFrame
        From `study.fingerprint.curves`.
    nearest : dict
        From `study.fingerprint.nearest`: where the four are met, or come nearest.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axes = plt.subplots(figsize=(10, 3.4))
    for loss in REPORTED:
        colour, own = LOSS_COLOURS[loss], curves[curves["loss"] == loss]
        for measure, line, width in (("cast", "-", 2.5), ("thresholded", "--", 1.2)):
            by_update = own.pivot(index="updates", columns="seed", values=measure)
            label = title(loss) if measure == "cast" else None
            axes.plot(by_update.index, by_update.mean(axis=1), line, color=colour, lw=width, label=label)
            axes.fill_between(
                by_update.index, by_update.min(axis=1), by_update.max(axis=1), color=colour, alpha=0.15, lw=0
            )
        axes.axhline(TABLE_1[loss]["val_miou"], color=colour, lw=1, ls=":")
    axes.axvline(nearest["updates"], color=QUIET, lw=1)
    word = "met" if nearest["met"] else "nearest"
    left = nearest["updates"] > curves["updates"].max() / 2
    axes.annotate(
        f"{word}: off by {nearest['distance']:.2f}",
        (nearest["updates"], 0.455),
        xytext=(-4 if left else 4, 0),
        textcoords="offset points",
        ha="right" if left else "left",
        color=QUIET,
        fontsize=9,
    )
    axes.set(xlabel="updates", ylabel="mean IoU of validation", ylim=(0.45, 1.01), xlim=(0, None))
    axes.plot([], [], "--", color=QUIET, label="at 0.5")
    axes.plot([], [], ":", color=QUIET, label="the report's Table 1")
    axes.legend(ncols=6, loc="upper center", bbox_to_anchor=(0.5, -0.2))
    axes.grid(axis="y", alpha=0.3)
    return figure
