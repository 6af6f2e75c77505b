import doctest
import subprocess
import sys

import numpy as np
import pytest

from crack_utils import geometry
from crack_utils.data.synthetic import render
from crack_utils.geometry import errors, tip
from crack_utils.geometry.point import sharp_point
from crack_utils.geometry.skeleton import _link, skeletons


def rasterise(size, inside, samples=8):
    """Return the mask of the pixels that a shape covers by half or more, by `samples`² points a pixel."""
    at = (np.arange(size * samples) + 0.5) / samples - 0.5 - (size - 1) / 2
    rows, columns = np.meshgrid(at, at, indexing="ij")
    covered = inside(columns, -rows).reshape(size, samples, size, samples).mean((1, 3))
    return covered >= 0.5


def bar(length, width, angle, shift=(0.13, 0.29)):
    turn = np.radians(angle)

    def inside(x, y):
        x, y = x - shift[0], y - shift[1]
        along, across = x * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - x * np.sin(turn)
        return (np.abs(along) <= length / 2) & (np.abs(across) <= width / 2)

    return rasterise(int(length + width + 12), inside)


@pytest.mark.parametrize("angle", [0, 7, 24, 43, 71, 90, 137, 163])
@pytest.mark.parametrize(("length", "width"), [(100, 2), (60, 5), (90, 12), (120, 20), (40, 3), (40, 12), (40, 20)])
def test_bars_at_any_angle(length, width, angle):
    (crack,) = geometry.measure_cracks(bar(length, width, angle))
    assert crack.length == pytest.approx(length, rel=0.02)
    assert crack.mean_width == pytest.approx(width, abs=0.5)
    assert (crack.orientation - angle + 90) % 180 - 90 == pytest.approx(0, abs=2 if length > 4 * width else 4)
    assert crack.area == pytest.approx(length * width, rel=0.08)


@pytest.mark.parametrize(("radius", "width"), [(40, 2), (60, 6), (80, 5), (100, 10)])
@pytest.mark.parametrize("turn", [0, 0.7])
def test_arcs(radius, width, turn):
    def inside(x, y):
        angle = (np.arctan2(y, x) - turn + np.pi) % (2 * np.pi) - np.pi
        return (np.abs(np.hypot(x, y) - radius) <= width / 2) & (np.abs(angle) <= 1.5)

    (crack,) = geometry.measure_cracks(rasterise(2 * radius + width + 10, inside))
    assert crack.length == pytest.approx(3 * radius, rel=0.02)
    assert crack.mean_width == pytest.approx(width, abs=0.5)


@pytest.mark.parametrize("angle", [0, 24, 45, 137])
@pytest.mark.parametrize(("length", "wide", "narrow"), [(100, 12, 2), (60, 10, 3)])
def test_wedges_at_any_angle(length, wide, narrow, angle):
    turn = np.radians(angle)

    def inside(x, y):
        along, across = x * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - x * np.sin(turn)
        half = 0.5 * (wide + (narrow - wide) * (along / length + 0.5))
        return (np.abs(along) <= length / 2) & (np.abs(across) <= half)

    (crack,) = geometry.measure_cracks(rasterise(length + wide + 12, inside))
    assert crack.length == pytest.approx(length, rel=0.02)
    assert crack.mean_width == pytest.approx((wide + narrow) / 2, abs=0.5)
    along, widths = crack.centreline.along / crack.length, crack.centreline.widths
    along = along if widths[0] > widths[-1] else 1 - along
    np.testing.assert_allclose(widths[5:-5], (wide + (narrow - wide) * along)[5:-5], atol=1.2)


def test_a_probability_is_measured_at_its_level_set():
    rows = np.abs(np.arange(41.0) - 20)[:, None]
    probability = np.broadcast_to(np.clip((3.3 - rows) / 2 + 0.5, 0, 1), (41, 80))  # 0.5 at 3.3 px from the middle
    (crack,) = geometry.measure_cracks(probability, threshold=0.5)
    assert crack.mean_width == pytest.approx(6.6, abs=0.05)
    (wider,) = geometry.measure_cracks(probability, threshold=0.25)
    assert wider.mean_width == pytest.approx(7.6, abs=0.05)


def test_ring_is_followed_all_around_and_has_no_tip():
    mask = rasterise(80, lambda x, y: np.abs(np.hypot(x, y) - 30) <= 2)
    (crack,) = geometry.measure_cracks(mask)
    assert crack.centreline.closed and crack.length == pytest.approx(2 * np.pi * 30, rel=0.02)
    assert not geometry.find_tip(mask).found and not crack.tip.found


def test_one_pixel_and_nothing():
    mask = np.zeros((9, 11), bool)
    found = geometry.find_tip(mask)
    assert not found.found and found.position is None and found.candidates.shape == (0, 2)
    assert geometry.measure_cracks(mask) == []
    mask[4, 5] = True
    (crack,) = geometry.measure_cracks(mask)
    assert (crack.length, crack.area, crack.widest[0]) == (pytest.approx(1), 1, pytest.approx(4))


@pytest.mark.parametrize("size", [(1, 1), (1, 2), (2, 1), (2, 2), (3, 3), (1, 40)])
def test_pictures_of_few_pixels(size):
    assert geometry.measure_cracks(np.zeros(size, bool)) == []
    (crack,) = geometry.measure_cracks(np.ones(size, bool))
    assert crack.area == size[0] * size[1]


def test_disc_is_as_long_as_wide():
    (crack,) = geometry.measure_cracks(rasterise(50, lambda x, y: np.hypot(x, y) <= 15))
    assert crack.length == pytest.approx(30, abs=1.5) and crack.max_width == pytest.approx(30, abs=1)


def test_a_spur_goes_and_a_branch_stays():
    mask = np.zeros((40, 90), bool)
    mask[18:23, 5:85] = True
    mask[15:18, 40:43] = True  # a bump shorter than the crack is wide
    assert [len(each.ends) for each in skeletons(mask)] == [2]
    mask[2:18, 40:43] = True
    assert [len(each.ends) for each in skeletons(mask)] == [3]


def test_a_crack_that_leaves_the_picture_ends_inside():
    mask = np.zeros((30, 60), bool)
    mask[14:17, 20:] = True
    assert geometry.find_tip(mask).position == pytest.approx((15, 19.5), abs=0.51)
    mask[14:17] = True
    assert not geometry.find_tip(mask).found
    assert geometry.measure_cracks(mask)[0].length == pytest.approx(60, abs=0.1)


def wedge():
    """A crack that narrows to the right, from 10 px to nothing."""
    return rasterise(120, lambda x, y: (np.abs(x) <= 50) & (np.abs(y) <= 5 * (50 - x) / 100))


def test_the_tip_is_the_narrow_end_or_the_one_far_from_the_notch():
    mask = wedge()
    assert geometry.find_tip(mask).position[1] > 90
    assert geometry.find_tip(mask, notch=(60, 110)).position[1] == pytest.approx(9.5, abs=1)


@pytest.mark.parametrize("turns", range(4))
@pytest.mark.parametrize("mirrored", [False, True])
def test_eight_symmetries(turns, mirrored):
    mask = wedge()
    mask[70:73, 20:50] = True
    marker = np.zeros(mask.shape)
    row, column = geometry.find_tip(mask).position
    marker[round(row), round(column)] = 1
    turned, marker = (np.rot90(each[:, ::-1] if mirrored else each, turns) for each in (mask, marker))
    assert geometry.find_tip(turned).position == pytest.approx(np.argwhere(marker)[0], abs=1.5)
    lengths = [[crack.length for crack in geometry.measure_cracks(each)] for each in (mask, turned)]
    assert lengths[0] == pytest.approx(lengths[1], rel=0.02)


def test_the_longest_component_is_primary_not_the_last():
    mask = np.zeros((60, 80), bool)
    mask[10:13, 5:65] = True
    mask[50:53, 20:40] = True
    found = geometry.find_tip(mask, notch=(11, 5))
    assert found.position == pytest.approx((11, 64.5), abs=0.5)  # not N/(N − 1) times as far
    assert len(found.candidates) == 4
    assert [crack.primary for crack in geometry.measure_cracks(mask)] == [True, False]


def test_a_diagonal_is_not_short():
    (crack,) = geometry.measure_cracks(np.eye(60, dtype=bool))
    assert crack.length == pytest.approx(60 * np.sqrt(2), rel=0.02)


def test_areas_are_in_square_millimetres():
    row = geometry.measure_cracks(np.pad(np.ones((4, 50), bool), 10), mm_per_px=0.1)[0].to_dict()
    assert row["area_px2"] == 200 and row["area_mm2"] == pytest.approx(2)
    assert row["length_mm"] == pytest.approx(5, rel=0.02)


def test_probability_gives_the_same_edge_as_its_level_set():
    columns = np.arange(80.0)
    probability = np.zeros((30, 80), np.float32)
    probability[12:17] = np.clip((60.3 - columns) / 10 + 0.5, 0, 1)  # 0.5 at column 60.3
    found = geometry.find_tip(probability)
    assert found.position == pytest.approx((14, 60.3), abs=0.3)
    assert found.uncertainty == pytest.approx(np.hypot(0.5, 2.5), abs=0.3)


def test_missed_tips_are_failures():
    found = geometry.tip_errors([(0, 0)] * 4, [(0, 1), (0, 4), None, (0, 9)], mm_per_px=0.5)
    summary = found.summary()
    assert (summary["success_2"], summary["success_5"], summary["success_10"]) == (0.25, 0.5, 0.75)
    assert summary["median"] == 6.5 and summary["median_mm"] == 3.25
    assert summary["percentile_90"] == np.inf and summary["misses"] == 1


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: geometry.find_tip(np.full((5, 5), 255)), "mask > 127"),
        (lambda: geometry.find_tip(np.full((5, 5), np.nan)), "not in"),
        (lambda: geometry.find_tip(np.zeros((5, 5, 1))), "height, width"),
        (lambda: geometry.find_tip(np.zeros((5, 5)), threshold=1), "threshold"),
        (lambda: geometry.find_tip(np.zeros((5, 5)), notch=3), "notch"),
        (lambda: geometry.measure_cracks(np.zeros((5, 5))), "float64"),
        (lambda: geometry.measure_cracks(np.zeros((5, 5), bool), mm_per_px=0), "mm_per_px"),
        (lambda: geometry.measure_cracks(np.zeros((5, 5), bool), mm_per_px=1e300), "mm_per_px"),
        (lambda: geometry.tip_errors([(1, 2)], []), "one per picture"),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_examples_and_no_tensorflow():
    for module in (tip, errors):
        assert doctest.testmod(module).failed == 0
    code = "import sys, crack_utils.geometry; sys.exit('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def forked(turn, length, width):
    """A crack that narrows from 10 px to nothing, 100 px long, with a branch from its middle, turned by an angle."""

    def inside(x, y):
        along, across = x * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - x * np.sin(turn)
        primary = (np.abs(x) <= 50) & (np.abs(y) <= 5 * np.sqrt((50 - np.minimum(x, 50)) / 100))
        return primary | ((along >= 0) & (along <= length) & (np.abs(across) <= width / 2))

    return rasterise(180, inside)


@pytest.mark.parametrize("turn", [0.7, -0.9, 1.3])
@pytest.mark.parametrize("turns", range(4))
def test_a_longer_branch_at_an_angle_is_no_tip(turn, turns):
    mask = forked(turn, 70, 5)  # straight ahead there are 50 px to the tip, at (89.5, 139.5)
    found = geometry.find_tip(np.rot90(mask, turns))
    marker = np.zeros(mask.shape, bool)
    marker[88:92, 136:142] = True
    assert np.rot90(marker, turns)[tuple(np.round(found.position).astype(int))]
    assert len(found.candidates) == 3
    np.testing.assert_array_equal(found.candidates[0], found.position)


def test_an_end_on_one_side_has_its_point_there_and_a_flat_one_has_none():
    mask = np.zeros((40, 80), np.float32)
    mask[18:25, :50] = 1
    path, radii = np.stack([np.full(47, 21), np.arange(47)], axis=1), np.full(47, 4.0)
    assert sharp_point(mask, 0.5, path, radii, np.array([0.0, 1.0])) is None
    for row in range(18, 25):
        mask[row, 50 : 50 + row - 18] = 1  # the lower a row, the longer
    assert sharp_point(mask, 0.5, path, radii, np.array([0.0, 1.0])) == pytest.approx((24, 55), abs=0.51)
    assert sharp_point(mask, 0.5, path[-3:], radii[-3:], np.array([0.0, 1.0])) is None  # too short to tell


@pytest.mark.acceptance
def test_tips_of_held_out_specimens():
    shots = [render(number, frame, 10, (512, 640), seed=7) for number in range(60) for frame in (4, 9)]
    true = [shot.tip for shot in shots]
    # From the primary crack's mask, and from one that holds secondary cracks too.
    for masks in ([shot.parts == 1 for shot in shots], [shot.mask for shot in shots]):
        summary = geometry.tip_errors(true, list(map(geometry.find_tip, masks))).summary()
        assert summary["median"] <= 1 and summary["percentile_90"] <= 2


def test_links_join_neighbours_once_and_corners_only_where_no_third_pixel_does():
    mask = np.random.default_rng(0).random((17, 23)) < 0.4
    pixels = np.argwhere(mask)
    places = {tuple(pixel): number for number, pixel in enumerate(pixels)}
    expected = np.zeros((len(pixels), len(pixels)))
    for (row, column), number in places.items():
        for down, right in ((0, 1), (1, 0), (1, 1), (1, -1)):
            corner = down and right and ((row + down, column) in places or (row, column + right) in places)
            if (other := places.get((row + down, column + right))) is not None and not corner:
                expected[number, other] = expected[other, number] = np.hypot(down, right)
    np.testing.assert_array_equal(_link(pixels, mask.shape).toarray(), expected)


def test_a_probability_stays_as_it_was_given():
    probability = np.zeros((30, 60), np.float32)
    probability[10:16, 5:50] = 0.9
    probability[12, 20] = 0.1  # a pore
    before = probability.copy()
    (crack,) = geometry.measure_cracks(probability, threshold=0.5)
    np.testing.assert_array_equal(probability, before)
    assert crack.area == 6 * 45 - 1 and crack.tip.found
