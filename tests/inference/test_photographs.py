"""Which photographs files and folders stand for, their scales, and what is passed over."""

import shutil

import pytest

from crack_utils.data import DataError
from crack_utils.inference.photographs import find_photographs


def test_scales_of_a_data_set_come_from_its_table(folder):
    (folder / "metadata.csv").write_text("name,mm_per_px\na,0.25\n")
    assert [each.mm_per_px for each in find_photographs(folder)] == [0.25, None, None]
    assert {each.mm_per_px for each in find_photographs(folder, mm_per_px=2)} == {2}
    (folder / "metadata.csv").write_text("name,mm_per_px\na,wide\n")
    with pytest.raises(DataError, match=r"metadata\.csv: line 2"):
        find_photographs(folder)


def test_a_data_set_is_taken_by_its_images(folder, tmp_path):
    (tmp_path / "set").mkdir()
    folder.rename(tmp_path / "set" / "images")
    assert [each.name for each in find_photographs(tmp_path / "set")] == ["a", "b", "c"]
    (tmp_path / "set" / "metadata.csv").write_text("name,mm_per_px\nb,0.25\n")
    places = tmp_path / "set", tmp_path / "set" / "images", tmp_path / "set" / "images" / "b.tif"
    for place in places:
        assert {each.name: each.mm_per_px for each in find_photographs(place)}["b"] == 0.25
    for order in (places, places[::-1]):
        found = find_photographs(*order)
        assert len(found) == 3, "a photograph that is given twice counts once"
        assert {each.bits for each in found} == {find_photographs(places[0])[0].bits}
    (tmp_path / "set" / "metadata.csv").write_text("name,mm_per_px\nb,0;25\n")
    notes = []
    assert find_photographs(places[2], notes=notes)[0].mm_per_px is None
    assert "mm_per_px '0;25' is not a number" in notes[0]


def test_what_is_passed_over_is_told(folder):
    for name in ("d.HEIC", "e.webp", "notes.txt"):
        (folder / name).touch()
    (folder / "more").mkdir()
    (folder / "metadata.csv").write_text("name,mm_per_px\na.png,0.25\n")
    notes = []
    find_photographs(folder, notes=notes)
    kinds, names = notes
    assert "passed over: d.HEIC, e.webp, more; pictures end in .png" in kinds
    assert "1 row(s) passed over: no image is named 'a.png' (write names without their ending)" in names


def test_a_second_picture_of_one_name_in_a_folder_fails_alone(folder):
    shutil.copy(folder / "a.png", folder / "a.tif")
    by_file = {each.path.name: each.problem for each in find_photographs(folder)}
    assert [name for name, problem in by_file.items() if problem] == ["a.tif"]
    assert f"has the same name as {folder}/a.png, and results are named after" in by_file["a.tif"]


def test_names_that_meet_in_two_folders_are_refused(folder, tmp_path):
    (tmp_path / "more").mkdir()
    shutil.copy(folder / "a.png", tmp_path / "more" / "a.tif")
    with pytest.raises(DataError, match=r"more/a\.tif: has the same name as .*a\.png.*two --out folders"):
        find_photographs(folder, tmp_path / "more")
