"""Measures of probabilities: what a cast does to them, their calibration, and all thresholds at once."""

import doctest
from itertools import pairwise

import numpy as np
import pytest

from crack_utils import metrics
from crack_utils.metrics import probabilities
from crack_utils.metrics.masks import confusion
from tests.helpers.arrays import random_masks


def pixels(*values):
    return np.array(values, dtype=bool)


def test_unthresholded_mean_iou_ignores_all_but_certainty():
    true = pixels(1, 1, 0, 0)
    assert metrics.unthresholded_mean_iou(true, np.array([0.999, 0.999, 0, 0])) == 1 / 4
    assert metrics.unthresholded_mean_iou(true, np.array([1.0, 0.999, 0, 0])) == (1 / 2 + 2 / 3) / 2
    assert metrics.unthresholded_mean_iou(true, np.array([1.0, 1.0, 0, 0.999])) == 1


def test_calibration_by_hand():
    true = pixels(1, 0, 1, 1)
    # One interval has mean 0.65 and share 1/2, the other mean 0.95 and share 1; each holds half of the pixels.
    assert metrics.expected_calibration_error(true, np.array([0.6, 0.7, 0.95, 0.95]), bins=5) == pytest.approx(
        0.5 * 0.15 + 0.5 * 0.05, abs=1e-6
    )
    assert metrics.expected_calibration_error(true, true.astype(float)) == 0
    assert metrics.expected_calibration_error(true, 1 - true.astype(float)) == 1


def test_calibration_of_probabilities_that_are_right():
    rng = np.random.default_rng(0)
    probability = rng.random(200_000)
    true = rng.random(200_000) < probability
    assert metrics.expected_calibration_error(true, probability) < 0.01
    assert metrics.expected_calibration_error(true, probability**3) > 0.2
    for bins in (1, 7):
        edges = np.linspace(0, 1, bins + 1)
        groups = [(probability >= low) & (probability < high) for low, high in pairwise(edges)]
        expected = sum(abs(probability[group].mean() - true[group].mean()) * group.mean() for group in groups)
        assert metrics.expected_calibration_error(true, probability, bins) == pytest.approx(expected, abs=1e-5)


def test_all_thresholds_at_once_equal_one_at_a_time():
    true, _ = random_masks()
    probability = np.round(np.random.default_rng(3).random(true.shape), 1).astype(np.float32)  # many ties
    thresholds = [0.5, 0.1, 0.0, 1.0, 0.7, 0.5]
    one_by_one = [confusion(true, probability >= threshold) for threshold in thresholds]
    assert metrics.confusions_by_threshold(true, probability, thresholds) == one_by_one


@pytest.mark.parametrize(
    ("probability", "message"),
    [
        (pixels(1, 0), "probability is bool"),
        (np.array([0.2, 1.2]), "not in \\[0, 1\\]"),
        (np.array([0.2, np.nan]), "not in \\[0, 1\\]"),
        (np.array([0.2]), "differ"),
    ],
)
def test_what_is_no_probability_is_refused(probability, message):
    with pytest.raises(ValueError, match=message):
        metrics.confusions_by_threshold(pixels(1, 0), probability, [0.5])


def test_the_best_threshold_is_the_middle_of_the_best():
    assert metrics.best_threshold([0.2, 0.4, 0.6], [0.1, 0.9, 0.3]) == 0.4
    # crack at 0.4 and 0.6, background at 0.1: all from 0.11 to 0.4 are best
    thresholds = np.round(np.arange(0.01, 1.0, 0.01), 2)
    probability = np.array([0.4, 0.6, 0.1], np.float32)
    counts = metrics.confusions_by_threshold(pixels(1, 1, 0), probability, thresholds)
    assert metrics.best_threshold(thresholds, [each.mean_iou for each in counts]) in (0.25, 0.26)


def test_the_examples_of_the_documentation_run():
    assert doctest.testmod(probabilities).failed == 0
