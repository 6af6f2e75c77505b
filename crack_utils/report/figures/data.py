"""Figures of the data: pictures with their masks, the split, resizing, flips, and the classical baseline."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, NullLocator

from crack_utils.data import read_image, read_mask, resize_mask
from crack_utils.data.appearance import GRAY_EDGES, PUBLIC_SETS, opening_curve
from crack_utils.data.masks import read_parts
from crack_utils.report.figures.style import (
    CRACK,
    FALSE_ALARM,
    FOUND,
    INK,
    MISSED,
    QUIET,
    SECONDARY,
    TIP,
    logarithmic,
    show,
    source_colours,
    tint,
)


def pictures(pairs, rows=2):
    """Show photographs with their crack overlaid (Figure 7 of the report shows one of each source).

    Parameters
    ----------
    pairs : list of Pair
        The pictures to show, in reading order.
    rows : int

    Returns
    -------
    matplotlib.figure.Figure
    """
    columns = -(-len(pairs) // rows)
    image_shape = read_image(pairs[0].image).shape
    width = 10.0
    height = rows * (width / columns * image_shape[0] / image_shape[1] + 0.35) + 0.5
    figure, grid = plt.subplots(rows, columns, figsize=(width, height), squeeze=False)
    for axes in grid.flat:
        axes.set_axis_off()
    for axes, pair in zip(grid.flat, pairs, strict=False):
        image = read_image(pair.image, pair.bits)
        title = ", ".join(filter(None, [pair.source, pair.specimen or pair.name]))
        axes.set_axis_on()
        show(axes, image, title if pair.frame is None else f"{title}, frame {pair.frame}")
        axes.imshow(tint(image, *_layers(pair)))
        if pair.tip is not None:
            axes.plot(pair.tip[1], pair.tip[0], "o", mfc="none", mec=TIP, ms=11, mew=1.8)
    handles = [Patch(color=CRACK, label="crack")]
    if pairs[0].parts is not None:
        handles = [Patch(color=CRACK, label="primary crack"), Patch(color=SECONDARY, label="secondary crack")]
    figure.legend(handles=handles, loc="outside upper right", ncols=len(handles))
    return figure


def _layers(pair):
    if pair.parts is None:
        return [(read_mask(pair.mask), CRACK)]
    parts = read_parts(pair.parts)
    return [(parts == 1, CRACK), (parts == 2, SECONDARY)]


def split_chart(split, size):
    """Show the number of pictures in each set, and their shares of crack pixels.

    Parameters
    ----------
    split : Split
    size : (height, width) [px]
        Size of the masks for counting the shares.

    Returns
    -------
    matplotlib.figure.Figure
    """
    names = [name for name in ("train", "validation", "test") if split[name]]
    sources = sorted({pair.source for name in names for pair in split[name]})
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.4), width_ratios=(1, 1.4))
    below = np.zeros(len(names))
    colours = source_colours(sources)
    for source in sources:
        counts = np.array([sum(pair.source == source for pair in split[name]) for name in names])
        left.barh(names, counts, left=below, color=colours[source], label=source, height=0.6)
        below += counts
    left.bar_label(left.containers[-1], labels=[f"{int(total)}" for total in below], padding=3)
    left.set(xlabel="pictures", title="How many")
    left.invert_yaxis()
    left.margins(x=0.12)
    if len(sources) > 1:
        left.legend(title="source", title_fontsize=9, loc="lower right")
    shares = [[100 * resize_mask(read_mask(p.mask), size).mean() for p in split[name]] for name in names]
    for row, values in enumerate(shares):
        scatter = np.random.default_rng(row).uniform(-0.2, 0.2, len(values))
        right.plot(values, row + scatter, "o", ms=4, alpha=0.5, color=QUIET, mec="none")
        right.plot(np.median(values), row, "|", ms=26, mew=3, color=CRACK)
    right.set(
        yticks=range(len(names)),
        yticklabels=[],
        xlabel="crack pixels of a picture [%]",
        title="How much crack (bar: median)",
    )
    right.set_ylim(len(names) - 0.5, -0.5)
    right.set_xlim(left=0)
    return figure


def resize_trap(mask, size):
    """Compare a mask resized by nearest neighbour and by area coverage (R24).

    Parameters
    ----------
    mask : ndarray, bool, shape (H, W)
    size : (height, width) [px]

    Returns
    -------
    matplotlib.figure.Figure
    """
    from skimage.measure import label

    rows = (np.arange(size[0]) + 0.5) * mask.shape[0] / size[0]
    columns = (np.arange(size[1]) + 0.5) * mask.shape[1] / size[1]
    nearest = mask[np.ix_(rows.astype(int), columns.astype(int))]
    versions = [
        (mask, "As labelled"),
        (nearest, "Nearest neighbour"),
        (resize_mask(mask, size), "Area coverage (used here)"),
    ]
    figure, grid = plt.subplots(1, 3, figsize=(10, 10 / 3 * mask.shape[0] / mask.shape[1] + 0.9))
    for axes, (version, title) in zip(grid, versions, strict=True):
        pieces = label(version, connectivity=2)
        coloured = np.ones((*version.shape, 3))
        palette = plt.get_cmap("tab10")
        for piece in range(1, pieces.max() + 1):
            coloured[pieces == piece] = palette((piece - 1) % 10)[:3]
        axes.imshow(coloured)
        height, width = version.shape
        axes.set(title=title, xticks=[], yticks=[])
        axes.set_xlabel(
            f"{height}×{width} px, {pieces.max()} connected piece{'s' if pieces.max() != 1 else ''}", fontsize=9
        )
        for spine in axes.spines.values():
            spine.set(visible=True, color=QUIET)
    return figure


def flips(versions):
    """Show pictures above their masks (Figure 8).

    Parameters
    ----------
    versions : dict of (image, mask)
        By title; arrays of shape (H, W).

    Returns
    -------
    matplotlib.figure.Figure
    """
    height, width = next(iter(versions.values()))[0].shape
    figure, grid = plt.subplots(2, len(versions), figsize=(10, 20 / len(versions) * height / width + 0.9))
    for (title, (image, mask)), (top, bottom) in zip(versions.items(), grid.T, strict=True):
        show(top, image, title)
        show(bottom, mask)
    grid[0, 0].set_ylabel("image")
    grid[1, 0].set_ylabel("mask")
    return figure


def labelled(versions):
    """Show pictures with their masks outlined and their tips marked.

    Parameters
    ----------
    versions : dict of (image, mask, tip)
        By title: image in [0, 1] and mask, arrays of shape (H, W), the mask 0, 1 or, for secondary cracks, 2; tip (row,
        column) [px], or NaN where there is none.

    Returns
    -------
    matplotlib.figure.Figure
    """
    height, width = next(iter(versions.values()))[0].shape
    columns = 4
    rows = -(-len(versions) // columns)
    size = 10, rows * (10 / columns * height / width + 0.3) + 0.3
    figure, grid = plt.subplots(rows, columns, figsize=size, squeeze=False)
    for axes in grid.flat[len(versions) :]:
        axes.set_visible(False)
    for axes, (title, (image, mask, tip)) in zip(grid.flat, versions.items(), strict=False):
        show(axes, image, title)
        for part, colour in ((1, CRACK), (2, SECONDARY)):
            if (np.asarray(mask) == part).any():
                axes.contour(np.asarray(mask) == part, [0.5], colors=colour, linewidths=0.9)
        axes.plot(tip[1], tip[0], "o", mfc="none", mec=TIP, ms=9, mew=1.5)
    return figure


def appearance(groups):
    """Compare the statistics of groups of pictures; real photographs have dashed lines.

    Parameters
    ----------
    groups : dict of Statistics
        By name, from `crack_utils.data.appearance.groups`.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, ((gray, spectrum, opening), strips) = plt.subplots(2, 3, figsize=(10, 6.4))
    colours = source_colours(groups)
    for name, statistics in groups.items():
        look = {"color": colours[name], "ls": "--" if name in PUBLIC_SETS else "-", "lw": 1.6}
        gray.stairs(100 * statistics.gray, GRAY_EDGES, label=name, **look)
        spectrum.loglog(statistics.frequency, statistics.power, **look)
        distance, width = opening_curve(statistics)
        if len(distance):
            opening.loglog(100 * distance, 100 * width, "o", ms=4, color=look["color"])
            law = width[-1] * np.sqrt(distance / distance[-1])
            opening.loglog(100 * distance, 100 * law, lw=1, color=look["color"])
    for axis, ticks in ((opening.xaxis, (10, 20, 50, 100)), (opening.yaxis, (0.5, 1, 2, 3, 5, 10))):
        axis.set_major_locator(FixedLocator(ticks))
        axis.set_major_formatter("{x:g}")
        axis.set_minor_locator(NullLocator())
    gray.set(xlabel="gray value", ylabel="pixels [%]", title="Gray values", xlim=(0, 1))
    logarithmic(spectrum.xaxis, spectrum.yaxis)
    spectrum.set(xlabel="frequency [cycles/px]", ylabel="power", title="Spectrum")
    opening.set(xlabel="distance from tip [% of farthest]", ylabel="width [% of height]", title="Opening")
    if not any(len(statistics.opening) for statistics in groups.values()):
        opening.text(0.5, 0.5, "no labelled tips", transform=opening.transAxes, ha="center", color=QUIET)
    for axes, measure, title in zip(
        strips,
        ("share", "width", "contrast"),
        ("Crack pixels [%]", "Width [% of height]", "Contrast [%]"),
        strict=True,
    ):
        _strips(axes, {name: 100 * getattr(statistics, measure) for name, statistics in groups.items()}, colours)
        axes.set(title=title)
    figure.legend(*gray.get_legend_handles_labels(), loc="outside upper right", ncols=len(groups))
    return figure


def _strips(axes, values, colours):
    """Draw one dot per picture and a bar for the median, one row per group; groups without values are omitted."""
    values = {name: numbers[np.isfinite(numbers)] for name, numbers in values.items() if np.isfinite(numbers).any()}
    for row, (name, numbers) in enumerate(values.items()):
        scatter = np.random.default_rng(row).uniform(-0.2, 0.2, len(numbers))
        axes.plot(numbers, row + scatter, "o", ms=4, alpha=0.5, color=colours[name], mec="none")
        axes.plot(np.median(numbers), row, "|", ms=22, mew=2.5, color=INK)
    axes.set(yticks=range(len(values)), yticklabels=values, ylim=(len(values) - 0.5, -0.5))
    axes.set_xlim(left=min(0, *(numbers.min() for numbers in values.values())) if values else 0)


def baseline(image, mask, predicted):
    """Show the prediction of a classical method, and its errors.

    Parameters
    ----------
    image : ndarray, float, shape (H, W), in [0, 1]
    mask, predicted : ndarray, bool, shape (H, W)

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, grid = plt.subplots(1, 3, figsize=(10, 10 / 3 * image.shape[0] / image.shape[1] + 1.1))
    show(grid[0], image, "photograph")
    show(grid[1], predicted, "black-hat and Otsu")
    show(grid[2], image, "where it errs")
    grid[2].imshow(errors(image, mask, predicted))
    figure.legend(handles=error_key(), loc="outside upper right", ncols=3)
    return figure


def errors(image, mask, predicted):
    """Colour the pixels where a prediction is right or wrong; `error_key` is the legend.

    Parameters
    ----------
    image : ndarray, float, shape (H, W), in [0, 1]
    mask, predicted : ndarray, bool, shape (H, W)

    Returns
    -------
    ndarray of float, shape (H, W, 3), in [0, 1]
        Found crack, missed crack and false alarms in three colours, over the picture.
    """
    layers = (mask & predicted, FOUND), (mask & ~predicted, MISSED), (~mask & predicted, FALSE_ALARM)
    return tint(image, *layers, opacity=0.85)


def error_key():
    """Return the legend's handles of `errors`."""
    meanings = {"found": FOUND, "missed": MISSED, "false alarm": FALSE_ALARM}
    return [Patch(color=colour, label=meaning) for meaning, colour in meanings.items()]
