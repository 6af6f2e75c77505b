"""The look: colours with a fixed meaning, type, and the line under each figure that says where it comes from."""

import textwrap

import numpy as np
import seaborn as sns
from IPython import get_ipython
from matplotlib import colors
from matplotlib.ticker import LogFormatter
from matplotlib_inline.backend_inline import set_matplotlib_formats

from crack_utils.data import colours
from crack_utils.runtime import provenance
from crack_utils.runtime.typeset import power

LOSS_COLOURS = {"bce": "#0072b2", "dice": "#d55e00", "focal": "#009e73", "tversky": "#cc79a7"}  # Okabe and Ito
SPECIMEN_COLOURS = {"old": "#0072b2", "new": "#d55e00"}  # the same in every figure of the data
CRACK, SECONDARY, TIP = colours.CRACK, colours.SECONDARY, colours.TIP
MISSED = "#cc3377"
FALSE_ALARM = "#f0b000"
FOUND = "#2a9d8f"
INK = "#6c7783"  # figures are transparent: it has to do on a white page (contrast 4.6) and on a dark one (4)
QUIET = "#7d8791"
ON_DARK = {INK: "#d2d9e0", QUIET: "#b4bdc6"}  # what becomes of both on the book's dark pages


def use_style():
    """Set the book's look for all figures that follow; a notebook keeps each as PNG, and as SVG for download."""
    if get_ipython() is not None:
        set_matplotlib_formats("png", "svg")
    sns.set_theme(
        context="notebook",
        style="ticks",
        rc={
            "figure.dpi": 110,
            "savefig.dpi": 160,
            "svg.hashsalt": "crack-utils",  # else names inside an SVG change from run to run
            "figure.constrained_layout.use": True,
            "text.parse_math": False,  # names of files and specimens are not formulas
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.titlesize": 13,
            "axes.titleweight": "bold",
            "axes.labelsize": 12,
            "xtick.labelsize": 11,
            "ytick.labelsize": 11,
            "legend.fontsize": 11,
            "legend.frameon": False,
            "image.interpolation": "nearest",
            "figure.facecolor": "none",
            "axes.facecolor": "none",
            "savefig.facecolor": "none",
            "text.color": INK,
            "axes.labelcolor": INK,
            "axes.edgecolor": INK,
            "axes.titlecolor": INK,
            "xtick.color": INK,
            "ytick.color": INK,
            "grid.color": INK,
        },
    )


def source_colours(sources):
    """Return a colour for each source of pictures: old and new specimens always have theirs, others get the rest.

    Parameters
    ----------
    sources : iterable of str

    Returns
    -------
    dict
        When the other colours are used up, sources share a gray.
    """
    others = sorted(set(sources) - set(SPECIMEN_COLOURS))
    free = (LOSS_COLOURS["focal"], LOSS_COLOURS["tversky"], FALSE_ALARM, SECONDARY)
    return {name: QUIET for name in others} | SPECIMEN_COLOURS | dict(zip(others, free, strict=False))


def credit(figure, notebook, *sources):
    """Write under a figure which notebook, run or data, and commit made it.

    Parameters
    ----------
    figure : matplotlib Figure
    notebook : str
        Such as "train".
    *sources : Run, Predictor or str
        Runs, trained networks, or data sets in words.

    Returns
    -------
    matplotlib Figure
    """
    runs = [source for source in sources if hasattr(source, "id")]
    said = [f"run {', '.join(run.id for run in runs)}"] if runs else []
    networks = [source for source in sources if hasattr(source, "digest")]
    said += [f"network {', '.join(network.digest[:10] for network in networks)}"] if networks else []
    data = {run.provenance["data_hash"][:10] for run in runs} | {each for each in sources if isinstance(each, str)}
    said += [f"data {', '.join(sorted(data))}"] if data else []
    text = " · ".join([f"notebooks/{notebook}.ipynb", *said, f"commit {provenance.commit()}"])
    width = int(figure.get_figwidth() * 15)  # letters of this size that fit
    figure.supxlabel(textwrap.fill(text, width), fontsize=8, color=QUIET, x=0.01, ha="left")
    return figure


class Powers(LogFormatter):
    """Labels of a logarithmic axis as plain text: Matplotlib's own are formulas."""

    def __call__(self, x, pos=None):
        """Return the label of a tick at x; empty where it would be too close to others."""
        return power(x) if super().__call__(x, pos) else ""


def logarithmic(*lines):
    """Make axis lines, such as `axes.xaxis`, logarithmic, with labels that `use_style` shows as they are."""
    for line in lines:
        line.axes.set(**{f"{line.axis_name}scale": "log"})
        line.set_major_formatter(Powers())
        line.set_minor_formatter(Powers())


def show(axes, image, title=""):
    """Show a gray picture without ticks.

    Parameters
    ----------
    axes : matplotlib Axes
    image : ndarray of float, shape (H, W), in [0, 1]
    title : str
    """
    axes.imshow(image, cmap="gray", vmin=0, vmax=1)
    axes.set(title=title, xticks=[], yticks=[])
    for spine in axes.spines.values():
        spine.set_visible(False)


def tint(image, *layers, opacity=0.65):
    """Return a gray picture, shape (H, W), as RGB, shape (H, W, 3), with masks laid over it in colours.

    Parameters
    ----------
    image : ndarray, float, shape (H, W), in [0, 1]
    *layers : (mask, colour)
    opacity : float in [0, 1]
    """
    painted = np.repeat(image[..., None], 3, axis=-1).astype(float)
    for mask, colour in layers:
        painted[mask] = (1 - opacity) * painted[mask] + opacity * np.array(colors.to_rgb(colour))
    return painted
