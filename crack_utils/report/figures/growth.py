"""Photographs with detected cracks, side by side or one after the other."""

import base64
from html import escape

import matplotlib.pyplot as plt

from crack_utils.report.figures.style import CRACK, TIP, show

COLUMNS = 4  # of the strips


def outlined(images, masks, cracks, titles):
    """Show photographs with their cracks outlined and the primary one's tip marked.

    Parameters
    ----------
    images : sequence of ndarray, float, shape (H, W), in [0, 1]
    masks : sequence of ndarray, bool, shape (H, W)
    cracks : sequence of list of geometry.Crack
        The cracks of these masks, the primary one first.
    titles : sequence of str

    Returns
    -------
    matplotlib.figure.Figure
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
            axes.plot(column, row, "o", mfc="none", color=TIP, ms=7, mew=1.5)
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
