"""Figure of a measured crack: outline, centreline coloured by width, tip, and the width profile."""

import matplotlib.pyplot as plt
from matplotlib.collections import LineCollection
from matplotlib.patches import Circle

from crack_utils.report.figures.style import CRACK, MISSED, QUIET, show


def measured_crack(image, mask, cracks):
    """Show a photograph with its measured cracks, and the width profile of the primary one.

    Parameters
    ----------
    image : ndarray, float, shape (H, W), in [0, 1]
    mask : ndarray, bool, shape (H, W)
    cracks : list of geometry.Crack
        The cracks of this mask; if empty, the title says that no crack was found.

    Returns
    -------
    matplotlib.figure.Figure
    """
    if not cracks:
        figure, axes = plt.subplots(figsize=(10, 4))
        show(axes, image, "No crack found")
        return figure
    primary = cracks[0]
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), width_ratios=(1.4, 1))
    show(left, image, "Outline, centreline and tip")
    left.contour(mask, [0.5], colors="white", linewidths=0.6)
    for crack in cracks:
        line = crack.centreline
        steps = [line.points[at : at + 2, ::-1] for at in range(len(line.points) - 1)]
        drawn = LineCollection(steps, cmap="viridis", lw=2.5)
        drawn.set_array(0.5 * (line.widths[1:] + line.widths[:-1]))
        drawn.set_clim(0, primary.max_width)
        left.add_collection(drawn)
    figure.colorbar(drawn, ax=left, label="width [px]", location="left", shrink=0.8)
    if primary.tip.found:
        row, column = primary.tip.position
        left.plot(column, row, "+", color=MISSED, ms=12, mew=1.5)
        left.add_patch(Circle((column, row), primary.tip.uncertainty, fill=False, color=MISSED))
    line = primary.centreline
    right.fill_between(line.along, line.widths, color=CRACK, alpha=0.3, lw=0)
    right.plot(line.along, line.widths, color=CRACK)
    right.axhline(primary.mean_width, color=QUIET, ls="--", label=f"mean {primary.mean_width:.1f} px")
    right.plot(
        line.along[line.widths.argmax()],
        primary.max_width,
        "o",
        color=CRACK,
        label=f"widest {primary.max_width:.1f} px",
    )
    right.set(xlabel="along the primary crack [px]", ylabel="width [px]", title="Width profile", ylim=(0, None))
    right.legend(loc="upper center", bbox_to_anchor=(0.5, -0.18), ncols=2)  # in the axes it would lie on the curve
    return figure
