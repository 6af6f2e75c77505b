"""The tables of growth tests: what they say, and what is wrong with them, named before anything is done."""

import json
import shutil

import pytest
from PIL import Image

from crack_utils.data import DataError, find_pairs, growth
from crack_utils.data.growth import find_tests
from crack_utils.data.metadata import read_metadata
from crack_utils.data.specimens import read_specimens
from crack_utils.geometry.growth import Specimen
from tests.helpers.growth_tests import SPECIMENS, compact_rows, compact_test, write_drawn, write_predicted, write_tables


@pytest.fixture
def test():
    return compact_test(readings=6)


@pytest.fixture
def folder(tmp_path, test):
    write_drawn(tmp_path / "set", test)
    return tmp_path / "set"


class TestSpecimens:
    def test_a_row_is_a_specimen(self, tmp_path):
        more = "specimen,kind,W_mm,B_mm,a_n_mm,load_ratio,yield_mpa,notch_row,notch_column,direction_degrees\n"
        (tmp_path / "specimens.csv").write_text(more + "a,C(T),50,10,12,0.1,300,5,6.5,90\n")
        specimens, problems = read_specimens(tmp_path / "specimens.csv")
        expected = Specimen("a", "C(T)", 12, 50, 10, None, None, 0.1, 300, notch=(5, 6.5), direction=90)
        assert (specimens, problems) == ({"a": expected}, [])

    @pytest.mark.parametrize(
        ("row", "message"),
        [
            ("a,C(T),50,10,12,,,0.1\na,C(T),50,10,12,,,0.1", "line 3: 'a' occurs twice (first in line 2)"),
            ("a,CT,50,10,12,,,0.1", "line 2: kind 'CT' is not known; known are C(T), M(T), SE(B), pipe"),
            ("a,C(T),10,10,12,,,0.1", "line 2: a_n_mm = 12 mm is not smaller than W_mm = 10 mm"),
            ("a,C(T),ten,10,12,,,0.1", "line 2: W_mm 'ten' is not a number"),
            ("a,C(T),50,10,,,,0.1", "line 2: no a_n_mm"),
            (",C(T),50,10,12,,,0.1", "line 2: no name"),
            ("a,pipe,,,12,300,,", "line 2: pipe needs wall_mm"),
            ("a,M(T),,,12,,,0.1", "line 2: M(T) needs W_mm and B_mm"),
        ],
    )
    def test_wrong_rows_are_named(self, tmp_path, row, message):
        (tmp_path / "specimens.csv").write_text(SPECIMENS + row + "\n")
        assert message in read_specimens(tmp_path / "specimens.csv")[1]

    @pytest.mark.parametrize(
        ("column", "value", "message"),
        [
            ("yield_mpa", -400, "line 2: yield_mpa = -400 is not above 0"),
            ("curvature_mm", 100, "line 2: curvature_mm = 100 mm does not lie between -12 and 38 mm"),
        ],
    )
    def test_messages_name_the_columns(self, tmp_path, column, value, message):
        (tmp_path / "specimens.csv").write_text(f"{SPECIMENS.strip()},{column}\na,C(T),50,10,12,,,0.1,{value}\n")
        assert read_specimens(tmp_path / "specimens.csv") == ({}, [message])

    @pytest.mark.parametrize(
        ("table", "message"),
        [
            ("specimen,W_mm\na,5\n", "no column kind, a_n_mm; known are specimen, kind, W_mm"),
            ("specimen,kind,a_n_mm,width\n", "column(s) width are not known"),
            ("", "no column 'specimen' (found: none); known columns are specimen, kind, W_mm"),
        ],
    )
    def test_wrong_columns_are_named(self, tmp_path, table, message):
        (tmp_path / "specimens.csv").write_text(table)
        assert message in read_specimens(tmp_path / "specimens.csv")[1][0]

    def test_a_file_that_is_no_text(self, tmp_path):
        (tmp_path / "specimens.csv").write_bytes(b"\xff\xfe")
        assert "UTF-8" in read_specimens(tmp_path / "specimens.csv")[1][0]


class TestMetadata:
    def test_growth_columns_reach_pairs(self, folder):
        pair = find_pairs(folder)[2]
        assert (pair.load_n, pair.cmod_mm, pair.mm_per_px) == (6000, None, 0.1)
        assert pair.cycles > 0

    def test_below_zero_is_refused(self, tmp_path):
        (tmp_path / "metadata.csv").write_text("name,cycles\na,-5\n")
        assert read_metadata(tmp_path / "metadata.csv", {"a"})[1] == ["line 2: cycles '-5' is below 0"]


class TestFindTests:
    def test_a_data_set(self, folder, test):
        (found,), notes = find_tests(folder)
        assert found.specimen == Specimen("CT 1", "C(T)", 12, 50, 10, load_ratio=0.1)
        assert [frame.name for frame in found.frames] == [f"c{number:03}" for number in range(6)]
        assert [frame.cycles for frame in found.frames] == test.cycles.tolist()
        assert (found.measured, notes) == (False, [])

    def test_a_prediction(self, tmp_path, test):
        write_predicted(tmp_path, test)
        (found,), _ = find_tests(tmp_path)
        frame = found.frames[0]
        assert (frame.tip, frame.other, frame.uncertainty) == ((20, 30), (20, 20), 0.8)
        assert found.measured

    def test_tables_above_or_elsewhere(self, tmp_path, test):
        write_predicted(tmp_path / "set" / "found", test)
        for name in ("metadata.csv", "specimens.csv"):
            (tmp_path / "set" / "found" / name).rename(tmp_path / "set" / name)
        (above,), _ = find_tests(tmp_path / "set" / "found")
        (tmp_path / "set" / "found").rename(tmp_path / "other")
        (elsewhere,), _ = find_tests(tmp_path / "other", tables=tmp_path / "set")
        assert above.specimen == elsewhere.specimen
        with pytest.raises(DataError, match="no such file; a growth test needs it"):
            find_tests(tmp_path / "other")

    def test_frames_say_the_order_else_names(self, tmp_path, folder, test):
        rows = compact_rows(test)
        for row in rows:
            row["frame"] = 5 - row["frame"]
        write_tables(folder, rows, ["CT 1,C(T),50,10,12,,,0.1"])
        with pytest.raises(DataError, match=r"cycles fall from .* at 'c005' to .* at 'c004'"):
            find_tests(folder)
        rows = [{key: value for key, value in row.items() if key != "frame"} for row in rows]
        write_tables(folder, rows[::-1], ["CT 1,C(T),50,10,12,,,0.1"])
        assert [frame.name for frame in find_tests(folder)[0][0].frames][:2] == ["c000", "c001"]

    def test_all_that_is_wrong_is_said_at_once(self, folder, test):
        rows = compact_rows(test)
        rows[1]["load_n"] = ""
        rows[2]["mm_per_px"] = ""
        rows[3]["cycles"] = 5
        rows[4]["specimen"] = "nobody"
        rows[5]["frame"] = 0
        write_tables(folder, rows, ["CT 1,C(T),10,10,12,,,0.1", "other,C(T),50,10,12,,,2"])
        with pytest.raises(DataError) as error:
            find_tests(folder)
        assert "a_n_mm = 12 mm is not smaller than W_mm = 10 mm" in str(error.value)
        assert "load_ratio = 2 must be at least -10 and below 1" in str(error.value)
        write_tables(folder, rows, ["CT 1,C(T),50,10,12,,,0.1"])
        with pytest.raises(DataError) as error:
            find_tests(folder)
        for message in (
            "no load, load_n is needed: c001",
            "no scale, mm_per_px is needed: c002",
            "cycles fall from",
            "no specimen 'nobody'",
            "frame 0 is there twice: are these two specimens under one name?",
        ):
            assert message in str(error.value)

    @pytest.mark.parametrize(
        ("column", "value", "message"),
        [("cycles", "", "no cycles: c000, c001, c002 and 3 more"), ("load_n", 0, "load_n is 0: c001, c002")],
    )
    def test_fatigue_needs_cycles_and_load(self, folder, test, column, value, message):
        rows = [{**row, column: value} for row in compact_rows(test)]
        write_tables(folder, rows, ["CT 1,C(T),50,10,12,,,0.1"])
        with pytest.raises(DataError, match=message):
            find_tests(folder)

    def test_photographs_without_measures_are_noted(self, tmp_path, test):
        write_predicted(tmp_path, test)
        (tmp_path / "masks" / "c003.png").unlink()
        text = (tmp_path / "measures.csv").read_text().splitlines()
        (tmp_path / "measures.csv").write_text("\n".join(line for line in text if "c003" not in line))
        (found,), (note,) = find_tests(tmp_path)
        assert len(found.frames) == 5
        assert "1 row(s) passed over" in note and "'c003'" in note

    def test_photographs_of_an_earlier_prediction_are_passed_over(self, tmp_path, test):
        """Their masks are still there, but measures.csv no longer has their rows: that is not "no crack"."""
        write_predicted(tmp_path, test)
        text = (tmp_path / "measures.csv").read_text().splitlines()
        (tmp_path / "measures.csv").write_text("\n".join(line for line in text if "c000" not in line))
        told = {"photographs": [{"name": row["name"]} for row in compact_rows(test)[1:]]}
        (tmp_path / "measures.json").write_text(json.dumps(told))
        (found,), notes = find_tests(tmp_path)
        assert [frame.name for frame in found.frames] == [row["name"] for row in compact_rows(test)[1:]]
        assert any("measured by an earlier predict, not by the last one, passed over: c000" in note for note in notes)

    def test_the_first_photograph_needs_no_load(self, folder, test):
        """Before the first cycle there was none."""
        rows = compact_rows(test)
        rows[0]["load_n"] = ""
        write_tables(folder, rows, ["CT 1,C(T),50,10,12,,,0.1"])
        assert len(find_tests(folder)[0][0].frames) == len(rows)

    def test_numbers_in_names_count_by_their_value(self):
        photographs = [(name, {}) for name in ("IMG_10", "IMG_1", "IMG_2b", "IMG_2")]
        assert [name for name, _ in growth._ordered(photographs)] == ["IMG_1", "IMG_2", "IMG_2b", "IMG_10"]

    def test_cycles_that_fall_by_name_say_how_they_are_ordered(self, folder, test):
        rows = [{**row, "frame": ""} for row in compact_rows(test)]
        rows[1]["cycles"], rows[2]["cycles"] = rows[2]["cycles"], rows[1]["cycles"]
        write_tables(folder, rows, ["CT 1,C(T),50,10,12,,,0.1"])
        with pytest.raises(DataError, match="at 'c002'; they are ordered by name, a column frame"):
            find_tests(folder)

    @pytest.mark.parametrize(
        ("frame", "changes", "message"),
        [
            (3, {"frame": ""}, "no frame: c003; give all a frame, or none"),
            (3, {"mm_per_px": 0.05}, "mm_per_px from 0.05 at 'c003' to 0.1 at 'c000'; a test is photographed at one"),
        ],
    )
    def test_frames_and_scales_that_contradict_each_other(self, folder, test, frame, changes, message):
        rows = compact_rows(test)
        rows[frame] |= changes
        write_tables(folder, rows, ["CT 1,C(T),50,10,12,,,0.1"])
        with pytest.raises(DataError, match=message):
            find_tests(folder)

    def test_a_scale_that_predict_did_not_use_is_refused(self, tmp_path, test):
        write_predicted(tmp_path, test)
        told = {"photographs": [{"name": row["name"], "mm_per_px": 0.2} for row in compact_rows(test)]}
        (tmp_path / "measures.json").write_text(json.dumps(told))
        with pytest.raises(DataError, match=r"'c000' has 0.1 mm_per_px, but was measured with 0.2"):
            find_tests(tmp_path)

    def test_the_scale_of_predict_holds_without_a_crack_too(self, tmp_path, test):
        write_predicted(tmp_path, test)
        text = (tmp_path / "measures.csv").read_text().splitlines()
        (tmp_path / "measures.csv").write_text("\n".join(line for line in text if "c000" not in line))
        told = {"photographs": [{"name": row["name"], "mm_per_px": 0.2} for row in compact_rows(test)]}
        (tmp_path / "measures.json").write_text(json.dumps(told))
        write_tables(tmp_path, [{**row, "mm_per_px": ""} for row in compact_rows(test)], ["CT 1,C(T),50,10,12,,,0.1"])
        (found,), _ = find_tests(tmp_path)
        assert {frame.mm_per_px for frame in found.frames} == {0.2} and found.frames[0].tip is None

    def test_photographs_without_a_specimen_are_told(self, folder, test):
        rows = compact_rows(test)
        rows[3]["specimen"] = ""
        write_tables(folder, rows, ["CT 1,C(T),50,10,12,,,0.1"])
        (found,), notes = find_tests(folder)
        assert len(found.frames) == len(rows) - 1
        assert any(note.endswith("no specimen, passed over: c003") for note in notes)

    def test_a_length_in_mm_needs_that_in_px(self, tmp_path, test):
        write_predicted(tmp_path, test)
        table = tmp_path / "measures.csv"
        table.write_text(table.read_text().replace("tip_uncertainty_px", "length_mm"))
        with pytest.raises(DataError, match=r"measures.csv: no column length_px"):
            find_tests(tmp_path)

    def test_a_table_that_no_prediction_wrote(self, tmp_path, test):
        write_predicted(tmp_path, test)
        (tmp_path / "measures.csv").write_text("photograph,crack\nc000,1\n")
        with pytest.raises(DataError, match=r"measures.csv: no column tip_row, tip_column"):
            find_tests(tmp_path)

    def test_neither_prediction_nor_data_set(self, tmp_path, test):
        write_tables(tmp_path, compact_rows(test), ["CT 1,C(T),50,10,12,,,0.1"])
        with pytest.raises(DataError, match=r"neither measures.csv"):
            find_tests(tmp_path)
        with pytest.raises(DataError, match="no such folder"):
            find_tests(tmp_path / "nowhere")

    def test_masks_that_cannot_be_measured_are_named_together(self, folder, test):
        (folder / "masks" / "c001.png").write_text("damaged")
        Image.new("L", (115, 20)).save(folder / "masks" / "c003.png")
        (folder / "images" / "c004.png").write_text("damaged")  # which costs the movement of this one alone
        with pytest.raises(DataError) as error:
            find_tests(folder)
        assert "2 problem(s)" in str(error.value) and "c001.png: cannot be read" in str(error.value)
        assert "c003.png: 20×115 pixels, but c003.png has 40×230" in str(error.value)

    def test_a_pair_without_a_specimen_may_be_damaged(self, folder, test):
        for part in ("images", "masks"):
            (folder / part / "other.png").write_text("damaged")
        (found,), notes = find_tests(folder)
        assert len(found.frames) == 6 and any("passed over: other" in note for note in notes)

    def test_a_copy_of_a_photograph_is_no_second_reading(self, folder, test):
        shutil.copy(folder / "images" / "c002.png", folder / "images" / "c004.png")
        with pytest.raises(DataError, match="'c004' is the same photograph as 'c002': leave one of them out"):
            find_tests(folder)

    def test_a_wrong_line_does_not_make_its_photograph_one_without_specimen(self, folder, test):
        table = folder / "metadata.csv"
        table.write_text(table.read_text().replace(",6000,", ",-6000,", 1))
        with pytest.raises(DataError) as error:
            find_tests(folder)
        assert "is below 0" in str(error.value) and "no specimen" not in str(error.value)
