"""Checking a data set: what is damaged is refused with every file named, what is good is not; by command too."""

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from crack_utils import Experiment, data
from crack_utils.cli.main import main
from crack_utils.data import DataError, find_pairs, sources
from tests.helpers import damage
from tests.helpers.folders import make_folder
from tests.helpers.good_data import make_good

DAMAGED = 10  # of each kind, in the acceptance test; there are over thirty kinds
GOOD = 60


def folders_of(sources):
    return [source.folder for source in sources]


def assert_refused(name, seed, place):
    generator = np.random.default_rng([seed, list(damage.KINDS).index(name)])
    sources = make_good(place, generator)
    expected = damage.KINDS[name](sources, generator)
    with pytest.raises(DataError) as error:
        data.check_folders(*folders_of(sources))
    for file in expected:
        assert str(file) in str(error.value), f"{name}, seed {seed}: {file} is not named in\n{error.value}"


@pytest.mark.parametrize("name", damage.KINDS)
def test_what_is_damaged_is_refused(name, tmp_path):
    for seed in range(2):
        assert_refused(name, seed, tmp_path / str(seed))


@pytest.mark.parametrize("seed", range(6))
def test_what_is_good_is_not_refused(seed, tmp_path):
    sources = make_good(tmp_path, np.random.default_rng([seed, 1]))
    found = data.check_folders(*folders_of(sources))
    assert [pair.name for pair in found.pairs] == [name for source in sources for name in sorted(source.images)]
    data.check_pairs(found.pairs)


@pytest.mark.acceptance
def test_hundreds_of_damaged_and_good_data_sets(tmp_path):
    assert DAMAGED * len(damage.KINDS) >= 300
    for name in damage.KINDS:
        for seed in range(100, 100 + DAMAGED):
            assert_refused(name, seed, tmp_path / name / str(seed))
        shutil.rmtree(tmp_path / name)
    for seed in range(100, 100 + GOOD):
        sources = make_good(tmp_path / str(seed), np.random.default_rng([seed, 1]))
        data.check_folders(*folders_of(sources))


def test_all_damage_is_told_at_once(tmp_path):
    generator = np.random.default_rng(0)
    expected = []
    kinds = ["mask_missing", "empty_file", "gray_mask", "unequal_size", "duplicate", "row_twice", "folder_missing"]
    sources = []
    for number, name in enumerate(kinds):
        made = make_good(tmp_path / f"{number}", generator, sources=1)
        made[0].folder = made[0].folder.rename(tmp_path / name)
        for files, part in ((made[0].images, "images"), (made[0].masks, "masks")):
            files.update({stem: made[0].folder / part / file.name for stem, file in files.items()})
        expected += damage.KINDS[name](made, generator)
        sources += made
    with pytest.raises(DataError) as error:
        data.check_folders(*folders_of(sources), tmp_path / "nowhere")
    for file in [*expected, tmp_path / "nowhere"]:
        assert str(file) in str(error.value)
    lines = str(error.value).splitlines()
    assert lines[1:] == sorted(lines[1:]) and all(line.startswith(f"- {tmp_path}") for line in lines[1:])
    assert lines[0] == f"8 problem(s) in {len(lines) - 1} file(s):"


GRAY = np.arange(48, dtype=np.uint8).reshape(6, 8) * 5
CRACK = np.zeros((6, 8), np.uint8)
CRACK[2, 1:7] = 255


def refused(*folders):
    with pytest.raises(DataError) as error:
        data.check_folders(*folders)
    return str(error.value)


class TestMessages:
    def test_reasons_of_one_file_stand_in_one_line(self, tmp_path):
        folder = make_folder(tmp_path / "x", {"a": GRAY, "b": GRAY + 1}, {"a": CRACK, "b": CRACK})
        (folder / "metadata.csv").write_text('name,frame,tip_row,tip_column\na,first,,\nb,1,"1,5",2\n')
        assert refused(folder) == (
            f"2 problem(s) in 1 file(s):\n- {folder}/metadata.csv: line 2: frame 'first' is not a number; "
            "line 3: tip_row '1,5' is not a number; a decimal has a point"
        )

    def test_a_tip_outside_of_its_picture_is_named_whichever_it_is(self, tmp_path):
        for number, which in enumerate(("tip", "tip2")):
            folder = make_folder(tmp_path / which, {"a": GRAY}, {"a": CRACK})
            rest = "tip_row,tip_column,tip2_row,tip2_column\na," + ("9999,1,," if not number else "1,1,9999,-500")
            (folder / "metadata.csv").write_text(f"name,{rest}\n")
            said = ("the tip of 'a' at (9999.0, 1.0)", "the second tip of 'a' at (9999.0, -500.0)")[number]
            assert f"{said} lies outside its picture" in refused(folder)

    def test_duplicates_say_whether_they_contradict(self, tmp_path):
        masks = {"a": CRACK, "b": CRACK, "c": CRACK[::-1]}
        folder = make_folder(tmp_path / "x", {"a": GRAY, "b": GRAY, "c": GRAY}, masks)
        lines = refused(folder).splitlines()
        assert lines[1:] == [
            f"- {folder}/images/b.png: the same picture as {folder}/images/a.png",
            f"- {folder}/images/c.png: the same picture as {folder}/images/a.png, but with another mask",
        ]

    def test_pictures_of_two_sources(self, tmp_path):
        old = make_folder(tmp_path / "old", {"a": GRAY}, {"a": CRACK})
        new = make_folder(tmp_path / "new", {"b": GRAY}, {"b": CRACK})
        assert f"the same picture as {old}/images/a.png in another source ('old', here 'new')" in refused(old, new)
        assert f"{old}: given twice" in refused(old, old)

    def test_two_folders_of_one_name(self, tmp_path):
        first = make_folder(tmp_path / "1" / "x", {"a": GRAY}, {"a": CRACK})
        second = make_folder(tmp_path / "2" / "x", {"a": GRAY + 1}, {"a": CRACK})
        assert f"{first}/images/a.png has the same name in the same source 'x'" in refused(first, second)

    def test_sizes_are_told(self, tmp_path):
        folder = make_folder(tmp_path / "x", {"a": GRAY}, {"a": CRACK[:, :5]})
        assert f"{folder}/masks/a.png: 6×5 pixels, but a.png has 6×8" in refused(folder)

    def test_pairs_alone_are_checked_too(self, tmp_path):
        folder = make_folder(tmp_path / "x", {"a": GRAY, "b": GRAY}, {"a": CRACK, "b": CRACK})
        with pytest.raises(DataError, match="the same picture"):
            data.check_pairs(data.find_pairs(folder))
        with pytest.raises(DataError, match="no pair"):
            data.check_pairs([])


class TestNotes:
    """What is allowed, and only said."""

    def test_masks_without_crack_unless_all(self, tmp_path):
        folder = make_folder(tmp_path / "x", {"a": GRAY, "b": GRAY + 1}, {"a": CRACK, "b": 0 * CRACK})
        assert data.check_folders(folder).notes == ["1 of 2 masks show no crack"]
        (folder / "masks" / "a.png").write_bytes((folder / "masks" / "b.png").read_bytes())
        assert f"{folder}/masks: no mask of the data set shows a crack" in refused(folder)

    def test_a_small_picture_that_limits_the_crops_is_named(self, tmp_path):
        sizes = {"a": (160, 200), "b": (160, 200), "c": (160, 200), "d": (24, 30)}
        draw = np.random.default_rng(0)
        images = {name: draw.integers(80, 200, size, np.uint8) for name, size in sizes.items()}
        masks = {name: np.eye(*image.shape, dtype=np.uint8) * 255 for name, image in images.items()}
        notes = data.check_folders(make_folder(tmp_path / "x", images, masks)).notes
        assert any(note.endswith("d.png: its 24 px limit the crops of all pictures; leave it out") for note in notes)

    def test_what_may_not_be_meant(self, tmp_path):
        table = "name,specimen,remark\na,S1,dark\n"
        old = make_folder(tmp_path / "old", {"a": GRAY}, {"a": CRACK}, table)
        new = make_folder(tmp_path / "new", {"a": GRAY[1:]}, {"a": CRACK[1:]}, table)
        (old / "images" / "readme.txt").write_text("taken in May")
        notes = "\n".join(data.check_folders(old, new).notes)
        for expected in (
            "readme.txt: passed over",
            "column(s) remark passed over",
            "pictures of 2 sizes, from 5×8 to 6×8",
            "specimen 'S1' is named in several sources",
        ):
            assert expected in notes

    def test_specimens_frames_may_repeat_in_another_source(self, tmp_path):
        table = "name,specimen,frame\na,S1,0\n"
        old = make_folder(tmp_path / "old", {"a": GRAY}, {"a": CRACK}, table)
        new = make_folder(tmp_path / "new", {"a": GRAY + 1}, {"a": CRACK}, table)
        assert len(data.check_folders(old, new).pairs) == 2


class TestCommand:
    def test_good_and_damaged(self, tmp_path, capsys):
        folder = make_folder(tmp_path / "x", {"a": GRAY, "b": GRAY + 1}, {"a": CRACK, "b": 0 * CRACK})
        assert main(["check", str(folder)]) == 0
        assert capsys.readouterr().out.splitlines()[:2] == [
            "2 pairs in 1 folder(s): all can be used",
            "- note: 1 of 2 masks show no crack",
        ]
        (folder / "images" / "a.png").write_bytes(b"")
        (folder / "masks" / "b.png").unlink()
        assert main(["check", str(folder)]) == 1
        error = capsys.readouterr().err
        assert f"{folder}/images/a.png: an empty file" in error and "b.png: no mask of this name" in error

    def test_a_folder_that_is_being_labelled_is_used_as_far_as_it_is(self, tmp_path, capsys):
        folder = make_folder(tmp_path / "x", {name: GRAY + number for number, name in enumerate("abcde")}, {"a": CRACK})
        said = f"{folder}: 4 of 5 photographs have no mask yet and are left out (b.png, c.png, d.png, …)"
        assert main(["check", str(folder)]) == 1 and "b.png: no mask of this name" in capsys.readouterr().err
        (folder / "recipes").mkdir()
        assert main(["check", str(folder)]) == 0 and f"- note: {said}" in capsys.readouterr().out
        assert [pair.name for pair in find_pairs(folder)] == ["a"]
        sources.load_and_tell(Experiment.preset("photo", data=str(folder)))
        assert capsys.readouterr().out == f"{said}\n"
        (folder / "masks" / "a.png").rename(folder / "masks" / "f.png")
        assert main(["check", str(folder)]) == 1 and "f.png: no image of this name" in capsys.readouterr().err

    def test_at_the_shell(self, tmp_path):
        folder = make_folder(tmp_path / "x", {"a": GRAY}, {"a": GRAY})
        command = [str(Path(sys.executable).with_name("crack-utils")), "check", str(folder)]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 1 and not done.stdout
        assert f"{folder}/masks/a.png: a mask holds 0 for background" in done.stderr and "Traceback" not in done.stderr

    def test_a_study_is_not_begun_on_damaged_data(self, tmp_path, capsys):
        folder = make_folder(tmp_path / "x", {"a": GRAY, "b": GRAY}, {"a": CRACK, "c": CRACK})
        (folder / "images" / "a.png").write_bytes(b"")
        assert main(["prepare", "--preset", "smoke", "--data", str(folder), "--marker", str(tmp_path / "ready")]) == 1
        error = capsys.readouterr().err
        assert all(name in error for name in ("images/a.png", "images/b.png", "masks/c.png"))
        assert not (tmp_path / "ready").exists()
