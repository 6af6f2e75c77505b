"""Synthetic photographs: exact ground truth, the same bytes each time, the same specimen at every size."""

import csv
import hashlib
import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image
from skimage.measure import block_reduce, label

from crack_utils import data
from crack_utils.cli import main
from crack_utils.data import DataError, find_pairs
from crack_utils.data.synthetic import dataset, drawing, generate, photograph, render
from crack_utils.inference.photographs import find_photographs


def digest(folder):
    """One hash of all files below a folder, names included."""
    total = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        total.update(str(path.relative_to(folder)).encode() + path.read_bytes())
    return total.hexdigest()


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("synthetic")
    return folder, generate(folder, specimens=4, frames=3, size=(64, 80), seed=3)


# Drawing


def test_a_straight_edge_covers_what_geometry_says():
    # A band three pixels wide around row 5: rows 4 to 6 are whole, nothing else is touched more than by its edge.
    drawn = drawing.stroke((11, 20), [[5.0, -5.0], [5.0, 25.0]], 1.5)
    column = np.zeros(11)
    column[drawn.window[0]] = drawn.coverage[:, 10]
    np.testing.assert_allclose(column, [0, 0, 0, 0, 1, 1, 1, 0, 0, 0, 0], atol=1e-6)


@pytest.mark.parametrize("angle", [0.0, 0.3, np.pi / 4, 1.2])
@pytest.mark.parametrize("width", [0.4, 1.0, 4.6])
def test_covered_area_is_length_times_width(angle, width):
    way = np.array([np.sin(angle), np.cos(angle)])
    middle = np.array([40.2, 40.7])
    drawn = drawing.stroke((81, 81), [middle - 25 * way, middle + 25 * way], width / 2)
    caps = np.pi * (width / 2) ** 2  # round ends
    assert drawn.coverage.sum() == pytest.approx(50 * width + caps, rel=0.05)


def test_a_curved_path_agrees_with_its_straight_pieces():
    corners = np.array([[10.0, 5.0], [14.0, 30.0], [30.0, 50.0]])
    bent = drawing.stroke((40, 60), corners, 2.0)
    whole = np.zeros((40, 60), np.float32)
    for pair in (corners[:2], corners[1:]):
        piece = drawing.stroke((40, 60), pair, 2.0)
        whole[piece.window] = np.maximum(whole[piece.window], piece.coverage)
    np.testing.assert_allclose(bent.coverage, whole[bent.window], atol=0.12)


def test_a_hairline_touches_every_pixel_that_supersampling_finds():
    start, end = np.array([3.3, 2.1]), np.array([27.8, 44.6])
    drawn = drawing.stroke((32, 48), [start, end], 0.0)
    crossed = np.unique(np.rint(start + np.linspace(0, 1, 20_000)[:, None] * (end - start)).astype(int), axis=0)
    touched = np.zeros((32, 48), bool)
    touched[drawn.window] = drawn.touched
    assert touched[tuple(crossed.T)].all()
    assert label(touched, connectivity=1).max() == 1


def test_a_stroke_outside_the_picture_is_nothing():
    assert drawing.stroke((10, 10), [[-30.0, 0.0], [-20.0, 5.0]], 1.0) is None


# One photograph


@pytest.mark.parametrize("size", [(64, 80), (128, 160)])
@pytest.mark.parametrize("specimen", range(4))
def test_ground_truth(size, specimen):
    for frame in (0, 9):
        shot = render(specimen, frame, 10, size)
        assert shot.image.shape == shot.mask.shape == shot.parts.shape == size
        assert shot.image.dtype == shot.parts.dtype == np.uint8
        np.testing.assert_array_equal(shot.mask, shot.parts > 0)
        assert 0.003 <= shot.mask.mean() <= 0.06
        primary = shot.parts == 1
        assert label(primary, connectivity=2).max() == 1, "the primary crack is one piece, without gaps"
        distance = np.hypot(*(np.argwhere(primary) - np.array(shot.tip)).T)
        assert distance.min() <= 0.75, "the mask reaches the tip"


@pytest.mark.parametrize("specimen", range(4))
def test_the_tip_is_the_masks_end(specimen):
    """No pixel of the primary crack lies more than 1.5 px ahead of the tip, along the crack's last direction."""
    shot = render(specimen, 9, 10, (128, 160))
    back = shot.path[np.argmin(np.abs(np.hypot(*(shot.path - shot.path[-1]).T) - 4))]
    ahead = (shot.path[-1] - back) / np.hypot(*(shot.path[-1] - back))
    offset = np.argwhere(shot.parts == 1) - np.array(shot.tip)
    near = np.hypot(*offset.T) < 6
    assert (offset[near] @ ahead).max() <= 1.5


def test_every_pixel_that_the_middle_line_crosses_is_crack():
    shot = render(1, 9, 10, (128, 160))
    steps = np.concatenate([np.linspace(a, b, 20) for a, b in zip(shot.path[:-1], shot.path[1:], strict=True)])
    rows, columns = np.rint(steps[len(steps) // 4 :]).astype(int).T  # the mouth's edge belongs to the notch
    assert shot.mask[rows, columns].all()


def test_crack_is_dark_and_notch_is_not_crack():
    shot = render(0, 9, 10, (128, 160))
    assert np.median(shot.image[shot.mask]) < 0.6 * np.median(shot.image)
    mouth, inward = shot.path[0], shot.path[0] - shot.path[40]
    inside_notch = np.rint(mouth + 5 * inward / np.hypot(*inward)).astype(int)
    assert not shot.mask[tuple(inside_notch)]
    assert shot.image[tuple(inside_notch)] < np.median(shot.image)


@pytest.mark.parametrize("specimen", range(4))
def test_cracks_only_grow(specimen):
    shots = [render(specimen, frame, 6, (64, 80)) for frame in range(6)]
    lengths = [np.hypot(*np.diff(shot.path, axis=0).T).sum() * shot.mm_per_px for shot in shots]
    assert np.all(np.diff(lengths) > 0)
    areas = [(shot.parts == 1).sum() for shot in shots]
    assert areas[-1] > 2 * areas[0] and np.all(np.diff(areas) > -8), "a moving camera changes a few pixels"


@pytest.mark.parametrize("specimen", [0, 3])
def test_opening_is_the_square_root_of_the_distance_to_the_tip(specimen):
    """The width measured in the mask, not the one that was asked for: fitted exponent 1/2 (Williams 1957)."""
    shot = render(specimen, 9, 10, (512, 640))
    arc = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(shot.path, axis=0).T))])
    primary = np.argwhere(shot.parts == 1)
    nearest = np.argmin(np.hypot(*(primary[:, None] - shot.path[None, ::2]).transpose(2, 0, 1)), axis=1) * 2
    to_tip = arc[-1] - arc[nearest]
    bins = np.geomspace(0.05 * arc[-1], 0.85 * arc[-1], 9)
    area, _ = np.histogram(to_tip, bins)
    width = area / np.diff(bins) - 1.2  # partly covered pixels count whole: 1.2 px on average over directions
    exponent = np.polyfit(np.log(np.sqrt(bins[1:] * bins[:-1])), np.log(width), 1)[0]
    assert exponent == pytest.approx(0.5, abs=0.07)


@pytest.mark.parametrize("specimen", range(4))
def test_sizes_show_the_same_specimen(specimen):
    small, large = render(specimen, 7, 10, (64, 80)), render(specimen, 7, 10, (256, 320))
    reduced = block_reduce(large.mask, (4, 4), np.max)
    assert (reduced & small.mask).sum() / (reduced | small.mask).sum() > 0.9
    np.testing.assert_allclose((np.array(small.tip) + 0.5) * 4, np.array(large.tip) + 0.5, atol=1e-9)
    assert small.mm_per_px == pytest.approx(4 * large.mm_per_px)
    gray = block_reduce(large.image.astype(float), (4, 4), np.mean)
    assert np.corrcoef(gray.ravel(), small.image.ravel())[0, 1] > 0.95


def test_other_aspect_ratios_show_the_same_field():
    wide = render(0, 5, 10, (64, 160))
    usual = render(0, 5, 10, (64, 80))
    np.testing.assert_array_equal(wide.parts[:, 40:120], usual.parts)


def test_the_two_sources_look_different():
    old, new = (np.mean([render(s, 0, 10, (64, 80)).image.mean() for s in range(n, 4, 2)]) for n in (0, 1))
    assert new > 1.3 * old
    assert not np.array_equal(render(0, source="old").image, render(0, source="new").image)


def test_secondary_cracks_are_in_some_specimens():
    with_secondary = [np.any(render(s, 9, 10, (64, 80)).parts == 2) for s in range(6)]
    assert 1 <= sum(with_secondary) <= 5


def test_specimens_do_not_depend_on_what_was_rendered_before():
    first = render(2, 1, 4, (64, 80)).image
    for other in (0, 1, 3):
        render(other, 0, 4, (32, 40))
    np.testing.assert_array_equal(render(2, 1, 4, (64, 80)).image, first)
    assert not np.array_equal(render(2, 1, 4, (64, 80), seed=1).image, first)


@pytest.mark.parametrize(
    "arguments",
    [
        {"frame": 10},
        {"frame": -1},
        {"specimen": -1},
        {"size": (16, 20)},
        {"size": (64,)},
        {"seed": -1},
        {"source": "newer"},
        {"frames": 0},
    ],
)
def test_bad_arguments_are_named(arguments):
    with pytest.raises(ValueError, match=next(iter(arguments))):
        render(**arguments)


# A data set on disk


def test_same_bytes_with_any_number_of_workers(written, tmp_path):
    folder, rows = written
    assert generate(tmp_path / "again", specimens=4, frames=3, size=(64, 80), seed=3, workers=2) == rows
    assert digest(tmp_path / "again") == digest(folder)


def test_more_specimens_leave_the_first_ones_as_they_are(written, tmp_path):
    folder, _ = written
    generate(tmp_path, specimens=2, frames=3, size=(64, 80), seed=3)
    for source in ("old", "new"):
        for path in (tmp_path / source / "images").iterdir():
            assert path.read_bytes() == (folder / source / "images" / path.name).read_bytes()


def test_folder_holds_pairs_and_metadata(written):
    folder, rows = written
    found = data.check_folders(folder / "old", folder / "new").pairs
    assert len(found) == len(rows) == 12
    assert {pair.source for pair in found} == {"old", "new"}
    for pair, row in zip(sorted(found, key=lambda pair: pair.name), sorted(rows, key=lambda r: r["name"]), strict=True):
        assert (pair.name, pair.specimen, pair.frame) == (row["name"], row["specimen"], row["frame"])
        assert pair.tip == (row["tip_row"], row["tip_column"]) and pair.mm_per_px == row["mm_per_px"]
    specimens = {source: {row["specimen"] for row in rows if row["source"] == source} for source in ("old", "new")}
    assert len(specimens["old"]) == len(specimens["new"]) == 2 and not specimens["old"] & specimens["new"]


def test_files_hold_what_is_rendered(written):
    folder, _ = written
    shot = render(1, 2, 3, (64, 80), seed=3)
    for kind, array in (("images", shot.image), ("masks", shot.mask * np.uint8(255)), ("parts", shot.parts)):
        with Image.open(folder / "new" / kind / "s001_f02.png") as picture:
            assert picture.mode == "L"
            np.testing.assert_array_equal(np.asarray(picture), array)
    with open(folder / "new" / "metadata.csv", newline="") as file:
        row = next(row for row in csv.DictReader(file) if row["name"] == "s001_f02")
    assert list(row) == ["name", "source", "specimen", "frame", "tip_row", "tip_column", "mm_per_px"]
    np.testing.assert_allclose([float(row["tip_row"]), float(row["tip_column"])], shot.tip, atol=1e-3)


def test_a_finished_folder_is_recognised(written):
    folder, rows = written
    times = {path: path.stat().st_mtime_ns for path in folder.rglob("*.png")}
    assert generate(folder, specimens=4, frames=3, size=(64, 80), seed=3) == rows
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*.png")} == times
    with pytest.raises(ValueError, match="holds another data set"):
        generate(folder, specimens=4, frames=3, size=(64, 80), seed=4)


def interrupted(folder):
    """Make of a copy of a finished folder what a killed call leaves: no last picture, half a mask, no table."""
    generate(folder, specimens=4, frames=3, size=(64, 80), seed=3)
    (folder / "synthetic.json").rename(folder / ".begun.json")
    (folder / "old" / "masks" / "s000_f00.png").unlink()
    (folder / "old" / "masks" / ".draft-4711-1-s000_f00.png").write_bytes(b"half")
    (folder / "new" / "metadata.csv").unlink()


def test_an_unfinished_folder_is_continued(written, tmp_path):
    folder, rows = written
    interrupted(tmp_path)
    times = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.png") if "s000_f00" not in path.name}
    assert generate(tmp_path, specimens=4, frames=3, size=(64, 80), seed=3) == rows
    assert digest(tmp_path) == digest(folder)
    assert {path: path.stat().st_mtime_ns for path in times} == times, "complete pictures are not written again"


def test_an_unfinished_folder_of_another_data_set_is_refused(tmp_path):
    interrupted(tmp_path)
    with pytest.raises(ValueError, match="holds another data set"):
        generate(tmp_path, specimens=4, frames=3, size=(64, 80), seed=4)


def test_pictures_of_unknown_origin_are_written_anew_and_foreign_ones_refused(written, tmp_path):
    folder, _ = written
    generate(tmp_path, specimens=4, frames=3, size=(64, 80), seed=3)
    (tmp_path / "synthetic.json").unlink()
    (tmp_path / "old" / "masks" / "s000_f00.png").write_bytes(b"half")
    generate(tmp_path, specimens=4, frames=3, size=(64, 80), seed=3)
    assert digest(tmp_path) == digest(folder)
    (tmp_path / "synthetic.json").unlink()
    (tmp_path / "new" / "images" / "holiday.png").write_bytes(b"")
    with pytest.raises(ValueError, match=r"holiday\.png"):
        generate(tmp_path, specimens=4, frames=3, size=(64, 80), seed=3)


@pytest.mark.parametrize("count", [1, 2])
def test_killed_and_called_again_gives_the_same_bytes(written, tmp_path, count):
    """SIGKILL to the caller alone: its workers must end by themselves, and nothing half may stay."""
    folder, rows = written
    arguments = {"specimens": 4, "frames": 3, "size": (64, 80), "seed": 3, "workers": count}
    program = f"from crack_utils.data.synthetic import generate; generate({str(tmp_path)!r}, **{arguments!r})"
    process = subprocess.Popen([sys.executable, "-c", program])
    while not list(tmp_path.glob("*/images/s*.png")):
        assert process.poll() is None, "it ended before its first picture"
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (tmp_path / "synthetic.json").exists(), "killed too late to test anything"
    assert json.loads((tmp_path / ".begun.json").read_text())["seed"] == 3
    assert generate(tmp_path, **{**arguments, "workers": None}) == rows
    assert digest(tmp_path) == digest(folder)


def test_number_of_workers_follows_the_work():
    cores = len(os.sched_getaffinity(0))
    assert dataset.useful_workers(20, (64, 80)) == 1, "starting processes would take longer than the work"
    assert dataset.useful_workers(2015, (2048, 2560)) == cores
    with pytest.raises(ValueError, match="workers=0"):
        generate("nowhere", workers=0)


def test_measured_without_drawing():
    shot = render(1, 2, 3, (64, 80), seed=3)
    assert photograph.measure(1, 2, 3, (64, 80), 3) == (shot.tip, shot.mm_per_px)


def test_command_writes_the_same_set(written, tmp_path, capsys):
    folder, _ = written
    given = ["--specimens", "4", "--frames", "3", "--size", "64", "80", "--seed", "3", "--workers", "1"]
    assert main.main(["synth", str(tmp_path / "set"), *given]) == 0
    shown = capsys.readouterr()
    assert "12 photographs" in shown.out and "12/12" in shown.err
    assert digest(tmp_path / "set") == digest(folder)
    assert main.main(["synth", str(tmp_path / "set"), "--size", "16", "20"]) == 1
    assert "size=" in capsys.readouterr().err


# Large pictures


def test_uneven_flanks_keep_the_crack_in_one_piece_and_its_width_on_average():
    even, uneven = (drawing.stroke((60, 300), [[30.0, -5.0], [30.0, 305.0]], 12.0, edge) for edge in (None, _wave))
    for drawn in (even, uneven):
        assert label(drawn.touched, connectivity=1).max() == 1
    whole = np.zeros((60, 300))
    whole[uneven.window] = uneven.coverage
    assert whole.sum() == pytest.approx(even.coverage.sum(), rel=0.01)
    assert np.ptp(whole.sum(axis=0)) > 6


def _wave(points, half_width):
    return half_width + 2 * np.sin(2 * np.pi * points[:, 1] / 25)


@pytest.mark.acceptance
@pytest.mark.parametrize("specimen", range(4))
def test_full_size(specimen):
    shot, small = (render(specimen, 9, 10, size) for size in ((2048, 2560), (128, 160)))
    assert 0.003 <= shot.mask.mean() <= 0.06
    primary = shot.parts == 1
    assert label(primary, connectivity=2).max() == 1
    distance = np.hypot(*(np.argwhere(primary) - np.array(shot.tip)).T)
    assert distance.min() <= 0.75, "uneven flanks leave the tip where it is"
    reduced = block_reduce(shot.mask, (16, 16), np.mean) >= 0.25
    assert (reduced & small.mask).sum() / (reduced | small.mask).sum() > 0.8
    gray = block_reduce(shot.image.astype(float), (16, 16), np.mean)
    assert np.corrcoef(gray.ravel(), small.image.ravel())[0, 1] > 0.9


def test_what_was_drawn_is_read_by_the_name_of_its_folder(tmp_path):
    generate(tmp_path / "drawn", specimens=2, frames=1, size=(64, 80), workers=1)
    whole, parts = tmp_path / "drawn", [tmp_path / "drawn" / "old", tmp_path / "drawn" / "new"]
    assert find_pairs(whole) == find_pairs(*parts) and len(find_pairs(whole)) == 2
    assert find_photographs(whole) == find_photographs(*parts)
    (whole / "synthetic.json").unlink()
    with pytest.raises(DataError, match="give its folders instead: new/, old/"):
        find_pairs(whole)
