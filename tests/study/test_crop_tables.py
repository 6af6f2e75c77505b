"""Crops against reduction: what is read from a table whose numbers are known, and from the one that is kept."""

import json

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from crack_utils.report import figures
from crack_utils.study import crop_tables


def rows(fit, f1, threshold="0.5", limit=0.5, loss="bce", seconds=60.0):
    """One row a photograph, of ten pixels each: three found, one missed, one too many."""
    measures = {"precision": 0.75, "recall": 0.6, "tp": 3, "fp": 1, "fn": 1, "tn": 5}
    common = {"loss": loss, "fit": fit, "seed": 0, "seconds": seconds, "threshold": threshold, "limit": limit}
    return [common | measures | {"name": f"00{number}", "f1": value} for number, value in enumerate(f1)]


@pytest.fixture
def table():
    resize, crop = np.linspace(0.5, 0.8, 12), np.linspace(0.5, 0.8, 12) + np.tile([0.03, 0.05], 6)
    made = rows("resize", resize) + rows("crop", crop)
    made += rows("resize", resize, "chosen", 0.3) + rows("crop", resize - 0.1, "chosen", 0.4)
    return pd.DataFrame(made + rows("ceiling", np.ones(12), limit=np.nan, loss="", seconds=np.nan))


def test_means_are_over_photographs(table):
    found = crop_tables.means(table).set_index(["fit", "threshold"])
    assert found.loc[("resized", "0.5"), "F1, 2 px"] == pytest.approx(0.65)
    assert found.loc[("crops", "0.5"), "F1, 2 px"] == pytest.approx(0.69)
    assert found.loc[("crops", "chosen (0.4)"), "crack IoU"] == pytest.approx(3 / 5)
    assert (found["training [min]"] == 1).all() and len(found) == 4


def test_differences_are_paired(table):
    found = crop_tables.differences(table).set_index("threshold")
    assert found.loc["0.5", "difference"] == pytest.approx(0.04)
    # The photographs differ by 0.3, the gains by 0.02 only.
    assert 0.03 < found.loc["0.5", "low"] < 0.04 < found.loc["0.5", "high"] < 0.05
    assert found.loc["chosen", "difference"] == pytest.approx(-0.1)


def test_what_is_said_follows_from_the_numbers(table):
    assert "**Crops reach the gain of 0.03 in F1" in crop_tables.in_words(table)
    worse = table[table["threshold"] != "0.5"]
    worse = pd.concat([worse, worse.assign(threshold="0.5"), table[table["fit"] == "ceiling"]])
    assert "**Crops do not reach the gain of 0.03 in F1" in crop_tables.in_words(worse)


def test_each_photograph_by_fit(table):
    (pairs,) = crop_tables.by_photograph(table).values()
    assert list(pairs.columns) == ["crops", "resized"] and len(pairs) == 12
    np.testing.assert_allclose(pairs["crops"] - pairs["resized"], -0.1)


def test_the_kept_table_is_whole():
    table, where = crop_tables.read_table()
    trained = table[table["fit"] != "ceiling"]
    per_training = trained.groupby(["loss", "fit", "seed", "threshold"]).size()
    assert (per_training == where["photographs"]).all() and set(trained["fit"]) == {"resize", "crop"}
    assert (table[["tp", "fp", "fn", "tn"]].sum(axis=1) == 320 * 480).all()  # CrackForest's own size
    json.dumps(crop_tables.numbers(table), default=float)


def test_the_figure_has_a_dot_a_photograph_and_the_mean(table):
    values = crop_tables.by_photograph(table)
    figure = figures.paired(values, "resized", "crops", "F1")
    (axes,) = figure.axes
    _, dots, mean = axes.lines
    assert axes.get_title() == "BCE"
    np.testing.assert_allclose(dots.get_xydata(), values["BCE"][["resized", "crops"]])
    np.testing.assert_allclose(mean.get_xydata(), [[0.65, 0.55]])
    plt.close(figure)
