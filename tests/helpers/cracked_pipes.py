"""What the tests of the labelling editor label: two photographs of a dark crack on an even surface."""

import numpy as np

from crack_utils.data import read_mask
from tests.helpers.folders import make_folder

SIZE = (256, 320)
CRACK = (slice(100, 111), slice(40, 201))
CORNERS = [(149.5, 59.5), (149.5, 129.5), (189.5, 129.5), (189.5, 59.5)]  # between pixels: a hand may err a little
BOX = (slice(150, 190), slice(60, 130))


def cracked_pipes(place):
    """Write the photographs; return their folder, which has no masks yet."""
    image = np.full(SIZE, 180, np.uint8)
    image[CRACK] = 40
    return make_folder(place / "pipes", {"a": image, "b": image + 1})  # one picture twice would be no data set


def mask_of(*boxes):
    """Return the mask of some boxes."""
    mask = np.zeros(SIZE, bool)
    for box in boxes:
        mask[box] = True
    return mask


def on_disk(folder, name="a"):
    return read_mask(folder / "masks" / f"{name}.png")
