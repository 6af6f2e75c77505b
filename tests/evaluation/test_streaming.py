"""Evaluation and calibration picture by picture: the same numbers as of the whole set, in memory that does not grow."""

import tracemalloc

import numpy as np
import pytest
from PIL import Image
from scipy.optimize import minimize_scalar

from crack_utils import metrics
from crack_utils.data import find_pairs
from crack_utils.evaluation import calibration
from crack_utils.evaluation.predictions import predicted
from crack_utils.evaluation.tally import Sweep, Tally
from crack_utils.inference.predictor import logits
from crack_utils.metrics.probabilities import BINS, calibration_error
from tests.helpers.darkness import Darkness


def drawn(count, shape=(24, 30), seed=0):
    """Return masks with a bar each, and probabilities of which some are exactly 1."""
    generator = np.random.default_rng(seed)
    true = np.zeros((count, *shape), bool)
    for number, mask in enumerate(true):
        mask[8 + number % 5 : 12 + number % 5, 4:26] = True
    noise = generator.normal(0, 0.35, true.shape)
    return true, np.float32(np.clip(0.7 * true + 0.15 + noise, 0, 1))


def test_a_tally_has_the_measures_of_all_pixels_together():
    true, probability = drawn(5)
    tally = Tally()
    for pair in zip(true, probability, strict=True):
        tally.add(*pair)
    found, predicted = tally.summary(), probability >= 0.5
    pooled = metrics.confusion(true, predicted)
    for name in ("mean_iou", "crack_iou", "precision", "recall", "f1", "accuracy", "mean_class_accuracy"):
        assert found[name] == getattr(pooled, name)
    assert found["crack_share"] == true.mean()
    assert found["unthresholded_mean_iou"] == metrics.unthresholded_mean_iou(true, probability)
    assert found["crack_at_one"] == pytest.approx((probability[true] == 1).mean(), abs=1e-12) and found["crack_at_one"]
    assert found["f1_tolerance_2"] == np.mean(
        [metrics.tolerant_f1(t, p, 2) for t, p in zip(true, predicted, strict=True)]
    )
    assert found["cldice"] == np.mean([metrics.cldice(t, p) for t, p in zip(true, predicted, strict=True)])
    expected = metrics.expected_calibration_error(true, probability)
    assert found["expected_calibration_error"] == pytest.approx(expected, abs=1e-12)


def test_a_set_without_a_crack_has_no_share_at_one():
    tally = Tally()
    tally.add(np.zeros((4, 4), bool), np.ones((4, 4), np.float32))
    assert tally.summary()["crack_at_one"] == 0 and calibration_error(np.zeros((3, BINS))) == 0


def test_a_sweep_adds_up():
    true, probability = drawn(4)
    sweep = Sweep((0.2, 0.5, 1.0))
    for pair in zip(true, probability, strict=True):
        sweep.add(*pair)
    assert sweep.counts == metrics.confusions_by_threshold(true, probability, (0.2, 0.5, 1.0))


@pytest.mark.parametrize("seed", range(3))
def test_the_temperature_of_counts_is_that_of_the_pixels(seed):
    true, probability = drawn(3, seed=seed)
    signed = np.where(true, 1, -1).ravel() * logits(probability).ravel()

    def cross_entropy(logarithm):
        return np.logaddexp(0, -signed * np.exp(-logarithm)).mean()

    exact = np.exp(minimize_scalar(cross_entropy, bounds=np.log([0.05, 20]), method="bounded").x)
    counts = sum(calibration.logit_counts(*pair) for pair in zip(true, probability, strict=True))
    np.testing.assert_array_equal(counts, calibration.logit_counts(true, probability))
    assert counts.sum() == true.size
    assert calibration.temperature_of(counts) == pytest.approx(exact, rel=2e-3)


@pytest.fixture
def photographs(tmp_path, monkeypatch):
    monkeypatch.setenv("CRACK_UTILS_ARTIFACTS", str(tmp_path / "artifacts"))
    generator = np.random.default_rng(0)
    for part in ("images", "masks"):
        (tmp_path / "set" / part).mkdir(parents=True)
    for number in range(30):
        image = generator.integers(180, 256, (192, 256), dtype=np.uint8)
        image[10 + number : 14 + number, 20:100] = 40
        Image.fromarray(image).save(tmp_path / "set" / "images" / f"{number:02}.png")
        Image.fromarray(np.uint8(255 * (image < 60))).save(tmp_path / "set" / "masks" / f"{number:02}.png")
    return find_pairs(tmp_path / "set")


@pytest.mark.parametrize("size", [1, (192, 256)])
def test_memory_does_not_grow_with_the_set(photographs, tmp_path, size):
    def peak(pairs, folder):
        tracemalloc.start()
        tally, sweep = Tally(), Sweep((0.3, 0.6))
        for _, _, true, probability in predicted(Darkness(), pairs, size, batch=4):
            tally.add(true, probability)
            sweep.add(true, probability)
        stored = calibration._Stored(folder, Darkness(), pairs, size)
        temperature, threshold = calibration._fitted(stored)
        calibration._measured(stored, temperature, threshold)
        highest = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert tally.counts.tp + tally.counts.fn > 0
        return highest

    peak(photographs, tmp_path / "first")  # what is loaded only once, and the decoding, whose threads come as they come
    few = peak(photographs[:12], tmp_path / "few")  # three batches: one is held while the next is read
    assert peak(photographs, tmp_path / "whole") < 1.2 * few


def test_what_is_predicted_comes_in_order(photographs):
    for size in (1, (192, 256)):
        found = list(predicted(Darkness(), photographs[:5], size, batch=2))
        assert [pair.name for pair, *_ in found] == [pair.name for pair in photographs[:5]]
        for _, image, true, probability in found:
            np.testing.assert_allclose(probability, 1 - image)
            np.testing.assert_array_equal(true, np.rint(255 * image) < 60)
