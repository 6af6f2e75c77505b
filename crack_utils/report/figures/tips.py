"""Figures of tips: where they were found, their errors, and how likely it is that the right end was chosen."""

import itertools

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.lines import Line2D

from crack_utils.report.figures.style import (
    CRACK,
    FALSE_ALARM,
    FOUND,
    LOSS_COLOURS,
    MISSED,
    QUIET,
    SECONDARY,
    TIP,
    logarithmic,
    show,
)

SHORTEST = 0.1  # [px] start of the axis of errors
OTHERS = (SECONDARY, QUIET, FALSE_ALARM, FOUND)  # curves that are of no loss


def tips_found(*panels):
    """Show the share of pictures in which the tip is found within a distance.

    Parameters
    ----------
    *panels : (title, dict of TipErrors)
        One panel per title, one curve per name. With misses a curve ends below 1.

    Returns
    -------
    matplotlib.figure.Figure
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
        logarithmic(axes.xaxis)
        axes.set(xlabel="distance from the true tip [px]", title=title, ylim=(0, 1.02))
        if errors:
            axes.legend(loc="best")
    grid[0, 0].set_ylabel("share of pictures")
    return figure


def tip_gallery(rows):
    """Show drawn photographs with the predicted crack outlined, the true tips and the found ones.

    Parameters
    ----------
    rows : dict of list of tip_pictures.TipPicture
        From `tip_pictures.good_bad_worst`: a row of the figure each.

    Returns
    -------
    matplotlib.figure.Figure
    """
    columns = max(map(len, rows.values()))
    figure, grid = plt.subplots(len(rows), columns, figsize=(10, 2.9 * len(rows) + 0.4), squeeze=False)
    for row, (name, pictures) in zip(grid, rows.items(), strict=True):
        for axes, picture in zip(row, pictures, strict=True):
            error = f"{picture.worst:.1f} px off" if np.isfinite(picture.worst) else "a tip was missed"
            show(axes, np.float32(picture.photograph.image) / 255, f"{name}: {error}")
            if picture.mask.any():
                axes.contour(picture.mask, [0.5], colors=CRACK, linewidths=0.7)
            _mark_tips(axes, picture.photograph.tips, picture.found)
    figure.legend(handles=_tip_key(), loc="outside upper right", ncols=2)
    return figure


def enlarged_tips(crops):
    """Show enlargements around marked tips, with the found tip if it is inside the enlargement.

    Parameters
    ----------
    crops : list of (title, image, marked, found)
        From `polymer.find_tips`.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, grid = plt.subplots(1, len(crops), figsize=(10, 10 / len(crops) + 0.9), squeeze=False)
    for axes, (title, image, marked, found) in zip(grid[0], crops, strict=True):
        show(axes, image, title)
        inside = found is not None and np.all((found >= 0) & (found < image.shape))
        _mark_tips(axes, [marked], [found] if inside else [])
    figure.legend(handles=_tip_key(), loc="outside upper right", ncols=2)
    return figure


def right_end_reliability(table):
    """Show the share of right ends against the stated probability, with exact binomial intervals.

    Parameters
    ----------
    table : DataFrame
        From `tip_pictures.reliability_table`.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axes = plt.subplots(figsize=(6, 4.6))
    axes.plot([0, 1], [0, 1], color=QUIET, lw=1, ls="--")
    for (masks, rows), colour in zip(table.groupby("masks", sort=False), (CRACK, QUIET), strict=False):
        bounds = np.stack([rows["right"] - rows["low"], rows["high"] - rows["right"]]).clip(0)
        axes.errorbar(rows["stated"], rows["right"], bounds, fmt="o", color=colour, capsize=2, label=f"{masks} masks")
    axes.set(xlabel="stated probability of the right end", ylabel="share that was right")
    axes.set(xlim=(0, 1.02), ylim=(0, 1.02))
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)
    return figure


def _mark_tips(axes, true, found):
    for row, column in true:
        axes.plot(column, row, "+", color=MISSED, ms=11, mew=1.8)
    for row, column in found:
        axes.plot(column, row, "o", mfc="none", color=TIP, ms=8, mew=1.6)


def _tip_key():
    true = Line2D([], [], color=MISSED, marker="+", ms=10, mew=1.8, ls="none", label="true tip")
    found = Line2D([], [], color="#c9ac00", marker="o", mfc="none", ms=8, mew=1.6, ls="none", label="found tip")
    return [true, found]


def _colours(names):
    """Return a colour for each name: losses have their colours of the book, other names take turns at others."""
    others = itertools.cycle(OTHERS)
    return {name: LOSS_COLOURS.get(name.lower()) or next(others) for name in names}
