"""Figure of what the published mIoU and accuracy allow."""

import matplotlib.pyplot as plt
import numpy as np

from crack_utils.losses.registry import title
from crack_utils.report.figures.style import LOSS_COLOURS, QUIET
from crack_utils.study import table1
from crack_utils.study.published import TABLE_1

HEADS = {"global": "One mask per model,\nglobal accuracy", "mean class": "One mask per model,\nmean class accuracy"}


def consistency_curves(name="val"):
    """Show which crack shares and predicted areas the published numbers of each loss allow, by reading.

    Left and middle: one hard mask per model, for both kinds of accuracy; dotted where the published loss of BCE allows
    fewer wrong pixels at 0.5. Right: mean IoU of truncated probabilities, accuracy at 0.5.

    Parameters
    ----------
    name : str
        "train" or "val".

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, panels = plt.subplots(1, 3, figsize=(10, 4.4))
    for axes, kind in zip(panels, table1.ACCURACIES, strict=False):
        for loss, colour in LOSS_COLOURS.items():
            masks = table1.rounded_curves(loss, name, kind)[0]
            wrong = 1 - masks.accuracy
            allowed = wrong <= table1.most_wrong(name) if loss == "bce" else np.ones(len(wrong), bool)
            label = title(loss)
            for part, line in ((allowed, "-"), (~allowed, ":")):
                shown = np.where(part, masks.area_ratio, np.nan)
                axes.plot(masks.crack_share, shown, line, color=colour, lw=2.5, label=label if line == "-" else None)
            if kind == "global":  # two of the curves are so short that they need a name
                axes.annotate(label, (masks.crack_share[0], masks.area_ratio.max()), (0, 4), textcoords="offset points",
                              color=colour, fontsize=8, ha="center", rotation=90)  # fmt: skip
        axes.axhline(1, color=QUIET, lw=0.8, zorder=0)
        axes.set(title=HEADS[kind], yscale="log", ylim=(0.15, 14), ylabel="predicted / true crack area")
        axes.set_yticks([0.2, 0.5, 1, 2, 5, 10], ["0.2", "0.5", "1", "2", "5", "10"])
        axes.minorticks_off()
        axes.grid(axis="x", alpha=0.3)  # a level line would cross the names
    panels[1].set_ylabel("")
    _truncated(panels[2], name)
    for axes in panels:
        axes.set(xlabel="crack share of the masks", xscale="log", xlim=(1e-4, 0.6))
        axes.set_xticks([0.001, 0.01, 0.1], ["0.1 %", "1 %", "10 %"])
    panels[2].grid(alpha=0.3)
    handles, labels = panels[0].get_legend_handles_labels()
    dotted = plt.Line2D([], [], color=LOSS_COLOURS["bce"], ls=":", lw=2.5)
    figure.legend(
        [*handles, dotted], [*labels, "BCE, against its own loss at 0.5"], loc="outside upper center", ncols=5
    )
    return figure


def _truncated(axes, name):
    shares = np.geomspace(1e-4, 0.6, 300)
    for loss, colour in LOSS_COLOURS.items():
        recall = table1.truncated_recall(TABLE_1[loss][f"{name}_miou"], shares)
        axes.plot(shares, recall, color=colour, lw=2.5)
    most = table1.most_share_by_loss(name)
    axes.axvspan(most, 0.6, color=QUIET, alpha=0.2, lw=0)
    axes.text(np.sqrt(most * 0.6), 0.03, "excluded by\nBCE's loss", ha="center", color=QUIET, fontsize=8, rotation=90)
    axes.set(title="Mean IoU as cast,\nclass accuracy at 0.5", ylim=(0, 1.03), ylabel="share of crack at exactly 1.0")
