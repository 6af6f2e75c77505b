"""Claims and verdicts on made-up differences."""

import pytest

from crack_utils.report import figures
from crack_utils.study import cases, claims, summary
from crack_utils.study.verdicts import by_seed
from tests.helpers.made_up_study import fail, made_up


def test_values_are_in_the_order_asked_for():
    found = made_up({("tversky", "recall"): 0.1}).values("losses", "recall", ["tversky", "bce"])
    assert found.shape == (2, 10, 12)
    assert (found[0] - found[1]).mean() == pytest.approx(0.1, abs=0.003)
    with pytest.raises(ValueError, match=r"no variant \['adam'\]; valid are bce, dice"):
        made_up().values("losses", "recall", ["adam"])


def test_a_training_that_failed_is_counted_and_left_out():
    found = made_up()
    fail(found, "dice", 3)
    assert found.failures("losses").to_dict() == {"bce": 0, "dice": 1, "focal": 0, "tversky": 0}
    assert found.values("losses", "recall", ["bce", "dice"]).shape == (2, 10, 12)
    assert found.values("losses", "recall", ["bce", "dice"], worked=True).shape == (2, 9, 12)
    assert found.values("losses", "recall", ["bce"], worked=True).shape == (1, 10, 12)
    assert found.swept("test").groupby("variant")["seed"].nunique().to_dict() == {
        "bce": 10,
        "dice": 9,
        "focal": 10,
        "tversky": 10,
    }
    assert summary.loss_table(found, ["recall"]).loc["Dice", "failed trainings"] == "1"
    recall = next(each for each in claims.findings(found) if each.item == "R50")
    assert "9 of 10 seeds, 40 runs (unet-bce-0" in recall.source


def test_alike_losses_make_no_difference():
    words = {each.claim: each.verdict for each in claims.findings(made_up())}
    assert words["BCE suffers from imbalance: Dice finds more crack"] == "no difference that matters"


def test_a_better_dice_is_found_at_its_own_threshold():
    found = made_up()
    better = (found.thresholds["variant"] == "dice") & (found.thresholds["threshold"] == 0.5)
    found.thresholds.loc[better, ["tp", "fn"]] = 95, 5
    rows = {each.claim: each for each in claims.findings(found)}
    assert rows["Dice is better than BCE"].verdict == "supported" and rows["Dice is better than BCE"].low > 0.03


def test_the_cast_has_a_row_of_its_own():
    shifts = {(loss, "unthresholded_mean_iou"): 0.2 for loss in ("dice", "tversky")}
    rows = {each.item: each for each in claims.findings(made_up(shifts))}
    assert rows["S1"].verdict == "supported" and rows["S1"].value == pytest.approx(0.2, abs=0.01)
    assert rows["R54"].verdict == "no difference that matters"


def test_a_fall_of_a_curve():
    assert claims._largest_fall([0.5, 0.4, 0.7, 0.1]) == pytest.approx(0.1)  # the second half does not count
    assert claims._largest_fall([0.5, 0.6, 0.7, 0.1]) == 0


def test_student_by_hand():
    # mean 2, standard deviation 1, three values: 2 ± 4.3027 / √3
    found = by_seed([1, 2, 3], bounds=None)
    assert (found["low"], found["high"]) == pytest.approx((2 - 2.4841, 2 + 2.4841), abs=1e-3)


def test_every_question_is_judged_and_shown():
    questions = [*cases.SCALES["full"]["seeds"], *cases.SCALES["fairness"]["seeds"]]
    found = made_up(questions=questions, seeds=3, specimens=6)
    made = claims.findings(found)
    items = {
        "R50",
        "R51",
        "R52",
        "R53",
        "R54",
        "R56",
        "R60",
        "R61",
        "R62",
        "R63",
        "R64",
        "R65",
        "R66",
        "S1",
        "S2",
        "S3",
    }
    assert {each.item for each in made} == items
    assert len(summary.leak_table(found)) == 8 and len(summary.findings_table(made)) == len(made)
    shown = {axis.get_text().replace("\n", " ") for axis in figures.claims(made).axes[0].get_yticklabels()}
    assert {
        "Dice is better than BCE",
        "Flips help",
        "Adam does better than RMSProp, each at its best rate",
    } <= shown
    assert len(claims.stability(found, "rates")) == 6


def test_every_variant_of_the_other_questions_has_a_row():
    found = made_up(questions=("losses", "phases", "leaks"), seeds=3, specimens=6)
    fail(found, "never falls", 1)
    made = summary.variant_table(found)
    assert made.index.tolist() == [
        ("phases", variant) for variant in ("½ and ¾", "60 % and 90 %", "never falls", "10⁻⁶ at once")
    ]
    assert made.loc[("phases", "never falls"), "failed"] == 1 and made["failed"].sum() == 1
    assert made.loc[("phases", "never falls"), "mean IoU at 0.5 [95 %]"].endswith("(2 seeds)")
    assert (made["time [s]"] == "36").all() and summary.variant_table(made_up(seeds=2)).empty


def test_a_failed_training_says_nothing_of_a_leak():
    found = made_up(questions=("losses", "leaks"), seeds=5, specimens=6)
    fail(found, "by image", 2)
    assert len(found.working_runs("leaks")) == 19
    rows = found.runs[found.runs["question"] == "leaks"].pivot(index="seed", columns="variant")
    above = (rows["validation_mean_iou"] - rows["pooled_mean_iou"]).drop(index=2)
    rise = next(each for each in claims.findings(found) if each.item == "S3")
    assert rise.value == pytest.approx((above["by image"] - above["by specimen"]).mean())
    assert summary.leak_table(found).loc[("many", "by image"), "trainings (failed)"] == "5 (1)"


def test_questions_that_were_not_asked_are_left_out():
    items = [each.item for each in claims.findings(made_up())]
    assert "R56" in items and "R60" not in items and "S3" not in items
