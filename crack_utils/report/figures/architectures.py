"""Figures of the architectures: attention maps, and measures by the width of the crack."""

import itertools

import matplotlib.pyplot as plt
import numpy as np

from crack_utils.report.figures.style import CRACK, show, tint

# Of up to six architectures: told apart by readers with any kind of colour vision, on white and on dark pages.
LOOKS = (
    ("#4477aa", "-", "o"),
    ("#e69f00", "--", "s"),
    ("#aa3377", "-.", "^"),
    ("#228833", "-", "D"),
    ("#ee6677", "--", "v"),
    ("#56b4e9", "-.", "P"),
)


def attention(images, masks, maps):
    """Show the weights of the gates of an Attention U-Net.

    Parameters
    ----------
    images : ndarray, float, shape (N, H, W), in [0, 1]
    masks : ndarray, bool, shape (N, H, W)
    maps : dict of int to ndarray, float, shape (N, h, w), in [0, 1]
        By level, from `models.attention_maps`. Each level has its own scale, because only relative values matter.

    Returns
    -------
    matplotlib.figure.Figure
    """
    height, width = images[0].shape
    columns = 1 + len(maps)
    size = (9, len(images) * (9 / columns * height / width + 0.15) + 1)
    figure, grid = plt.subplots(len(images), columns, figsize=size, squeeze=False)
    for column, level in enumerate(sorted(maps), start=1):
        low, high = maps[level].min(), maps[level].max()
        digits = 4 if 0 < high - low < 0.02 else 2  # the gates of a short training hardly differ
        for row, values in enumerate(maps[level]):
            axes = grid[row, column]
            show(axes, values, f"level {level}: {low:.{digits}f} to {high:.{digits}f}" if row == 0 else "")
            axes.images[0].set(cmap="magma", clim=(low, high))
    for row, (image, mask) in enumerate(zip(images, masks, strict=True)):
        show(grid[row, 0], tint(image, (mask, CRACK)), "photograph, true crack" if row == 0 else "")
    return figure


def by_width(tables, question, measures):
    """Show measures of each variant by the width of the crack, one dot per specimen, and their trend.

    Parameters
    ----------
    tables : Tables
    question : str
    measures : dict of str
        Columns of `tables.specimens` and their titles.

    Notes
    -----
    A dot is the mean over the seeds; trainings that failed are left out. The line joins the means of thirds of the
    specimens, from thin to wide.

    Returns
    -------
    matplotlib.figure.Figure
    """
    rows = tables.working_specimens(question)
    means = rows.groupby(["variant", "specimen"], sort=False)[["crack_width", *measures]].mean().dropna().reset_index()
    families = list(dict.fromkeys(means["variant"]))
    figure, grid = plt.subplots(1, len(measures), figsize=(10, 4), sharex=True, squeeze=False)
    for axes, (measure, title) in zip(grid[0], measures.items(), strict=True):
        for family, (colour, line, marker) in zip(families, itertools.cycle(LOOKS), strict=False):
            own = means[means["variant"] == family].sort_values("crack_width")
            axes.plot(own["crack_width"], own[measure], "o", color=colour, ms=3, alpha=0.4, mec="none")
            values = own[["crack_width", measure]].to_numpy()
            thirds = np.array([part.mean(axis=0) for part in np.array_split(values, 3)])
            axes.plot(*thirds.T, ls=line, marker=marker, ms=6, color=colour, lw=2, label=family)
        axes.set(title=title, xlabel="width of the crack [px]")
        axes.grid(alpha=0.3)
    handles, labels = grid[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=len(families), handlelength=3, columnspacing=1.2)
    return figure
