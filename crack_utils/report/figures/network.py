"""Figures of the network: its layers, its activations, and its receptive field."""

import itertools

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Rectangle

from crack_utils.report.figures.style import CRACK, INK, LOSS_COLOURS, QUIET, SECONDARY

KIND_COLOURS = {
    "Conv2D": LOSS_COLOURS["bce"],
    "MaxPooling2D": LOSS_COLOURS["dice"],
    "Conv2DTranspose": LOSS_COLOURS["focal"],
    "UpSampling2D": SECONDARY,
    "Concatenate": LOSS_COLOURS["tversky"],
}


def network(table):
    """Draw the layers as blocks; the height shows the picture's height, the width the number of channels (Figure 10).

    Parameters
    ----------
    table : DataFrame
        From `models.layer_table`: layer, kind, output_shape, parameters. Layers of other kinds than those of
        `KIND_COLOURS`, such as normalisation, are left out.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axes = plt.subplots(figsize=(10, 4.6))
    table = table[table["kind"].isin(list(KIND_COLOURS))]
    tallest = max(shape[0] for shape in table["output_shape"])
    most = max(shape[2] for shape in table["output_shape"])
    left, previous, skips, centres = 0.0, "", [], {}
    for row in table.itertuples():
        height = row.output_shape[0] / tallest
        width = 0.15 + 1.5 * row.output_shape[2] / most
        axes.add_patch(Rectangle((left, -height / 2), width, height, color=KIND_COLOURS[row.kind], alpha=0.85, lw=0))
        axes.text(left + width / 2, height / 2 + 0.02, f"{row.output_shape[2]}", ha="center", fontsize=7, color=QUIET)
        centres[row.layer] = (left + width / 2, height / 2)
        left += width + 0.3
        if row.kind == "MaxPooling2D":
            skips.append(previous)
            left += 0.25
        elif row.kind == "Concatenate":
            start, end = centres[skips.pop()], centres[row.layer]
            arc = {"arrowstyle": "->", "color": QUIET, "lw": 1, "connectionstyle": "arc3,rad=-0.12"}
            axes.annotate("", (end[0], end[1] + 0.07), (start[0], start[1] + 0.07), arrowprops=arc)
        previous = row.layer
    for kind, colour in KIND_COLOURS.items():
        if kind in set(table["kind"]):
            axes.plot([], [], "s", color=colour, label=_words(kind))
    axes.set(xlim=(-0.3, left), ylim=(-0.6, 0.85))
    figure.legend(loc="outside upper center", ncols=2)  # in the axes it would squeeze them
    axes.set_axis_off()
    return figure


def _words(kind):
    return {
        "Conv2D": "3×3 convolution",
        "MaxPooling2D": "2×2 max-pooling",
        "Conv2DTranspose": "3×3 transposed convolution, stride 2",
        "UpSampling2D": "enlargement by 2",
        "Concatenate": "concatenation with the encoder level",
    }[kind]


def activations():
    """Plot ReLU and sigmoid with their derivatives (R35).

    Returns
    -------
    matplotlib.figure.Figure
    """
    x = np.linspace(-6, 6, 400)
    sigmoid = 1 / (1 + np.exp(-x))
    plots = {
        "ReLU: every layer except the last": (np.maximum(x, 0), (x > 0).astype(float)),
        "Sigmoid: the output": (sigmoid, sigmoid * (1 - sigmoid)),
    }
    figure, grid = plt.subplots(1, 2, figsize=(10, 3))
    for axes, (title, (value, slope)) in zip(grid, plots.items(), strict=True):
        axes.plot(x, value, color=CRACK, lw=2.2, label="value")
        axes.plot(x, slope, color=SECONDARY, lw=1.8, ls="--", label="derivative")
        axes.set(title=title, xlabel="x")
        axes.axhline(0, color=QUIET, alpha=0.4, lw=0.8, zorder=0)
        axes.legend()
    return figure


def receptive_field(table, image):
    """Show the receptive field of each encoder level at the centre of a picture; the key alone has what is larger.

    Parameters
    ----------
    table : DataFrame
        From `models.layer_table`: layer, receptive_field [px].
    image : ndarray, float, shape (H, W), in [0, 1]

    Returns
    -------
    matplotlib.figure.Figure
    """
    height, width = image.shape
    figure, axes = plt.subplots(figsize=(8, 6))
    axes.imshow(image, cmap="gray", vmin=0, vmax=1)
    axes.set(xticks=[], yticks=[])
    levels = table[table["kind"].isin(["MaxPooling2D"]) | (table["layer"] == table["layer"].iloc[-1])]
    names = [f"after pooling {number}" for number in range(1, len(levels))] + ["output"]
    colours = itertools.cycle([*LOSS_COLOURS.values(), SECONDARY, INK])
    for colour, row, name in zip(colours, levels.itertuples(), names, strict=False):
        side = row.receptive_field
        if side > max(height, width):  # no side of the square would be in sight
            size = f"{side} px, more than the picture" if np.isfinite(side) else "the whole picture"
            axes.plot([], [], " ", label=f"{name}: {size}")
            continue
        corner = (width / 2 - side / 2, height / 2 - side / 2)
        axes.add_patch(Rectangle(corner, side, side, fill=False, ec=colour, lw=2.2, label=f"{name}: {side} px"))
    axes.set(xlim=(-0.5, width - 0.5), ylim=(height - 0.5, -0.5))
    figure.legend(loc="outside upper center", ncols=2)
    return figure
