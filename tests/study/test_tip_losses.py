"""Losses that use the tip, compared with Dice: both analyses by hand, with misses, and without a study."""

import pandas as pd
import pytest

from crack_utils.study import tables as study_tables
from crack_utils.study import tip_losses

INF = float("inf")


def made_up(errors, seeds=6, specimens=6):
    """Return tables whose tip errors of each variant are those given, the same for all specimens and seeds."""
    rows = [
        {"question": "tips", "variant": variant, "seed": seed, "specimen": f"s{specimen}", "frame": frame}
        | {"name": f"s{specimen}f{frame}", "tip_error": error}
        for variant, by_frame in errors.items()
        for seed in range(seeds)
        for specimen in range(specimens)
        for frame, error in enumerate(by_frame)
    ]
    return study_tables.Tables(None, None, None, {}, pd.DataFrame(rows))


class TestAgainstBase:
    def test_by_hand(self):
        tables = made_up({"dice": [3, 5, INF], "dice+tip": [1, 2, 9], "dice+cldice": [4, 7, INF]})
        found = tip_losses.against_base(tables, diagonal=100).set_index(["variant", "measure"])
        tip = found.loc[("dice+tip", "median error [px]")]
        assert (tip["difference"], tip["low"], tip["high"]) == pytest.approx((-3, -3, -3)) and tip["better"]
        assert found.loc[("dice+tip", tip_losses.SUCCESS), "difference"] == pytest.approx(2 / 3)
        worse = found.loc[("dice+cldice", "median error [px]")]
        assert worse["difference"] == 2 and not worse["better"]

    def test_misses_count_as_the_diagonal(self):
        tables = made_up({"dice": [1, 1, 1], "dice+tip": [INF, INF, 1]})
        found = tip_losses.against_base(tables, diagonal=50)
        assert found["difference"].tolist() == pytest.approx([49, -2 / 3])

    def test_a_training_that_failed_is_counted_and_left_out(self):
        tables = made_up({"dice": [3.0, 5, 9], "dice+tip": [1.0, 2, 9]})
        failed = (tables.tips["variant"] == "dice") & (tables.tips["seed"] == 2)
        tables.tips.loc[failed, "tip_error"] = INF
        assert tip_losses.failures(tables).to_dict() == {"dice": 1, "dice+tip": 0}
        found = tip_losses.against_base(tables, diagonal=100).set_index("measure").loc["median error [px]"]
        assert (found["difference"], found["seeds"]) == (-3, 5)

    def test_the_first_analysis_counts_it_as_misses(self):
        tables = made_up({"dice": [3.0, 5, 9], "dice+tip": [1.0, 2, 9]})
        failed = (tables.tips["variant"] == "dice") & (tables.tips["seed"] == 2)
        tables.tips.loc[failed, "tip_error"] = INF
        found = tip_losses.first_analysis(tables, diagonal=100).set_index("measure").loc["median error [px]"]
        assert found["seeds"] == 6 and found["difference"] == pytest.approx((5 * -3 - 98) / 6)  # 2 − 100 in one seed
        assert found["low"] >= -100 and found["high"] <= 100, "no difference is larger than a miss"
        assert tip_losses.first_analysis(None).empty and tip_losses.helping(tip_losses.first_analysis(None)) == "none"

    def test_seeds_that_disagree_widen_the_interval(self):
        tables = made_up({"dice": [4, 4, 4], "dice+tip": [4, 4, 4]})
        own = tables.tips["variant"] == "dice+tip"
        tables.tips.loc[own, "tip_error"] += tables.tips.loc[own, "seed"].map([-3, 3, -2, 2, -1, 1].__getitem__)
        found = tip_losses.against_base(tables, diagonal=100).set_index("measure").loc["median error [px]"]
        assert found["difference"] == 0 and found["low"] < -1 and found["high"] > 1 and not found["better"]

    def test_a_single_seed_shows_nothing(self):
        found = tip_losses.against_base(made_up({"dice": [3], "dice+tip": [1]}, seeds=1), diagonal=50)
        assert found["low"].isna().all() and not found["better"].any()


def test_what_helps_by_both_analyses():
    rows = [("dice+tip", tip_losses.SUCCESS, True), ("dice+tip_distance", tip_losses.SUCCESS, True)]
    first = pd.DataFrame(rows, columns=["variant", "measure", "better"])
    second = first.assign(better=[True, False])
    assert tip_losses.helping_within_2(first, second) == tip_losses.title("dice+tip")
    assert tip_losses.helping_within_2(first, second.assign(better=False)) == "none" == tip_losses.helping(first)


def test_without_a_study(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(study_tables, "folder_of", lambda scale: tmp_path / scale)
    assert tip_losses.read_study() is None and "make study STUDY=tips" in capsys.readouterr().out
    assert tip_losses.from_study(None) == {} and tip_losses.against_base(None, 100).empty


def test_a_page_names_losses():
    tables = made_up({"dice": [3.0, 5, 9], "dice+tip": [1.0, 2, 8]})
    both = tip_losses.both_analyses(tip_losses.first_analysis(tables), tip_losses.against_base(tables, 100))
    assert set(both["analysis"]) == {"first, as planned", "second, after the results"}
    assert set(both["loss"]) == {"Dice + Gaussian tip"} and set(both["shown to help"]) <= {"yes", "no"}
    assert tip_losses.STUDY_SIZE == "64 × 80"
