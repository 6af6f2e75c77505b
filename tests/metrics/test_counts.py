"""Counts of pixels in tables: pooled as the pictures themselves are."""

import pandas as pd

from crack_utils.metrics import Confusion, pooled
from crack_utils.metrics.counts import COUNTS, pooled_rows


def test_rows_are_pooled_as_pictures_are():
    pictures = [Confusion(1, 0, 3, 6), Confusion(2, 1, 0, 7)]
    table = pd.DataFrame([{"name": "a", "tp": 1, "fp": 0, "fn": 3, "tn": 6}, {"tp": 2, "fp": 1, "fn": 0, "tn": 7}])
    assert COUNTS == ("tp", "fp", "fn", "tn")
    assert pooled_rows(table) == pooled(pictures) == Confusion(3, 1, 3, 13)
    assert pooled_rows(table[:0]) == Confusion(0, 0, 0, 0)
