"""Tables of a study, from a made-up run: gathered, written and read back."""

import json

import numpy as np
import pandas as pd
import pytest

from crack_utils.evaluation.evaluate import THRESHOLDS
from crack_utils.report import figures
from crack_utils.study import cases, summary, tables
from crack_utils.study.tables import MEASURES, Tables
from crack_utils.training.run import Run
from tests.helpers.made_up_study import made_up


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


def test_specimens_are_sums_of_counts_and_means_of_measures(run):
    case = next(case for case in cases.cases("full") if ("losses", "dice") in case.answers)
    made = tables.gather([case], [run])
    rows = made["specimens"].query("question == 'losses'")
    assert rows["specimen"].tolist() == ["a", "b"] and rows["tp"].tolist() == [3, 3]
    assert rows["mean_iou"].tolist() == [0.5, 0.5]
    assert len(made["specimens"]) == 2 * len(case.answers) and len(made["thresholds"]) == 2
    about = made["runs"].iloc[0]
    assert (about["validation_seen"], about["final_loss"], about["curve"]) == (0.5, 0.25, "0.6000 0.8000")


def test_written_and_read_back(run, tmp_path):
    case = next(case for case in cases.cases("full") if ("losses", "dice") in case.answers)
    made = tables.gather([case], [run])
    tables.write(tmp_path / "study", made, "full")
    found = tables.read(tmp_path / "study")
    for name, table in made.items():
        pd.testing.assert_frame_equal(getattr(found, name), table, check_dtype=False)
    assert found.provenance["trainings"] == 1 and "full study, 1 trainings" in tables.source(found)


def test_tips_are_kept_picture_by_picture_for_their_question_alone(run, tmp_path):
    rows = pd.read_csv(run.folder / "measures.csv")
    rows.assign(tip_error=[1.5, np.inf, 3.0, 4.0]).to_csv(run.folder / "measures.csv", index=False)
    case = next(case for case in cases.cases("tips") if case.experiment.loss == "dice+tip")
    tables.write(tmp_path / "tips", tables.gather([case], [run]), "tips")
    again = tables.read(tmp_path / "tips")
    assert again.tips["tip_error"].tolist() == [1.5, np.inf, 3.0, 4.0]
    assert set(again.tips["variant"]) == {"dice+tip"} and len(again.thresholds) == 2
    other = next(case for case in cases.cases("full") if ("losses", "dice") in case.answers)
    assert "tips" not in tables.gather([other], [run])


def test_thresholds_near_one_stay_apart(tmp_path):
    found = made_up(seeds=1)
    made = {name: getattr(found, name) for name in tables.TABLES}
    tables.write(tmp_path / "study", made, "full")
    again = tables.read(tmp_path / "study")
    assert again.thresholds["threshold"].nunique() == len(THRESHOLDS)
    pd.testing.assert_frame_equal(summary.precision_effect(again), summary.precision_effect(found))
    assert figures.threshold_curves(again).axes and figures.crack_probabilities(again).axes


def test_missing_tables_are_named(tmp_path):
    with pytest.raises(ValueError, match=r"no table specimens, runs, thresholds; run `make study`"):
        tables.read(tmp_path)


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
