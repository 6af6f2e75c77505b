"""The counts by threshold that an evaluation keeps, read back."""

from types import SimpleNamespace

import pytest

from crack_utils.evaluation.thresholds import chosen_threshold, threshold_scores


@pytest.fixture
def run(tmp_path):
    """Return what is needed of a run: at 0.5 validation is perfect, at 0.3 it has as much false crack as true."""
    rows = ["validation,0.3,5,5,0,10", "validation,0.5,5,0,0,15", "test,0.3,4,0,0,16", "test,0.5,2,0,2,16"]
    (tmp_path / "thresholds.csv").write_text("\n".join(["set,threshold,tp,fp,fn,tn", *rows]) + "\n")
    return SimpleNamespace(folder=tmp_path, metrics={"evaluated": "test"})


def test_scores_by_set_and_threshold(run):
    scores = threshold_scores(run)
    assert scores["validation"] == {0.3: pytest.approx((5 / 10 + 10 / 15) / 2), 0.5: 1.0}
    assert scores["test"] == {0.3: 1.0, 0.5: pytest.approx((2 / 4 + 16 / 18) / 2)}


def test_the_threshold_is_chosen_on_validation(run):
    assert chosen_threshold(run) == {"threshold": 0.5, "mean_iou": pytest.approx((2 / 4 + 16 / 18) / 2)}
