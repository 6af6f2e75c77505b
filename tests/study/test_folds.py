"""Every photograph is a test photograph once, and what training changes is a mean over the parts."""

import pandas as pd
import pytest

from crack_utils.study import folds
from tests.helpers.folders import fake_pairs


def test_each_photograph_is_tested_once():
    pairs = fake_pairs(specimens=8, frames=3)
    splits = [folds.split_of_fold(pairs, fold) for fold in range(folds.FOLDS)]
    tested = [pair.name for split in splits for pair in split.test]
    assert sorted(tested) == sorted(pair.name for pair in pairs)
    for split in splits:
        parts = [{pair.name for pair in split[name]} for name in ("train", "validation", "test")]
        assert sum(map(len, parts)) == len(set.union(*parts)) == len(pairs) and all(parts)


def test_gains_by_hand():
    rows = [("a", 0, 0.9, 0.8), ("b", 0, 0.8, 0.8), ("c", 1, 0.7, 0.5)]
    table = pd.DataFrame(rows, columns=["photograph", "fold", "trained", "without"]).assign(updates=300)
    (row,) = folds.gains(table).to_dict("records")
    assert row["photographs"] == 3 and row["folds"] == 2
    assert row["trained"] == pytest.approx(0.8) and row["without training"] == pytest.approx(0.7)
    assert row["difference"] == pytest.approx((0.05 + 0.2) / 2)
    assert -1 <= row["low"] < 0 < row["difference"] < row["high"] <= 1  # of two parts: a wide one, which can be
    assert (
        "With 300 updates F1 within 2 px is 0.800 instead of 0.700 without training, over 3 photographs"
        in folds.describe_gains(table)
    )


def test_without_a_table_nothing_is_said(tmp_path):
    table = folds.read(tmp_path / "none.csv")
    assert table.empty and folds.gains(table).empty and "not been measured" in folds.describe_gains(table)
