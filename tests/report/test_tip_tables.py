"""The tables of many tips on the page: numbers by hand, and a page without a table."""

import numpy as np
import pandas as pd
import pytest

from crack_utils.report import tip_tables


def test_what_is_stated_is_compared_with_what_was_right(tmp_path):
    table = {
        "tips": [1, 1, 1, 2],
        "right_end": [1, 0, np.nan, np.nan],
        "right_end_probability": [0.9, 0.8, np.nan, np.nan],
    }
    pd.DataFrame(table).to_csv(tmp_path / "tips.csv")
    numbers = tip_tables.right_end_numbers(tmp_path / "tips.csv")
    assert numbers.pop("many_holds") == "inside"
    # Clopper and Pearson for one of two.
    expected = {"many_right": 0.5, "many_low": 0.0126, "many_high": 0.9874, "many_stated": 0.85}
    assert numbers == pytest.approx(expected, abs=1e-4)


def test_numbers_of_errors(tmp_path):
    table = {"tips": [1, 1, 1, 1, 2, 2, 2, 0, 0], "error_px": [1, 2, 9, np.inf, 3, 4, np.inf, np.nan, np.nan]}
    table |= {"at_mouth": [0, 0, 1, np.nan, 0, 1, 0, np.nan, np.nan], "cracks": [1, 1, 1, 0, 1, 1, 1, 0, 2]}
    table |= {"right_end": [1, 1, 0, np.nan, 1, np.nan, np.nan, np.nan, 0], "right_end_probability": 0.7}
    pd.DataFrame(table).to_csv(tmp_path / "tips.csv")
    assert tip_tables.error_numbers("usual", tmp_path / "tips.csv") == {
        "usual_median": 5.5,
        "usual_within_5": 0.5,
        "usual_wrong_end": 0.25,
        "usual_specimens": 4,
        "usual_two_within_5": pytest.approx(2 / 3),
        "usual_two_specimens": 3,
        "usual_false_alarms": 0.5,
        "usual_right": pytest.approx(3 / 5),
        "usual_stated": pytest.approx(0.7),
    }
    none = tip_tables.error_numbers("plates", tmp_path / "none.csv")
    assert np.isnan(none["plates_median"]) and none["plates_specimens"] == 0


def test_without_the_table_the_page_says_what_makes_it(tmp_path):
    assert "study/default_tips.py" in tip_tables.page_table(file=tmp_path / "none.csv").data
    assert np.isnan(tip_tables.right_end_numbers(tmp_path / "none.csv")["many_right"])
    pd.DataFrame({"tips": [1], "cracks": [1], "error_px": [1.0], "at_mouth": [0.0], "right_end": [1.0]}).to_csv(
        tmp_path / "one.csv"
    )
    assert "100\u00a0%" in tip_tables.page_table("usual", tmp_path / "one.csv").to_html()


def test_how_near_sure_and_unsure_tips_are_by_hand(tmp_path):
    """Six tips that were found; the most probable two are near, of those that end sharply one is."""
    table = {"tips": [1] * 7 + [2], "right_end": [1, 1, 1, 1, 0, 0, np.nan, 1]}
    table |= {"error_px": [1, 2, 3, 8, 50, 60, np.inf, 1]}
    table |= {"right_end_probability": [0.95, 0.9, 0.8, 0.7, 0.4, 0.3, np.nan, 0.99]}
    table |= {"uncertainty_px": [3, 0.5, 1, 1, 0.5, 2, np.nan, 0.1]}
    pd.DataFrame(table).to_csv(tmp_path / "tips.csv")
    sure = tip_tables.sure_table(file=tmp_path / "tips.csv")
    assert sure["near"].tolist() == [0, 0.5, 1, 0.5, 0.5, 0.5] and (sure["tips"] == 2).all()
    assert sure["from"].tolist() == [0.3, 0.7, 0.9, 0.5, 1, 2]
    numbers = tip_tables.sure_numbers(sure)
    assert numbers == {"sure_improbable": 0, "sure_probable": 1, "sure_sharp": 0.5, "sure_vague": 0.5}
    assert np.isnan(tip_tables.sure_numbers(tip_tables.sure_table(file=tmp_path / "none.csv"))["sure_sharp"])
