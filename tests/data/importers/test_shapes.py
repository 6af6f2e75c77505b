"""Outlines, lines and runs of pixels as masks: computed by hand, and against pycocotools and the definition."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools import mask as coco
from scipy.ndimage import label
from skimage.draw import polygon2mask

from crack_utils.data.importers.shapes import line, paste, polygon, runs
from crack_utils.geometry.skeleton import EIGHT

SIZE = (6, 8)


def picture(*rows):
    return np.array([[pixel == "#" for pixel in row] for row in rows])


@pytest.mark.parametrize(
    ("points", "expected"),
    [
        (  # the corners of pixels: columns 1 to 4, rows 1 to 3
            [(1, 1), (5, 1), (5, 4), (1, 4)],
            picture("........", ".####...", ".####...", ".####...", "........", "........"),
        ),
        (  # a right angle: no centre lies below the diagonal
            [(0, 0), (4, 0), (0, 4)],
            picture("###.....", "##......", "#.......", "........", "........", "........"),
        ),
        (  # half outside the picture
            [(-3, -3), (2, -3), (2, 2), (-3, 2)],
            picture("##......", "##......", "........", "........", "........", "........"),
        ),
        (  # thinner than a pixel, between centres: the outline's pixels
            [(1, 2.1), (7, 2.1), (7, 2.3), (1, 2.3)],
            picture("........", "........", ".#######", "........", "........", "........"),
        ),
    ],
    ids=["square", "triangle", "outside", "hairline"],
)
def test_polygons_by_hand(points, expected):
    np.testing.assert_array_equal(polygon(points, SIZE), expected)


def test_a_traced_outline_goes_through_pixels():
    expected = picture("........", ".####...", ".####...", ".####...", "........", "........")
    np.testing.assert_array_equal(polygon([(1, 1), (4, 1), (4, 3), (1, 3)], SIZE, traced=True), expected)
    np.testing.assert_array_equal(np.argwhere(polygon([(3, 2)], SIZE, traced=True)), [(2, 3)])
    np.testing.assert_array_equal(np.argwhere(polygon([(3, 2), (4, 3)], SIZE, traced=True)), [(2, 3), (3, 4)])


corners = st.lists(st.tuples(st.integers(-16, 496), st.integers(-16, 336)), min_size=3, max_size=8)
many = settings(derandomize=True, deadline=None, max_examples=30)


@many
@given(corners)
def test_polygons_are_as_pycocotools_draws_them_but_where_they_are_thin(points):
    points = np.array(points) / 8  # exact, so that rounding does not depend on where a part is cut out
    expected = coco.decode(coco.frPyObjects([points.ravel().tolist()], 40, 60)[0]).astype(bool)
    drawn = polygon(points, (40, 60))
    assert (drawn >= expected).all()
    y, x = (axis + 0.5 for axis in np.nonzero(drawn & ~expected))
    distance = np.full(len(x), np.inf)
    for start, end in zip(points, np.roll(points, -1, axis=0), strict=True):
        for share in np.linspace(0, 1, 200):
            at = start + share * (end - start)
            distance = np.minimum(distance, np.hypot(x - at[0], y - at[1]))
    assert (distance < 1.5).all()  # what is added lies on the outline


@many
@given(st.floats(0, 2 * np.pi), st.integers(3, 9), st.floats(5, 18))
def test_the_area_of_a_polygon_is_kept(turn, count, radius):
    angles = turn + np.arange(count) * 2 * np.pi / count
    points = np.c_[30.3 + radius * np.cos(angles), 20.2 + radius * np.sin(angles)]
    area = count / 2 * radius**2 * np.sin(2 * np.pi / count)
    drawn = polygon(points, (40, 60))
    assert label(drawn, EIGHT)[1] == 1
    centres = polygon2mask((40, 60), points[:, ::-1] - 0.5)
    assert (drawn ^ centres).sum() <= 0.15 * 2 * count * radius  # the rounding of pycocotools: a fifth of a pixel
    assert abs(drawn.sum() - area) <= 2 * np.pi * radius * 0.35


@many
@given(
    st.tuples(st.floats(1, 59), st.floats(1, 39)),
    st.tuples(st.floats(1, 59), st.floats(1, 39)),
    st.floats(0, 3),
    st.floats(0, np.pi),
)
def test_a_hairline_is_one_piece_from_end_to_end(start, end, thickness, direction):
    start, end = np.array(start), np.array(end)
    across = thickness / 2 * np.array([np.cos(direction), np.sin(direction)])
    drawn = polygon([start - across, end - across, end + across, start + across], (40, 60))
    assert label(drawn, EIGHT)[1] == 1
    rows, columns = np.nonzero(drawn)
    for x, y in (start, end):
        assert np.hypot(columns + 0.5 - x, rows + 0.5 - y).min() <= thickness / 2 + 2.5 * np.sqrt(2)


@pytest.mark.parametrize(
    ("points", "width", "expected"),
    [
        ([(1.5, 2.5), (6.5, 2.5)], 1, picture("........", "........", ".######.", "........", "........", "........")),
        ([(2.5, 2.5), (4.5, 2.5)], 2, picture("........", "..###...", ".#####..", "..###...", "........", "........")),
        ([(1.5, 1.5), (4.5, 4.5)], 1, picture("........", ".#......", "..#.....", "...#....", "....#...", "........")),
        ([(1.5, 0.5), (1.5, 3.5), (3.5, 3.5)], 1, picture(*[".#......"] * 3, ".###....", *["........"] * 2)),
        ([(3, 2), (3, 2)], 1.5, picture("........", "..##....", "..##....", "........", "........", "........")),
    ],
    ids=["one pixel", "two pixels, round ends", "diagonal", "corner", "a point"],
)
def test_lines_by_hand(points, width, expected):
    np.testing.assert_array_equal(line(points, width, SIZE), expected)


@many
@given(
    st.lists(st.tuples(st.floats(0, 60), st.floats(0, 40)), min_size=2, max_size=6),
    st.floats(1, 9),
)
def test_lines_are_one_piece_and_as_wide_as_said(points, width):
    drawn = line(points, width, (40, 60))
    y, x = (axis + 0.5 for axis in np.mgrid[:40, :60])
    nearest = np.full((40, 60), np.inf)
    for start, end in zip(np.array(points[:-1]), np.array(points[1:]), strict=True):
        for share in np.linspace(0, 1, 200):
            at = start + share * (end - start)
            nearest = np.minimum(nearest, np.hypot(x - at[0], y - at[1]))
    assert drawn[nearest <= width / 2 - 0.01].all() and not drawn[nearest > width / 2 + 0.1].any()
    assert label(drawn, EIGHT)[1] <= 1


@many
@given(st.integers(1, 12), st.integers(1, 12), st.randoms(use_true_random=False))
def test_runs_are_read_as_pycocotools_writes_them(height, width, random):
    mask = np.array([[random.random() < 0.4 for _ in range(width)] for _ in range(height)])
    padded = np.r_[0, mask.ravel(), 1 - mask.ravel()[-1]].astype(int)
    changes = np.flatnonzero(np.diff(padded)).tolist()
    counts = np.diff([0, *changes]).tolist() if changes else [mask.size]
    np.testing.assert_array_equal(runs(counts, (height, width)), mask)


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda: polygon([(0, 0), (1, 1)], SIZE), "2 point"),
        (lambda: polygon([(0, 0), (1, 1), (float("nan"), 2)], SIZE), "not a list of points"),
        (lambda: polygon([(0, 0), (1, 1), (1e300, 2)], SIZE), "far out of the picture"),
        (lambda: polygon([(0, 0), (1, 1), (10**400, 2)], SIZE), "not a list of points"),
        (lambda: polygon([(0, 0, 1)] * 3, SIZE), "not a list of points"),
        (lambda: polygon("abc", SIZE), "not a list of points"),
        (lambda: polygon(None, SIZE), "not a list of points"),
        (lambda: polygon({"a": 1}, SIZE), "not a list of points"),
        (lambda: polygon([(0, 0), (4000, 3000)] * 2000, (3000, 4000)), "longer than"),
        (lambda: line([(0, 0), (1, 1)], None, SIZE), "--line-width"),
        (lambda: line([(0, 0)], 3, SIZE), "1 point"),
        (lambda: runs([4, 4], SIZE), "of 8 pixels"),
        (lambda: runs([-4, 52], SIZE), "not a length"),
        (lambda: runs([2**70], SIZE), "not a length"),
        (lambda: runs([48.0], SIZE), "not a length"),
        (lambda: runs(["48"], SIZE), "not a length"),
        (lambda: paste(np.ones((2, 2), bool), 7, 0, SIZE), "reaches out"),
        (lambda: paste(np.ones((2, 2), bool), 0, -1, SIZE), "reaches out"),
    ],
)
def test_what_is_no_shape_is_refused(draw, message):
    with pytest.raises(ValueError, match=message):
        draw()
