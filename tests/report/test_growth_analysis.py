"""A growth test from its folder to its sheet: what is found, what is kept, what is written."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from crack_utils.cli.main import main
from crack_utils.data import DataError
from crack_utils.data.growth import find_tests
from crack_utils.inference.inspect import inspect_all
from crack_utils.inference.photographs import find_photographs
from crack_utils.report import growth_readings
from crack_utils.report.growth_analysis import analyse
from crack_utils.report.growth_files import facts
from crack_utils.report.growth_tables import paris_table, rates_table, readings_table, sheet_table
from tests.helpers.darkness import darkness
from tests.helpers.growth_tests import (
    COMPACT,
    C,
    M,
    compact_rows,
    compact_test,
    write_drawn,
    write_pipe,
    write_predicted,
    write_tables,
)


def test_true_masks_give_the_law(tmp_path):
    test = compact_test()
    write_drawn(tmp_path, test)
    (result,) = analyse(find_tests(tmp_path)[0], tmp_path)
    np.testing.assert_allclose(result.readings["a_mm"], test.a, atol=0.11)  # a pixel is 0.1 mm
    assert result.paris.m == pytest.approx(M, abs=0.1)
    assert result.paris.C_interval[0] < C < result.paris.C_interval[1]
    assert set(result.rates) == {"secant", "polynomial"}


def test_what_is_measured_is_kept(tmp_path, monkeypatch):
    """Interrupted after some photographs, the next call measures the others only; a mask that changes, anew."""
    write_drawn(tmp_path, compact_test())
    tests, _ = find_tests(tmp_path)
    measured, measure_cracks = [], growth_readings.measure_cracks

    def counted(mask):
        measured.append(mask)
        if len(measured) == 6:
            raise KeyboardInterrupt
        return measure_cracks(mask)

    monkeypatch.setattr(growth_readings, "measure_cracks", counted)
    with pytest.raises(KeyboardInterrupt):
        analyse(tests, tmp_path)
    (first,) = analyse(tests, tmp_path)
    assert len(measured) == 6 + 11
    tests[0].frames[3].mask.write_bytes(tests[0].frames[2].mask.read_bytes())
    (second,) = analyse(tests, tmp_path)
    assert len(measured) == 6 + 11 + 1
    assert second.readings["a_mm"][3] == second.readings["a_mm"][2] == first.readings["a_mm"][2]


def test_a_table_that_says_it_all_is_taken_at_its_word(tmp_path):
    """200 photographs whose masks cannot even be read."""
    test = compact_test(readings=200, noise=0.1)
    write_predicted(tmp_path, test)
    (result,) = analyse(find_tests(tmp_path)[0], tmp_path / "nowhere")
    np.testing.assert_allclose(result.readings["a_mm"], test.a, atol=1e-4)
    assert result.paris.noise == pytest.approx(0.1, rel=0.15)
    assert result.paris.m_interval[0] < M < result.paris.m_interval[1]
    steps = np.diff(result.rates["secant"].a)
    assert len(steps) < 80 and steps.min() > 0.05  # dense readings are thinned to the standard's distance
    held = (result.readings["a_low_mm"] <= test.true_a) & (test.true_a <= result.readings["a_high_mm"])
    assert 0.9 <= held.mean() <= 0.99


def test_a_prediction_from_photographs(tmp_path):
    """From `crack-utils predict` on; in the first photograph there is no crack yet."""
    test = compact_test(readings=8)
    write_drawn(tmp_path / "set", test)
    Image.new("L", (230, 40), 220).save(tmp_path / "set" / "images" / "c000.png")
    predictor = darkness()
    inspect_all(predictor, find_photographs(tmp_path / "set"), tmp_path / "found", threshold=0.6)
    (result,) = analyse(find_tests(tmp_path / "found", tmp_path / "set")[0], tmp_path)
    assert np.isnan(result.readings["a_mm"][0])
    # Where the crack begins is found to some pixels only; its growth to one.
    np.testing.assert_allclose(result.readings["delta_a_mm"][1:], test.a[1:] - test.a[1], atol=0.15)
    with Image.open(tmp_path / "set" / "images" / "c003.png") as picture:
        picture.transpose(Image.Transpose.FLIP_TOP_BOTTOM).save(tmp_path / "set" / "images" / "c003.png")
    with pytest.raises(DataError, match=r"c003\.png: not the photograph that predict saw"):
        find_tests(tmp_path / "found", tmp_path / "set")


def test_a_pipe_opens_at_both_tips(tmp_path):
    write_pipe(tmp_path)
    (result,) = analyse(find_tests(tmp_path)[0], tmp_path)
    table = result.readings
    for tip in (1, 2):
        np.testing.assert_allclose(table[f"delta_a_tip{tip}_mm"], [0, 0.4, 0.8], atol=0.02)
        np.testing.assert_allclose(table[f"ctoa_tip{tip}_degrees"], [12, 13, 14], atol=1)
    np.testing.assert_allclose(table["delta_a_mm"], [0, 0.4, 0.8], atol=0.02)
    wide = 2 * 0.02 * np.array([80, 100, 120]) * np.tan(np.radians([6, 6.5, 7]))
    np.testing.assert_allclose(table["opening_mm"], wide, atol=0.05)
    np.testing.assert_allclose(table["opening_grown_mm"], wide - wide[0], atol=0.05)
    assert result.note == (  # the drawn surface is smooth
        "the photographs do not tell how the camera moved: its movement is not taken out; "
        "the photographs are too coarse for ASTM E2472: CTOA is measured up to 1.7 mm behind the tip, not 1.5 mm; "
        "no cycles were counted: no growth rates"
    )
    assert (table["ctoa_from_mm"] == 0.5).all() and (table["ctoa_to_mm"] == 1.7).all()  # 60 px at least
    assert sheet_table([result])["kind"].tolist() == ["pipe"]


def test_a_notch_between_two_tips(tmp_path):
    """As a prediction tells it: the second tip stands in the table, the notch divides the crack in two."""
    write_pipe(tmp_path, notch=8)
    lines = ["photograph,crack,tip_row,tip_column,tip2_row,tip2_column"]
    lines += [f"p{frame},1,60,{150 + length},60,{150 - length}" for frame, length in enumerate((80, 100, 120))]
    (tmp_path / "measures.csv").write_text("\n".join(lines))
    (result,) = analyse(find_tests(tmp_path)[0], tmp_path)
    table = result.readings
    np.testing.assert_allclose(table["delta_a_tip1_mm"], [0, 0.4, 0.8])
    np.testing.assert_allclose(table["ctoa_tip2_degrees"], [np.nan, 13, 14], atol=1)  # at first too short
    beside = 2 * 0.02 * np.array([72, 92, 112]) * np.tan(np.radians([6, 6.5, 7]))
    np.testing.assert_allclose(table["opening_mm"], beside, atol=0.06)


def test_a_crack_longer_than_its_specimen_is_named(tmp_path, capsys):
    test = compact_test()
    write_drawn(tmp_path, test)
    write_tables(tmp_path, compact_rows(test), ["CT 1,C(T),28,10,12,,,0.1"])
    with pytest.raises(DataError, match=r"CT 1, 'c014': a = 28.* mm is not below 28.00 mm; is the scale right\?"):
        analyse(find_tests(tmp_path)[0], tmp_path)
    assert main(["growth", str(tmp_path)]) == 1
    assert "is the scale right?" in capsys.readouterr().err
    assert not list(tmp_path.rglob("growth.pdf")) and not list((tmp_path / "growth").glob("*.csv"))


@pytest.mark.parametrize(
    ("wrong", "asked"),
    [
        ({"notch": (20, 900), "direction": 0}, "are the scale, notch_row, notch_column and direction_degrees right"),
        ({"direction": 180}, "are the scale and direction_degrees right"),
    ],
)
def test_a_notch_or_direction_that_the_crack_contradicts_is_named(tmp_path, wrong, asked):
    test = compact_test()
    write_drawn(tmp_path, test)
    (found,) = find_tests(tmp_path)[0]
    with pytest.raises(DataError, match=f"less than its notch, .* {asked}"):
        analyse([dataclasses.replace(found, specimen=dataclasses.replace(found.specimen, **wrong))], tmp_path)


def test_a_direction_away_from_the_growth_is_asked_about(tmp_path):
    """The notch lies at the crack's other end, and the direction leads there: the measured end stands still."""
    test = compact_test()
    write_predicted(tmp_path, test)
    (found,) = find_tests(tmp_path)[0]
    frames = [dataclasses.replace(frame, tip=frame.other, other=frame.tip) for frame in found.frames]
    specimen = dataclasses.replace(found.specimen, a_n=11.0, direction=180)
    (result,) = analyse([dataclasses.replace(found, frames=frames, specimen=specimen)], tmp_path)
    assert (
        "the end that moves is not the one that is measured: are direction_degrees" in result.note
        and np.ptp(result.readings["a_mm"]) == 0
    )


@pytest.mark.parametrize(("direction", "turns"), [(0, False), (15, False), (40, True)])
def test_a_crack_that_turns_from_its_direction_is_told(tmp_path, direction, turns):
    """The first crack is as short as the noise of its ends: its direction says nothing."""
    test = compact_test()
    write_predicted(tmp_path, test)
    (found,) = find_tests(tmp_path)[0]
    specimen = dataclasses.replace(found.specimen, a_n=12.0, notch=(20.0, 20.0), direction=direction)
    frames = [dataclasses.replace(found.frames[0], tip=(23.0, 21.0)), *found.frames[1:]]
    (result,) = analyse([dataclasses.replace(found, frames=frames, specimen=specimen)], tmp_path)
    assert ("turns by more than 20°" in result.note) == turns


def test_a_tip_at_the_notch_is_exchanged_for_the_other_end(tmp_path):
    """All photographs show the same notch; two of them have the table's ends the wrong way round."""
    test = compact_test()
    write_predicted(tmp_path, test)
    lines = (tmp_path / "measures.csv").read_text().splitlines()
    for number, line in enumerate(lines):
        name, crack, *_, row, column, uncertainty, other_row, other_column = line.split(",")
        if name in ("c005", "c009") and crack == "1":
            lines[number] = ",".join([name, crack, "True", other_row, other_column, uncertainty, row, column])
    (tmp_path / "measures.csv").write_text("\n".join(lines) + "\n")
    (result,) = analyse(find_tests(tmp_path)[0], tmp_path)
    np.testing.assert_allclose(result.readings["a_mm"], test.a, atol=1e-3)
    assert "c005, c009: the tip was at the end that the crack grows from, so the other end was taken" in result.note


def test_a_length_that_falls_is_named(tmp_path):
    test = compact_test()
    write_predicted(tmp_path, test)
    lines = (tmp_path / "measures.csv").read_text().splitlines()
    cells = lines[15].split(",")  # the primary crack of c007
    assert cells[0] == "c007" and cells[1] == "1"
    lines[15] = ",".join([*cells[:4], "40", *cells[5:]])
    (tmp_path / "measures.csv").write_text("\n".join(lines) + "\n")
    (result,) = analyse(find_tests(tmp_path)[0], tmp_path)
    assert "c007: contradicts the others (is the tip right?)" in result.note
    readings = result.readings.set_index("photograph")
    assert readings["outlier"].to_dict() == {f"c{number:03}": "yes" if number == 7 else "no" for number in range(16)}
    assert readings["a_mm"]["c006"] < readings["a_together_mm"]["c007"] < readings["a_mm"]["c008"]
    assert result.paris.m == pytest.approx(M, abs=0.1) and "far off the law" not in result.note


def test_lengths_that_tell_no_law_are_told(tmp_path):
    test = compact_test()
    a = test.a[0] + 8 * (test.cycles / test.cycles[-1]) ** 0.5  # faster at first: ΔK rises, the rate falls
    write_predicted(tmp_path, dataclasses.replace(test, a=a))
    (result,) = analyse(find_tests(tmp_path)[0], tmp_path)
    assert result.paris.m_interval[1] < 0 and "do not show that the rate rises with ΔK" in result.note


def test_the_halves_beside_a_notch_are_one_crack_with_two_tips(tmp_path):
    write_pipe(tmp_path, notch=8)
    lines = ["photograph,crack,tip_row,tip_column,other_end_row,other_end_column"]
    for frame, length in enumerate((80, 100, 120)):
        lines.append(f"p{frame},1,60,{150 + length},60,158")
        lines.append(f"p{frame},2,66,158.5,60,{150 - length}")  # the wrong way round; it begins beside the first one
        lines.append(f"p{frame},3,20,30,20,290")  # a scratch, longer than both
    (tmp_path / "measures.csv").write_text("\n".join(lines))
    found = analyse(find_tests(tmp_path)[0], tmp_path)[0].readings
    (tmp_path / "measures.csv").unlink()
    drawn = analyse(find_tests(tmp_path)[0], tmp_path)[0].readings
    for tip in (1, 2):
        np.testing.assert_allclose(found[f"delta_a_tip{tip}_mm"], [0, 0.4, 0.8])
        np.testing.assert_allclose(drawn[f"delta_a_tip{tip}_mm"], [0, 0.4, 0.8], atol=0.02)
    np.testing.assert_allclose(found["a_mm"], [1.6, 2, 2.4])
    np.testing.assert_allclose(drawn["a_mm"], [1.6, 2, 2.4], atol=0.02)


def test_one_tip_of_two_that_moves_gives_no_law(tmp_path):
    test = compact_test(readings=8)
    write_predicted(tmp_path, test)
    write_tables(tmp_path, compact_rows(test), ["CT 1,M(T),50,10,1,,,0.1"])
    (result,) = analyse(find_tests(tmp_path)[0], tmp_path)
    assert result.paris is None and "only one of the two tips moves" in result.note


def test_a_photograph_without_a_crack_in_the_middle_of_a_test_is_named(tmp_path):
    test = compact_test()
    write_predicted(tmp_path, test)
    lines = (tmp_path / "measures.csv").read_text().splitlines()
    (tmp_path / "measures.csv").write_text("\n".join(line for line in lines if line[:4] not in ("c000", "c006")) + "\n")
    (result,) = analyse(find_tests(tmp_path)[0], tmp_path)
    assert "c006: no crack found, though there was one before" in result.note


def test_a_load_in_kilonewtons_is_told(tmp_path):
    test = compact_test()
    write_predicted(tmp_path, test)
    rows = [row | {"load_n": 6} for row in compact_rows(test)]
    write_tables(tmp_path, rows, ["CT 1,C(T),50,10,12,,,0.1"])
    (result,) = analyse(find_tests(tmp_path)[0], tmp_path)
    assert "is load_n in newtons" in result.note


def test_bounds_stay_within_what_a_length_can_be(tmp_path):
    test = compact_test()
    write_predicted(tmp_path, test)
    text = (tmp_path / "measures.csv").read_text()
    (tmp_path / "measures.csv").write_text(text.replace(",0.8,", ",400,"))  # [px] 40 mm
    readings = analyse(find_tests(tmp_path)[0], tmp_path)[0].readings
    assert (readings["a_low_mm"] == 0).all() and (readings["a_high_mm"] == COMPACT.W).all()


def test_a_wrong_tip_is_no_reason_to_refuse_a_test_nor_where_growth_begins(tmp_path):
    test = compact_test()
    write_predicted(tmp_path, test)
    for name, column in (("c000", "150"), ("c009", "900")):  # the second lies outside of the specimen
        lines = (tmp_path / "measures.csv").read_text().splitlines()
        place = next(number for number, line in enumerate(lines) if line.startswith(f"{name},1"))
        cells = lines[place].split(",")
        lines[place] = ",".join([*cells[:4], column, *cells[5:]])
        (tmp_path / "measures.csv").write_text("\n".join(lines) + "\n")
    (result,) = analyse(find_tests(tmp_path)[0], tmp_path)
    assert np.flatnonzero(result.readings["outlier"] == "yes").tolist() == [0, 9]
    kept = result.readings["outlier"] == "no"
    np.testing.assert_allclose(result.readings["delta_a_mm"][kept], test.a[kept] - test.a[1], atol=1e-3)


def test_the_load_of_a_photograph_without_a_length_counts(tmp_path):
    """Loads alternate; in two photographs the tip is wrong, in one there is no crack."""
    load, test = np.where(np.arange(24) % 2, 7000.0, 4000.0), compact_test(readings=24)
    steps = np.diff(test.cycles) * (6000 / load[1:]) ** M  # ΔK is proportional to the load
    test = dataclasses.replace(test, cycles=np.append(0, np.cumsum(steps)))
    write_predicted(tmp_path, test)
    rows = [{**row, "load_n": value} for row, value in zip(compact_rows(test), load, strict=True)]
    write_tables(tmp_path, rows, ["CT 1,C(T),50,10,12,,,0.1"])
    lines = (tmp_path / "measures.csv").read_text().splitlines()
    for name in ("c005", "c012"):
        place = next(number for number, line in enumerate(lines) if line.startswith(f"{name},1"))
        cells = lines[place].split(",")
        lines[place] = ",".join([*cells[:4], "21", *cells[5:]])
    lines = [line for line in lines if not line.startswith("c016")]
    (tmp_path / "measures.csv").write_text("\n".join(lines) + "\n")
    (result,) = analyse(find_tests(tmp_path)[0], tmp_path)
    assert (result.readings["outlier"] == "yes").sum() == 2 and len(result.paris.a) == 21
    assert result.paris.m == pytest.approx(M, abs=0.05)


def test_repeated_photographs_tell_how_well_a_length_is_known(tmp_path):
    test = compact_test(readings=6)
    write_predicted(tmp_path, test)
    rows = compact_rows(test)
    for frame in (1, 3):  # twice two photographs at the same cycles
        rows[frame]["cycles"] = rows[frame - 1]["cycles"]
    write_tables(tmp_path, rows, ["CT 1,C(T),50,10,12,,,0.1"])
    (result,) = analyse(find_tests(tmp_path)[0], tmp_path)
    first, second = (np.diff(test.a)[at] for at in (0, 2))
    expected = np.sqrt((first**2 / 2 + second**2 / 2) / 2)  # of pairs: half the squared difference each
    assert sheet_table([result])["repeatability_mm"][0] == pytest.approx(expected, rel=1e-3)


def test_a_specimen_without_a_crack_is_left_out_and_told(tmp_path):
    test = compact_test()
    write_drawn(tmp_path, test)
    rows = compact_rows(test)
    for row in rows[:2]:  # a runout: two photographs without a crack
        row["specimen"] = "runout"
        Image.fromarray(np.zeros((40, 230), np.uint8)).save(tmp_path / "masks" / f"{row['name']}.png")
    write_tables(tmp_path, rows, ["CT 1,C(T),50,10,12,,,0.1", "runout,C(T),50,10,12,,,0.1"])
    notes = []
    (result,) = analyse(find_tests(tmp_path)[0], tmp_path, notes)
    assert result.specimen.name == "CT 1" and "runout: no frame shows a crack with its tip: left out" in notes


def test_files_of_somebody_else_are_not_replaced(tmp_path, capsys):
    write_drawn(tmp_path, compact_test())
    (tmp_path / "readings.csv").write_text("mine")
    assert main(["growth", str(tmp_path), "--out", str(tmp_path)]) == 1
    assert "has readings.csv, which growth did not write" in capsys.readouterr().err
    assert (tmp_path / "readings.csv").read_text() == "mine"
    assert main(["growth", str(tmp_path), "--out", str(tmp_path / "metadata.csv")]) == 1
    assert "metadata.csv: not a folder" in capsys.readouterr().err


def test_readings_at_equal_cycles_are_one(tmp_path):
    test = compact_test(readings=8)
    write_predicted(tmp_path, test)
    rows = compact_rows(test)
    rows[3]["cycles"] = rows[2]["cycles"]
    write_tables(tmp_path, rows, ["CT 1,C(T),50,10,12,,,0.1"])
    (result,) = analyse(find_tests(tmp_path)[0], tmp_path)
    assert len(result.paris.a) == 7


def test_the_command_writes_tables_figures_and_a_sheet(tmp_path, capsys):
    write_drawn(tmp_path / "a", compact_test())
    write_pipe(tmp_path / "b")
    assert main(["growth", str(tmp_path / "a"), "--out", str(tmp_path / "out")]) == 0
    assert "CT 1: 16 photographs; C = 9.8" in capsys.readouterr().out
    assert main(["growth", str(tmp_path / "b")]) == 0
    assert "no cycles were counted" in capsys.readouterr().out
    names = {path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.p*")}
    assert names == {"growth.pdf", "figures/CT 1-a-N.png", "figures/CT 1-rates.png"}
    assert (tmp_path / "out" / "growth.pdf").read_bytes().startswith(b"%PDF")
    assert {path.name for path in (tmp_path / "b" / "growth" / "figures").iterdir()} == {
        "pipe-load-opening.png",
        "pipe-load-growth.png",
        "pipe-ctoa.png",
    }
    (tmp_path / "b" / "growth" / "figures" / "mine-ctoa.png").write_bytes(b"of somebody else")
    table = tmp_path / "b" / "specimens.csv"
    table.write_text(table.read_text().replace("pipe,pipe", "PIPE,pipe"))
    table = tmp_path / "b" / "metadata.csv"
    table.write_text(table.read_text().replace(",pipe,", ",PIPE,"))
    assert main(["growth", str(tmp_path / "b")]) == 0
    figures = (tmp_path / "b" / "growth" / "figures").iterdir()  # none of a specimen that is no longer there
    assert {path.name[:4] for path in figures} == {"PIPE", "mine"}
    readings = pd.read_csv(tmp_path / "out" / "readings.csv")
    assert {"photograph", "cycles", "load_n", "a_mm", "a_low_mm", "a_tip1_mm"} <= set(readings)
    rates = pd.read_csv(tmp_path / "out" / "rates.csv")
    assert set(rates["method"]) == {"secant", "polynomial"} and set(rates["formula"]) == {"yes"}
    assert rates["ligament"].isna().all()
    law = pd.read_csv(tmp_path / "out" / "paris.csv").iloc[0]
    assert law["m_low"] < law["m"] < law["m_high"]
    sheet = pd.read_csv(tmp_path / "out" / "sheet.csv").iloc[0]
    assert (sheet["mm_per_px"], sheet["photographs"]) == (0.1, 16)
    assert np.isnan(sheet["mm_per_px_residual_percent"])  # the table gives one scale for all


def test_tables_and_facts_of_a_test_without_law(tmp_path):
    test = compact_test(readings=4)
    write_predicted(tmp_path, test)
    results = analyse(find_tests(tmp_path)[0], tmp_path)
    assert "Paris' law needs at least 6" in paris_table(results)["note"][0]
    assert rates_table(results)["method"].tolist() == ["secant"] * 3
    assert "cmod_mm" not in readings_table(results)
    assert facts(results[0])[-1].endswith("; 4 readings; Paris' law needs at least 6")
