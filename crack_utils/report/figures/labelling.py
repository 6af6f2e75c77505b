"""Figures of labelling: the input and result of a tool, and the quality of a recipe after each step."""

from dataclasses import dataclass

import matplotlib.pyplot as plt
import numpy as np

from crack_utils.data.contrast import contrast_stretch
from crack_utils.geometry.skeleton import box_of
from crack_utils.report.figures.style import CRACK, MISSED, QUIET, SECONDARY, TIP, tint

DRAWN = TIP  # clicks and drawn lines
ASPECT = 1.25  # width of a panel, divided by its height


@dataclass(frozen=True)
class Panel:
    """One picture of a figure.

    Attributes
    ----------
    title : str
    image : array of shape (H, W)
    primary, secondary : bool array of shape (H, W), optional
        Overlaid on the photograph in their colours.
    seeds, outline : sequence of (row, column), optional
        Clicked points; corners of a closed line.
    boundaries : sequence of bool arrays of shape (H, W)
        Masks shown only by their boundary, from thin to thick.
    box : tuple of two slices, optional
        The part to show; see `around`.
    """

    title: str
    image: np.ndarray
    primary: np.ndarray | None = None
    secondary: np.ndarray | None = None
    seeds: tuple = ()
    outline: tuple = ()
    boundaries: tuple = ()
    box: tuple | None = None


def around(mask, margin=30):
    """Return the box around a mask, widened so that all panels of a figure have the same shape.

    Parameters
    ----------
    mask : ndarray of bool, shape (H, W)
    margin : int [px]
        Kept free around the mask.

    Returns
    -------
    (rows, columns) : tuple of slice
        Inside the picture, for `Panel.box`.
    """
    rows, columns = box_of(mask, margin)
    height, width = rows.stop - rows.start, columns.stop - columns.start
    height, width = max(height, round(width / ASPECT)), max(width, round(height * ASPECT))
    return tuple(
        slice(start, start + min(length, size))
        for start, length, size in (
            (_start(rows, height, mask.shape[0]), height, mask.shape[0]),
            (_start(columns, width, mask.shape[1]), width, mask.shape[1]),
        )
    )


def panels(*rows):
    """Show panels in rows.

    Parameters
    ----------
    *rows : sequence of Panel
        The rows of the figure, all of the same length.

    Returns
    -------
    matplotlib Figure
    """
    height, width = rows[0][0].image[rows[0][0].box or ...].shape
    wide = 10 / len(rows[0])
    figure, grid = plt.subplots(
        len(rows), len(rows[0]), figsize=(10, len(rows) * (wide * height / width + 0.35) + 0.25), squeeze=False
    )
    for axes, panel in zip(grid.flat, [panel for row in rows for panel in row], strict=True):
        _draw(axes, panel)
    return figure


def progress(runs, names):
    """Show IoU and boundary distance after each step, for several photographs and their median.

    Parameters
    ----------
    runs : list of list of dict
        For each photograph, the result of `crack_utils.report.scripted_labelling.follow`.
    names : sequence of str
        Names of the steps.

    Returns
    -------
    matplotlib Figure
    """
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.6))
    for axes, key, label in ((left, "iou", "IoU with the true crack"), (right, "distance", "boundary distance [px]")):
        values = np.array([[step[key] for step in run] for run in runs])  # (photographs, steps)
        axes.plot(values.T, color=QUIET, lw=0.8, alpha=0.5)
        medians = np.median(values, axis=0)
        axes.plot(medians, "-o", color=CRACK, lw=2.5, label="median")
        axes.set(ylabel=label, xlim=(-0.3, len(names) - 0.7))
        axes.set_xticks(range(len(names)), names)
        for place, value in enumerate(medians):  # under its name, where no line crosses it
            axes.annotate(f"{value:.2f}", (place, 0), (0, -31), xycoords=("data", "axes fraction"),
                          textcoords="offset points", ha="center", color=CRACK)  # fmt: skip
        axes.margins(y=0.1)
    figure.legend(*left.get_legend_handles_labels(), loc="outside upper center")
    return figure


def _draw(axes, panel):
    """Draw one panel: photograph, masks, boundaries, clicks and drawn lines."""
    box = panel.box or tuple(slice(0, size) for size in panel.image.shape)
    layers = [
        (mask[box], colour)
        for mask, colour in ((panel.secondary, SECONDARY), (panel.primary, CRACK))
        if mask is not None
    ]
    rows, columns = box
    extent = (columns.start - 0.5, columns.stop - 0.5, rows.stop - 0.5, rows.start - 0.5)
    axes.imshow(tint(contrast_stretch(panel.image)[box], *layers, opacity=0.7), extent=extent)
    for number, mask in enumerate(panel.boundaries, start=1):
        last = number == len(panel.boundaries)
        axes.contour(mask, levels=[0.5], colors=MISSED if last else DRAWN, linewidths=1.8 if last else 0.8)
    if len(panel.outline):
        closed = np.array([*panel.outline, panel.outline[0]])
        axes.plot(closed[:, 1], closed[:, 0], color=DRAWN, lw=1.6)
    if len(panel.seeds):
        seeds = np.array(panel.seeds)
        axes.plot(seeds[:, 1], seeds[:, 0], "o", color=DRAWN, ms=5, mec="black", mew=0.8)
    axes.set(title=panel.title, xticks=[], yticks=[], xlim=extent[:2], ylim=extent[2:])
    for spine in axes.spines.values():
        spine.set_visible(False)


def _start(interval, length, size):
    """Return the start of an interval widened to a length around its middle, kept between 0 and size."""
    middle = (interval.start + interval.stop) // 2
    return int(np.clip(middle - length // 2, 0, max(size - length, 0)))
