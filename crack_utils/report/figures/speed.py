"""Figure of the speed: what a megapixel costs by the size of picture and batch, and a folder by its photographs."""

import matplotlib.pyplot as plt
from matplotlib.ticker import NullLocator

_LOOKS = {  # how a program's name begins: its colour and marker
    "ours (openvino": ("#56b4e9", "s"),
    "ours": ("#0072b2", "o"),
    "Keras": ("#d55e00", "D"),
    "PyTorch (float32": ("#cc79a7", "^"),
    "PyTorch": ("#009e73", "v"),
    "one process": ("#555555", "P"),
    "all cores": ("#e69f00", "X"),
}
_SECONDS = (0.5, 1, 2, 5, 10, 20, 50)
_PANELS = (  # work, what grows, its label, title
    ("prediction", "megapixels", "size of the picture [megapixels]", "Prediction, one picture per call"),
    ("training", "batch", "pictures in a batch", "Training"),
)


def cost_growth(costs, folders):
    """Show the seconds that a megapixel and a folder take, for each program: median, fastest and slowest round.

    Parameters
    ----------
    costs, folders : DataFrame
        From `report.speed.cost_growth` and `folder_growth`.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, panels = plt.subplots(1, 3, figsize=(13, 5.4), layout="constrained")
    for axes, (work, grows, label, title) in zip(panels, _PANELS, strict=False):
        _draw(axes, costs[costs["work"] == work], grows, label, title)
        axes.set_ylim(costs["low"].min() / 1.2, costs["high"].max() * 1.2)  # the same for both
    _draw(panels[2], folders, "photographs", "photographs in a folder", "A folder, from files to files")
    panels[0].set_ylabel("seconds for a megapixel")
    panels[2].set_ylabel("seconds for the folder")
    return figure


def _draw(axes, measured, grows, label, title):
    for program, own in measured.groupby("program", sort=False):
        own = own.sort_values(grows)
        colour, marker = next(look for begins, look in _LOOKS.items() if program.startswith(begins))
        spread = (own["seconds"] - own["low"], own["high"] - own["seconds"])
        axes.errorbar(
            own[grows], own["seconds"], yerr=spread, label=program, color=colour, marker=marker, ms=5, capsize=2
        )
    axes.set(xscale="log", yscale="log", xlabel=label, title=title)
    places = sorted(set(measured[grows]))
    axes.set_xticks(places, [f"{place:.3g}" for place in places])
    axes.set_yticks(_SECONDS, [f"{each:g}" for each in _SECONDS])
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_minor_locator(NullLocator())
    axes.grid(axis="y", alpha=0.3)
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.16))
