"""The fingerprint, without training: its cases, its curves from made-up tables, its figure and its words."""

import numpy as np
import pytest

from crack_utils.losses.registry import REPORTED
from crack_utils.report import figures
from crack_utils.study import cases, claims, fingerprint
from crack_utils.study.published import TABLE_1
from tests.helpers.made_up_study import made_up

PARTS = cases.SCALES["fingerprint"]["base"]["epochs"]


@pytest.fixture
def followed():
    """Tables in which the cast values meet the report's at the last part but one."""
    found = made_up(seeds=3)
    found.provenance["scale"] = "fingerprint"
    runs = found.runs
    for place, run in runs.iterrows():
        cast = [*np.linspace(0.49, TABLE_1[run["variant"]]["val_miou"], PARTS - 1), 0.999]
        runs.loc[place, "cast_curve"] = " ".join(f"{value:.4f}" for value in cast)
        runs.loc[place, "curve"] = " ".join(["0.9850"] * PARTS)
        runs.loc[place, "pooled_mean_iou"] = 0.98 + 0.001 * run["seed"]
    for name in ("mean_iou", "accuracy", "mean_class_accuracy", "loss"):
        runs[f"validation_{name}"] = 0.99
    return found


def test_cases():
    found = cases.cases("fingerprint")
    assert len(found) == 12 and {case.experiment.loss for case in found} == set(REPORTED)
    assert all(case.experiment.updates % case.experiment.epochs == 0 for case in found)
    smoke = cases.cases("fingerprint-smoke")
    assert len(smoke) == 4 and smoke[0].experiment.updates == 8


def test_fair_optimizers_and_batches():
    asked = {answer for case in cases.cases("fairness") for answer in case.answers}
    assert ("optimizers, rates", "adam 0.0016") in asked and ("optimizers, rates", "sgd 1.6") in asked
    batches = [case.experiment for case in cases.cases("fairness") if case.answers[0][0].startswith("batches")]
    assert {each.updates for each in batches} == {1536} and {each.batch for each in batches} == {2, 8, 32}


def test_each_optimizer_has_its_own_best_rate():
    found = made_up(seeds=3, questions=("losses", "optimizers, rates"))
    best = {"adam 0.0004", "rmsprop 0.0001", "adagrad 0.16", "nesterov 0.04", "sgd 0.1"}
    found.runs["validation_mean_iou"] = found.runs["variant"].isin(best).astype(float)
    rows = found.specimens["variant"] == "sgd 0.1"
    found.specimens.loc[rows, "mean_iou"] -= 0.1
    table = claims.optimizers_at_their_rates(found)
    rates = {"adam": "4×10⁻⁴", "rmsprop": "10⁻⁴", "adagrad": "0.16", "nesterov": "0.04", "sgd": "0.1"}
    assert table["rate"].to_dict() == rates
    assert table.loc["sgd", "verdict"] == "supported"
    assert table.loc["rmsprop", "verdict"] == "no difference that matters"


def test_curves_and_where_the_four_are_met(followed):
    curves = fingerprint.curves(followed)
    assert len(curves) == 12 * PARTS
    updates = cases.SCALES["fingerprint"]["base"]["updates"]
    assert sorted(set(curves["updates"]))[-2:] == [updates - updates // PARTS, updates]
    met = fingerprint.nearest(curves)
    assert met["updates"] == updates - updates // PARTS and met["met"] and met["distance"] < 1e-3
    numbers = fingerprint.numbers(followed)
    assert numbers["known"] and numbers["good"] and numbers["worst_mean_iou"] == pytest.approx(0.981)
    table = fingerprint.table(followed)
    assert table.loc["focal", "at 0.5, test"].startswith("0.981 [0.97") and "below" not in table.loc["BCE", "at 0.5"]
    assert figures.fingerprint(curves, met).axes


def test_masks_that_are_not_good_enough_say_so(followed):
    followed.runs["pooled_mean_iou"] = 0.9 + 0.001 * followed.runs["seed"]
    assert fingerprint.table(followed).loc["BCE", "at 0.5, test"].endswith("below 0.98")
    assert not fingerprint.numbers(followed)["good"]


def test_without_results_the_page_can_say_so(monkeypatch, tmp_path):
    monkeypatch.setattr(fingerprint.study_tables, "folder_of", lambda scale: tmp_path)
    assert fingerprint.read() is None and fingerprint.numbers(None) == {"known": False}
    with pytest.raises(ValueError, match="make study STUDY=fingerprint"):
        fingerprint.network("dice", tmp_path)
