"""Trainings that fail: noticed, begun again, and in the end told with what can be done."""

import numpy as np
import pytest

from crack_utils import Experiment
from crack_utils.cli import main
from crack_utils.training import callbacks, fit
from crack_utils.training.callbacks import NothingLearntError
from crack_utils.training.metrics import Separation
from tests.helpers.folders import dark_cracks

pytestmark = pytest.mark.usefixtures("own_artifacts")


@pytest.fixture(scope="module")
def experiment(tmp_path_factory):
    masks = np.zeros((8, 32, 32), np.uint8)
    for mask, column in zip(masks, range(4, 28, 3), strict=True):
        mask[:, column : column + 3] = 255
    folder = dark_cracks(tmp_path_factory.mktemp("lines"), masks)
    small = {"filters": (4, 4, 8)}
    return Experiment.preset("photo", data=str(folder), updates=60, epochs=3, ema=0.9, model_options=small)


def fail_first(monkeypatch, times):
    """Make the first attempts look as if nothing had been learnt."""
    attempts = []

    def result(self):
        return 0.0 if len(attempts) <= times else 1.0

    began = callbacks.Progress.on_train_begin

    def begin(self, logs=None):
        attempts.append(self)
        began(self, logs)

    monkeypatch.setattr(callbacks.Progress, "on_train_begin", begin)
    monkeypatch.setattr(Separation, "result", result)
    return attempts


def test_separation_by_hand():
    separation = Separation()
    true, predicted = np.float32([1, 0, 0, 1]).reshape(1, 2, 2, 1), np.float32([0.9, 0.1, 0.3, 0.5]).reshape(1, 2, 2, 1)
    separation.update_state(true, predicted)
    assert float(separation.result()) == pytest.approx(0.7 - 0.2)
    separation.reset_state()
    separation.update_state(true, np.full_like(predicted, 0.3))
    assert float(separation.result()) == pytest.approx(0, abs=1e-6)
    separation.reset_state()
    separation.update_state(np.zeros_like(true), predicted)
    assert np.isnan(float(separation.result()))


def test_attempts_differ_and_the_first_is_the_experiment(experiment):
    again = experiment.attempt(2)
    assert experiment.attempt(0) is experiment
    assert (again.seed, again.learning_rates[0]) == (2000, experiment.learning_rates[0] / 4)


def test_begins_again_and_says_so(experiment, monkeypatch, capsys):
    attempts = fail_first(monkeypatch, 1)
    run = fit.fit(experiment)
    assert len(attempts) == 2
    assert "it begins again with seed 1000 and learning rate 0.001" in capsys.readouterr().out
    failure = run.provenance["restarted_after"][0]
    assert failure["seed"] == 0 and "nothing is learnt" in failure["why"]
    assert not (run.folder / "checkpoint").exists()


def test_a_call_that_was_interrupted_goes_on_with_its_attempt(experiment, monkeypatch):
    attempts = fail_first(monkeypatch, 1)
    again = experiment.replace(seed=5)
    began = callbacks.Progress.on_train_begin

    def interrupted(self, logs=None):
        began(self, logs)
        if len(attempts) == 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(callbacks.Progress, "on_train_begin", interrupted)
        with pytest.raises(KeyboardInterrupt):
            fit.fit(again)
    run = fit.fit(again)
    assert len(attempts) == 3
    assert [failure["seed"] for failure in run.provenance["restarted_after"]] == [5]


def test_failed_after_all(experiment, monkeypatch, capsys):
    fail_first(monkeypatch, 9)
    failing = experiment.replace(seed=1, restarts=1)
    with pytest.raises(NothingLearntError, match=r"2 attempts learnt nothing .* crack-utils check"):
        fit.fit(failing)
    assert (
        main.main(
            ["train", failing.data, "--seed", "1", "--set", "restarts=1", "--set", "updates=3", "--set", "epochs=3"]
        )
        == 1
    )
    assert "attempts learnt nothing" in capsys.readouterr().err


def test_the_report_s_presets_never_start_again(experiment):
    assert [Experiment.preset(name).restarts for name in ("smoke", "quick", "paper")] == [0, 0, 0]


def test_the_moving_average_is_what_is_kept(experiment):
    """Of the whole training, it lags behind its last weights: it is nearer to those that it began with."""
    once = experiment.replace(seed=3, restarts=0)
    averaged, last = (fit.fit(once.replace(ema=ema)).model().get_weights() for ema in (0.9, None))
    fresh = fit.compiled_model(experiment.replace(seed=3), 60).get_weights()

    def distance(one, other):
        return sum(float(np.abs(a - b).sum()) for a, b in zip(one, other, strict=True) if a.ndim == 4)

    assert 0 < distance(averaged, last) < distance(averaged, fresh) < distance(last, fresh)
