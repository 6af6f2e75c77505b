"""The fingerprint, without training: its cases, its curves from made-up tables, its figure and its words."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from crack_utils.losses.registry import REPORTED, title
from crack_utils.report import figures
from crack_utils.report.threshold_slider import slider
from crack_utils.study import cases, claims, fingerprint, rates
from crack_utils.study.published import TABLE_1
from tests.helpers.made_up_study import fail, made_up

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
    assert len(found) == 16 and {case.experiment.loss for case in found} == set(REPORTED)
    assert all(case.experiment.updates % case.experiment.epochs == 0 for case in found)
    smoke = cases.cases("fingerprint-smoke")
    assert len(smoke) == 4 and smoke[0].experiment.updates == 8


def test_fair_optimizers_and_batches():
    asked = {answer for case in cases.cases("fairness") for answer in case.answers}
    assert ("optimizers, rates", "adam 0.0016") in asked and ("optimizers, rates", "sgd 1.6") in asked
    batches = [case.experiment for case in cases.cases("fairness") if case.answers[0][0].startswith("batches")]
    assert {each.updates for each in batches} == {1536} and {each.batch for each in batches} == {2, 8}


def test_each_optimizer_has_its_own_best_rate():
    found = made_up(seeds=3, questions=("losses", "optimizers, rates"))
    best = {"adam 0.0004", "rmsprop 2.5e-05", "adagrad 0.64", "nesterov 0.04", "sgd 0.1"}
    found.runs["validation_mean_iou"] = found.runs["variant"].isin(best).astype(float)
    rows = found.specimens["variant"] == "sgd 0.1"
    found.specimens.loc[rows, "mean_iou"] -= 0.1
    fail(found, "adagrad 0.64", 1)
    table = rates.table(found)
    titles = {"Adam": "4×10⁻⁴", "RMSProp": "2.5×10⁻⁵", "AdaGrad": "0.64", "Nesterov": "0.04", "plain SGD": "0.1"}
    assert table["best rate"].to_dict() == titles
    assert table["failed there"].tolist() == ["0 of 3", "0 of 3", "1 of 3", "0 of 3", "0 of 3"]
    assert table["failed, all rates together"].tolist() == ["0 of 12", "0 of 12", "1 of 18", "0 of 9", "0 of 9"]
    assert table["rates"]["AdaGrad"] == "6 rates, 0.01 to 0.64"
    assert rates.at_edge(found) == ["RMSProp", "AdaGrad", "plain SGD"]
    verdicts = {each.contrast: each.verdict for each in claims.findings(found) if each.item == "R64"}
    assert verdicts["Adam − plain SGD"] == "supported"
    assert verdicts["Adam − RMSProp"] == "no difference that matters"


def test_without_the_question_there_is_no_best_rate():
    found = made_up(seeds=3)
    assert rates.with_best(found) is found and not len(rates.best(found))


def test_curves_and_where_the_four_are_met(followed):
    curves = fingerprint.curves(followed)
    assert len(curves) == 12 * PARTS
    updates = cases.SCALES["fingerprint"]["base"]["updates"]
    assert sorted(set(curves["updates"]))[-2:] == [updates - updates // PARTS, updates]
    met = fingerprint.nearest(curves)
    assert met["updates"] == updates - updates // PARTS and met["met"] and met["distance"] < 1e-3
    off = curves.assign(cast=curves["cast"] - 0.2 * (curves["loss"] == "bce"))
    assert fingerprint.nearest(off)["worst"] == "BCE" and not fingerprint.nearest(off)["met"]
    numbers = fingerprint.numbers(followed)
    assert numbers["worst_mean_iou"] == pytest.approx(0.981)
    tested = followed.working_runs("losses").groupby("variant")["pooled_mean_iou"].mean()
    assert numbers["test_spread"] == pytest.approx(np.ptp(tested))
    assert numbers["upper_gap"] == pytest.approx(0.999 - TABLE_1["tversky"]["val_miou"])
    assert numbers["lower_gap"] == pytest.approx(TABLE_1["focal"]["val_miou"] - 0.999)
    assert numbers["nearest"] == met and (numbers["seeds"], numbers["updates"]) == (3, updates)
    assert numbers["losses"]["bce"] == {"cast": 0.999, "half": 0.985, "report": TABLE_1["bce"]["val_miou"]}
    assert numbers["spread"]["half"] == 0 and numbers["spread"]["report"] == pytest.approx(0.988796 - 0.59285)
    assert numbers["order"] == "BCE = Dice = focal = Tversky"
    table = fingerprint.table(followed)
    assert table.loc["focal", "at 0.5, test"].startswith("0.981 [0.97") and "below" not in table.loc["BCE", "at 0.5"]
    assert figures.fingerprint(curves, met).axes


def test_a_training_that_failed_is_left_out_and_told(followed):
    fail(followed, "tversky", 2)
    followed.runs.loc[(followed.runs["variant"] == "tversky") & (followed.runs["seed"] == 2), "curve"] = "0.49 " * PARTS
    assert len(fingerprint.curves(followed)) == 11 * PARTS
    numbers = fingerprint.numbers(followed)
    assert (numbers["trainings"], numbers["failed"], numbers["failed_losses"]) == (12, 1, "Tversky")
    assert numbers["seeds"] == 2 and numbers["losses"]["tversky"]["half"] == pytest.approx(0.985)


def test_masks_that_are_not_good_enough_say_so(followed):
    followed.runs["pooled_mean_iou"] = 0.9 + 0.001 * followed.runs["seed"]
    assert fingerprint.table(followed).loc["BCE", "at 0.5, test"].endswith("below 0.98")


def test_without_kept_networks_the_command_is_named(tmp_path):
    with pytest.raises(ValueError, match="make study STUDY=fingerprint"):
        fingerprint.networks(tmp_path)


def test_the_first_page_shows_the_kept_networks():
    found = fingerprint.read()
    shown = slider(fingerprint.networks(), fingerprint.photograph(), fingerprint.by_threshold(found), "here")
    assert [each["title"] for each in shown["networks"]] == [title(loss) for loss in REPORTED] and shown[
        "count"
    ] == "four"
    masks = {
        each["title"]: [
            np.asarray(Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2])))) for uri in each["masks"]
        ]
        for each in shown["networks"]
    }
    for of_loss in masks.values():  # the 16 bits of the kept weights change few pixels: all find the crack at 0.5
        assert 100 < of_loss[0].sum() < 1000 and of_loss[0].sum() >= of_loss[-1].sum()
    assert masks["Dice"][-1].sum() > 10 * masks["focal"][-1].sum()
    at_half = found.runs.set_index(["variant", "seed"])["pooled_mean_iou"].xs(0, level="seed")
    for each, loss in zip(shown["networks"], REPORTED, strict=True):
        assert each["mean_iou"][0] == pytest.approx(at_half[loss], abs=1e-4)
