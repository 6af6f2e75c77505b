"""Small cracks, and what losses and data know of them."""

import numpy as np
import tensorflow as tf

from crack_utils.data import targets
from tests.helpers.folders import make_folder


def crack(length, height=16, width=24):
    """A crack two pixels wide from the left edge; its tip, at the end of its lower row, is (8, length − 1)."""
    mask = np.zeros((height, width), np.float32)
    mask[7:9, :length] = 1
    return mask


def stacked(mask, tip=targets.NO_TIP):
    """Return one mask as a batch of all channels."""
    return targets.stack(mask, tip, distance=True)[None]


def gradient(loss, true, predicted):
    """Return the value of a loss, and its gradient with respect to the prediction."""
    probability = tf.constant(predicted)
    with tf.GradientTape() as tape:
        tape.watch(probability)
        value = loss(true, probability)
    return float(value), tape.gradient(value, probability).numpy()


def folder_with_tips(place):
    """Ten pictures of 16×24 with a dark crack and, at its end, one bright pixel: its tip. The last one's is unknown."""
    images, masks, rows = {}, {}, ["name,tip_row,tip_column"]
    for number in range(10):
        length = 6 + number
        mask = np.roll(crack(length), number % 3, axis=0)
        image = np.where(mask > 0, 40, 150 + number).astype(np.uint8)
        image[8 + number % 3, length - 1] = 255
        images[str(number)], masks[str(number)] = image, (255 * mask).astype(np.uint8)
        rows.append(f"{number},{8 + number % 3},{length - 1}" if number < 9 else f"{number},,")
    return make_folder(place, images, masks, "\n".join(rows) + "\n")
