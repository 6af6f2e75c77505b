"""Trainings that fail: noticed, begun again, and in the end told with what can be done."""

import re

import numpy as np
import pytest

from crack_utils import Experiment
from crack_utils.cli import main
from crack_utils.training import callbacks, compiling, fit
from crack_utils.training.callbacks import NothingLearntError
from crack_utils.training.metrics import Separation
from tests.helpers.folders import dark_cracks

pytestmark = pytest.mark.usefixtures("own_artifacts")


SMALL = {"updates": 6, "epochs": 3, "ema": 0.9, "model_options": {"filters": (2, 2)}}


@pytest.fixture(scope="module")
def experiment(tmp_path_factory):
    """A training of seconds: eight pictures of 16×16 with a dark vertical line, three epochs of two steps."""
    masks = np.zeros((8, 16, 16), np.uint8)
    for mask, column in zip(masks, range(2, 10), strict=True):
        mask[:, column : column + 3] = 255
    folder = dark_cracks(tmp_path_factory.mktemp("lines"), masks)
    return Experiment.preset("photo", data=str(folder), **SMALL)


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


@pytest.mark.usefixtures("untraced")
def test_begins_again_and_says_so_also_after_an_interruption(experiment, monkeypatch, capsys):
    attempts = fail_first(monkeypatch, 1)
    began = callbacks.Progress.on_train_begin

    def interrupted(self, logs=None):
        began(self, logs)
        if len(attempts) == 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(callbacks.Progress, "on_train_begin", interrupted)
        with pytest.raises(KeyboardInterrupt):
            fit.fit(experiment)
    assert "it starts again with seed 1000 and learning rate 0.001" in capsys.readouterr().out
    run = fit.fit(experiment)
    assert len(attempts) == 3  # the first attempt was not repeated
    (failure,) = run.provenance["restarted_after"]
    assert failure["seed"] == 0 and "nothing is learnt" in failure["why"]
    assert not (run.folder / "checkpoint").exists()


def test_failed_after_all(experiment, monkeypatch, capsys):
    attempts = []

    def fail(self, logs=None):
        attempts.append(self)
        raise NothingLearntError("nothing is learnt")

    monkeypatch.setattr(callbacks.Progress, "on_train_begin", fail)
    settings = SMALL | {"restarts": 1}
    words = [word for name, value in settings.items() for word in ("--set", f"{name}={value}")]
    assert main.main(["train", experiment.data, "--seed", "1", *words]) == 1
    assert re.search(r"2 attempts learnt nothing .* crack-utils check", capsys.readouterr().err)
    assert len(attempts) == 2


def test_the_report_s_presets_never_start_again(experiment):
    assert [Experiment.preset(name).restarts for name in ("smoke", "quick", "paper")] == [0, 0, 0]


def test_the_moving_average_is_what_is_kept(experiment, monkeypatch):
    """Of the whole training, it lags behind its last weights: it is nearer to those that it began with."""
    once, last = experiment.replace(seed=3, restarts=0, updates=60), []
    end = callbacks.Progress.on_epoch_end

    def remember(self, epoch, logs=None):
        end(self, epoch, logs)
        last[:] = self.model.get_weights()  # the average replaces them only after the last epoch

    monkeypatch.setattr(callbacks.Progress, "on_epoch_end", remember)
    averaged = fit.fit(once).model().get_weights()
    fresh = compiling.compiled_model(once, 60).get_weights()

    def distance(one, other):
        return sum(float(np.abs(a - b).sum()) for a, b in zip(one, other, strict=True) if a.ndim == 4)

    assert 0 < distance(averaged, last) < distance(averaged, fresh) < distance(last, fresh)
