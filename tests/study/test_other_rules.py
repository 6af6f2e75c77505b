"""Verdicts on the losses by other rules, and the simulated check of the rule."""

import pandas as pd
import pytest

from crack_utils.study import other_rules, verdict_check
from crack_utils.study.verdicts import CONTRADICTED, NO_DIFFERENCE, SUPPORTED


def test_a_rule_can_turn_a_verdict():
    places = pd.MultiIndex.from_product([["bce", "dice", "focal", "tversky"], range(4)], names=["variant", "seed"])
    table = pd.DataFrame({"mean_iou_chosen": 0.9, "mean_iou_half": 0.9}, index=places)
    noise = [0.0, 0.0001, -0.0001, 0.0]
    for loss, chosen, half in (("dice", -0.015, 0.0), ("focal", 0.0, -0.05), ("tversky", -0.015, 0.0)):
        table.loc[loss, "mean_iou_chosen"] = [0.9 + chosen + value for value in noise]
        table.loc[loss, "mean_iou_half"] = [0.9 + half + value for value in noise]
    rows = {row["claim"]: row for row in other_rules.by_rule(table).values()}
    focal = rows["Dice is better than focal loss"]
    assert (focal["verdict"], focal["verdict_at_half"]) == (CONTRADICTED, SUPPORTED)
    assert focal["verdict_at_twice"] == NO_DIFFERENCE  # 0.015 matters, but not where 0.02 must be exceeded
    assert focal["at_half"].startswith("+0.050 [")
    assert rows["Dice is better than Tversky"]["verdict"] == NO_DIFFERENCE
    assert other_rules.changed(other_rules.by_rule(table), "half") == 3
    assert other_rules.changed(other_rules.by_rule(table), "twice") == 3
    assert rows["Dice is better than BCE"]["verdict_at_half"] == NO_DIFFERENCE


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
