"""The labelling tools: small masks that a person can work out, symmetry, peers, speed and bad input (R11–R14)."""

import itertools
import subprocess
import sys
import time

import numpy as np
import pytest
from scipy import ndimage
from skimage import color, draw, morphology
from skimage.segmentation import morphsnakes

from crack_utils import labelling
from crack_utils.labelling import contour, tools

SYMMETRIES = [
    pytest.param(turns, mirrored, id=f"turned{90 * turns}{'-mirrored' * mirrored}")
    for turns, mirrored in itertools.product(range(4), (False, True))
]


def picture(text):
    """Return a small mask drawn with # and . as a bool array."""
    return np.array([[character == "#" for character in row] for row in text.split()])


def moved(array, turns, mirrored):
    """Return an array mirrored, then turned by quarter turns."""
    return np.rot90(array[:, ::-1] if mirrored else array, turns)


def moved_point(point, size, turns, mirrored):
    """Return where `moved` takes a point of an array of this size."""
    (row, column), (height, width) = point, size
    if mirrored:
        column = width - 1 - column
    for _ in range(turns):
        row, column, height, width = width - 1 - column, row, width, height
    return row, column


@pytest.fixture(scope="module")
def scene():
    """Return a noisy photograph of a dark crack, and a rough mask around it."""
    generator = np.random.default_rng(0)
    crack = np.zeros((48, 64), bool)
    crack[20:24, 5:50] = True
    crack[24:40, 46:49] = True
    image = np.where(crack, 0.25, 0.7) + generator.normal(0, 0.06, crack.shape)
    return (255 * np.clip(image, 0, 1)).astype(np.uint8), morphology.dilation(crack, morphology.disk(3))


def test_contrast_stretch_saturates_one_percent_at_either_end():
    image = np.arange(100, dtype=np.uint8).reshape(10, 10) + 50
    stretched = labelling.contrast_stretch(image).ravel()
    # More than 1 % lie at or below the second value; 99 % lie at or below the ninety-ninth.
    assert stretched[0] == stretched[1] == 0 and stretched[2] > 0
    assert stretched[98] == stretched[99] == 1 and stretched[97] < 1


def test_contrast_stretch_leaves_a_flat_image():
    assert (labelling.contrast_stretch(np.full((4, 4), 51, np.uint8)) == np.float32(0.2)).all()


FILLED = np.array([[0, 0, 90, 200], [90, 0, 90, 0], [90, 90, 0, 200]], np.uint8)  # stretched: divided by 200


@pytest.mark.parametrize(
    ("seed", "tolerance", "expected"),
    [
        ((0, 0), 0.0, "##.. .#.# ..#."),  # diagonal neighbours hang together
        ((0, 0), 0.44, "##.. .#.# ..#."),
        ((0, 0), 0.45, "###. #### ###."),  # exactly the difference
        ((1, 0), 0.0, "..#. #.#. ##.."),
        ((0, 3), 0.0, "...# .... ...."),
        ((0, 3), 1.0, "#### #### ####"),
    ],
)
def test_flood_fill_takes_the_connected_pixels_within_the_tolerance(seed, tolerance, expected):
    assert (labelling.flood_fill(FILLED, seed, tolerance) == picture(expected)).all()


def test_flood_fill_compares_colours_by_squared_distance_to_the_seed():
    image = np.zeros((1, 4, 3), np.uint8)
    image[0] = [(200, 0, 0), (190, 0, 0), (0, 200, 0), (200, 0, 0)]
    lab = color.rgb2lab(image)
    distance = ((lab - lab[0, 0]) ** 2).sum(axis=2)
    assert tools._colour_distance(image, (0, 0)) == pytest.approx(distance, rel=1e-3, abs=1e-3)
    assert labelling.flood_fill(image, (0, 0)).tolist() == [[True, True, False, False]]


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.float64])
def test_flood_fill_of_every_type_of_picture_agrees(scene, dtype):
    image = scene[0]
    scaled = image.astype(dtype) * 257 if dtype == np.uint16 else image.astype(dtype)
    scaled = scaled if np.issubdtype(dtype, np.integer) else scaled / dtype(255)
    # 16-bit pictures are stretched between finer bins, so a tolerance on the edge of one gray value is avoided.
    expected = labelling.flood_fill(image, (21, 10), 0.2503)
    assert (labelling.flood_fill(scaled, (21, 10), 0.2503) == expected).all()


ROIS = [
    ("rectangle", [(1, 1), (2, 3)], None, ".... .### .### ...."),
    ("rectangle", [(2.4, 3.2), (0.6, 1.9)], None, ".... ..## ..## ...."),
    ("polygon", [(0, 0), (0, 3), (3, 0)], None, "#### ###. ##.. #..."),
    ("polygon", [(0.5, -0.5), (0.5, 3.5), (1.5, 1.5)], None, ".... .##. .... ...."),
    ("polygon", [(-5, -5), (-5, 9), (1, 9), (1, -5)], None, "#### #### .... ...."),
    ("freehand", [(0, 0), (3, 0), (0, 3), (3, 3)], None, "#..# #### #### #..#"),  # crosses itself: two triangles
    ("disk", [(1, 1)], 1, ".#.. ###. .#.. ...."),
    ("disk", [(1.5, 1.5)], 1.6, ".##. #### #### .##."),
]


@pytest.mark.parametrize(("shape", "points", "radius", "expected"), ROIS)
def test_draw_roi_by_hand(shape, points, radius, expected):
    region = labelling.draw_roi(np.zeros((4, 4), bool), shape, points, radius)
    assert (region == picture(expected)).all()
    full = np.ones((4, 4), bool)
    assert (labelling.draw_roi(full, shape, points, radius, mode="subtract") == ~region).all()


def test_polygon_agrees_with_scikit_image_off_the_outline():
    generator = np.random.default_rng(3)
    for _ in range(30):
        points = np.round(generator.uniform(-4, 34, (7, 2)) * 16) / 16
        ours = labelling.draw_roi(np.zeros((30, 31), bool), "polygon", points)
        theirs = draw.polygon2mask((30, 31), points)
        rows, columns = np.nonzero(ours != theirs)
        for row, column in zip(rows, columns, strict=True):  # only pixels that lie exactly on an edge
            ends = np.roll(points, -1, axis=0) - points
            along = np.array([row, column]) - points
            cross = ends[:, 0] * along[:, 1] - ends[:, 1] * along[:, 0]
            assert (cross == 0).any()


DOT = "..... ..... ..#.. ..... ....."


@pytest.mark.parametrize(
    ("tool", "arguments", "given", "expected"),
    [
        ("dilate", {"radius": 1}, DOT, "..... ..#.. .###. ..#.. ....."),
        ("dilate", {"radius": 2}, DOT, "..#.. .###. ##### .###. ..#.."),
        ("erode", {"radius": 1}, "..#.. .###. ##### .###. ..#..", "..... ..#.. .###. ..#.. ....."),
        ("erode", {"radius": 1}, "##... ##... ##... ##... ##...", "#.... #.... #.... #.... #...."),
        ("erode", {"radius": 9}, "##### ##### ##### ##### #####", "##### ##### ##### ##### #####"),
        ("opening", {"radius": 1}, "..#.. .###. ##### .#... .....", "..#.. .###. ###.. .#... ....."),
        ("closing", {"radius": 1}, "..... .#.#. ..... ..... .....", "..... .#.#. ..... ..... ....."),
        ("closing", {"radius": 1}, ".###. .#.#. .###. ..... .....", ".###. .###. .###. ..... ....."),
        ("fill_holes", {}, ".###. .#.#. .#.#. .###. .....", ".###. .###. .###. .###. ....."),
        ("fill_holes", {}, "##### #.#.# ##.## #...# ##.##", "##### ##### ##.## #...# ##.##"),
        ("clear_border", {}, "#.... .#... ...#. ..... .....", "..... ..... ...#. ..... ....."),
        ("remove_small", {"area": 3}, "##..# ..#.. ....# ...## .....", "##... ..#.. ....# ...## ....."),
    ],
)
def test_morphology_by_hand(tool, arguments, given, expected):
    assert (getattr(labelling, tool)(picture(given), **arguments) == picture(expected)).all()


@pytest.mark.parametrize("radius", [1, 2, 3, 7, 12])
def test_disks_agree_with_scikit_image(scene, radius):
    mask, disk = scene[0] < 90, morphology.disk(radius)
    assert (labelling.dilate(mask, radius) == ndimage.binary_dilation(mask, disk)).all()
    assert (labelling.erode(mask, radius) == ndimage.binary_erosion(mask, disk, border_value=1)).all()
    wide = np.pad(mask, radius)
    closed = ndimage.binary_closing(wide, disk)[radius:-radius, radius:-radius]
    assert (labelling.closing(mask, radius) == closed).all()
    assert (labelling.opening(mask, radius) <= mask).all() and (mask <= closed).all()


def tinted(image):
    """Return a gray picture with a colour cast."""
    return np.stack([image, image // 2, image], axis=2)


TOOLS = {
    "flood_fill": lambda image, mask, at: labelling.flood_fill(image, at((21, 10)), 0.3),
    "flood_fill_colour": lambda image, mask, at: labelling.flood_fill(tinted(image), at((21, 10))),
    "rectangle": lambda image, mask, at: labelling.draw_roi(mask, "rectangle", [at((3.3, 4)), at((30, 40.7))]),
    "polygon": lambda image, mask, at: labelling.draw_roi(mask, "polygon", [at((2, 3)), at((40, 9)), at((11.7, 60))]),
    "disk": lambda image, mask, at: labelling.draw_roi(mask, "disk", [at((12, 50.5))], 9.3, mode="subtract"),
    "chan_vese": lambda image, mask, at: labelling.active_contour(image, mask, 25),
    "chan_vese_colour": lambda image, mask, at: labelling.active_contour(tinted(image), mask, 9),
    "edge": lambda image, mask, at: labelling.active_contour(image, mask, 25, method="edge"),
    "dilate": lambda image, mask, at: labelling.dilate(mask, 4),
    "erode": lambda image, mask, at: labelling.erode(mask, 2),
    "opening": lambda image, mask, at: labelling.opening(image < 100, 1),
    "closing": lambda image, mask, at: labelling.closing(image < 70, 2),
    "fill_holes": lambda image, mask, at: labelling.fill_holes(image < 75),
    "clear_border": lambda image, mask, at: labelling.clear_border(image < 180),
    "remove_small": lambda image, mask, at: labelling.remove_small(image < 75, 5),
}  # fmt: skip


@pytest.mark.parametrize(("turns", "mirrored"), SYMMETRIES)
@pytest.mark.parametrize("name", TOOLS)
def test_a_moved_picture_gives_the_moved_mask(scene, name, turns, mirrored):
    image, mask = scene
    straight = TOOLS[name](image, mask, lambda point: point)
    assert 0 < straight.sum() < straight.size
    other = TOOLS[name](
        moved(image, turns, mirrored),
        moved(mask, turns, mirrored),
        lambda point: moved_point(point, image.shape, turns, mirrored),
    )
    assert (other == moved(straight, turns, mirrored)).all()


def test_region_contour_agrees_with_scikit_image(scene, monkeypatch):
    image, mask = scene
    turns = itertools.cycle([True, False])  # scikit-image keeps its turns in a module; here they start anew
    monkeypatch.setattr(morphsnakes, "_curvop", lambda u: contour._smooth(u.astype(bool), next(turns)).astype(np.int8))
    theirs = morphsnakes.morphological_chan_vese(image / 255, 12, init_level_set=mask)
    ours = labelling.active_contour(image, mask, 12, reach=64)
    assert (ours == theirs.astype(bool)).all()


def test_smoothing_agrees_with_scikit_image(scene):
    mask = np.pad(scene[0] < 110, 2)  # its operators take the rim for background
    inside = (slice(2, -2), slice(2, -2))
    for ours, theirs in ((contour._thin, morphsnakes.sup_inf), (contour._thick, morphsnakes.inf_sup)):
        assert (ours(mask) == theirs(mask.astype(np.int8)).astype(bool))[inside].all()


@pytest.mark.parametrize("method", contour.METHODS)
def test_contour_finds_the_crack_from_around_it_and_replays(scene, method):
    image, mask = scene
    crack = np.zeros(mask.shape, bool)
    crack[20:24, 5:50] = crack[24:40, 46:49] = True
    found = labelling.active_contour(image, mask, 100, method)
    overlap = (found & crack).sum() / (found | crack).sum()
    assert overlap > (0.9 if method == "chan_vese" else 0.6) > 1.2 * (mask & crack).sum() / (mask | crack).sum()
    assert (labelling.active_contour(image, mask, 100, method) == found).all()


def test_contour_stops_when_it_repeats_itself_without_changing_the_result(scene):
    image, mask = scene
    band, current, seen = labelling.dilate(mask, 20), mask, []
    step = contour._region_step(image / 255, band)
    for turn in range(60):
        before, current = current, contour._smooth(step(current), turn % 2 == 0) & band
    assert (labelling.active_contour(image, mask, 60, progress=lambda *news: seen.append(news)) == current).all()
    assert (labelling.active_contour(image, mask, 59) == before).all()
    assert seen[0][:2] == (1, 60) and len(seen) < 40


def test_contour_stays_within_its_reach(scene):
    image, _ = scene
    seed = labelling.draw_roi(np.zeros(image.shape, bool), "disk", [(21, 10)], 2)
    assert (labelling.active_contour(image, seed, 50, reach=5) <= labelling.dilate(seed, 5)).all()


def test_large_photographs_answer_within_a_second():
    generator = np.random.default_rng(1)
    image = generator.integers(100, 200, (2048, 2560), dtype=np.uint8)
    image[1000:1030, 100:2500] = generator.integers(20, 60, (30, 2400))
    mask = image < 70
    angles = np.linspace(0, 2 * np.pi, 300)
    freehand = np.stack([1000 + 900 * np.sin(angles), 1200 + 1100 * np.cos(angles)], axis=1)
    calls = {
        "flood fill": lambda: labelling.flood_fill(image, (1010, 200), 0.3),
        "freehand": lambda: labelling.draw_roi(mask, "freehand", freehand),
        "closing": lambda: labelling.closing(mask, 20),
        "fill holes": lambda: labelling.fill_holes(mask),
        "remove small": lambda: labelling.remove_small(mask, 20),
    }
    for name, call in calls.items():
        start = time.process_time()  # not the wall clock: other programs may be running
        call()
        assert time.process_time() - start < 1, name


GRAY, MASK = np.full((4, 6), 7, np.uint8), np.ones((4, 6), bool)
BAD = [
    (lambda: labelling.flood_fill(GRAY, (4, 0)), r"seed \(row 4, column 0\) lies outside the image of 4×6"),
    (lambda: labelling.flood_fill(GRAY, (0, -1)), "outside"),
    (lambda: labelling.flood_fill(GRAY, (0, 0), 1.5), r"tolerance must lie in \[0, 1\]"),
    (lambda: labelling.flood_fill(np.zeros((4, 6, 2)), (0, 0)), r"\(4, 6, 2\)"),
    (lambda: labelling.flood_fill(np.full((2, 2), 200.0), (0, 0)), "spans 200 to 200"),
    (lambda: labelling.flood_fill(np.full((2, 2), np.nan), (0, 0)), "spans nan"),
    (lambda: labelling.draw_roi(MASK, "polygon", [(0, 0), (1, 1)]), "polygon needs at least 3 points, not 2"),
    (lambda: labelling.draw_roi(MASK, "rectangle", [(0, 0)]), "rectangle needs 2 points, not 1"),
    (lambda: labelling.draw_roi(MASK, "rectangle", [(1, 1), (1, 1)]), "coincide"),
    (lambda: labelling.draw_roi(MASK, "disk", [(1, 1)]), "radius above 0"),
    (lambda: labelling.draw_roi(MASK, "star", [(1, 1)]), "unknown shape 'star'; valid are rectangle, polygon"),
    (lambda: labelling.draw_roi(MASK, "polygon", [(0, 9), (1, 9), (1, 12)]), "outside the image of 4×6"),
    (lambda: labelling.draw_roi(MASK, "polygon", [(0, 9), (1, 9), (1, np.inf)]), "finite"),
    (lambda: labelling.draw_roi(MASK, "disk", [(1, 1)], 1, "replace"), "unknown mode 'replace'; valid are add"),
    (lambda: labelling.active_contour(GRAY, np.ones((4, 5), bool)), "mask of 4×5 does not fit the image of 4×6"),
    (lambda: labelling.active_contour(GRAY, ~MASK), "mask is empty"),
    (lambda: labelling.active_contour(GRAY, MASK, method="snake"), "unknown method 'snake'; valid are chan_vese, edge"),
    (lambda: labelling.active_contour(GRAY, MASK, iterations=0), "iterations must be a whole number from 1 to 2000"),
    (lambda: labelling.active_contour(np.zeros((4, 6, 3)), MASK, method="edge"), "gray images"),
    (lambda: labelling.dilate(MASK, 0), "radius must be a whole number from 1 to 500, not 0"),
    (lambda: labelling.erode(MASK, 1.5), "whole number"),
    (lambda: labelling.dilate(np.full((2, 2), 2)), "only 0 and 1"),
    (lambda: labelling.fill_holes(np.zeros((2, 2, 2))), r"not \(2, 2, 2\)"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "message"), BAD)
def test_bad_input_is_refused_with_a_clear_message(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_an_empty_mask_passes_through_morphology():
    empty = np.zeros((3, 4), bool)
    for tool in ("dilate", "erode", "opening", "closing", "fill_holes", "clear_border"):
        assert not getattr(labelling, tool)(empty).any()


def test_labelling_loads_neither_tensorflow_nor_widgets_nor_matplotlib():
    code = "import sys, crack_utils.labelling.folder, crack_utils.cli.label; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"tensorflow", "keras", "ipywidgets", "anywidget", "matplotlib"} & set(loaded)
    code = "import sys, crack_utils.cli.label; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"numpy", "scipy", "skimage"} & set(loaded), "the shell starts at once"
