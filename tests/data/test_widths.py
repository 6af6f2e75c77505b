"""By what pictures are reduced, from masks whose cracks' widths are known."""

import numpy as np
import pytest

from crack_utils.data import find_pairs, widths
from tests.helpers.folders import dark_cracks


def pairs_with(folder, *crack_widths):
    """Return pairs of 100×200 pixels whose masks show a level band of a width each; 0: no crack."""
    masks = np.zeros((len(crack_widths), 100, 200), np.uint8)
    for mask, width in zip(masks, crack_widths, strict=True):
        mask[40 : 40 + width, 20:180] = 255
    return find_pairs(dark_cracks(folder, masks))


def test_widths_of_bands(tmp_path):
    found = widths.crack_widths(pairs_with(tmp_path, 3, 0, 9))
    assert found == pytest.approx([3, 9], rel=0.2)  # the skeleton is a little shorter than the band


@pytest.mark.parametrize(
    ("crack_widths", "expected"),
    [
        ([2, 3, 2], 1),  # hairlines
        ([20, 18, 15], 1),
        ([50, 44, 46], 3),  # the skeleton of a wide band is shorter, so it counts as still wider
        ([50, 44, 3], 1),  # a hairline among them
        ([0, 0], 1),
    ],
)
def test_only_wide_cracks_are_reduced(tmp_path, crack_widths, expected):
    assert widths.reduction(pairs_with(tmp_path, *crack_widths)) == expected
