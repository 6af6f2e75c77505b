"""The study behind Table 1, without training: cases, tables from made-up runs, verdicts on made-up differences."""

import json

import numpy as np
import pandas as pd
import pytest

from crack_utils.data import Pair, Split
from crack_utils.data.leaks import leak
from crack_utils.evaluation.evaluate import THRESHOLDS
from crack_utils.report import figures
from crack_utils.study import cases, claims, other_rules, summary, tables, verdicts
from crack_utils.study.tables import MEASURES, Tables
from crack_utils.study.verdicts import by_seed
from crack_utils.training.run import Run
from tests.helpers.made_up_study import fail, made_up


def pairs(specimens, frames, start=0):
    return [
        Pair(f"s{s:02d}f{f}", f"{s}-{f}.png", f"{s}-{f}m.png", source="old", specimen=f"s{s:02d}")
        for s in range(start, start + specimens)
        for f in range(frames)
    ]


class TestCases:
    def test_each_training_once(self):
        found = cases.cases("full")
        assert (
            len({case.name for case in found}) == len({case.experiment for case in map(_frozen, found)}) == len(found)
        )

    def test_every_question_has_all_its_variants_with_all_its_seeds(self):
        asked = [(answer, case.experiment.seed) for case in cases.cases("full") for answer in case.answers]
        for question, seeds in cases.SCALES["full"]["seeds"].items():
            expected = {((question, v), seed) for v in cases.QUESTIONS[question] for seed in range(seeds)}
            assert expected == {each for each in asked if each[0][0] == question}
        assert len(asked) == len(set(asked))

    def test_what_is_equal_is_shared(self):
        usual = next(case for case in cases.cases("full") if ("losses", "dice") in case.answers)
        assert {"phases", "optimizers", "precision"} <= {question for question, _ in usual.answers}

    def test_questions_that_are_not_complete_are_left_out(self):
        everything = cases.cases("full")
        missing = next(case for case in everything if ("leaks", "by image") in case.answers)
        kept, left = cases.complete("full", [case for case in everything if case != missing])
        assert left == ["leaks"]
        assert {question for case in kept for question, _ in case.answers} == {*cases.SCALES["full"]["seeds"]} - {
            "leaks"
        }
        assert cases.complete("full", everything) == (everything, [])

    def test_names(self):
        first = cases.cases("smoke")[0]
        assert cases.case("smoke", first.name) == first
        with pytest.raises(ValueError, match="has no case 'nobody'; names are such as bce-0-"):
            cases.case("smoke", "nobody")
        with pytest.raises(ValueError, match="valid are smoke, small, full"):
            cases.cases("huge")

    def test_image_steps(self):
        first = cases.cases("smoke")[0].experiment
        assert cases.image_steps(first.replace(specimens=100, frames=1, test=0.2, repeat=3, epochs=2)) == 2 * 64 * 3
        assert cases.image_steps(first.replace(specimens=100, frames=1, test=0.2, repeat=None)) == 64 * 5  # 300 or more
        assert cases.image_steps(first.replace(updates=10, batch=3)) == 30


def _frozen(case):
    return type("Frozen", (), {"experiment": json.dumps(case.experiment.to_dict(), sort_keys=True)})


class TestLeaks:
    split = Split(train=pairs(8, 5), validation=pairs(2, 5, 8), test=pairs(3, 5, 10))

    def drawn(self, how, seed=0):
        made = leak(self.split, how, 0.2, seed)
        assert made.test == self.split.test and len(made.validation) == 10
        assert {*made.train, *made.validation} <= {*self.split.train, *self.split.validation}
        return made

    def test_none_keeps_siblings_together(self):
        made = self.drawn("none")
        assert not {p.specimen for p in made.train} & {p.specimen for p in made.validation}
        assert len(made.train) == 40 and self.drawn("none", 1) != made

    def test_siblings_lie_on_both_sides(self):
        made = self.drawn("siblings")
        assert not {*made.train} & {*made.validation} and len(made.train) == 40
        assert {p.specimen for p in made.train} >= {p.specimen for p in made.validation}

    def test_drawn_once_trains_on_most_of_validation(self):
        shares = [
            np.mean([p in made.train for p in made.validation])
            for made in map(self.drawn, ["drawn once"] * 40, range(40))
        ]
        assert np.mean(shares) == pytest.approx(0.8, abs=0.06)  # 400 draws of standard deviation 0.02

    def test_drawn_each_epoch_trains_on_everything(self):
        made = self.drawn("drawn each epoch")
        assert {*made.train} == {*self.split.train, *self.split.validation}


@pytest.fixture
def run(tmp_path):
    """A finished run of two test specimens with two pictures each, made up."""
    folder = tmp_path / "unet-dice-0"
    folder.mkdir()
    rows = [
        {"source": "old", "specimen": s, "frame": f, "name": f"{s}{f}", "tp": 1 + f, "fp": 2, "fn": 3, "tn": 4}
        | dict.fromkeys(MEASURES, 0.25 + f / 2)
        for s in ("a", "b")
        for f in (0, 1)
    ]
    pd.DataFrame(rows).to_csv(folder / "measures.csv", index=False)
    counts = {"set": "test", "threshold": 0.5, "tp": 1, "fp": 2, "fn": 3, "tn": 4}
    pd.DataFrame([counts, counts | {"threshold": 1.0, "tp": 0, "fn": 4}]).to_csv(folder / "thresholds.csv", index=False)
    measured = {"mean_iou": 0.8, "unthresholded_mean_iou": 0.5, "accuracy": 0.9, "mean_class_accuracy": 0.9, "loss": 1}
    (folder / "metrics.json").write_text(json.dumps({"evaluated": "test", "validation": measured, "test": measured}))
    origin = {"commit": "0", "data_hash": "0", "packages": {}, "finished": "2026-11-26T22:00:00Z"}
    origin |= {"precision": "float32", "seconds": 9, "peak_memory_gib": 1.5}
    (folder / "provenance.json").write_text(json.dumps(origin))
    np.savez(folder / "history.npz", loss=[0.5, 0.25], val_miou=[0.6, 0.8], val_unthresholded_miou=[0.4, 0.5])
    (folder / "split.csv").write_text("set,name,source\ntrain,a,old\ntrain,b,old\nvalidation,b,old\nvalidation,c,old\n")
    return Run(folder)


class TestTables:
    def test_specimens_are_sums_of_counts_and_means_of_measures(self, run):
        case = next(case for case in cases.cases("full") if ("losses", "dice") in case.answers)
        made = tables.gather([case], [run])
        rows = made["specimens"].query("question == 'losses'")
        assert rows["specimen"].tolist() == ["a", "b"] and rows["tp"].tolist() == [3, 3]
        assert rows["mean_iou"].tolist() == [0.5, 0.5]
        assert len(made["specimens"]) == 2 * len(case.answers) and len(made["thresholds"]) == 2
        about = made["runs"].iloc[0]
        assert (about["validation_seen"], about["final_loss"], about["curve"]) == (0.5, 0.25, "0.6000 0.8000")

    def test_written_and_read_back(self, run, tmp_path):
        case = next(case for case in cases.cases("full") if ("losses", "dice") in case.answers)
        made = tables.gather([case], [run])
        tables.write(tmp_path / "study", made, "full")
        found = tables.read(tmp_path / "study")
        for name, table in made.items():
            pd.testing.assert_frame_equal(getattr(found, name), table, check_dtype=False)
        assert found.provenance["trainings"] == 1 and "full study, 1 trainings" in tables.source(found)

    def test_tips_are_kept_picture_by_picture_for_their_question_alone(self, run, tmp_path):
        rows = pd.read_csv(run.folder / "measures.csv")
        rows.assign(tip_error=[1.5, np.inf, 3.0, 4.0]).to_csv(run.folder / "measures.csv", index=False)
        case = next(case for case in cases.cases("tips") if case.experiment.loss == "dice+tip")
        tables.write(tmp_path / "tips", tables.gather([case], [run]), "tips")
        again = tables.read(tmp_path / "tips")
        assert again.tips["tip_error"].tolist() == [1.5, np.inf, 3.0, 4.0]
        assert set(again.tips["variant"]) == {"dice+tip"} and len(again.thresholds) == 2
        other = next(case for case in cases.cases("full") if ("losses", "dice") in case.answers)
        assert "tips" not in tables.gather([other], [run])

    def test_thresholds_near_one_stay_apart(self, tmp_path):
        found = made_up(seeds=1)
        made = {name: getattr(found, name) for name in tables.TABLES}
        tables.write(tmp_path / "study", made, "full")
        again = tables.read(tmp_path / "study")
        assert again.thresholds["threshold"].nunique() == len(THRESHOLDS)
        pd.testing.assert_frame_equal(summary.precision_effect(again), summary.precision_effect(found))
        assert figures.threshold_curves(again).axes and figures.crack_probabilities(again).axes

    def test_missing_tables_are_named(self, tmp_path):
        with pytest.raises(ValueError, match=r"no table specimens, runs, thresholds; run `make study`"):
            tables.read(tmp_path)


class TestClaims:
    def test_values_are_in_the_order_asked_for(self):
        found = made_up({("tversky", "recall"): 0.1}).values("losses", "recall", ["tversky", "bce"])
        assert found.shape == (2, 10, 12)
        assert (found[0] - found[1]).mean() == pytest.approx(0.1, abs=0.003)
        with pytest.raises(ValueError, match=r"no variant \['adam'\]; valid are bce, dice"):
            made_up().values("losses", "recall", ["adam"])

    def test_a_training_that_failed_is_counted_and_left_out(self):
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

    def test_alike_losses_make_no_difference(self):
        words = {each.claim: each.verdict for each in claims.findings(made_up())}
        assert words["BCE suffers from imbalance: Dice finds more crack"] == "no difference that matters"

    def test_a_better_dice_is_found_at_its_own_threshold(self):
        found = made_up()
        better = (found.thresholds["variant"] == "dice") & (found.thresholds["threshold"] == 0.5)
        found.thresholds.loc[better, ["tp", "fn"]] = 95, 5
        rows = {each.claim: each for each in claims.findings(found)}
        assert rows["Dice is better than BCE"].verdict == "supported" and rows["Dice is better than BCE"].low > 0.03

    def test_the_cast_has_a_row_of_its_own(self):
        shifts = {(loss, "unthresholded_mean_iou"): 0.2 for loss in ("dice", "tversky")}
        rows = {each.item: each for each in claims.findings(made_up(shifts))}
        assert rows["S1"].verdict == "supported" and rows["S1"].value == pytest.approx(0.2, abs=0.01)
        assert rows["R54"].verdict == "no difference that matters"

    def test_a_fall_of_a_curve(self):
        assert claims._largest_fall([0.5, 0.4, 0.7, 0.1]) == pytest.approx(0.1)  # the second half does not count
        assert claims._largest_fall([0.5, 0.6, 0.7, 0.1]) == 0

    def test_student_by_hand(self):
        # mean 2, standard deviation 1, three values: 2 ± 4.3027 / √3
        found = by_seed([1, 2, 3], bounds=None)
        assert (found["low"], found["high"]) == pytest.approx((2 - 2.4841, 2 + 2.4841), abs=1e-3)

    def test_every_question_is_judged_and_shown(self):
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

    def test_every_variant_of_the_other_questions_has_a_row(self):
        found = made_up(questions=("losses", "phases", "leaks"), seeds=3, specimens=6)
        fail(found, "never falls", 1)
        made = summary.variant_table(found)
        assert made.index.tolist() == [
            ("phases", variant) for variant in ("½ and ¾", "60 % and 90 %", "never falls", "10⁻⁶ at once")
        ]
        assert made.loc[("phases", "never falls"), "failed"] == 1 and made["failed"].sum() == 1
        assert made.loc[("phases", "never falls"), "mean IoU at 0.5 [95 %]"].endswith("(2 seeds)")
        assert (made["time [s]"] == "36").all() and summary.variant_table(made_up(seeds=2)).empty

    def test_a_failed_training_says_nothing_of_a_leak(self):
        found = made_up(questions=("losses", "leaks"), seeds=5, specimens=6)
        fail(found, "by image", 2)
        assert len(found.working_runs("leaks")) == 19
        rows = found.runs[found.runs["question"] == "leaks"].pivot(index="seed", columns="variant")
        above = (rows["validation_mean_iou"] - rows["pooled_mean_iou"]).drop(index=2)
        rise = next(each for each in claims.findings(found) if each.item == "S3")
        assert rise.value == pytest.approx((above["by image"] - above["by specimen"]).mean())
        assert summary.leak_table(found).loc[("many", "by image"), "trainings (failed)"] == "5 (1)"

    def test_questions_that_were_not_asked_are_left_out(self):
        items = [each.item for each in claims.findings(made_up())]
        assert "R56" in items and "R60" not in items and "S3" not in items


def test_without_a_live_study_the_full_one_stands_in(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("CRACK_UTILS_ARTIFACTS", str(tmp_path))
    full, live = tables.read(tables.folder_of("full")), tables.read_live("small")
    assert live.provenance == full.provenance and "no live study on this machine" in capsys.readouterr().out
    assert tables.repeated(full, live)["trainings"] == 0
    made = {name: getattr(full, name) for name in tables.TABLES}
    tables.write(tables.folder_of("small"), made, "small")
    assert tables.read_live("small").provenance["scale"] == "small"


def test_repeated():
    full = made_up()
    where = {"scale": "small"}
    assert tables.repeated(full, Tables(full.specimens, full.runs, full.thresholds, where))["largest_difference"] == 0
    again = Tables(full.specimens.query("seed < 2").assign(mean_iou=lambda t: t["mean_iou"] + 0.125), None, None, where)
    found = tables.repeated(full, again)
    assert (found["trainings"], found["largest_difference"]) == (8, pytest.approx(0.125))
    assert found["in_words"].startswith("8 trainings of this build repeat") and found["in_words"].endswith(" 0.1.")
    none = tables.repeated(full, Tables(full.specimens, None, None, {"scale": "smoke"}))
    assert none["trainings"] == 0 and none["in_words"] == "No training of this build repeats one of the full study."


class TestSummary:
    def test_pairs_are_told_from_the_better_one(self):
        found = summary.pair_table(made_up({("focal", "f1"): -0.1}), ["f1"])["F1"]
        assert found["BCE – focal"].startswith("BCE +0.100") and found["BCE – focal"].endswith("*")
        assert not found["BCE – Dice"].endswith("*")

    def test_thresholds(self):
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

    def test_numbers_can_be_recorded(self):
        found = made_up({("dice", "unthresholded_mean_iou"): 0.1})
        fair = made_up(questions=("losses", "optimizers, rates"), seeds=3)
        made = json.loads(json.dumps(summary.numbers(found, fair, found, claims.findings(found, fair))))
        assert made["optimizers_at_best"]["plain_SGD"]["failed"] == "0 of 9"
        assert made["facts"]["hours"] == 0.4
        assert made["crack_share"] == 0.1
        assert made["losses"]["dice"]["mean_iou_chosen"]["value"] == pytest.approx((0.85 + 900 / 915) / 2)

    def test_a_failed_training_can_be_counted(self):
        found = made_up()
        lost = (found.thresholds["variant"] == "dice") & (found.thresholds["seed"] == 0)
        found.thresholds.loc[lost, ["tp", "fn"]] = 0, 100
        counted = other_rules.dice_with_failures(found)["bce"]
        assert counted["low"] < 0 < counted["high"] and counted["verdict"] == verdicts.UNDECIDED
        assert counted["below"] == 1 and counted["seeds"] > 1
