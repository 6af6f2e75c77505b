"""The trainings on photographs: tables and sentences by hand, with failed trainings, and without a study."""

import math

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from crack_utils.report import figures
from crack_utils.report import photograph_trainings as tables


@pytest.fixture
def trainings():
    """Three seeds of two ingredients and of two labels, one failed training among them."""
    rows = []
    for seed, (whole, changed) in enumerate([(0.9, 0.8), (0.8, 0.6), (0.7, 0.4)]):
        rows += [("ingredients", "all", "all", seed, 0, whole), ("ingredients", "no outlines", "all", seed, 0, changed)]
        rows += [("labels", "default", "5", seed, int(seed == 2), np.nan if seed == 2 else 0.6)]
        rows += [("labels", "default", "all", seed, 0, whole), ("recipe", "photo", "all", seed, 0, whole)]
    table = pd.DataFrame(rows, columns=["question", "case", "labels", "seed", "failed", "f1_tolerance_2"])
    return table.assign(f1=table["f1_tolerance_2"] - 0.1, minutes=2.0)


def test_differences_are_paired_by_seed(trainings):
    (row,) = tables.ingredient_table(trainings).to_dict("records")
    assert (row["case"], row["seeds"], row["shown"]) == ("no outlines", 3, "no")
    assert row["difference"] == pytest.approx(-0.2)
    half = 4.302653 * 0.1 / math.sqrt(3)  # t, two degrees of freedom
    # A difference lies within -1 and 1: the step is taken from log(0.4 / 0.6), on a scale of slope 2 · 0.4 · 0.6.
    assert row["high"] == pytest.approx(-1 + 2 / (1 + 1.5 * math.exp(-half / 0.48)), abs=1e-6)


def test_a_failed_training_counts_as_zero(trainings):
    table = tables.case_table(trainings, "labels").set_index("labels")
    assert table.loc["5", "F1 within 2 px"] == pytest.approx(0.4) and table.loc["5", "failed"] == 1
    assert table.loc["all", "pooled F1"] == pytest.approx(0.7)


def test_few_labels_are_compared_with_all(trainings):
    said = tables.with_few_labels(trainings, 5)  # 0.6, 0.6 and a failed one, which counts as 0; with all 0.8
    assert "drawn 3 times, F1 within 2 px is 0.400 on average" in said
    assert "(lowest 0.000, highest 0.600). With all labels," in said
    assert said.endswith("equally short trainings give 0.800, and the whole preset 0.800.")
    few = trainings[trainings["labels"].eq("5") | trainings["question"].eq("recipe")]
    assert tables.with_few_labels(few, 5).endswith("The whole preset with all labels gives 0.800.")
    said = "Without any label, it is {} on the same photographs, and at best 0.800 with all labels{}"
    more = ", on average not more than without labels."
    assert tables.without_labels(trainings, 0.95) == said.format("0.950", more)
    assert tables.without_labels(trainings, 0.5) == said.format("0.500", ".")
    assert tables.with_few_labels(trainings) == "Trainings with 10 labels have not been made yet."


def test_the_whole_preset_is_compared_with_a_short_training(trainings):
    better = trainings.assign(f1_tolerance_2=trainings["f1_tolerance_2"] + 0.05 * trainings["question"].eq("recipe"))
    said = tables.shorter(better)
    assert (
        "300 updates from the default model give 0.800 (3 seeds). The whole preset, 10 times as long, gives 0.850."
        in said
    )
    assert tables.shorter(trainings[trainings["question"] == "recipe"]) == ""


def test_failures_are_counted_with_an_exact_limit(trainings):
    loss = pd.DataFrame({"question": ["losses"] * 12 + ["losses on specimens"] * 8, "failed": 0})
    said = tables.failures(pd.concat([trainings, loss]))  # 1 - 0.05^(1/20) = 0.1391; the failed one is of labels
    assert said == "0 of 20 trainings failed. With 95\u00a0% confidence at most 13.9\u00a0% of such trainings do."
    loss.loc[0, "failed"] = 1  # 0.95^20 etc.: the share p with (1 - p)^20 + 20 p (1 - p)^19 = 0.05 is 0.2161
    said = tables.failures(loss)
    assert said.startswith("1 of 20 trainings failed.") and "at most 21.6\u00a0%" in said
    assert tables.failures(trainings) == "None of these trainings has been made yet."


def test_each_set_has_its_own_table_of_losses(trainings):
    rows = [("losses", "bce", "all", 0, 0, 0.5), ("losses on specimens", "bce", "all", 0, 1, np.nan)]
    columns = ["question", "case", "labels", "seed", "failed", "f1_tolerance_2"]
    both = pd.concat([trainings, pd.DataFrame(rows, columns=columns).assign(f1=0.4, minutes=1.0)])
    (photographs,), (specimens,) = (tables.case_table(both, name).to_dict("records") for name in tables.BY_LOSS)
    assert (photographs["case"], photographs["F1 within 2 px"], photographs["failed"]) == ("BCE", 0.5, 0)
    assert (specimens["case"], specimens["F1 within 2 px"], specimens["failed"]) == ("BCE", 0.0, 1)
    axes = figures.f1_over_minutes(both).axes[0]
    assert len(axes.lines[0].get_xdata()) == 1  # drawn specimens are other pictures, ingredients are from scratch
    plt.close("all")


def test_one_seed_has_no_interval():
    assert tables.mean_interval([0.5])[0] == 0.5 and all(map(math.isnan, tables.mean_interval([0.5])[1:]))


def test_without_a_study_the_page_says_which_makes_it(tmp_path):
    trainings = tables.read_trainings(tmp_path / "none.csv")
    assert "make study STUDY=photographs" in tables.shown(tables.ingredient_table(trainings)).data
    assert all(tables.case_table(trainings, question).empty for question in ("recipe", "losses", "labels"))


def test_tables_are_rounded_for_the_page(trainings):
    assert "+0." in tables.shown(tables.ingredient_table(trainings)).to_html()
    assert ">0.700<" in tables.shown(tables.case_table(trainings, "labels")).to_html()


def test_figures(trainings):
    assert figures.ingredients(tables.ingredient_table(trainings)).axes[0].get_yticklabels()[0].get_text()
    labels = figures.label_curves(tables.case_table(trainings, "labels")).axes[0]
    assert [text.get_text() for text in labels.get_xticklabels()] == ["5", "all"]
    assert len(figures.f1_over_minutes(trainings).axes[0].lines) == 1
    plt.close("all")
