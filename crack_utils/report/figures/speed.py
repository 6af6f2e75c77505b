"""Figure of the speed: what a megapixel costs, by the size of picture and batch."""

import matplotlib.pyplot as plt
from matplotlib.ticker import NullLocator

_LOOKS = {  # how a program's name begins: its colour and marker
    "ours (openvino": ("#56b4e9", "s"),
    "ours": ("#0072b2", "o"),
    "Keras": ("#d55e00", "D"),
    "PyTorch (float32": ("#cc79a7", "^"),
    "PyTorch": ("#009e73", "v"),
}
_SECONDS = (0.5, 1, 2, 5, 10, 20, 50)
_PANELS = (  # work, what grows, its label, title
    ("prediction", "megapixels", "size of the picture [megapixels]", "Prediction, one picture a call"),
    ("training", "batch", "pictures in a batch", "Training"),
)


def cost_growth(costs):
    """Show the seconds that a megapixel takes, for each program: median, fastest and slowest round.

    Parameters
    ----------
    costs : DataFrame
        From `report.speed.cost_growth`.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, panels = plt.subplots(1, 2, figsize=(10, 5.4), sharey=True)
    for axes, (work, grows, label, title) in zip(panels, _PANELS, strict=True):
        asked = costs[costs["work"] == work]
        for program, own in asked.groupby("program", sort=False):
            own = own.sort_values(grows)
            colour, marker = next(look for begins, look in _LOOKS.items() if program.startswith(begins))
            spread = (own["seconds"] - own["low"], own["high"] - own["seconds"])
            look = {"color": colour, "marker": marker, "ms": 5, "capsize": 2}
            axes.errorbar(own[grows], own["seconds"], yerr=spread, label=program, **look)
        axes.set(xscale="log", yscale="log", xlabel=label, title=title)
        places = sorted(set(asked[grows]))
        axes.set_xticks(places, [f"{place:.2g}" for place in places])
        low, high = costs["low"].min() / 1.2, costs["high"].max() * 1.2
        axes.set_yticks(_SECONDS, [f"{each:g}" for each in _SECONDS])
        axes.set_ylim(low, high)
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_minor_locator(NullLocator())
        axes.grid(axis="y", alpha=0.3)
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.16))
    panels[0].set_ylabel("seconds for a megapixel")
    return figure
