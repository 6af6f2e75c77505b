"""Figures of photographs with detected cracks, and of the growth of one crack."""

import base64
from html import escape

import matplotlib.pyplot as plt
import numpy as np
from matplotlib import colormaps

from crack_utils.report.figures.style import CRACK, MISSED, QUIET, show

COLUMNS = 4  # of the strips


def outlined(images, masks, cracks, titles):
    """Show photographs with their cracks outlined and the longest one's tip marked.

    Parameters
    ----------
    images : sequence of ndarray, float, shape (H, W), in [0, 1]
    masks : sequence of ndarray, bool, shape (H, W)
    cracks : sequence of list of geometry.Crack
        The cracks of these masks, the longest first.
    titles : sequence of str
    """
    rows = -(-len(images) // COLUMNS)
    height, width = images[0].shape
    figure, grid = plt.subplots(
        rows, COLUMNS, figsize=(10, rows * (10 / COLUMNS * height / width + 0.25) + 0.3), squeeze=False
    )
    for axes in grid.flat[len(images) :]:
        axes.set_visible(False)
    for axes, image, mask, of_image, title in zip(grid.flat, images, masks, cracks, titles, strict=False):
        show(axes, image, title)
        if mask.any():
            axes.contour(mask, [0.5], colors=CRACK, linewidths=0.8)
        if of_image and of_image[0].tip.found:
            row, column = of_image[0].tip.position
            axes.plot(column, row, "o", mfc="none", color="#ffe14d", ms=7, mew=1.5)
    return figure


def growth(frames, table, bound=None):
    """Show the path of the tip over the last photograph, and the length over time.

    Parameters
    ----------
    frames : list of growth.Frame
    table : DataFrame
        From `growth.growth_table`.
    bound : float [px], optional
        Error bound of the length.
    """
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), width_ratios=(1.1, 1))
    show(left, frames[-1].image, "Path of the tip")
    true = np.array([frame.true_tip for frame in frames if frame.true_tip is not None]).reshape(-1, 2)
    left.plot(true[:, 1], true[:, 0], "-", color="white", lw=3)
    left.plot(true[:, 1], true[:, 0], "-", color=QUIET, lw=1, label="true")
    colours = colormaps["viridis"](np.linspace(0, 1, len(frames)))
    left.scatter(table["tip column"], table["tip row"], c=colours, s=28, ec="white", lw=0.5, zorder=3, label="found")
    left.legend(loc="upper right", labelcolor="white")
    right.plot(table.index, table["true length"], color=QUIET, label="true")
    right.plot(table.index, table["length"], color=CRACK, lw=1)
    right.scatter(table.index, table["length"], c=colours, s=28, zorder=3, label="found")
    if bound is not None:
        low, high = (table["length"] - bound).clip(lower=0), table["length"] + bound
        right.fill_between(table.index, low, high, color=CRACK, alpha=0.15, lw=0, label=f"± {bound:.1f} px")
    missed = table.index[table["length"] == 0]
    right.plot(missed, np.zeros(len(missed)), "x", color=MISSED, label="no crack found" if len(missed) else None)
    right.set(xlabel="frame", ylabel="length of the longest crack [px]", title="Length", ylim=(0, None))
    right.xaxis.get_major_locator().set_params(integer=True)
    right.legend()
    return figure


def moving(gif, alternative):
    """Return an animated GIF as HTML with the picture embedded, to display in a notebook.

    Parameters
    ----------
    gif : bytes
    alternative : str
        Alternative text.
    """
    from IPython.display import HTML

    data = base64.b64encode(gif).decode()
    return HTML(f'<img alt="{escape(alternative)}" src="data:image/gif;base64,{data}">')
