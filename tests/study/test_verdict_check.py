"""The rule of the verdicts in simulated studies, and the committed table of them."""

import pandas as pd
import pytest

from crack_utils.study import verdict_check


def test_the_rule_of_the_verdicts_in_simulated_studies():
    table = verdict_check.check(studies=300, seed=1).set_index(["shape", "seeds", "spread"])
    normal = table.loc["normal"]
    assert (normal["covered_low"] <= 0.95).all() and (normal["covered_high"] >= 0.93).all()
    assert (normal["false_difference_low"] <= 0.05).all() and (normal["false_equality_low"] <= 0.05).all()
    assert normal["false_equality"].max() > 0.01  # differences that just matter are called none now and then


def test_the_committed_check_names_its_worst_values():
    found = verdict_check.numbers(verdict_check.read())
    assert found["normal"]["covered"] > 0.94 and found["normal"]["false_equality"] < 0.06
    assert found["with_failures"]["covered"] < found["with_outliers"]["covered"] < found["normal"]["covered"]
    assert found["with_outliers"]["false_equality"] > found["normal"]["false_equality"]
    one = pd.DataFrame([{"seeds": 3, "shape": "a b", "covered": 0.9, "false_difference": 0.1, "false_equality": 0.2}])
    assert verdict_check.numbers(one)["a_b"] == pytest.approx(
        {"covered": 0.9, "false_difference": 0.1, "false_equality": 0.2}
    )
