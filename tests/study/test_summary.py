"""Tables and numbers of the study for the pages, from made-up trainings."""

import json

import pandas as pd
import pytest

from crack_utils.study import claims, other_rules, summary, verdicts
from tests.helpers.made_up_study import fail, made_up


def test_pairs_are_told_from_the_better_one():
    found = summary.pair_table(made_up({("focal", "f1"): -0.1}), ["f1"])["F1"]
    assert found["BCE – focal"].startswith("BCE +0.100") and found["BCE – focal"].endswith("*")
    assert not found["BCE – Dice"].endswith("*")


def test_thresholds():
    found = made_up()
    # tp 70, fn 30 of 1,000: crack IoU 0.7, background 900 / 930
    effect = summary.precision_effect(found)
    assert effect.loc["BCE", "bfloat16"] == pytest.approx((0.7 + 900 / 930) / 2)
    assert effect.loc["Dice", "float32"] > effect.loc["BCE", "float32"] == pytest.approx(0.45)
    made = made_up()
    fail(made, "dice", 3)
    made.thresholds.loc[made.thresholds["seed"] == 3, ["tp", "fn"]] = 0, 100
    pd.testing.assert_frame_equal(summary.precision_effect(made), effect)  # of no loss is that seed counted
    at_half = f"{(0.85 + 900 / 915) / 2:.3f}"
    table = summary.threshold_table(found)
    assert (table["threshold of validation"] == "0.50").all()
    assert table["pooled mean IoU at 0.5"].str.startswith(at_half).all()
    assert table["pooled mean IoU at the threshold of validation"].str.startswith(at_half).all()


def test_numbers_can_be_recorded():
    found = made_up({("dice", "unthresholded_mean_iou"): 0.1})
    fair = made_up(questions=("losses", "optimizers, rates"), seeds=3)
    made = json.loads(json.dumps(summary.numbers(found, fair, found, claims.findings(found, fair))))
    assert made["optimizers_at_best"]["plain_SGD"]["failed"] == "0 of 9"
    assert made["facts"]["hours"] == 0.4
    assert made["crack_share"] == 0.1
    assert made["losses"]["dice"]["mean_iou_chosen"]["value"] == pytest.approx((0.85 + 900 / 915) / 2)


def test_a_failed_training_can_be_counted():
    found = made_up()
    lost = (found.thresholds["variant"] == "dice") & (found.thresholds["seed"] == 0)
    found.thresholds.loc[lost, ["tp", "fn"]] = 0, 100
    counted = other_rules.dice_with_failures(found)["bce"]
    assert counted["low"] < 0 < counted["high"] and counted["verdict"] == verdicts.UNDECIDED
    assert counted["below"] == 1 and counted["seeds"] > 1
