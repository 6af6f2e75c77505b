"""The drawn specimen that the page opens with, so that one sees at once what it does."""

import numpy as np
from PIL import Image

from crack_utils.data.encoding import as_file
from crack_utils.data.synthetic.wide.render import render_specimen

SEED, SPECIMEN, SIZE = 7, 7, (480, 576)
NAME = "example.png"


def draw_example(desk):
    """Put a drawn specimen on a desk.

    Parameters
    ----------
    desk : Desk
    """
    drawn = render_specimen(SEED, SPECIMEN, size=SIZE)
    desk.add(NAME, as_file(Image.fromarray(np.uint8(drawn.image))), drawn.mm_per_px, example=True)
