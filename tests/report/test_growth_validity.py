"""What a growth test may be used for: checks of the standard, wrong frames, bounds, and openings beside a notch."""

import csv
import dataclasses

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from scipy import stats

from crack_utils.data import DataError
from crack_utils.data.growth import find_tests
from crack_utils.report.figures.growth_sheet import growth_sheet
from crack_utils.report.growth_analysis import analyse
from crack_utils.report.growth_law import _steady
from crack_utils.report.growth_readings import _opening, measure
from crack_utils.report.growth_tables import rates_table
from tests.helpers.growth_tests import (
    SPECIMENS,
    M,
    compact_rows,
    compact_test,
    write_drawn,
    write_pipe,
    write_predicted,
    write_tables,
)


def change(path, column, values):
    """Write values into a column of a table, by the number of the row."""
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file))
    for number, value in values.items():
        rows[number][column] = value
    with open(path, "w", newline="") as file:
        writer = csv.DictWriter(file, list(dict.fromkeys(name for row in rows for name in row)), restval="")
        writer.writeheader()
        writer.writerows(rows)


def result_of(folder):
    (result,) = analyse(find_tests(folder)[0], folder)
    return result


def test_the_law_leaves_out_lengths_whose_ligament_is_too_small(tmp_path):
    """With 6 kN and 240 MPa: (4/π) (K/σ)² is 15 mm at a = 25 mm, where 25 mm are left, and 30 mm at 30 mm."""
    test = compact_test()
    write_drawn(tmp_path, test)
    table = SPECIMENS.replace("\n", ",yield_mpa\n") + "CT 1,C(T),50,10,12,,,0.1,240\n"
    (tmp_path / "specimens.csv").write_text(table)
    result = result_of(tmp_path)
    used = result.readings["used"] == "yes"
    assert used[test.a < 25].all() and not used[test.a > 29].any()
    assert "left out of the law, as the ligament is too small (ASTM E647)" in result.note
    assert len(result.paris.a) == used.sum() and result.paris.m_interval[0] < M < result.paris.m_interval[1]
    rates = rates_table([result])
    assert set(rates["ligament"]) == {"yes", "no"}  # there are rates of the others, too
    assert (rates.loc[rates["ligament"] == "no", "valid"] == "no").all()


def test_where_no_length_is_valid_there_are_rates_that_say_so(tmp_path):
    write_drawn(tmp_path, compact_test())
    table = SPECIMENS.replace("\n", ",yield_mpa\n") + "CT 1,C(T),50,10,12,,,0.1,60\n"
    (tmp_path / "specimens.csv").write_text(table)
    result = result_of(tmp_path)
    assert result.paris is None and "ΔK is not valid at any length" in result.note
    assert (result.readings["used"] == "yes").all()  # so that curves are drawn
    assert (result.rates["secant"].flags["ligament"] == 0).all() and not result.rates["secant"].valid.any()


def test_growth_begins_at_the_first_photograph_though_the_formula_does_not_hold_there(tmp_path):
    """C(T): a has to be at least 0.2 W."""
    test = compact_test()
    write_drawn(tmp_path, test)
    (tmp_path / "specimens.csv").write_text(SPECIMENS + "CT 1,C(T),75,10,12,,,0.1\n")
    readings = result_of(tmp_path).readings
    assert (readings["used"] == "yes").tolist() == (test.a >= 15).tolist()
    np.testing.assert_allclose(readings["delta_a_mm"], test.a - test.a[0], atol=0.11)


def test_a_pipe_under_static_load_needs_no_stress_intensity(tmp_path):
    write_pipe(tmp_path)
    (tmp_path / "specimens.csv").write_text(SPECIMENS.replace("\n", ",curvature_mm\n") + "pipe,pipe,,,1,324,10,,0.5\n")
    assert (result_of(tmp_path).readings["used"] == "yes").all()


def test_bounds_of_photographs_at_equal_cycles_are_those_of_single_ones(tmp_path):
    """The law is fitted to the means of two photographs, which scatter less by √2."""
    test = compact_test(readings=40)
    a = np.repeat(test.true_a, 2) + 0.2 * np.random.default_rng(0).standard_normal(80)
    twice = dataclasses.replace(test, cycles=np.repeat(test.cycles, 2), a=a, true_a=np.repeat(test.true_a, 2))
    write_predicted(tmp_path, twice)
    result = result_of(tmp_path)
    half = (result.readings["a_high_mm"] - result.readings["a_low_mm"]) / 2
    assert result.paris.noise == pytest.approx(0.2 / np.sqrt(2), rel=0.25)
    expected = stats.t.ppf(0.975, 37) * np.sqrt(2) * result.paris.noise
    np.testing.assert_allclose(half[result.readings["outlier"] == "no"], expected, rtol=0.03)


def test_a_rate_over_two_loads_is_not_valid(tmp_path):
    write_drawn(tmp_path, compact_test())
    change(tmp_path / "metadata.csv", "load_n", {number: 7000 for number in range(8, 16)})
    result = result_of(tmp_path)
    for rates in result.rates.values():
        assert (rates.flags["load"] == 0).any() and not rates.valid[rates.flags["load"] == 0].any()
    assert "the load changes between lengths" in result.note


def test_which_rates_come_from_one_load_by_hand():
    """Photographs after each thousand cycles, lengths at every second one; the load rises after the fifth thousand."""
    grouped = pd.DataFrame({"cycles": np.arange(11) * 1000, "load_n": [6000.0] * 6 + [7000.0] * 5})
    cycles = np.arange(0, 11, 2) * 1000
    assert _steady(grouped, cycles, 1).tolist() == [1, 1, 0, 1, 1]
    assert _steady(grouped, cycles, 2).tolist() == [1, 0, 0, 1]
    assert not _steady(grouped, cycles, 6).size


def test_checks_of_the_spacing_do_not_choose_the_rates_that_noise_made_large(tmp_path):
    write_predicted(tmp_path, compact_test(readings=200, noise=0.05))
    result = result_of(tmp_path)
    rates = result.rates["secant"]
    assert (rates.flags["spacing"] == 1).mean() > 0.8
    ratio = rates.rate[rates.valid] / result.paris.rate(rates.delta_k[rates.valid])
    assert ratio.mean() == pytest.approx(1, abs=0.1)


def test_a_wrong_frame_has_no_bounds(tmp_path):
    write_predicted(tmp_path, compact_test())
    change(tmp_path / "measures.csv", "tip_column", {10: 25})  # the sixth photograph: two rows each
    readings = result_of(tmp_path).readings
    assert np.flatnonzero(readings["outlier"] == "yes").tolist() == [5]
    assert np.flatnonzero(readings["a_low_mm"].isna() | readings["a_high_mm"].isna()).tolist() == [5]


def test_few_readings_have_wide_bounds(tmp_path):
    """The scatter of seven readings about a law with three parameters has four degrees of freedom."""
    write_predicted(tmp_path, compact_test(readings=7, noise=0.2))
    result = result_of(tmp_path)
    assert result.paris.noise > 0.08  # the stated uncertainty of a tip, in mm
    half = (result.readings["a_high_mm"] - result.readings["a_low_mm"]) / 2
    np.testing.assert_allclose(half, 2.776 * result.paris.noise, rtol=1e-3)


def test_a_probability_of_zero_counts_little_and_one_that_is_none_is_named(tmp_path):
    write_predicted(tmp_path, compact_test())
    change(tmp_path / "measures.csv", "right_end_probability", {0: 0.0})
    assert result_of(tmp_path).paris.m == pytest.approx(M, abs=0.1)
    change(tmp_path / "measures.csv", "right_end_probability", {0: 1.5})
    with pytest.raises(DataError, match=r"'c000': .*right_end_probability between 0 and 1"):
        find_tests(tmp_path)


def test_a_corrected_length_of_the_notch_is_used_though_the_rest_is_kept(tmp_path):
    """Halves that are 16 px apart belong together only if the notch is about so long."""
    write_pipe(tmp_path, notch=8)
    lengths = {}
    for a_n in (0.05, 1):
        row = f"pipe,pipe,,,{a_n},324,10,"
        (tmp_path / "specimens.csv").write_text(SPECIMENS + row + "\n")
        (test,), _ = find_tests(tmp_path)
        ends = measure([test], tmp_path)["pipe", "p2"]
        lengths[a_n] = abs(ends["tip"][1] - ends["other"][1])
    assert lengths[0.05] == pytest.approx(112, abs=3) and lengths[1] == pytest.approx(240, abs=3)


def test_a_notch_may_fill_the_middle_of_a_crack(tmp_path):
    write_pipe(tmp_path, notch=30)
    beside = 2 * 0.02 * np.array([50, 70, 90]) * np.tan(np.radians([6, 6.5, 7]))
    np.testing.assert_allclose(result_of(tmp_path).readings["opening_mm"], beside, atol=0.08)


@pytest.mark.parametrize("notch", [0, 3, 16, 17, 18, 20, 21, 27, 30])
def test_the_opening_of_a_straight_band_beside_a_notch(notch):
    mask = np.zeros((60, 201), bool)
    mask[25:35, 1:200] = True
    mask[:, 100 - notch : 100 + notch + 1] = False
    assert _opening(np.argwhere(mask), np.array([29.5, 1]), np.array([29.5, 199])) == pytest.approx(10)


@pytest.mark.parametrize("angle", [0, 20, 45, 70, 90])
@pytest.mark.parametrize("notch", [0, 12])
def test_the_opening_of_a_band_at_an_angle(angle, notch):
    rows, columns = np.indices((241, 241)) - 120
    way = np.sin(np.radians(angle)), np.cos(np.radians(angle))
    along, across = rows * way[0] + columns * way[1], columns * way[0] - rows * way[1]
    mask = (np.abs(across) <= 5.2) & (np.abs(along) <= 100) & (np.abs(along) >= notch)
    tip = np.array(way) * 100
    assert _opening(np.argwhere(mask) - 120, tip, -tip) == pytest.approx(10.4, abs=0.8)
    assert np.isnan(_opening(np.argwhere(mask) - 120, tip, tip))


def test_specks_beside_a_pipe_s_crack_do_not_open_it(tmp_path):
    write_pipe(tmp_path)
    before = result_of(tmp_path).readings["opening_mm"]
    for path in (tmp_path / "masks").iterdir():
        mask = np.asarray(Image.open(path)).copy()
        mask[90:100, 140:160] = 255
        Image.fromarray(mask).save(path)
    np.testing.assert_allclose(result_of(tmp_path).readings["opening_mm"], before)


def lengths_of_predicted_pipe(folder, notch, cracks):
    """Return the lengths of a pipe [px], from ends of cracks as predict would write them, photograph by photograph."""
    table = SPECIMENS.replace("\n", ",notch_row,notch_column\n") + f"pipe,pipe,,,1,324,10,,{notch}\n"
    (folder / "specimens.csv").write_text(table)
    lines = ["photograph,crack,tip_row,tip_column,tip2_row,tip2_column,other_end_row,other_end_column"]
    lines += [f"p{frame},{number},{ends}" for frame, rows in enumerate(cracks) for number, ends in enumerate(rows, 1)]
    (folder / "measures.csv").write_text("\n".join(lines))
    return result_of(folder).readings["a_mm"] / 0.02


@pytest.mark.parametrize("last", [0, -60])
def test_two_ends_of_one_half_are_not_both_tips(tmp_path, last):
    """The network took the end at the notch for the second tip; the other half is a line of its own.

    The place of the notch is that in the first photograph: if the camera moves, it seems to lie inside the last half.
    """
    write_pipe(tmp_path, notch=8)
    cracks = [
        [f"60,{at + length},60,{at + 8},60,{at + 8}", f"60,{at - length},,,60,{at - 8}"]
        for length, at in ((80, 150), (100, 150), (120, 150 + last))
    ]
    np.testing.assert_allclose(lengths_of_predicted_pipe(tmp_path, "60,150", cracks), [80, 100, 120])


@pytest.mark.parametrize("notch", ["60,150", ","])
def test_a_scratch_beyond_the_second_tip_is_not_the_other_half(tmp_path, notch):
    write_pipe(tmp_path)
    cracks = [[f"60,{150 - length},60,{150 + length},,", "61,290,,,60,280"] for length in (80, 100, 120)]
    np.testing.assert_allclose(lengths_of_predicted_pipe(tmp_path, notch, cracks), [80, 100, 120])


def test_labelled_tips_do_not_decide_what_a_network_found(tmp_path):
    """A person has labelled both tips of the whole crack; predict found the ends of one half."""
    write_pipe(tmp_path, notch=8)
    for column, value in (("tip_row", 60), ("tip_column", 70), ("tip2_row", 60), ("tip2_column", 230)):
        change(tmp_path / "metadata.csv", column, dict.fromkeys(range(3), value))
    cracks = [[f"60,{150 + a},60,158,60,158", f"60,{150 - a},,,60,142"] for a in (80, 100, 120)]
    np.testing.assert_allclose(lengths_of_predicted_pipe(tmp_path, "60,150", cracks), [80, 100, 120])


def test_a_long_crack_on_a_pipe_is_foreshortened(tmp_path):
    """Of a radius of 3 mm: 2.4 mm in the picture are 3 · arcsin(0.8) = 2.78 mm along the surface."""
    write_pipe(tmp_path)
    row = "pipe,pipe,,,1,6,0.5,"
    (tmp_path / "specimens.csv").write_text(SPECIMENS + row + "\n")
    assert "a = 2.4 mm in the picture is 2.8 mm along the surface" in result_of(tmp_path).note
    (tmp_path / "specimens.csv").write_text(SPECIMENS + row.replace("6,0.5", "4,0.5") + "\n")
    assert "a = 2.4 mm is more than a picture of this pipe can show, 2.0 mm" in result_of(tmp_path).note


def test_symmetry_is_checked_only_where_the_middle_of_the_specimen_is_known(tmp_path):
    """2.5 % of 60 mm are allowed; the two sides differ by 0.3 mm more in each photograph."""
    rows = compact_rows(compact_test())
    (tmp_path / "masks").mkdir()
    lines = ["photograph,crack,tip_row,tip_column,tip2_row,tip2_column"]
    for number, row in enumerate(rows):
        (tmp_path / "masks" / f"{row['name']}.png").touch()
        lines.append(f"{row['name']},1,20,{120 + 6 * number},20,{80 - 9 * number}")
    (tmp_path / "measures.csv").write_text("\n".join(lines))
    write_tables(tmp_path, rows, ["CT 1,M(T),60,10,1,,,0.1"])
    assert np.isnan(result_of(tmp_path).rates["secant"].flags["sides"]).all()
    table = SPECIMENS.replace("\n", ",notch_row,notch_column\n") + "CT 1,M(T),60,10,1,,,0.1,20,100\n"
    (tmp_path / "specimens.csv").write_text(table)
    sides = result_of(tmp_path).rates["secant"].flags["sides"]
    assert sides[0] == 1 and sides[-1] == 0


def test_a_sheet_with_many_notes_keeps_its_figures_on_the_page(tmp_path):
    write_pipe(tmp_path)
    figure = growth_sheet(result_of(tmp_path), ["a line about the test"] * 25)
    figure.canvas.draw()
    boxes = [axes.get_tightbbox().transformed(figure.transFigure.inverted()) for axes in figure.axes]
    assert all(0 <= box.y0 < box.y1 < 0.95 - 25 * 0.0155 for box in boxes)
