"""Figure of an audit: which masks the published numbers of each row allow."""

import matplotlib.pyplot as plt

from crack_utils.report.figures.style import QUIET
from crack_utils.study import audit
from crack_utils.study.table1 import curve


def audited(rows):
    """Show predicted over true crack area against the crack share for each row, under both readings of accuracy.

    Parameters
    ----------
    rows : list of dict
        From `study.audit.read_table`. Rows without accuracy are left out. The gray band is an area within a factor of
        two; a known crack share is a vertical line of the row's colour.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, panels = plt.subplots(1, 2, figsize=(10, 4.4), sharey=True)
    colours = plt.get_cmap("tab10").colors
    for axes, kind in zip(panels, ("global", "mean class"), strict=True):
        axes.axhspan(1 / audit.OFF, audit.OFF, color=QUIET, alpha=0.15, lw=0)
        axes.axhline(1, color=QUIET, lw=0.8)
        for place, row in enumerate(rows):
            colour = colours[place % len(colours)]
            if row["accuracy"] and 0 < row["mean_iou"][0] < 1 and 0 < row["accuracy"][0] < 1:
                masks = curve(row["mean_iou"][0], row["accuracy"][0], kind)
                axes.plot(masks.crack_share, masks.area_ratio, color=colour, lw=2.5, label=row["name"])
            if row["crack_share"]:
                axes.axvline(row["crack_share"][0], color=colour, lw=1, ls=":")
        axes.set(xscale="log", yscale="log", xlim=(1e-4, 0.6), ylim=(0.15, 8), xlabel="crack share of the masks")
        axes.set_title(f"one hard mask, {kind} accuracy")
        axes.set_xticks([0.001, 0.01, 0.1], ["0.1 %", "1 %", "10 %"])
        axes.set_yticks([0.2, 0.5, 1, 2, 5], ["0.2", "0.5", "1", "2", "5"])
        axes.minorticks_off()
        axes.grid(alpha=0.3)
    panels[0].set_ylabel("predicted / true crack area")
    handles, labels = panels[0].get_legend_handles_labels()
    if handles:
        figure.legend(handles, labels, loc="outside upper center", ncols=5)
    return figure
