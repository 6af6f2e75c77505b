"""Polylines with thickness: what they cover, that they follow cracks, and replay byte for byte."""

import numpy as np
import pytest

from crack_utils.labelling import Recipe, lines
from crack_utils.labelling.lines import centre_line, polyline, snapped


def wavy(tone=60, size=(120, 300), width=3):
    """Return a photograph with a wavy crack over its whole width, and the crack's row in each column."""
    generator = np.random.default_rng(0)
    image = generator.integers(140, 170, size, dtype=np.uint8)
    rows = np.rint(60 + 12 * np.sin(np.arange(size[1]) / 20)).astype(int)
    for column, row in enumerate(rows):
        image[row - width // 2 : row + width // 2 + 1, column] = tone
    return image, rows


def covered(points, widths, size=(7, 9)):
    image = np.full(size, 200, np.uint8)
    return polyline(image, np.zeros(size, bool), points, widths, "straight").astype(int)


def test_a_horizontal_line_of_three_pixels_has_round_ends():
    expected = np.zeros((7, 9), int)
    expected[2:5, 2:7] = 1  # within 1.5 px of the line from (3, 2) to (3, 6)
    expected[3, 1] = expected[3, 7] = 1
    expected[2, 1] = expected[4, 1] = expected[2, 7] = expected[4, 7] = 1  # √2 from the end
    assert (covered([(3, 2), (3, 6)], [3]) == expected).all()


def test_one_point_is_a_disk_and_thickness_changes_evenly():
    rows, columns = np.ogrid[:7, :9]
    assert (covered([(3, 4)], [4]) == ((rows - 3) ** 2 + (columns - 4) ** 2 <= 4)).all()
    wedge = covered([(10, 0), (10, 20)], [1, 11], size=(21, 21))
    heights = wedge.sum(axis=0)
    assert heights[0] == 1 and heights[10] == 7 and heights[20] == 11  # 1 + 2·floor(0.5 + 5·column/20)
    assert (np.diff(heights) >= 0).all()


def test_a_line_of_one_pixel_has_no_gap():
    from skimage.measure import label

    for end in [(40, 7), (13, 40), (40, 40), (25.3, 39.9)]:
        line = covered([(0.4, 0.2), end], [1], size=(45, 45))
        assert label(line, connectivity=2).max() == 1 and line[0, 0] and line[round(end[0]), round(end[1])]


def test_a_long_line_is_all_that_lies_within_half_its_width():
    first, last = np.array([3.25, 2.125]), np.array([35.25, 290.75])
    pixels = np.stack(np.mgrid[:40, :300], axis=-1) - first
    along = np.clip(pixels @ (last - first) / ((last - first) ** 2).sum(), 0, 1)
    away = np.linalg.norm(pixels - along[..., None] * (last - first), axis=-1)
    assert (covered([first, last], [5], size=(40, 300)) == (away <= 2.5)).all()


@pytest.mark.parametrize("turn", [np.fliplr, np.flipud, np.rot90])
def test_a_turned_straight_line_gives_the_turned_mask(turn):
    points = [(2.3, 3.7), (17.1, 30.2), (9.5, 33)]
    mask = covered(points, [2, 5.5, 1], size=(40, 40))
    turned = {
        np.fliplr: [(row, 39 - column) for row, column in points],
        np.flipud: [(39 - row, column) for row, column in points],
        np.rot90: [(39 - column, row) for row, column in points],
    }[turn]
    assert (covered(turned, [2, 5.5, 1], size=(40, 40)) == turn(mask)).all()
    assert (covered(points[::-1], [1, 5.5, 2], size=(40, 40)) == mask).all()


@pytest.mark.parametrize(("follow", "tone"), [("dark", 60), ("bright", 250)])
def test_between_two_clicks_the_line_follows_the_crack(follow, tone):
    image, rows = wavy(tone)
    line = centre_line(image / np.float32(255), (rows[10], 10), (rows[280], 280), follow)
    assert tuple(line[0]) == (rows[10], 10) and tuple(line[-1]) == (rows[280], 280)
    assert np.abs(line[:, 0] - np.interp(line[:, 1], np.arange(300), rows)).max() <= 1.5
    other = "bright" if follow == "dark" else "dark"
    astray = centre_line(image / np.float32(255), (rows[10], 10), (rows[280], 280), other)
    assert np.abs(astray[:, 0] - np.interp(astray[:, 1], np.arange(300), rows)).max() > 3


def test_two_clicks_mark_a_wavy_crack():
    image, rows = wavy()
    truth = np.zeros(image.shape, bool)
    for column in range(10, 281):
        truth[rows[column] - 1 : rows[column] + 2, column] = True
    mask = polyline(image, np.zeros(image.shape, bool), [(rows[10], 10), (rows[280], 280)], [3])
    assert (mask & truth).sum() / (mask | truth).sum() > 0.75
    straight = polyline(image, np.zeros(image.shape, bool), [(rows[10], 10), (rows[280], 280)], [3], "straight")
    assert (straight & truth).sum() / (straight | truth).sum() < 0.3


def test_a_click_beside_the_crack_is_taken_to_it():
    image = np.full((40, 60), 180, np.uint8)
    image[20, :] = 60
    unit = image / np.float32(255)
    assert snapped(unit, (22.4, 30.2)) == (20, 30)
    assert snapped(unit, (22.4, 30.2), "straight") == (22.4, 30.2)
    assert snapped(unit, (30.4, 30.2)) == (30.4, 30.2), "too far away"
    assert snapped(unit, (-3, 5)) == (-3, 5)


def test_colour_and_sixteen_bits_follow_the_same_way():
    image, rows = wavy()
    ends = [(rows[10], 10), (rows[200], 200)]
    empty = np.zeros(image.shape, bool)
    expected = polyline(image, empty, ends, [3])
    assert (polyline(np.stack([image] * 3, axis=2), empty, ends, [3]) == expected).mean() > 0.999
    assert (polyline(image.astype(np.uint16) * 257, empty, ends, [3]) == expected).all()


def test_subtracting_erases():
    full = np.ones((7, 9), bool)
    mask = polyline(np.zeros((7, 9)), full, [(3, 2), (3, 6)], [3], "straight", "subtract")
    assert (mask == (covered([(3, 2), (3, 6)], [3]) == 0)).all()


def test_it_replays_after_saving_and_as_a_script(tmp_path):
    image, rows = wavy()
    recipe = Recipe()
    recipe.add("polyline", points=[(rows[c] + 0.01, c) for c in (10, 150, 280)], widths=[2, 4.05, 3])
    recipe.add("polyline", points=[(30, 30), (90, 40)], widths=[5], follow="straight", mode="subtract")
    recipe.save(tmp_path / "recipe.json")
    loaded = Recipe.load(tmp_path / "recipe.json")
    assert loaded == recipe and loaded.digest == recipe.digest
    mask = recipe.apply(image).mask
    names = {}
    exec(loaded.to_python(), names)
    assert (names["label"](image)[0] == mask).all() and (loaded.apply(image).mask == mask).all()
    assert str(recipe.steps[0]) == "line, dark, 2 to 4.0625 px"
    assert str(recipe.steps[1]) == "stroke, 5 px, subtracted"


BAD = [
    ({"points": []}, "needs 1 to 10000 points, not 0"),
    ({"points": [(1, 2, 3)]}, "pairs"),
    ({"points": [(1, np.nan)]}, "finite"),
    ({"widths": [1, 2, 3]}, "one for each of the 2 points, not 3"),
    ({"widths": [0.5]}, "from 1 to 500"),
    ({"widths": [True]}, "from 1 to 500"),
    ({"widths": 3}, "numbers"),
    ({"follow": "gray"}, "unknown follow 'gray'; valid are dark, bright, straight"),
    ({"mode": "xor"}, "unknown mode 'xor'"),
    ({"points": [(50, 50), (60, 60)]}, "outside the image of 7×9"),
]


@pytest.mark.parametrize(("change", "message"), BAD)
def test_bad_input_is_refused(change, message):
    given = {"points": [(1, 1), (2, 2)], "widths": [2]} | change
    with pytest.raises(ValueError, match=message):
        polyline(np.zeros((7, 9)), np.zeros((7, 9), bool), **given)


def test_points_outside_the_image_and_far_apart_are_joined_straight():
    image = np.zeros((8, lines.LONGEST + 10), np.float32)
    assert len(centre_line(image, (-5, 2), (4, 30))) == 2
    assert len(centre_line(image, (2, 0), (2, lines.LONGEST + 5))) == 2
    assert len(centre_line(image, (2, 3), (2.2, 3.3))) == 2
