"""Pictures of a crack that grows, and their animation."""

import io

import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image

from crack_utils.geometry import measure_cracks
from crack_utils.report import figures
from crack_utils.report.animation import animation
from crack_utils.report.tables import measures_table


@pytest.fixture
def sequence():
    """Images, masks and cracks of three frames, the last without a crack."""
    masks = [np.zeros((40, 120), bool) for _ in range(3)]
    for mask, length in zip(masks, (40, 60, 0), strict=True):
        mask[18:22, :length] = True
    return [np.where(mask, 0.1, 0.9) for mask in masks], masks, [measure_cracks(mask) for mask in masks]


def test_the_animation_has_all_frames_and_the_same_bytes(sequence):
    gif = animation(*sequence)
    picture = Image.open(io.BytesIO(gif))
    assert picture.n_frames == 3
    assert picture.size == (240, 80)  # small ones are enlarged by a whole factor
    assert gif == animation(*sequence)
    html = figures.moving(gif, 'a "crack"').data
    assert 'alt="a &quot;crack&quot;"' in html and 'src="data:image/gif;base64,' in html


def test_the_animation_keeps_the_colour_of_the_outline_on_a_speckled_specimen():
    image = np.random.default_rng(0).random((256, 320))
    mask = np.zeros(image.shape, bool)
    mask[:150, 150:153] = True
    picture = Image.open(io.BytesIO(animation([image], [mask], [measure_cracks(mask)])))
    red, _, blue = np.moveaxis(np.int16(picture.convert("RGB")), -1, 0)
    assert (red - blue > 100).sum() > 100  # about 2 × 150 pixels of outline


def test_figures_show_frames_with_cracks_and_without(sequence):
    images, masks, _ = sequence
    strip = figures.outlined(*sequence, ["a", "b", "c"])
    assert [axes.get_title() for axes in strip.axes] == ["a", "b", "c", ""]
    assert figures.measured_crack(images[2], masks[2], []).axes[0].get_title() == "No crack found"
    plt.close("all")


def test_a_table_has_a_row_for_each_crack():
    mask = np.zeros((40, 120), bool)
    mask[10:14, 20:80] = mask[30:34, 20:50] = True
    records = [
        {"name": name, "cracks": [crack.to_dict() for crack in measure_cracks(mask & keep, scale)]}
        for name, keep, scale in (("a", True, 0.1), ("b", False, None))
    ]
    table = measures_table(records)
    assert table[["photograph", "crack"]].to_numpy().tolist() == [["a", 1], ["a", 2]]
    np.testing.assert_allclose(table["length [mm]"], [6, 3], atol=0.06)
    assert measures_table(records[1:]).empty
