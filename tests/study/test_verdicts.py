"""Verdicts: hand-computed rules, the numbers of the committed study, and a script that knows nothing of the package."""

import contextlib
import io
import re
from itertools import chain

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from crack_utils.evaluation.words import MEASURES
from crack_utils.metrics import intervals
from crack_utils.runtime import paths
from crack_utils.study import (
    architectures,
    claims,
    crop_tables,
    rates,
    summary,
    tables,
    thresholds,
    tip_losses,
    verdicts,
)
from tests.helpers import raw_measures
from tests.helpers.made_up_study import fail, made_up

RESULTS = paths.root() / "results"


@pytest.fixture(scope="module")
def full():
    return tables.read(tables.folder_of("full"))


@pytest.fixture(scope="module")
def found(full):
    return claims.findings(full, tables.read(tables.folder_of("fairness")))


class TestRules:
    def test_words_by_hand(self):
        # Half of a 95 % interval over ten seeds is 0.715 of the standard deviation.
        spread = np.array([-1, 1] * 5) * 0.01
        words = [verdicts.verdict(verdicts.by_seed(mean + spread)) for mean in (0.02, -0.02, 0.0, 0.007)]
        assert words == [verdicts.SUPPORTED, verdicts.CONTRADICTED, verdicts.NO_DIFFERENCE, verdicts.UNDECIDED]

    def test_equivalence_is_two_one_sided_tests(self):
        values = np.random.default_rng(0).normal(0.004, 0.008, 12)
        for matters in np.linspace(0.002, 0.02, 40):
            below = stats.ttest_1samp(values, -matters, alternative="greater").pvalue
            above = stats.ttest_1samp(values, matters, alternative="less").pvalue
            if abs(max(below, above) - 0.05) > 0.005:  # the scale moves the limits by less than a thousandth
                same = verdicts.verdict(verdicts.by_seed(values), matters) == verdicts.NO_DIFFERENCE
                assert same == (max(below, above) < 0.05)

    def test_readings_that_differ_decide_nothing(self):
        assert verdicts.agreed([verdicts.SUPPORTED] * 2) == verdicts.SUPPORTED
        assert verdicts.agreed([verdicts.SUPPORTED, verdicts.NO_DIFFERENCE]) == verdicts.UNDECIDED

    def test_one_seed_and_none_decide_nothing(self):
        assert {verdicts.verdict(verdicts.by_seed(values)) for values in ([0.5], [])} == {verdicts.UNDECIDED}

    def test_limits_stay_within_their_range(self):
        for values in ([0.02, 0.6, 0.99], [0.999, 0.9, 0.99], [0.1, 0.9]):
            found = verdicts.by_seed(values, verdicts.SHARE)
            assert 0 <= found["low"] < found["value"] < found["high"] <= 1
        assert verdicts.by_seed([0.0, 0.0], verdicts.SHARE)["high"] == 0
        low, high = intervals.within(0.5, -np.inf, np.inf, (0, 1))
        assert (low, high) == (0, 1)

    def test_few_seeds_say_so(self):
        assert verdicts.text(verdicts.by_seed([0.1, 0.2, 0.3])).endswith("(3 seeds)")
        assert verdicts.text(verdicts.by_seed([0.1])) == "+0.100 (no interval)"
        assert verdicts.text(verdicts.interval([[0.1, 0.3]]), signed=False) == "0.200 (no interval)"
        assert verdicts.text(verdicts.by_seed([-0.0001] * 5)) == "0.000 [0.000, 0.000]"


class TestThresholds:
    def counts(self, **columns):
        return pd.DataFrame(columns, index=pd.Index([0.2, 0.5, 0.8], name="threshold"))

    def test_recall_between_thresholds_by_hand(self):
        counts = self.counts(tp=[90, 80, 40], fp=[90, 20, 0], fn=[10, 20, 60])
        assert thresholds.recall_at_precision(counts, 0.8) == pytest.approx(0.8)  # at 0.5 itself
        # Half way from 0.2 to 0.5: tp 85, fp 55, precision 85 / 140.
        assert thresholds.recall_at_precision(counts, 85 / 140) == pytest.approx(0.85)
        assert thresholds.recall_at_precision(counts, 0.4) == pytest.approx(0.9)
        assert np.isnan(thresholds.recall_at_precision(self.counts(tp=[9, 8, 0], fp=[9, 8, 0], fn=[1, 2, 10]), 0.8))

    def test_the_threshold_is_chosen_on_validation(self):
        rows = [
            {"variant": "bce", "seed": 0, "set": name, "threshold": limit, "tp": tp, "fp": 0, "fn": 10 - tp, "tn": 90}
            for name, found in (("validation", (5, 9)), ("test", (10, 6)))
            for limit, tp in zip((0.2, 0.5), found, strict=True)
        ]
        chosen = thresholds.by_training(pd.DataFrame(rows)).loc[("bce", 0)]
        assert (chosen["threshold"], chosen["recall_chosen"]) == (0.5, 0.6)
        assert chosen["mean_iou_chosen"] == pytest.approx((6 / 10 + 90 / 94) / 2)


class TestCommittedStudy:
    # Differences with paired seeds, without the seed that failed; 95 % over seeds. As recomputed for a review.
    @pytest.mark.parametrize(
        ("more", "less", "measure", "expected"),
        [
            ("dice", "bce", "recall_chosen", (-0.008, -0.018, 0.003)),
            ("focal", "bce", "recall_chosen", (-0.010, -0.022, 0.001)),
            ("tversky", "dice", "recall_chosen", (0.023, 0.015, 0.031)),
            ("focal", "dice", "mean_iou_chosen", (0.018, 0.014, 0.023)),
            ("focal", "bce", "mean_iou_chosen", (0.004, 0.000, 0.008)),
        ],
    )
    def test_the_numbers_of_the_review(self, full, more, less, measure, expected):
        values = claims.measures(full).loc["losses", measure].unstack("variant").drop(index=6)
        difference = verdicts.by_seed(values[more] - values[less])
        limits = tuple(difference[name] for name in ("value", "low", "high"))
        assert limits == pytest.approx(expected, abs=5.1e-4)

    def test_which_trainings_failed(self, full):
        assert full.failures("losses").to_dict() == {"bce": 0, "dice": 1, "focal": 0, "tversky": 0}
        optimizers = full.failures("optimizers")
        assert optimizers["adam"] == optimizers["rmsprop"] == 0
        assert (optimizers.drop(["adam", "rmsprop"]) == 3).all()

    def test_no_verdict_on_a_loss_rests_on_one_fixed_threshold(self, found):
        listed = claims.claims()
        about_losses = listed[listed["question"] == "losses"]
        fair = {"mean_iou_chosen", "mean_iou_cast", "recall_chosen", "recall_matched"}
        assert set(chain.from_iterable(about_losses["measures"])) - fair == {
            name for name in claims.MEASURES if name.endswith(claims.FIXED)
        }
        for finding, claim in zip(found, listed.itertuples(), strict=False):
            if any(name.endswith(claims.FIXED) for name in claim.measures):
                assert finding.verdict == verdicts.UNDECIDED, finding.claim
        recalls = about_losses["measures"][about_losses["item"].isin(["R50", "R53"])]
        assert all({"recall_chosen", "recall_matched"} <= set(names) for names in recalls)

    def test_rivals_are_judged_at_rates_at_which_they_train(self, found):
        rivals = [each for each in found if each.item == "R64"]
        assert len(rivals) == 4 and all(each.value is not None for each in rivals)
        fair = tables.read(tables.folder_of("fairness"))
        chosen = rates.best(fair)
        assert list(chosen.index) == list(rates.OPTIMIZERS)
        assert not fair.failures(rates.QUESTION)[chosen[["adam", "rmsprop"]]].any()

    def test_verdicts(self, found):
        words = {each.claim: each.verdict for each in found}
        assert set(words.values()) <= set(verdicts.WORDS)
        assert words["Dice is better than focal loss"] == verdicts.CONTRADICTED
        assert words["The cast lifts Dice and Tversky above BCE and focal loss"] == verdicts.SUPPORTED
        assert words["Dice and Tversky are above BCE and focal loss"] == verdicts.CONTRADICTED
        assert words["Tversky misses less than Dice"] == verdicts.UNDECIDED

    def test_a_script_of_its_own_gives_every_verdict(self, monkeypatch):
        (script,) = re.findall(r"(?s)```python\n(.*?)```", (RESULTS / "README.md").read_text(encoding="utf-8"))
        assert "crack_utils" not in script
        monkeypatch.chdir(paths.root())
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(script, "results/README.md", "exec"), {})
        lines = [tuple(line.split(" | ")) for line in printed.getvalue().splitlines()]
        studies = (tables.read(tables.folder_of(scale)) for scale in claims.JUDGED)
        own = [each for study in studies for each in claims.findings(study)]
        assert lines == [(each.item, each.claim, each.verdict) for each in own]
        assert len(script.splitlines()) < 40

    @pytest.mark.parametrize("scale", claims.JUDGED)
    def test_the_script_reads_what_the_counts_say(self, scale):
        folder = tables.folder_of(scale)
        stored = pd.read_csv(folder / "measures.csv", dtype={"variant": str}).set_index(raw_measures.KEY)
        counted = raw_measures.measures(folder).reindex(columns=stored.columns)
        pd.testing.assert_series_equal(stored["failed"], counted["failed"].reindex(stored.index))
        pd.testing.assert_frame_equal(stored, counted.reindex(stored.index), check_dtype=False, rtol=1e-6)
        assert len(stored) == len(counted)


NUMBER = r"([+−]?\d\.\d+)"
LIMITS = re.compile(rf"{NUMBER} \[{NUMBER}, {NUMBER}\]")


def check(frame, least, most, columns=None):
    cells = [str(cell) for name in columns or frame.columns for cell in frame[name]]
    limits = [
        tuple(float(text.replace("−", "-")) for text in found) for cell in cells for found in LIMITS.findall(cell)
    ]
    assert limits
    for value, low, high in limits:
        assert least <= low <= value <= high <= most


class TestPossibleIntervals:
    """No interval of a table leaves the range of its quantity, however few seeds there are."""

    def studies(self, full):
        wild = made_up({("dice", measure): 0.15 for measure in ("recall", "f1")}, seeds=2, specimens=3, noise=0.08,
                       questions=("losses", "leaks", "rates"))  # fmt: skip
        rows = wild.specimens
        rows[list(tables.MEASURES[:-1])] = rows[list(tables.MEASURES[:-1])].clip(0, 1)
        wild.runs["validation_mean_iou"] = wild.runs["validation_mean_iou"].clip(0, 1)
        fail(wild, "bce 0.0001", 1)
        return full, wild

    def test_of_losses_and_variants(self, full):
        for study in self.studies(full):
            check(summary.loss_table(study, ["mean_iou", "recall", "f1", "cldice"]), 0, 1)
            check(summary.threshold_table(study), 0, 1)
            check(summary.variant_table(study), 0, 1, ["mean IoU at 0.5 [95 %]"])
            check(summary.pair_table(study, ["mean_iou", "recall"]), -1, 1)
            check(summary.leak_table(study), -1, 1, ["validation − test [95 %]"])
            for each in claims.findings(study):
                if each.value is not None and "[GiB]" not in each.shown:
                    assert -1 <= each.low <= each.value <= each.high <= 1

    def test_of_families(self):
        families = architectures.table(tables.read(tables.folder_of("families")))
        check(families, 0, 1, [MEASURES[measure] for measure in architectures.COMPARED])
        check(families, -1, 1, [f"above the {architectures.FIRST}"])

    def test_of_tips_and_crops(self):
        compared = tip_losses.against_base(tables.read(tables.folder_of("tips")))
        shares = compared[compared["measure"] == tip_losses.SUCCESS]
        assert (shares["low"] >= -1).all() and (shares["high"] <= 1).all()
        gains = crop_tables.differences(crop_tables.read_table()[0])
        assert (gains["low"] >= -1).all() and (gains["high"] <= 1).all()

    def test_of_augmentation(self):
        (finding,) = claims.findings(tables.read(tables.folder_of("augmentation")))
        assert finding.verdict == verdicts.CONTRADICTED and -1 < finding.low < finding.high < 0
