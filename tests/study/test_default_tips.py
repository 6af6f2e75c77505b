"""The table of the default model's tips: hand-counted shares, and one real specimen."""

import numpy as np
import pandas as pd
import pytest

from crack_utils.data.synthetic import render_specimen
from crack_utils.study import default_tips


def test_shares_are_counted_by_hand_and_a_miss_is_outside():
    table = pd.DataFrame(
        {
            "tips": [1, 1, 1, 1, 2, 2, 0],
            "cracks": [1, 2, 0, 1, 1, 1, 1],
            "error_px": [1.0, 4.0, np.inf, 90.0, 5.0, np.inf, np.nan],
            "at_mouth": [0.0, 0.0, np.nan, 1.0, 0.0, np.nan, np.nan],
        }
    )
    summary = default_tips.summarise(table).set_index(["specimens", "result"])
    assert summary["count"].tolist() == [1, 2, 2, 1, 1, 2, 1, 0]
    assert summary.loc[("one tip", "right end, of those found"), "of"] == 3
    assert summary.loc[("one tip", "within 5 px"), "share"] == 0.5
    # Clopper and Pearson for two of four.
    assert summary.loc[("one tip", "within 5 px"), "low"] == pytest.approx(0.0676, abs=1e-4)
    assert ((summary["low"] <= summary["share"]) & (summary["share"] <= summary["high"])).all()


class _Knows:
    """A network that knows the drawn crack."""

    threshold = 0.5

    def __init__(self, specimen):
        self.mask = render_specimen(default_tips.SEED, specimen, frame=specimen % 10, size=(256, 320)).mask

    def predict(self, image):
        return np.float32(self.mask > 0)


def test_a_perfect_mask_gives_a_tip_near_the_true_one():
    specimen = next(
        each for each in range(1, 40)
        if len(render_specimen(default_tips.SEED, each, frame=each % 10, size=(256, 320)).tips) == 1
    )  # fmt: skip
    row = default_tips.measure_specimen(_Knows(specimen), specimen, size=(256, 320))
    assert row["tips"] == 1 and row["error_px"] < 5 and row["at_mouth"] == 0


def test_what_is_stated_is_compared_with_what_was_right(tmp_path):
    table = {"tips": [1, 1, 1, 2], "at_mouth": [0, 1, np.nan, 0], "right_end_probability": [0.9, 0.8, np.nan, 0.1]}
    pd.DataFrame(table).to_csv(tmp_path / "tips.csv")
    assert default_tips.numbers(tmp_path / "tips.csv") == pytest.approx({"many_right": 0.5, "many_stated": 0.85})


def test_without_the_table_the_page_says_what_makes_it(tmp_path):
    assert "python -m crack_utils.study.default_tips" in default_tips.page_table(tmp_path / "none.csv").data
    pd.DataFrame({"tips": [1], "cracks": [1], "error_px": [1.0], "at_mouth": [0.0]}).to_csv(tmp_path / "one.csv")
    assert "100%" in default_tips.page_table(tmp_path / "one.csv").to_html()
