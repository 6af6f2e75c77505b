"""The README's moving picture: photograph, mask, tip and length, photograph after photograph of a drawn growth test.

`python -m crack_utils.report.moving_picture` draws it again with the default model. The test is the one of the book's
page on growth: its specimen is chosen by its geometry alone, and the photographs shown are spread evenly over it.
"""

import io
import sys

import matplotlib.pyplot as plt
import numpy as np
from PIL import Image

from crack_utils.data import spread
from crack_utils.data.encoding import as_file
from crack_utils.report import growth_examples
from crack_utils.report.figures.style import CRACK, TIP, show, tint, use_style
from crack_utils.runtime import paths

FILE = "book/_static/readme.webp"
FRAMES, SHOWN = 10, 6  # photographs of the test, and how many of them the picture shows
STEPS = {"photograph": 1200, "mask": 1300, "tip": 1100, "length": 1400}  # [ms]; with six photographs thirty seconds
FAINT = "#b8c0c8"
SIZE = (8.8, 4.4)  # [in]
LARGEST = 1_500_000  # [bytes]: a page shows the picture at once


def main():
    """Draw the moving picture, write it, and print where.

    Raises
    ------
    ValueError
        If the picture would be larger than `LARGEST`.
    """
    from crack_utils.inference.predictor import load_trained

    use_style()
    followed = growth_examples.follow(load_trained("default"), growth_examples.draw_test(FRAMES))
    data = moving_picture(followed, spread(range(FRAMES), SHOWN))
    if len(data) > LARGEST:
        raise ValueError(f"the picture has {len(data):,} bytes, more than {LARGEST:,}")
    file = paths.root() / FILE
    file.write_bytes(data)
    print(file)
    return 0


def moving_picture(followed, numbers):
    """Return some photographs of a followed test, step by step, as an animated WebP.

    Parameters
    ----------
    followed : growth_examples.FollowedTest
    numbers : sequence of int
        The photographs to show, from 0.

    Returns
    -------
    bytes
    """
    pictures = [
        _picture(followed, numbers[: turn + 1], step) for turn in range(len(numbers)) for step in range(len(STEPS))
    ]
    options = {"save_all": True, "append_images": pictures[1:], "loop": 0, "quality": 80, "method": 4}
    return as_file(pictures[0], "WEBP", duration=list(STEPS.values()) * len(numbers), **options)


def _picture(followed, numbers, step):
    """Draw one step at the last of the given photographs; the chart holds those before it, and it at the last step."""
    number, last = numbers[-1], len(STEPS) - 1
    figure, (left, right) = plt.subplots(
        1, 2, figsize=SIZE, width_ratios=(1.35, 1), facecolor="white", layout="constrained"
    )
    _photograph(left, followed, number, step)
    _chart(right, followed, numbers if step == last else numbers[:-1])
    figure.suptitle(
        "   →   ".join(rf"$\bf{{{name}}}$" if turn == step else name for turn, name in enumerate(STEPS)),
        color="#26313b",
        fontsize=14,
        parse_math=True,  # for the bold word; the book's style takes texts as they are
    )
    file = io.BytesIO()
    figure.savefig(file, format="png", facecolor="white")
    plt.close(figure)
    return Image.open(file).convert("RGB")


def _photograph(axes, followed, number, step):
    image = np.float32(followed.photographs[number].image) / 255
    mask, cracks = followed.masks[number], followed.cracks[number]
    show(axes, tint(image, (mask, CRACK)) if step else image, f"photograph {number + 1} of {len(followed.photographs)}")
    if step < 2:
        return
    if not (cracks and cracks[0].tip.found):
        axes.set_xlabel("no tip found")
        return
    row, column = cracks[0].tip.position
    axes.plot(column, row, "o", mfc="none", color=TIP, ms=15, mew=2.5)
    if step == 3:
        points = cracks[0].centreline.points
        axes.plot(points[:, 1], points[:, 0], color=TIP, lw=1.5)
        axes.set_xlabel(f"length {cracks[0].length * followed.photographs[number].mm_per_px:.1f} mm", fontsize=14)


def _chart(axes, followed, numbers):
    """Draw how far the tips have come over the photographs, beside how far they were drawn."""
    scale = np.array([photograph.mm_per_px for photograph in followed.photographs])
    true = followed.true_along * scale
    frames = np.arange(1, len(true) + 1)
    axes.plot(frames, true - true[0], color=FAINT, lw=4, label="drawn")
    low, high = -2, 1.15 * (true[-1] - true[0])
    found = followed.joint.single * scale - true[0]
    grown = np.clip(found, low, high)  # what lies outside is shown at the edge
    shown, wrong = np.isin(frames - 1, numbers), followed.joint.outliers | (found != grown)
    # Without points, what is not clipped would have no place, and the layout would give it all of the room.
    style = {"color": CRACK, "ms": 8, "mew": 2, "clip_on": False, "in_layout": False}
    for which, form, label in ((~wrong, "o", "found"), (wrong, "x", "wrong")):
        axes.plot(frames[shown & which], grown[shown & which], form, label=label, **style)
    axes.set(xlabel="photograph", xlim=(0.5, len(true) + 0.5), ylim=(low, high))
    axes.set_title("growth of the crack [mm]")
    axes.legend(loc="upper left")


if __name__ == "__main__":
    sys.exit(main())
