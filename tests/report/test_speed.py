"""The benchmark's table as costs, and their figure."""

import pandas as pd
import pytest

from crack_utils.report import figures, speed


@pytest.fixture
def table():
    rows = [
        ("training in batches of 2, 100×200, ours (float32)", "50.0 (25.0–100.0)"),
        ("training in batches of 8, 100×200, ours (float32)", "100.0 (100.0–100.0)"),
        ("prediction, 100×200, ours (float32)", "10.0 (5.0–20.0)"),
        ("prediction, 1000×2000, ours (float32)", "0.2 (0.1–0.5)"),
        ("prediction, 1000×2000, PyTorch (float32)", "failed: no memory"),
        ("prediction of 16 at once, 100×200, ours (float32)", "20.0 (20.0–20.0)"),
        ("folder of 8 photographs, 400×600, one process", "4.0 (2.0–8.0)"),
        ("folder of 40 photographs, 400×600, one process", "5.0 (5.0–5.0)"),
        ("matrix product, float32", None),
        ("measured on a machine", None),
    ]
    return pd.DataFrame(rows)


def test_costs_are_seconds_for_a_megapixel(table):
    costs = speed.cost_growth(table)
    assert costs["work"].to_list() == [
        "training",
        "training",
        "prediction",
        "prediction",
    ]  # no failed one, no other work
    assert costs["batch"].to_list() == [2, 8, 1, 1]
    assert costs["megapixels"].to_list() == [0.02, 0.02, 0.02, 2.0]
    assert costs["seconds"].to_list() == pytest.approx([1.0, 0.5, 5.0, 2.5])
    assert costs["low"].to_list() == pytest.approx([0.5, 0.5, 2.5, 1.0])
    assert costs["high"].to_list() == pytest.approx([2.0, 0.5, 10.0, 5.0])


def test_the_figure_has_a_panel_for_each_kind_of_work(table):
    prediction, training, folders = figures.cost_growth(speed.cost_growth(table), speed.folder_growth(table)).axes
    assert folders.containers[0].lines[0].get_ydata().tolist() == pytest.approx([2.0, 8.0])
    assert [len(axes.containers) for axes in (prediction, training)] == [1, 1]
    assert prediction.containers[0].lines[0].get_ydata().tolist() == pytest.approx([5.0, 2.5])
    assert training.containers[0].lines[0].get_ydata().tolist() == pytest.approx([1.0, 0.5])
    assert prediction.get_xlabel().startswith("size of the picture") and training.get_xlabel() == "pictures in a batch"


def test_the_stored_table_has_both_kinds_of_work():
    assert set(speed.cost_growth()["work"]) == {"training", "prediction"}
    assert set(speed.folder_growth()["program"]) == {"one process", "all cores"}
