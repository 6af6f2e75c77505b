"""How sure: temperature, threshold, bounds that hold, pictures that are unlike, and the default model."""

import json
import math
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.special import expit

from crack_utils import Experiment, metrics, train
from crack_utils.cli import main
from crack_utils.data import novelty
from crack_utils.evaluation import calibration, conformal
from crack_utils.inference.predictor import load_trained


def drawn(temperature, pixels=40_000, seed=0):
    """Return true pixels, and probabilities of a network whose logits are `temperature` times too large."""
    random = np.random.default_rng(seed)
    logits = random.normal(-1, 2, pixels)
    return random.random(pixels) < expit(logits), expit(temperature * logits).astype(np.float32)


def fitted(true, probability):
    return calibration.temperature_of(calibration.logit_counts(true, probability))


class TestTemperature:
    @pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
    def test_is_found_again(self, temperature):
        assert fitted(*drawn(temperature)) == pytest.approx(temperature, rel=0.05)

    def test_mends_the_calibration_error(self):
        true, probability = drawn(3.0)
        confidence, frequency, pixels = metrics.reliability(true, probability)
        assert pixels.sum() == len(true) and np.abs(confidence - frequency).max() > 0.1
        after = calibration.calibrated(probability, fitted(true, probability))
        confidence, frequency, pixels = metrics.reliability(true, after)
        assert np.average(np.abs(confidence - frequency), weights=pixels) < 0.01

    def test_takes_hold_of_what_is_saturated(self):
        probability = calibration.calibrated(np.array([0.0, 0.5, 0.9, 1.0], np.float32), 2.0)
        # halved logits: the square roots of odds of 1e-7, 1, 9 and 1e7
        np.testing.assert_allclose(probability, [1 / 3163.3, 0.5, 0.75, 1 - 1 / 3163.3], rtol=1e-4)
        assert probability.dtype == np.float32

    def test_needs_crack_and_background(self):
        with pytest.raises(ValueError, match="a temperature needs both"):
            fitted([False, False], [0.1, 0.2])

    def test_reliability_by_hand(self):
        confidence, frequency, pixels = metrics.reliability([True, False, True, True], [0.1, 0.2, 0.9, 1.0], bins=2)
        np.testing.assert_allclose(confidence, [0.15, 0.95])
        assert (frequency.tolist(), pixels.tolist()) == ([0.5, 1.0], [2, 2])


class TestBounds:
    def test_by_hand(self):
        # nine specimens, a tenth is to come: the ninth error is the 0.9 quantile
        errors, names = list(range(1, 10)), list("abcdefghi")
        assert conformal.bound(errors, names, 0.9) == 9
        assert conformal.bound(errors, names, 0.95) == math.inf
        assert conformal.bound([], [], 0.9) == math.inf

    def test_a_specimen_counts_once(self):
        # four specimens and one to come: a has ten pictures of no error, and a fifth of the weight
        errors, names = [0] * 10 + [1, 2, 3], ["a"] * 10 + ["b", "c", "d"]
        assert [conformal.bound(errors, names, level) for level in (0.2, 0.4, 0.8)] == [0, 1, 3]

    def test_they_hold_as_often_as_promised(self):
        random, held = np.random.default_rng(0), []
        for _ in range(400):
            scale = random.gamma(2, size=(12, 1))  # specimens differ
            errors = np.abs(scale * random.normal(size=(12, 3)))
            names = np.repeat(np.arange(11), 3)
            held.append((errors[11] <= conformal.bound(errors[:11].ravel(), names, 0.8)).mean())
        assert 0.78 <= np.mean(held) <= 0.9  # at least 0.8, within the error of 400 draws

    def test_coverage_of_halves(self):
        random = np.random.default_rng(1)
        found = conformal.coverage(random.random(120), np.repeat(np.arange(40), 3), 0.8)
        assert 0.75 < found.mean < 0.95 and found.low <= found.mean <= found.high and 0.7 < found.bound <= 1

    @pytest.mark.parametrize(
        ("errors", "names", "level", "message"),
        [([1], ["a", "b"], 0.9, "one specimen per error"), ([-1], ["a"], 0.9, "negative"), ([1], ["a"], 1.0, "level")],
    )
    def test_bad_input(self, errors, names, level, message):
        with pytest.raises(ValueError, match=message):
            conformal.bound(errors, names, level)

    def test_errors_of_bars(self):
        true = np.zeros((2, 40, 80), bool)
        true[:, 18:22, :60] = True
        probability = true * np.float32(0.9) + np.float32(0.05)
        probability[0, :, 50:] = 0.05  # ten pixels short
        probability[1] = 0.05  # missed
        pairs = [SimpleNamespace(source="old", specimen=name, name=name, tip=None) for name in "ab"]
        errors = conformal.measure_errors(pairs, true, probability)
        assert errors.specimens == ["old/a", "old/b"]
        assert errors.length[0] == pytest.approx(10, abs=1) and errors.tip[0] == pytest.approx(10, abs=1)
        assert errors.length[1] == errors.tip[1] == math.inf
        found = conformal.intervals(pairs, true, probability, 1.0, 0.5)
        assert found["tip"]["bound_px"] is None and found["specimens"] == 2


class TestUnlike:
    random = np.random.default_rng(0)
    pictures = 0.5 + 0.05 * random.normal(size=(200, 24, 32)) + 0.05 * random.normal(size=(200, 1, 1))

    def test_few_false_alarms_and_words_for_the_rest(self):
        ranges = novelty.ranges(self.pictures[:100])
        alarms = [novelty.unlike(picture, ranges) for picture in self.pictures[100:]]
        assert sum(map(bool, alarms)) <= 10
        (said,) = (each for each in novelty.unlike(self.pictures[0] - 0.4, ranges) if "bright" in each)
        assert said.startswith("much darker than all but 1\u00a0% of the training pictures")
        assert any("less noisy" in each for each in novelty.unlike(np.full((24, 32), 0.5), ranges))

    def test_bad_input(self):
        with pytest.raises(ValueError, match="at least 3×3"):
            novelty.features(np.zeros((2, 8)))
        with pytest.raises(ValueError, match="at least one picture"):
            novelty.ranges([])


@pytest.mark.usefixtures("own_artifacts", "untraced")
def test_a_training_ends_calibrated(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("CRACK_UTILS_ARTIFACTS", str(tmp_path))
    folder = train(Experiment.preset("smoke", size=(32, 40), epochs=1, model_options={"filters": 2, "depth": 1})).folder
    trained, found = load_trained(folder), json.loads((folder / "calibration.json").read_text())
    assert (trained.temperature, trained.threshold) == (found["temperature"], found["threshold"])
    assert "calibrated" in trained.source and set(found["measured"]) == {"validation", "test"}
    assert set(found["ranges"]) == set(novelty.WORDS)
    (run,) = (tmp_path / "runs").iterdir()
    written = (run / "calibration.json").stat().st_mtime_ns
    capsys.readouterr()
    assert main.main(["calibrate", str(run)]) == 0
    assert "temperature" in capsys.readouterr().out and (run / "calibration.json").stat().st_mtime_ns == written
    (run / "calibration.json").write_text("{", encoding="utf-8")
    with pytest.raises(ValueError, match=r"calibration.json: not a calibration"):
        calibration.read_calibration(run)
    with pytest.raises(ValueError, match="not calibrated yet; run crack-utils calibrate"):
        calibration.read_calibration(tmp_path)
