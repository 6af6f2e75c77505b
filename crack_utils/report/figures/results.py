"""Figures of trainings: curves, learning rate, predictions, and the comparison of the losses."""

from textwrap import fill

import matplotlib.pyplot as plt
import numpy as np

from crack_utils.losses.registry import title
from crack_utils.report.figures.data import error_key, errors
from crack_utils.report.figures.style import CRACK, INK, LOSS_COLOURS, QUIET, logarithmic, show
from crack_utils.study.published import TABLE_1


def curves(history, loss):
    """Show loss and mean IoU over the epochs (Figures 11–14), with a threshold and as Keras casts it.

    Parameters
    ----------
    history : dict of ndarray, shape (epochs,)
        From `Run.history`.
    loss : str

    Returns
    -------
    matplotlib.figure.Figure
    """
    colour = LOSS_COLOURS.get(loss, CRACK)
    epochs = np.arange(1, len(history["loss"]) + 1)
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.8))
    left.plot(epochs, history["loss"], color=colour, ls="--", label="training")
    left.plot(epochs, history["val_loss"], color=colour, marker="o", ms=4, label="validation")
    losses = np.concatenate([history["loss"], history["val_loss"]])
    left.set(xlabel="epoch", ylabel="loss", title="Loss")
    if losses.max() > 3 * losses.min():
        logarithmic(left.yaxis)
    left.legend()
    right.plot(epochs, history["miou"], color=colour, ls="--", label="training, at 0.5")
    right.plot(epochs, history["val_miou"], color=colour, marker="o", ms=4, label="validation, at 0.5")
    right.plot(
        epochs, history["val_unthresholded_miou"], color=QUIET, marker="s", ms=3, label="validation, as Keras casts"
    )
    right.set(xlabel="epoch", ylabel="mean IoU", title="Mean IoU", ylim=(None, 1.01))
    right.legend(loc="best")
    for axes in (left, right):
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.grid(axis="y", alpha=0.3)
    return figure


def schedule(history):
    """Show the learning rate at the end of each epoch (R41).

    Returns
    -------
    matplotlib.figure.Figure
    """
    rates = history["learning_rate"]
    figure, axes = plt.subplots(figsize=(10, 2.4))
    axes.step(np.arange(1, len(rates) + 1), rates, where="mid", color=CRACK, lw=2)
    axes.set(xlabel="epoch", ylabel="learning rate")
    logarithmic(axes.yaxis)
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.grid(axis="y", alpha=0.3)
    return figure


def predictions(images, masks, probabilities, titles):
    """Show photograph, true mask, probability and errors at 0.5, one row per picture.

    Parameters
    ----------
    images, probabilities : sequence of ndarray, float, shape (H, W), in [0, 1]
    masks : sequence of ndarray, bool, shape (H, W)
    titles : sequence of str

    Returns
    -------
    matplotlib.figure.Figure
    """
    height, width = images[0].shape
    count = len(images)
    figure, grid = plt.subplots(count, 4, figsize=(10, count * (2.5 * height / width + 0.25) + 1.2), squeeze=False)
    heads = ["photograph", "true mask", "probability", "at 0.5"]
    for row, (image, mask, probability, name) in enumerate(zip(images, masks, probabilities, titles, strict=True)):
        show(grid[row, 0], image)
        show(grid[row, 1], mask)
        show(grid[row, 2], probability)
        grid[row, 2].images[0].set_cmap("magma")
        show(grid[row, 3], image)
        grid[row, 3].imshow(errors(image, mask, probability >= 0.5))
        grid[row, 0].set_ylabel(name, fontsize=8)
    for axes, head in zip(grid[0], heads, strict=True):
        axes.set_title(head)
    below = {"location": "bottom", "shrink": 0.23, "anchor": (0.67, 1.0), "aspect": 15}  # the third column
    figure.colorbar(grid[0, 2].images[0], ax=grid, ticks=(0, 0.5, 1), label="probability of crack", **below)
    figure.legend(handles=error_key(), loc="outside upper right", ncols=3)
    return figure


def side_by_side(images, masks, by_loss, titles):
    """Show the predictions of several losses for the same pictures (Figure 15).

    Parameters
    ----------
    images : sequence of ndarray, float, shape (H, W), in [0, 1]
    masks : sequence of ndarray, bool, shape (H, W)
    by_loss : dict of sequence of ndarray
        Probabilities of each loss, in the order of `images`.
    titles : sequence of str

    Returns
    -------
    matplotlib.figure.Figure
    """
    height, width = images[0].shape
    columns = 2 + len(by_loss)
    size = (10, len(images) * (10 / columns * height / width + 0.15) + 1)
    figure, grid = plt.subplots(len(images), columns, figsize=size, squeeze=False)
    for row, (image, mask, name) in enumerate(zip(images, masks, titles, strict=True)):
        show(grid[row, 0], image, "photograph" if row == 0 else "")
        show(grid[row, 1], mask, "true mask" if row == 0 else "")
        grid[row, 0].set_ylabel(name, fontsize=8)
        for axes, (loss, probabilities) in zip(grid[row, 2:], by_loss.items(), strict=True):
            show(axes, image, fill(title(loss), 10) if row == 0 else "")
            axes.imshow(errors(image, mask, probabilities[row] >= 0.5))
    figure.legend(handles=error_key(), loc="outside upper right", ncols=3)
    return figure


def comparison(measured):
    """Show three values of mean IoU for each loss: the report's, ours as Keras casts, and ours at 0.5.

    Parameters
    ----------
    measured : dict of dict
        By loss, from `evaluation.evaluate`.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axes = plt.subplots(figsize=(10, 4.6))
    positions = [0, 1, 2]
    ends = []
    for loss, measures in measured.items():
        claimed = measures[measures["evaluated"]]
        heights = [
            TABLE_1.get(loss, {}).get("val_miou", np.nan),
            claimed["unthresholded_mean_iou"],
            claimed["mean_iou"],
        ]
        axes.plot(positions, heights, "o-", color=LOSS_COLOURS.get(loss, QUIET), lw=2.2, ms=8)
        ends.append((heights[-1], loss))
    axes.set(ylabel="mean IoU", xlim=(-0.15, 2.5), ylim=(None, 1.03))
    line = 0.055 * (1.03 - axes.get_ylim()[0])  # a label's height
    for place, (value, loss) in zip(_apart([end for end, _ in sorted(ends)], line), sorted(ends), strict=True):
        text = f"{title(loss)}  {value:.3f}"
        axes.annotate(
            text, (2, value), (2.08, place), va="center", color=LOSS_COLOURS.get(loss, QUIET), fontweight="bold"
        )
    axes.set_xticks(positions, ["the report\n(validation)", "ours,\nas Keras casts", "ours,\nat threshold 0.5"])
    axes.hlines(axes.get_yticks(), -0.15, 2.05, color=QUIET, alpha=0.3, lw=0.8, zorder=0)  # not through the labels
    return figure


def _apart(values, gap):
    """Return rising values, moved up so that neighbours are `gap` apart and labels do not overlap."""
    places = []
    for value in values:
        places.append(max(value, places[-1] + gap) if places else value)
    excess = max(0, places[-1] - 1.02) if places else 0
    return [place - excess for place in places]


def paired(values, first, second, unit):
    """Compare two methods on the same pictures: one dot per picture, one panel per table.

    Parameters
    ----------
    values : dict of DataFrame
        By title: columns `first` and `second`, one row per picture, in [0, 1].
    first, second : str
        Columns for the horizontal and the vertical axis; above the diagonal the second is better.
    unit : str
        Name of the values.

    Returns
    -------
    matplotlib.figure.Figure
    """
    side = min(5.0, 10 / len(values))
    figure, grid = plt.subplots(1, len(values), figsize=(side * len(values), side + 0.4), squeeze=False)
    for axes, (name, table) in zip(grid.flat, values.items(), strict=True):
        axes.plot([0, 1], [0, 1], color=QUIET, lw=1, ls="--")
        axes.plot(table[first], table[second], "o", color=CRACK, alpha=0.6, mec="none")
        axes.plot(table[first].mean(), table[second].mean(), "+", color=INK, ms=14, mew=2)
        low = np.floor(10 * min(table[first].min(), table[second].min())) / 10
        axes.set(title=name, xlabel=f"{unit}, {first}", xlim=(low, 1), ylim=(low, 1), aspect="equal")
    grid[0, 0].set_ylabel(f"{unit}, {second}")
    return figure
