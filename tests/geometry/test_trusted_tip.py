"""Which end is the tip, where there are two, and where a crack ends that its mask misses: on plates of other making."""

import dataclasses
import pickle

import numpy as np
import pytest
from scipy import ndimage

from crack_utils import geometry
from crack_utils.geometry import ends
from crack_utils.geometry.follow import follow
from tests.helpers.small_plates import plate


def away(position, truth):
    return float(np.hypot(*np.subtract(position, truth)))


@pytest.mark.parametrize("finish", ["grain", "brushed", "speckle"])
@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_the_tip_is_the_end_away_from_the_notch(finish, turns):
    drawn = plate(turns, finish=finish)
    marker = np.zeros(drawn.crack.shape)
    marker[tuple(np.round(drawn.tips[0]).astype(int))] = 1
    truth = np.argwhere(np.rot90(marker, turns))[0]
    found = geometry.find_tip(np.rot90(drawn.crack, turns), image=np.rot90(drawn.image, turns))
    assert away(found.position, truth) < 3 and 0.5 < found.right_end_probability < 1
    assert away(found.other_end, truth) > 60


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_a_part_of_the_pixels_tells_as_much(turns, monkeypatch):
    """As of a large photograph: here every third row and column around the crack."""
    drawn = plate(turns)
    crack, image = np.rot90(drawn.crack, turns), np.rot90(drawn.image, turns)
    whole = geometry.find_tip(crack, image=image)
    monkeypatch.setattr(ends, "_MOST", crack.size // 9)
    thinned = geometry.find_tip(crack, image=image)
    assert thinned.position == whole.position
    assert thinned.right_end_probability == pytest.approx(whole.right_end_probability, abs=0.15)


def test_what_was_measured_with_a_photograph_can_be_pickled():
    drawn = plate(0)
    cracks = geometry.measure_cracks(drawn.crack, image=drawn.image)
    again = pickle.loads(pickle.dumps(cracks))
    assert [crack.to_dict() for crack in again] == [crack.to_dict() for crack in cracks]


@pytest.mark.parametrize("notch_gray", [0.05, 0.95])
def test_a_dark_and_a_lit_notch_and_one_that_the_mask_takes_for_crack(notch_gray):
    drawn = plate(5, notch_gray=notch_gray)
    part = drawn.notch & (np.arange(260) > 60)
    for mask in (drawn.crack, drawn.crack | part, drawn.crack | drawn.notch):
        assert away(geometry.find_tip(mask, image=drawn.image).position, drawn.tips[0]) < 3


def test_two_arms_of_a_notch_are_one_crack_with_two_tips():
    drawn = plate(3, arms=2)
    (crack,) = geometry.measure_cracks(drawn.crack, image=drawn.image)
    errors = geometry.tip_errors([drawn.tips], [crack.tip])
    assert errors.distances.max() < 3 and errors.extra == 0
    assert crack.area == drawn.crack.sum()  # the bridge across the notch is not crack
    row = crack.to_dict()
    assert {row["tip2_row"], row["other_end_row"]} == {crack.tip.second[0]}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("notched", [False, True])
def test_a_spot_of_light_at_one_end_of_a_crack_is_no_notch(notched, seed):
    """The light falls to a third along the crack: its lit end is as unlike the middle as a notch would be."""
    row, column = np.indices((300, 400))
    grain = ndimage.gaussian_filter(np.random.default_rng(seed).normal(0, 0.18, row.shape), 1)
    image = (0.25 + 0.6 * np.exp(-((row - 90) ** 2 + (column - 110) ** 2) / (2 * 45**2))) * (1 + grain)
    along = np.clip(((row - 100) * 110 + (column - 120) * 160) / (110**2 + 160**2), 0, 1)
    mask = np.hypot(row - 100 - 110 * along, column - 120 - 160 * along) <= 1.5
    image[mask] *= 0.3
    if notched:
        image[(abs(row - 212) < 9) & (column > 283)] = 0.05
    tip = geometry.find_tip(mask, image=np.float32(image))
    assert (tip.second is None) == notched
    if notched:
        np.testing.assert_allclose(tip.position, (100, 120), atol=3)


def test_a_notch_in_the_middle_may_be_said():
    mask = np.zeros((60, 140), bool)
    mask[28:32, 20:120] = True
    found = geometry.find_tip(mask, notch=(20, 70))
    errors = geometry.tip_errors([[(29.5, 19.5), (29.5, 119.5)]], [found])
    assert errors.distances.max() < 1 and found.right_end_probability > 0.9
    assert geometry.find_tip(mask, notch=(30, 22)).second is None


@pytest.mark.parametrize(("before_the_end", "wide"), [(20, 5), (30, 3), (30, 5)])
def test_a_short_branch_beside_a_tip_is_no_mouth(before_the_end, wide):
    """A crack that is widest in its middle, with both tips; the branch ends bluntly, as a mouth does."""
    mask, columns = np.zeros((110, 260), bool), np.arange(20, 241)
    along = (columns - 20) / 220
    half = 14 * np.sqrt(along * (1 - along)) + 0.8
    mask[:, columns] = np.abs(np.arange(110)[:, None] - 55) <= half
    for step in range(14):
        row, column = round(57 + step), 240 - before_the_end
        mask[row : row + 2, column : column + wide] = True
    found = sorted(geometry.find_tip(mask).positions, key=lambda position: position[1])
    assert len(found) == 2 and away(found[0], (55, 20)) < 3 and away(found[1], (55, 240)) < 3


def test_a_broken_up_crack_is_one_and_a_false_alarm_is_none_of_it():
    drawn = plate(2)
    broken = drawn.crack.copy()
    broken[:, 120:126] = broken[:, 150:160] = False
    broken[20:23, 100:140] = True
    for image in (None, drawn.image):
        cracks = geometry.measure_cracks(broken, image=image)
        assert len(cracks) == 2 and away(cracks[0].tip.position, drawn.tips[0]) < 3
        assert cracks[0].length == pytest.approx(geometry.measure_cracks(drawn.crack)[0].length, abs=6)


def test_an_edge_and_a_straight_scratch_are_longer_and_not_the_primary_crack():
    drawn = plate(6)
    image, mask = drawn.image.copy(), drawn.crack.copy()
    image[172:], mask[171:173] = 0.1, True  # the specimen's edge, 260 px
    image[20, 40:220], mask[19:22, 40:220] = 0.9, True  # a scratch, 180 px
    assert away(geometry.find_tip(mask, image=image).position, drawn.tips[0]) < 3
    assert [crack.primary for crack in geometry.measure_cracks(mask, image=image)] == [True, False, False]


def test_a_cable_is_longer_and_not_the_primary_crack():
    drawn = plate(6)
    image, mask = drawn.image.copy(), drawn.crack.copy()
    columns = np.arange(20, 250)
    for column, row in zip(columns, 30 + 40 * ((columns - 20) / 230) ** 2, strict=True):  # a smooth bend
        image[int(row) : int(row) + 3, column], mask[int(row) : int(row) + 3, column] = 0.1, True
    assert away(geometry.find_tip(mask, image=image).position, drawn.tips[0]) < 3


@pytest.mark.parametrize(("gap", "finish"), [(0.1, "grain"), (0.95, "grain"), (0.1, "brushed")])
def test_a_crack_is_followed_where_its_mask_ends(gap, finish):
    drawn = plate(4, gap=gap, finish=finish, length=140, opening=0.5)
    short = drawn.crack & (np.arange(260) < drawn.tips[0][1] - 25)
    (crack,) = geometry.measure_cracks(short, image=drawn.image)
    followed = geometry.follow_tips(crack, drawn.image)
    assert away(crack.tip.position, drawn.tips[0]) > 20
    assert away(followed.tip.position, drawn.tips[0]) < 6
    assert followed.length == pytest.approx(crack.length + 25, abs=7)
    assert followed.tip.candidates[0] == pytest.approx(followed.tip.position)


@pytest.mark.parametrize("finish", ["grain", "brushed", "speckle"])
@pytest.mark.parametrize("seed", range(4))
def test_nothing_is_followed_on_a_surface_without_crack(finish, seed):
    drawn = plate(seed, finish=finish)
    (crack,) = geometry.measure_cracks(drawn.crack, image=drawn.image)
    assert away(geometry.follow_tips(crack, drawn.image).tip.position, crack.tip.position) < 5


def test_a_crack_and_what_it_continues_to_become_one_though_the_way_jumps():
    """The way that is followed has a step of several pixels between the two pieces; the drawn way has no gap there."""
    mask = np.zeros((60, 120), np.float32)
    mask[19:22, 50:110], mask[26:29, :46] = 1, 1
    crack = max(geometry.measure_cracks(mask > 0), key=lambda each: each.centreline.points[0, 1])
    ends = crack.centreline.points[[0, -1], 1]
    points = crack.centreline.points if ends[0] > ends[1] else crack.centreline.points[::-1]
    beyond = np.stack([np.full(46, 27.0), np.arange(45.0, -1, -1)], axis=1)
    line = dataclasses.replace(crack.centreline, points=np.concatenate([points, beyond]))
    field = geometry.with_continuation(mask, 0.5, crack, dataclasses.replace(crack, centreline=line))
    assert ndimage.label(field >= 0.5, np.ones((3, 3)))[1] == 1
    assert (field >= mask).all() and field.sum() < mask.sum() + 60


@pytest.mark.parametrize("seed", range(5))
def test_white_flanks_are_followed_beyond_a_gap_that_they_make_bright(seed):
    noise = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=(80, 160)), 1.5)
    image = 0.45 + 0.2 * noise / noise.std()
    image[36:44, :80], image[37:44, 80:112], image[39:41, :80] = 0.95, 0.95, 0.35  # flanks, the same alone, a thin gap
    image = np.float32(np.clip(ndimage.gaussian_filter(image, 0.8), 0, 1))
    path = np.stack([np.full(71, 39.5), np.arange(10.0, 81)], axis=1)
    assert follow(image, path).position[1] == pytest.approx(111, abs=5)


def test_the_network_has_a_say_where_the_photograph_shows_nothing():
    image = np.full((80, 160), 0.5, np.float32) + np.float32(np.random.default_rng(0).normal(0, 0.05, (80, 160)))
    probability = np.full(image.shape, 0.01)
    probability[38:42, 10:110] = 0.99
    path = np.stack([np.full(61, 39.5), np.arange(10.0, 71)], axis=1)
    found = follow(image, path, lambda part: probability[part])
    assert found.position == pytest.approx((39.5, 110), abs=4) and found.evidence > 0


def test_a_crack_that_leaves_the_picture_is_followed_to_its_border():
    image = np.full((60, 120), 0.7, np.float32) + np.float32(np.random.default_rng(1).normal(0, 0.03, (60, 120)))
    image[29:31] = 0.1
    path = np.stack([np.full(51, 29.5), np.arange(10.0, 61)], axis=1)
    assert follow(image, path).position == pytest.approx((29.5, 119), abs=2)


def test_a_photograph_of_another_size_is_refused():
    with pytest.raises(ValueError, match="of the mask's shape"):
        geometry.find_tip(np.ones((5, 6), bool), image=np.zeros((6, 5)))


def test_the_stated_probability_grows_with_that_of_the_network():
    drawn = plate(0)
    stated = [
        geometry.find_tip(np.float32(drawn.crack) * sure, image=drawn.image).right_end_probability
        for sure in (0.6, 0.8, 0.95, 1.0)
    ]
    assert stated == sorted(stated) and stated[-1] > stated[0] + 0.1
