"""Specimens drawn widely: exact truth, notches that are not crack, two tips, none, and the usual data as it was."""

import csv
import hashlib
from functools import cache

import numpy as np
import pytest
from PIL import Image
from skimage.measure import label

from crack_utils.cli.main import main
from crack_utils.data import find_pairs
from crack_utils.data.synthetic import generate, render, render_specimen
from crack_utils.data.synthetic.drawing import densify
from crack_utils.data.synthetic.wide import measure_specimen
from crack_utils.data.synthetic.wide.crack import Arm, CrackLook, Ribbon, paint_arm
from crack_utils.data.synthetic.wide.light import compress
from crack_utils.data.synthetic.wide.notch import SHAPES, draw_notch
from crack_utils.data.synthetic.wide.uneven import waves
from crack_utils.data.synthetic.wide.whitening import Whitening

SIZE, MANY = (192, 240), 40


@cache
def shot(number, frame=9, size=SIZE):
    return render_specimen(11, number, frame, 10, size)


@pytest.fixture(scope="module")
def shots():
    return [shot(number) for number in range(MANY)]


def test_the_usual_specimens_keep_their_bytes():
    """The embedded data set and the committed studies rest on them."""
    total = hashlib.sha256()
    for specimen in range(3):
        for frame in (0, 9):
            photograph = render(specimen, frame, 10, (64, 80))
            total.update(photograph.image.tobytes() + photograph.parts.tobytes())
    assert total.hexdigest().startswith("52bf20ad08c327dc")


def test_arrays_agree(shots):
    for photograph in shots:
        arrays = photograph.image, photograph.mask, photograph.parts, photograph.notch
        assert all(array.shape == SIZE for array in arrays)
        assert photograph.image.dtype == photograph.parts.dtype == np.uint8
        assert photograph.mask.dtype == photograph.notch.dtype == bool
        np.testing.assert_array_equal(photograph.mask, photograph.parts > 0)
        assert photograph.tips.shape == photograph.mouths.shape == (len(photograph.lengths), 2)
        assert photograph.mm_per_px > 0


def test_a_notch_is_not_crack(shots):
    assert sum(photograph.notch.any() for photograph in shots) > MANY / 3
    assert not any((photograph.notch & photograph.mask).any() for photograph in shots)


def test_specimens_have_no_tip_one_or_two(shots):
    counts = np.bincount([len(photograph.tips) for photograph in shots], minlength=3)
    assert len(counts) == 3 and min(counts) >= 2
    for photograph in shots:
        assert (len(photograph.tips) == 0) == (not photograph.mask.any())


def test_crack_free_specimens_have_notches_too(shots):
    assert any(not photograph.mask.any() and photograph.notch.any() for photograph in shots)


def test_a_primary_crack_is_in_as_many_pieces_as_its_notch_divides_it(shots):
    for photograph in shots:
        pieces = label(photograph.parts == 1, connectivity=2).max()
        assert pieces <= (len(photograph.tips) if photograph.layout.notch else min(1, len(photograph.tips)))


def test_the_tip_is_the_masks_end(shots):
    """The mask reaches the tip, and goes no more than 1.5 px beyond, along the crack's last direction."""
    for photograph in shots:
        layout = photograph.layout
        for tip, arm in zip(photograph.tips, [arm for arm in layout.arms if arm.part == 1], strict=True):
            offset = np.argwhere(photograph.parts == 1) - tip
            distance = np.hypot(*offset.T)
            assert distance.min() <= 0.75
            ends = layout.pose.to_picture(arm.path[[-12, -1]])[:, ::-1]
            ahead = (ends[1] - ends[0]) / np.hypot(*(ends[1] - ends[0]))
            assert (offset[distance < 5] @ ahead).max() <= 1.5


def test_tips_are_inside_and_beyond_the_mouth(shots):
    for photograph in shots:
        assert np.all(photograph.tips >= 0) and np.all(photograph.tips <= np.array(SIZE) - 1)
        straight = np.hypot(*(photograph.tips - photograph.mouths).T)
        assert np.all(straight <= photograph.lengths + 0.01) and np.all(straight > 0.3 * photograph.lengths)


def test_measured_without_drawing(shots):
    for number in range(0, MANY, 7):
        tips, mm_per_px = measure_specimen(11, number, 9, 10, SIZE)
        np.testing.assert_array_equal(tips, shots[number].tips)
        assert mm_per_px == shots[number].mm_per_px


def test_same_numbers_same_bytes_whatever_was_drawn_before(shots):
    for number in (5, 3):
        again = render_specimen(11, number, 9, 10, SIZE)
        for name in ("image", "parts", "notch", "tips"):
            np.testing.assert_array_equal(getattr(again, name), getattr(shots[number], name))
    assert not np.array_equal(render_specimen(12, 3, 9, 10, SIZE).image, shots[3].image)


def test_cracks_with_two_tips_grow_at_both_ends(shots):
    number = next(number for number, photograph in enumerate(shots) if len(photograph.tips) == 2)
    lengths = [shot(number, frame).lengths for frame in range(10)]
    lengths = np.array([length if len(length) == 2 else (0, 0) for length in lengths])
    assert np.all(np.diff(lengths, axis=0) > -0.02 * lengths[-1]) and np.all(lengths[-1] > lengths[0])


def test_cracks_only_grow():
    for number in range(60):
        lengths = [measure_specimen(11, number, frame, 10, SIZE)[0] for frame in range(10)]
        counts = [len(tips) for tips in lengths]
        assert counts == sorted(counts), "a crack that was there does not vanish"


def test_one_geometry_at_all_sizes(shots):
    number = next(number for number in range(MANY) if len(shots[number].tips))
    small, large = shots[number], shot(number, size=(384, 480))
    np.testing.assert_allclose((small.tips + 0.5) * 2, large.tips + 0.5, atol=1e-9)
    assert small.mm_per_px == pytest.approx(2 * large.mm_per_px)


@pytest.mark.parametrize("size", [(64, 64), (100, 333), (333, 100)])
def test_any_size(size):
    for number in range(4):
        photograph = render_specimen(1, number, 5, 10, size)
        assert photograph.image.shape == photograph.mask.shape == size


@pytest.mark.acceptance
def test_full_size():
    for number in range(6):
        photograph = render_specimen(1, number, 9, 10, (2048, 2560))
        for tip in photograph.tips:
            assert np.hypot(*(np.argwhere(photograph.parts == 1) - tip).T).min() <= 0.75


@pytest.mark.parametrize(
    "arguments", [{"frame": 10}, {"specimen": -1}, {"size": (16, 20)}, {"seed": -1}, {"frames": 0}]
)
def test_bad_arguments_are_named(arguments):
    with pytest.raises(ValueError, match=next(iter(arguments))):
        render_specimen(**arguments)


# Parts of it


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("two_ended", [False, True])
def test_a_notch_ends_at_its_tip(shape, two_ended):
    if two_ended and shape not in ("square", "round", "v", "edm", "saw", "hole"):
        pytest.skip("not cut in the middle")
    rng = np.random.default_rng(0)
    notch = next(notch for notch in iter(lambda: draw_notch(rng, 0.1, two_ended), None) if notch.shape == shape)
    tip = notch.depth if two_ended else 0.0
    inside, outside = (notch.distance(np.array([tip + step]), np.array([0.0]))[0] for step in (-1e-3, 1e-3))
    assert inside < 0 < outside


def straight_crack(opening, hairline, share=0.0, whitening=None):
    """A crack along row 40 from the left border to column 100, in a gray surface of 0.5: its picture and its mask."""
    image, parts = np.full((80, 140), 0.5, np.float32), np.zeros((80, 140), np.uint8)
    look = CrackLook(np.random.default_rng(1), 0.5, 0.5, 1.0)
    look.roughness, look.lips, look.gap, look.share, look.flank_to_tip = 0.0, np.zeros(2), 0.0, share, 0.0
    look.flanks, look.flank, look.side = ("one" if share else "none"), 1.0, 1.0
    look.whitening = whitening
    corners, _ = densify(np.array([[40.0, -5.0], [40.0, 100.0]]), np.zeros(2))
    arm, rng = Arm(np.array([[0.0, 0.0], [1.05, 0.0]]), opening), np.random.default_rng(0)
    paint_arm(image, parts, corners, arm, look, hairline, 100.0, rng, np.ones_like(image))
    return image, parts


def test_opening_is_the_square_root_of_the_distance_to_the_tip():
    image, _ = straight_crack(0.1, 0.4)
    columns = np.arange(10, 90)
    width = ((0.5 - image) / 0.5).sum(axis=0)[columns]
    np.testing.assert_allclose(width, 0.1 * 100 * np.sqrt((100 - columns) / 100), rtol=0.03)


def test_a_hairline_is_as_wide_as_it_is_drawn():
    image, parts = straight_crack(0.0, 0.5)
    np.testing.assert_allclose(((0.5 - image) / 0.5).sum(axis=0)[5:95], 0.5, atol=0.02)
    assert np.all((parts == 1)[40, :100]) and not parts[:, 103:].any()


def test_a_bright_flank_is_crack_too():
    dark, parts = straight_crack(0.1, 0.5)
    light, parts_with_flank = straight_crack(0.1, 0.5, share=0.5)
    np.testing.assert_array_equal(parts, parts_with_flank)
    assert light[:, 20].max() > 0.9 and light[:, 20].min() < 0.1
    assert dark[:, 20].max() <= 0.5


def test_whitening_lies_beside_the_gap_and_runs_ahead_of_it_to_the_tip():
    white = Whitening(np.random.default_rng(0), 0.5)
    white.width, white.ahead, white.gray, white._grain = 0.04, 0.3, 1.0, 0.0  # of 100 px: 4 px wide, 30 px ahead
    image, parts = straight_crack(0.1, 1.0, whitening=white)
    dark, light = (image < 0.3).any(axis=0), (image > 0.7).any(axis=0)
    assert dark[5:65].all() and not dark[71:].any()
    assert light[5:97].mean() > 0.7 and light[71:97].all() and not light[103:].any()
    assert (parts == 1)[:, :100].any(axis=0).all() and not parts[:, 103:].any()
    assert (parts[(image > 0.8) | (image < 0.2)] == 1).all()


@pytest.mark.parametrize("seed", range(3))
def test_a_thin_white_line_ahead_of_the_gap_is_labelled_where_it_is_drawn(seed):
    white = Whitening(np.random.default_rng(seed), 0.5)
    white.width, white.ahead, white.gray, white._sides, white._grain = 0.001, 0.4, 1.0, (1, -1), 0.0
    image, parts = straight_crack(0.1, 0.45, whitening=white)
    assert label(parts, connectivity=2).max() == 1
    bright = (image > 0.58).any(axis=0)
    assert bright[62:95].all() and (parts == 1).any(axis=0)[bright].all()


def test_waves_keep_their_place_while_a_crack_grows():
    short, long = (waves(np.random.default_rng(3), count, 512) for count in (400, 900))
    np.testing.assert_allclose(short[:200], long[:200])


def test_distances_from_a_path_are_signed_and_exact():
    ribbon = Ribbon((30, 60), np.array([[15.0, 5.0], [15.0, 50.0]]), 6.0)
    middle = (ribbon.columns > 10) & (ribbon.columns < 45)
    np.testing.assert_allclose(np.abs(ribbon.beside[middle]), np.abs(ribbon.rows[middle] - 15), atol=1e-9)
    assert len(set(np.sign(ribbon.beside[middle & (ribbon.rows < 15)]))) == 1


def test_compression_keeps_flat_pictures_and_changes_little_at_high_quality():
    np.testing.assert_allclose(compress(np.full((20, 30), 128.0), 30), 128, atol=1e-3)
    noisy = np.random.default_rng(0).uniform(0, 255, (21, 30)).astype(np.float32)
    assert np.abs(compress(noisy, 98) - noisy).mean() < 2 < np.abs(compress(noisy, 30) - noisy).mean()


# A data set on disk


def test_a_data_set_of_wide_looks(tmp_path, capsys):
    given = ["--specimens", "4", "--frames", "2", "--size", "64", "80", "--seed", "11", "--workers", "1"]
    assert main(["synth", str(tmp_path / "set"), *given, "--looks", "wide"]) == 0
    assert "8 photographs" in capsys.readouterr().out
    pairs = find_pairs(tmp_path / "set" / "old", tmp_path / "set" / "new")
    assert len(pairs) == 8
    for pair in pairs:
        photograph = render_specimen(11, int(pair.specimen[1:]), pair.frame, 2, (64, 80))
        tips = [tip for tip in (pair.tip, pair.tip2) if tip]
        np.testing.assert_allclose(np.array(tips).reshape(-1, 2), photograph.tips, atol=1e-3)
        with Image.open(pair.image) as image, Image.open(pair.parts) as parts:
            np.testing.assert_array_equal(np.asarray(image), photograph.image)
            np.testing.assert_array_equal(np.asarray(parts), photograph.parts)
    rows = generate(tmp_path / "again", 4, 2, (64, 80), 11, workers=2, looks="wide")
    for source in ("old", "new"):
        table = tmp_path / "set" / source / "metadata.csv"
        assert table.read_bytes() == (tmp_path / "again" / source / "metadata.csv").read_bytes()
        with open(table, newline="") as file:
            assert next(csv.reader(file))[-2:] == ["tip2_row", "tip2_column"]
    assert len(rows) == 8 and {type(row["tip2_row"]) for row in rows} <= {float, type(None)}


def test_wide_and_usual_looks_are_not_mixed(tmp_path):
    generate(tmp_path, 2, 1, (64, 80), looks="wide", workers=1)
    with pytest.raises(ValueError, match="holds another data set"):
        generate(tmp_path, 2, 1, (64, 80), workers=1)
    with pytest.raises(ValueError, match="looks='oil'"):
        generate(tmp_path, looks="oil")
    with pytest.raises(ValueError, match="patterns"):
        generate(tmp_path, looks="wide", patterns=("forked",))


def test_a_second_tip_needs_a_first(tmp_path):
    for kind in ("images", "masks"):
        (tmp_path / kind).mkdir()
        Image.fromarray(np.zeros((40, 40), np.uint8)).save(tmp_path / kind / "a.png")
    (tmp_path / "metadata.csv").write_text("name,tip_row,tip_column,tip2_row,tip2_column\na,3,4,5,6\n")
    assert find_pairs(tmp_path)[0].tip2 == (5.0, 6.0)
    (tmp_path / "metadata.csv").write_text("name,tip2_row,tip2_column\na,5,6\n")
    with pytest.raises(ValueError, match="tip_row and tip_column are empty"):
        find_pairs(tmp_path)
    (tmp_path / "metadata.csv").write_text("name,tip_row,tip_column,tip2_row\na,3,4,5\n")
    with pytest.raises(ValueError, match="tip2_row and tip2_column"):
        find_pairs(tmp_path)
