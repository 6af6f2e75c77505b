"""Plates drawn by other means: their true tips are where their cracks end, and the same numbers give the same plate."""

import numpy as np
import pytest
from scipy import ndimage

from crack_utils.study.plates import draw_plate

SIZE = (256, 320)
CRACKED = [specimen for specimen in range(14) if specimen % 5 != 4]


@pytest.mark.parametrize("specimen", CRACKED)
def test_each_true_tip_is_an_end_of_the_crack(specimen):
    plate = draw_plate(specimen, seed=3, size=SIZE)
    crack = np.argwhere(plate.parts == 1)
    assert plate.image.shape == plate.parts.shape == SIZE and plate.image.dtype == np.uint8
    assert len(plate.tips) == 1 + specimen % 2 and len(plate.mouths) == 1 - specimen % 2
    for tip in plate.tips:
        distances = np.hypot(*(crack - tip).T)
        assert distances.min() < 5  # a hairline is less than the share of a pixel that counts as crack
    if not specimen % 2:
        to_tip, to_mouth = (np.hypot(*(crack - places[0]).T) for places in (plate.tips, plate.mouths))
        assert to_mouth.min() < 3 and to_tip.max() > np.hypot(*(plate.tips[0] - plate.mouths[0])) - 5


def test_cracks_are_darker_than_the_plate_beside_them():
    darker = []
    for specimen in CRACKED:
        plate = draw_plate(specimen, seed=4, size=SIZE)
        near = ndimage.binary_dilation(plate.parts, iterations=8) & ~ndimage.binary_dilation(plate.parts, iterations=4)
        darker.append(np.median(plate.image[plate.parts == 1]) < np.median(plate.image[near]))
    assert all(darker)


@pytest.mark.parametrize("specimen", [4, 9])
def test_of_five_plates_one_has_no_crack(specimen):
    plate = draw_plate(specimen, seed=3, size=SIZE)
    assert not plate.parts.any() and plate.image.std() > 1
    assert plate.tips.shape == plate.mouths.shape == (0, 2)


def test_same_numbers_same_plate():
    first, again, other = (draw_plate(number, seed=5, size=SIZE) for number in (2, 2, 6))
    np.testing.assert_array_equal(first.image, again.image)
    assert (first.image != other.image).any()
