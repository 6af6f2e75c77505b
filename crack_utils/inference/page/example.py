"""The drawn specimen that the page opens with, so that one sees at once what it does."""

import io

import numpy as np
from PIL import Image

from crack_utils.data.synthetic.wide.render import render_specimen

SEED, SPECIMEN, SIZE = 7, 0, (480, 576)
NAME = "example.png"


def draw_example(desk):
    """Put a drawn specimen on a desk.

    Parameters
    ----------
    desk : Desk
    """
    drawn = render_specimen(SEED, SPECIMEN, size=SIZE)
    file = io.BytesIO()
    Image.fromarray(np.uint8(drawn.image)).save(file, "PNG")
    desk.add(NAME, file.getvalue(), drawn.mm_per_px, example=True)
