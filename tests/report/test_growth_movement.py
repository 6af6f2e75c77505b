"""How far the camera has moved between the photographs of a growth test, and when that is not used."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from crack_utils.data.growth import find_tests
from crack_utils.report import growth_readings
from crack_utils.report.growth_analysis import analyse
from crack_utils.report.growth_files import write_report
from tests.helpers.growth_tests import (
    compact_test,
    write_moved,
    write_predicted,
)


def test_the_movement_of_the_camera_is_taken_out(tmp_path, monkeypatch):
    test = compact_test(readings=6)
    movements = [(0, 0), (4, -7), (-5, 9), (2, 12), (6, -3), (-8, 5)]
    write_moved(tmp_path, test, movements)
    (result,) = analyse(find_tests(tmp_path)[0], tmp_path)
    table = result.readings
    np.testing.assert_allclose(table[["moved_row_px", "moved_column_px"]], movements, atol=0.3)
    np.testing.assert_allclose(table["delta_a_mm"], test.a - test.a[0], atol=0.08)
    assert (table["outlier"] == "no").all()
    monkeypatch.setattr(growth_readings, "read_image", None)  # what was measured is kept
    (again,) = analyse(find_tests(tmp_path)[0], tmp_path)
    pd.testing.assert_frame_equal(again.readings, table)


def test_photographs_that_do_not_tell_their_movement_are_left_out_of_the_law(tmp_path):
    test = compact_test(readings=10)
    write_moved(tmp_path, test, [(0, 0), (4, -8), *[(8, -16)] * 8])
    noise = np.random.default_rng(0).integers(0, 255, (140, 330)).astype(np.uint8)
    Image.fromarray(noise).save(tmp_path / "images" / "c001.png")
    for part in ("images", "masks"):  # another size
        with Image.open(tmp_path / part / "c007.png") as picture:
            picture.crop((0, 0, 320, 140)).save(tmp_path / part / "c007.png")
    (found,), _ = find_tests(tmp_path)
    found.frames[4] = dataclasses.replace(found.frames[4], photograph=None)
    (result,) = analyse([found], tmp_path)
    assert "c001, c004, c007: how the camera moved is not known, so it is left out of the law" in result.note
    assert np.flatnonzero(result.readings["moved_row_px"].isna()).tolist() == [1, 4, 7]
    np.testing.assert_allclose(result.readings["delta_a_mm"], test.a - test.a[0], atol=0.08)
    assert len(result.paris.a) == 7 and (result.readings["used"] == "yes").sum() == 7
    write_report([result], tmp_path / "out")
    assert (tmp_path / "out" / "growth.pdf").is_file()


@pytest.mark.parametrize(("readings", "known"), [(10, 4), (7, 5)])  # too few of all, and too few for a law
def test_a_movement_that_is_known_of_few_photographs_is_not_used(tmp_path, readings, known):
    write_moved(tmp_path, compact_test(readings=readings), [(0, 0)] * readings)
    (found,), _ = find_tests(tmp_path)
    found.frames[known:] = [dataclasses.replace(frame, photograph=None) for frame in found.frames[known:]]
    (result,) = analyse([found], tmp_path)
    assert len(result.paris.a) == readings and "do not tell how the camera moved" in result.note
    assert "where the notch ends is taken from where the cracks begin" in result.note


def test_the_notch_of_the_first_photograph_is_not_used_where_that_one_is_missing(tmp_path):
    test = compact_test(readings=10)
    write_moved(tmp_path, test, [(0, 0), *[(9, -20)] * 9])
    head, line = (tmp_path / "specimens.csv").read_text().splitlines()
    (tmp_path / "specimens.csv").write_text(f"{head},notch_row,notch_column\n{line},70,50\n")
    (found,), _ = find_tests(tmp_path)
    (whole,) = analyse([found], tmp_path)
    np.testing.assert_allclose(whole.readings["a_mm"], test.a, atol=0.1)
    found.frames[0] = dataclasses.replace(found.frames[0], photograph=None)
    (result,) = analyse([found], tmp_path)
    assert "notch_row and notch_column are not used" in result.note
    np.testing.assert_allclose(result.readings["a_mm"][1:], test.a[1:], atol=0.1)


def test_without_photographs_the_movement_is_not_known_and_that_is_told(tmp_path):
    test = compact_test()
    write_predicted(tmp_path, test)
    (result,) = analyse(find_tests(tmp_path)[0], tmp_path)
    assert "no photographs beside metadata.csv" in result.note and "moved_row_px" not in result.readings
