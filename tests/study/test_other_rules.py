"""Verdicts on the losses by other rules."""

import pandas as pd

from crack_utils.study import other_rules
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
