"""Figures of tip errors."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib import colormaps

from crack_utils.report.figures.style import LOSS_COLOURS, QUIET

SHORTEST = 0.1  # [px] start of the axis of errors


def tips_found(*panels):
    """Show the share of pictures in which the tip is found within a distance.

    Parameters
    ----------
    *panels : (title, dict of TipErrors)
        One panel per title, one curve per name. With misses a curve ends below 1.
    """
    figure, grid = plt.subplots(1, len(panels), figsize=(5 * len(panels), 3.8), sharey=True, squeeze=False)
    for axes, (title, errors) in zip(grid[0], panels, strict=True):
        colours = _colours(errors)
        for name, tip_errors in errors.items():
            distances = np.sort(tip_errors.distances[np.isfinite(tip_errors.distances)])
            share = np.arange(len(distances) + 1) / len(tip_errors.distances)
            far = max(100.0, distances.max(initial=0))
            x = np.concatenate([[SHORTEST], np.maximum(distances, SHORTEST), [far]])
            axes.step(x, np.append(share, share[-1]), where="post", color=colours[name], lw=2, label=name)
        for radius in (2, 5, 10):
            axes.axvline(radius, color=QUIET, lw=0.8, ls=":", zorder=0)
        axes.set(xscale="log", xlabel="distance from the true tip [px]", title=title, ylim=(0, 1.02))
        if errors:
            axes.legend(loc="lower right")
    grid[0, 0].set_ylabel("share of pictures")
    return figure


def _colours(names):
    """Return a colour for each name: losses have their colours of the book, other names those of a scale."""
    spread = colormaps["viridis"](np.linspace(0, 0.85, max(1, len(names))))
    return {name: LOSS_COLOURS.get(name.lower(), spread[number]) for number, name in enumerate(names)}
