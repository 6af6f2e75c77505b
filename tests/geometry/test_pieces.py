"""Broken cracks: which pieces are joined, along which way, and how wide the bridges are."""

import numpy as np
import pytest
from scipy import ndimage

from crack_utils.geometry import find_tip, measure_cracks
from crack_utils.geometry.pieces import join_pieces
from crack_utils.geometry.skeleton import skeletons

LEVEL = 0.5


def two_pieces(height=120):
    """Return a probability with two pieces, five rows thick, with a gap of 60 columns between them."""
    field = np.zeros((height, 160), np.float32)
    field[48:53, 10:50] = field[48:53, 110:150] = 0.9
    return field


def bridges(field, level=LEVEL):
    """Return where a bridge was drawn."""
    return (join_pieces(field, level, skeletons(field >= level)) >= level) & (field < level)


def test_pieces_are_joined_along_a_weak_way_that_turns():
    field = two_pieces()
    way = np.zeros(field.shape, bool)
    way[50, 50:80] = way[50:81, 80] = way[80, 80:108] = way[53:81, 108] = way[50:53, 108:110] = True
    field[way] = 0.1
    bridge = bridges(field)
    rows = np.flatnonzero(bridge.any(axis=1))
    assert (rows[0], rows[-1]) == (48, 82)  # the crack's middle and the way are in the middle of five rows
    assert bridge[48:53, 60].all() and bridge[:, 60].sum() == 5
    assert bridge[60, 78:83].all() and not bridge[60, [77, 83]].any()


@pytest.mark.parametrize(("probability", "joined"), [(0.06, True), (0.04, False)])
def test_a_way_counts_if_the_network_is_unsure_all_along_it(probability, joined):
    field = two_pieces()
    field[50, 50:110] = 0.3
    field[50, 80] = probability
    assert bridges(field).any() == joined


def test_of_two_ways_the_more_probable_one_is_taken():
    field = two_pieces()
    field[30, 49:111] = field[30:48, 49] = field[30:48, 110] = 0.3  # 96 px · -ln 0.3 = 116
    field[50, 50:110] = 0.06  # 60 px · -ln 0.06 = 169
    bridge = bridges(field)
    assert bridge[30, 60:100].all() and not bridge[50, 60:100].any()


def test_a_piece_of_one_pixel_is_joined_on_both_sides():
    field = two_pieces()
    field[50, 50:110] = 0.1
    field[50, 80] = 0.9
    assert bridges(field)[50, 50:110].sum() == 59  # all but the pixel itself


def test_a_speck_beside_an_end_does_not_hide_the_next_piece():
    field = two_pieces()
    field[50, 50:110] = 0.1
    field[51:58, 54] = 0.4
    field[58, 54] = 0.9  # nearer to the second piece's way than the first piece is, but not in its direction
    assert bridges(field)[50, 50:110].all()


def test_a_speck_in_a_notch_does_not_hide_one_half_of_a_crack_from_the_other():
    rng = np.random.default_rng(0)
    image = np.float32(0.6 + rng.normal(0, 0.02, (200, 240)))
    image[50:71, 90:150] = 0.05  # the notch
    mask = np.zeros(image.shape, np.float32)
    mask[59:62, 20:88] = mask[59:62, 152:220] = 1
    halves = np.flatnonzero(mask.any(axis=0))
    mask[58, 92] = 1  # the speck
    joined = join_pieces(mask, LEVEL, skeletons(mask > LEVEL), image)
    assert joined[60, halves[0] : halves[-1]].all()


@pytest.mark.parametrize(
    ("columns", "gray", "grain", "joined"),
    [
        ((90, 150), 0.05, 0.02, True),
        ((90, 150), 0.25, 0.15, True),  # on a coarse surface, whose single pixels may be as dark as the notch
        ((90, 150), 0.95, 0.02, True),  # lit from behind
        ((98, 142), 0.05, 0.02, True),  # both halves end 10 px before the notch
        ((110, 130), 0.05, 0.02, False),  # much of the gap is surface
        ((90, 150), None, 0.15, False),  # nothing but surface
    ],
)
def test_halves_are_joined_where_the_photograph_shows_a_notch_between_them(columns, gray, grain, joined):
    rng = np.random.default_rng(0)
    image = np.float32(0.6 + ndimage.gaussian_filter(rng.normal(0, 3 * grain, (200, 240)), 1))
    if gray is not None:
        image[50:71, slice(*columns)] = gray
    mask = np.zeros(image.shape, np.float32)
    mask[59:62, 20:88] = mask[59:62, 152:220] = 1
    assert (join_pieces(mask, LEVEL, skeletons(mask > LEVEL), image)[60, 88:152] > 0).all() == joined


def test_halves_whose_masks_bend_at_the_edge_of_a_notch_are_joined_in_their_course():
    rng = np.random.default_rng(0)
    image = np.float32(0.6 + rng.normal(0, 0.02, (200, 240)))
    row, column = np.indices(image.shape)
    image[np.hypot(row - 60, column - 120) < 20] = 0.05  # a round hole
    mask = np.zeros(image.shape, np.float32)
    mask[59:62, 20:98] = mask[59:62, 142:220] = 1
    mask[50:60, 96:99] = 1  # up along its edge, by 10 px
    joined = join_pieces(mask, LEVEL, skeletons(mask > LEVEL), image)
    assert (joined[40:70, 105:135] > 0).any(axis=0).all()
    assert join_pieces(mask, LEVEL, skeletons(mask > LEVEL), np.full_like(image, 0.6)) is mask


@pytest.mark.parametrize("sigma", [2, 4])
def test_a_speck_beyond_a_tip_on_a_coarse_surface_is_not_joined(sigma):
    mask = np.zeros((120, 240), np.float32)
    mask[59:62, 20:120] = mask[59:62, 130:135] = 1
    for seed in range(20):
        grain = ndimage.gaussian_filter(np.random.default_rng(seed).normal(0, 0.1 * sigma, mask.shape), sigma)
        assert join_pieces(mask, LEVEL, skeletons(mask > LEVEL), np.float32(0.6 + grain)) is mask


def test_a_bridge_is_no_area_but_its_crack_is_one_and_nowhere_thin():
    field = two_pieces()
    field[50, 50:110] = 0.1
    (crack,) = measure_cracks(field, threshold=LEVEL)
    assert crack.area == 2 * 5 * 40
    assert crack.length == pytest.approx(140, abs=1.5)
    assert crack.centreline.widths.min() > 4


def test_ends_that_do_not_point_at_each_other_are_not_joined():
    field = np.zeros((120, 160), np.float32)
    field[48:53, 10:60] = field[60:110, 98:103] = 0.9  # the second piece points some 75° past the first
    field[50, 60:101] = field[50:60, 100] = 0.3
    assert not bridges(field).any()


@pytest.mark.parametrize(("length", "joined"), [(8, False), (20, True)])
def test_a_gap_is_no_longer_than_either_piece(length, joined):
    field = np.zeros((200, 200), np.float32)
    field[98:101, 10:100] = field[98:101, 114 : 114 + length] = 1  # a gap of some 14 px; the picture allows 16
    assert bridges(field).any() == joined


def test_a_mask_and_a_low_threshold_have_no_weak_ways():
    field = two_pieces()
    field[50, 50:110] = 0.02
    for values, level in ((np.float32(field >= LEVEL), LEVEL), (field, 0.04)):
        assert join_pieces(values, level, skeletons(values >= level)) is values


def test_a_branch_in_the_middle_is_no_mouth():
    """A crack with two tips, pointed at both ends, and a thick branch from its middle."""
    rows, columns = np.mgrid[:160, :260]
    share = np.clip((columns - 20) / 220, 0, 1)
    mask = (np.abs(rows - 60) <= 1 + 10 * np.sqrt(share * (1 - share))) & (columns >= 20) & (columns <= 240)
    mask[60:100, 122:136] = True
    tip = find_tip(mask)
    assert sorted(position[1] for position in tip.positions) == pytest.approx([20, 240], abs=3)
