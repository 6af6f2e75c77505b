"""The scripted person: how its clicks are made, how its masks are measured, and how close they come."""

import math

import numpy as np
import pytest

from crack_utils import labelling
from crack_utils.data.synthetic import render
from crack_utils.report import scripted_labelling


def box(rows, columns, size=(30, 40)):
    """Return the mask of a box."""
    mask = np.zeros(size, bool)
    mask[rows, columns] = True
    return mask


def test_clicks_follow_the_path_at_equal_distances():
    path = [(0, 0), (0, 30), (40, 30)]  # 70 px long
    clicks = scripted_labelling.click_along(path, count=8, jitter=0)
    assert clicks == pytest.approx(
        np.array([(0, 0), (0, 10), (0, 20), (0, 30), (10, 30), (20, 30), (30, 30), (40, 30)], float)
    )
    shaken = [scripted_labelling.click_along(path, jitter=2, seed=seed) - clicks for seed in range(400)]
    assert np.std(shaken, axis=(0, 2))[[0, 3, 7]] == pytest.approx([1, 2, 1], rel=0.15)


def test_strip_and_notch_lie_around_the_clicks():
    clicks = np.array([(20.0, 10.0), (20.0, 15.0), (20.0, 20.0)])
    assert {tuple(point) for point in scripted_labelling.strip(clicks, 3)} == {
        (r, c) for r in (17, 23) for c in (10, 15, 20)
    }
    notch = scripted_labelling.notch_outline(clicks, 2)
    assert {tuple(point) for point in notch} == {(14, 10), (26, 10), (26, -2), (14, -2)}


@pytest.mark.parametrize(
    ("true", "predicted", "expected"),
    [
        (box(slice(5, 10), slice(5, 10)), box(slice(5, 10), slice(5, 10)), 0),
        (box(7, slice(5, 25)), box(10, slice(5, 25)), 3),
        (box(7, 7), box(10, 11), 5),
        (box(slice(5, 10), slice(5, 10)), box(slice(6, 9), slice(6, 9)), (1 + (12 + 4 * math.sqrt(2)) / 16) / 2),
    ],
)
def test_boundary_distance_by_hand(true, predicted, expected):
    assert scripted_labelling.boundary_distance(true, predicted) == pytest.approx(expected)
    assert scripted_labelling.boundary_distance(predicted, true) == pytest.approx(expected)


def test_boundary_distance_to_nothing_is_not_a_number():
    full, empty = box(3, 3), np.zeros((30, 40), bool)
    assert math.isnan(scripted_labelling.boundary_distance(full, empty)) and math.isnan(
        scripted_labelling.boundary_distance(empty, full)
    )


def test_seeds_fall_on_the_darkest_pixel_of_each_section():
    image = np.full((30, 40), 200, np.uint8)
    crack = box(slice(10, 13), slice(5, 35))
    image[11, 8], image[12, 30] = 0, 0
    assert scripted_labelling.seeds_in(crack, image, 2) == [(11, 8), (12, 30)]


def test_follow_measures_every_step():
    recipe = labelling.Recipe()
    recipe.add("draw_roi", shape="rectangle", points=[(5, 5), (9, 9)])
    recipe.add("erode", radius=1)
    first, second = scripted_labelling.follow(recipe, np.zeros((30, 40), np.uint8), box(slice(6, 9), slice(6, 9)))
    assert (first["tool"], first["iou"]) == ("strip", 9 / 25)
    assert (second["tool"], second["iou"], second["distance"]) == ("erosion", 1, 0)


def final_ious(preset):
    """Return the IoU of the scripted masks with the true primary cracks, for the specimens of a preset."""
    size, specimens = scripted_labelling.study(preset)
    ious = []
    for specimen in range(specimens):
        shot = render(specimen, frame=4 + specimen % 6, size=size)
        recipe = scripted_labelling.crack_recipe(scripted_labelling.click_along(shot.path, seed=specimen), size)
        ious.append(scripted_labelling.follow(recipe, shot.image, shot.parts == 1)[-1]["iou"])
    return ious


def test_scripted_masks_are_close_on_small_photographs():
    assert np.median(final_ious("smoke")) >= 0.85


@pytest.mark.acceptance
def test_scripted_masks_are_close_on_twenty_specimens():
    ious = final_ious("quick")
    assert len(ious) == 20 and np.median(ious) >= 0.85


def test_an_unknown_preset_is_refused():
    with pytest.raises(ValueError, match="unknown preset 'large'; valid are smoke, quick, photo, paper"):
        scripted_labelling.study("large")
