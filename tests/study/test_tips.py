"""Tables and figure of tip errors: by hand, with misses, without tips, and without a study."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from crack_utils import Experiment
from crack_utils.data import find_pairs, synthetic
from crack_utils.geometry import TipErrors
from crack_utils.report import figures
from crack_utils.runtime import paths
from crack_utils.study import tables as study_tables
from crack_utils.study import tips

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
        found = tips.against_base(tables, diagonal=100).set_index(["variant", "measure"])
        tip = found.loc[("dice+tip", "median error [px]")]
        assert (tip["difference"], tip["low"], tip["high"]) == pytest.approx((-3, -3, -3)) and tip["better"]
        assert found.loc[("dice+tip", tips.SUCCESS), "difference"] == pytest.approx(2 / 3)
        worse = found.loc[("dice+cldice", "median error [px]")]
        assert worse["difference"] == 2 and not worse["better"]

    def test_misses_count_as_the_diagonal(self):
        tables = made_up({"dice": [1, 1, 1], "dice+tip": [INF, INF, 1]})
        found = tips.against_base(tables, diagonal=50)
        assert found["difference"].tolist() == pytest.approx([49, -2 / 3])

    def test_a_training_that_failed_is_counted_and_left_out(self):
        tables = made_up({"dice": [3.0, 5, 9], "dice+tip": [1.0, 2, 9]})
        failed = (tables.tips["variant"] == "dice") & (tables.tips["seed"] == 2)
        tables.tips.loc[failed, "tip_error"] = INF
        assert tips.failures(tables).to_dict() == {"dice": 1, "dice+tip": 0}
        found = tips.against_base(tables, diagonal=100).set_index("measure").loc["median error [px]"]
        assert (found["difference"], found["seeds"]) == (-3, 5)

    def test_the_first_analysis_counts_it_as_misses(self):
        tables = made_up({"dice": [3.0, 5, 9], "dice+tip": [1.0, 2, 9]})
        failed = (tables.tips["variant"] == "dice") & (tables.tips["seed"] == 2)
        tables.tips.loc[failed, "tip_error"] = INF
        found = tips.first_analysis(tables, diagonal=100).set_index("measure").loc["median error [px]"]
        assert found["seeds"] == 6 and found["difference"] == pytest.approx((5 * -3 - 98) / 6)  # 2 − 100 in one seed
        assert found["low"] >= -100 and found["high"] <= 100, "no difference is larger than a miss"
        assert tips.first_analysis(None).empty and tips.helping(tips.first_analysis(None)) == "none"

    def test_seeds_that_disagree_widen_the_interval(self):
        tables = made_up({"dice": [4, 4, 4], "dice+tip": [4, 4, 4]})
        own = tables.tips["variant"] == "dice+tip"
        tables.tips.loc[own, "tip_error"] += tables.tips.loc[own, "seed"].map([-3, 3, -2, 2, -1, 1].__getitem__)
        found = tips.against_base(tables, diagonal=100).set_index("measure").loc["median error [px]"]
        assert found["difference"] == 0 and found["low"] < -1 and found["high"] > 1 and not found["better"]

    def test_a_single_seed_shows_nothing(self):
        found = tips.against_base(made_up({"dice": [3], "dice+tip": [1]}, seeds=1), diagonal=50)
        assert found["low"].isna().all() and not found["better"].any()


def test_families_are_compared_by_the_recall_near_the_tip():
    table = tips.families()
    assert {"U-Net", "Mask R-CNN"} <= set(table.index) and table.loc["U-Net", "seeds"] == 3
    assert table.loc["FCN-8s", "seeds"] == 2  # one of its trainings failed
    assert (table["low"] >= 0).all() and (table["high"] <= 1).all()
    assert (table["low"] <= table["tip recall"]).all() and (table["tip recall"] <= table["high"]).all()


def test_what_helps_by_both_analyses():
    rows = [("dice+tip", tips.SUCCESS, True), ("dice+tip_distance", tips.SUCCESS, True)]
    first = pd.DataFrame(rows, columns=["variant", "measure", "better"])
    second = first.assign(better=[True, False])
    assert tips.helping_within_2(first, second) == tips.title("dice+tip")
    assert tips.helping_within_2(first, second.assign(better=False)) == "none" == tips.helping(first)


def test_held_out_specimens_have_the_reports_size(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "data", lambda: tmp_path)
    monkeypatch.setattr(tips, "find_pairs", lambda *folders: folders)
    drawn = []
    monkeypatch.setattr(tips.synthetic, "generate", lambda folder, **options: drawn.append(options))
    old, _ = tips.held_out(Experiment.preset("smoke", data_seed=5), specimens=3)
    assert drawn == [{"specimens": 3, "frames": 2, "size": (512, 640), "seed": 7}]
    assert old.is_relative_to(tmp_path) and "512x640" in old.parent.name
    assert tips.STUDY_SIZE == "64 × 80"


def test_without_a_study(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(study_tables, "folder_of", lambda scale: tmp_path / scale)
    assert tips.read_study() is None and "make study STUDY=tips" in capsys.readouterr().out
    assert tips.from_study(None) == {} and tips.against_base(None, 100).empty
    assert tips.table({}).empty


def test_a_page_names_losses_and_says_what_was_missed():
    shown = tips.page_table({"dice+tip": TipErrors(np.array([1.0, INF, INF]))}).to_html()
    assert "Dice + Gaussian tip" in shown and ">missed<" in shown and "inf" not in shown
    tables = made_up({"dice": [3.0, 5, 9], "dice+tip": [1.0, 2, 8]})
    both = tips.both_analyses(tips.first_analysis(tables), tips.against_base(tables, 100))
    assert set(both["analysis"]) == {"first, as planned", "second, after the results"}
    assert set(both["loss"]) == {"Dice + Gaussian tip"} and set(both["shown to help"]) <= {"yes", "no"}


def test_true_masks_and_numbers(tmp_path):
    synthetic.generate(tmp_path, specimens=2, frames=2, size=(96, 120), seed=3)
    true = tips.from_true_masks(find_pairs(tmp_path / "old", tmp_path / "new"))
    table = tips.table(true)
    assert table["tips"].tolist() == [4, 4] and (table["found within 5 px"] == 1).all()
    runs = {"Dice": TipErrors(np.array([1.0, 2, 30])), "BCE": TipErrors(np.array([1.0, INF, INF]))}
    compared = tips.against_base(made_up({"dice": [3], "dice+tip": [1]}), 100)
    found = tips.numbers(true, runs, {}, compared)
    assert (found["best"], found["best_median"], found["help"]) == ("Dice", 2, "Dice + Gaussian tip")
    assert tips.numbers(true, {}, {}, tips.against_base(None, 1))["help"] == "none"


def test_figure_ends_below_one_where_tips_were_missed():
    errors = {"dice": TipErrors(np.array([1.0, 4, INF, INF]))}
    figure = figures.tips_found(("one", errors), ("nothing", {}))
    (curve,) = [line for line in figure.axes[0].lines if line.get_label() == "dice"]
    assert curve.get_ydata()[-1] == 0.5 and curve.get_xdata()[-1] == 100
    plt.close(figure)
