"""Figure of the speed: what a megapixel costs, by the size of picture and batch."""

import matplotlib.pyplot as plt
from matplotlib.ticker import NullLocator

_LOOKS = tuple(zip(("#0072b2", "#56b4e9", "#d55e00", "#cc79a7", "#009e73", "#e69f00"), "osD^vP", strict=True))
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
        for (program, own), (colour, marker) in zip(asked.groupby("program", sort=False), _LOOKS, strict=False):
            own = own.sort_values(grows)
            spread = (own["seconds"] - own["low"], own["high"] - own["seconds"])
            look = {"color": colour, "marker": marker, "ms": 5, "capsize": 2}
            axes.errorbar(own[grows], own["seconds"], yerr=spread, label=program, **look)
        axes.set(xscale="log", yscale="log", xlabel=label, title=title)
        places = sorted(set(asked[grows]))
        axes.set_xticks(places, [f"{place:.2g}" for place in places])
        axes.xaxis.set_minor_locator(NullLocator())
        axes.grid(axis="y", alpha=0.3)
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.16))
    panels[0].set_ylabel("seconds for a megapixel")
    return figure
