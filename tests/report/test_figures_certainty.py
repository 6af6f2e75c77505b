"""The reliability diagram shows the points that `reliability` gives."""

import matplotlib.pyplot as plt
import numpy as np

from crack_utils.evaluation.conformal import Errors
from crack_utils.metrics.probabilities import reliability
from crack_utils.report import figures


def test_reliability_diagram():
    generator = np.random.default_rng(0)
    probability = generator.random((2, 20, 20), np.float32)
    true = generator.random(probability.shape) < probability**2
    figure = figures.reliability_diagram(true, probability, probability**2)
    axes, below = figure.axes
    _, network, calibrated = axes.lines
    confidence, frequency, pixels = reliability(true, probability)
    np.testing.assert_array_equal(network.get_xydata(), np.stack([confidence, frequency], axis=1))
    np.testing.assert_array_equal(below.lines[0].get_ydata(), pixels)
    assert np.abs(np.subtract(*calibrated.get_xydata().T)).mean() < np.abs(confidence - frequency).mean()
    plt.close(figure)


def test_error_bounds_count_misses_and_mark_the_bound():
    errors = Errors(["a", "b", "c", "d"], tip=np.array([3, 1, np.inf, np.nan]), length=np.array([2.0, 1, 4, 8]))
    intervals = {"level": 0.8, "length": {"bound_px": 4.0}, "tip": {"bound_px": None}}
    figure = figures.error_bounds(errors, intervals)
    length, tip = figure.axes
    np.testing.assert_allclose(length.lines[0].get_xydata(), [[0, 0], [1, 0.25], [2, 0.5], [4, 0.75], [8, 1]])
    np.testing.assert_allclose(length.lines[1].get_xydata(), [[0, 0.8], [4, 0.8], [4, 0]])
    np.testing.assert_allclose(tip.lines[0].get_xydata(), [[0, 0], [1, 1 / 3], [3, 2 / 3]])  # one of three was missed
    assert len(tip.lines) == 1 and not tip.texts
    assert [axes.get_title() for axes in figure.axes] == ["error of the length", "error of the tip: no bound"]
    plt.close(figure)


def test_disagreement_shows_the_errors_of_the_mean():
    true = np.zeros((4, 6), bool)
    true[1, :3] = True
    mean = np.where(true, 0.9, 0.1)
    mean[1, 0], mean[3, 5] = 0.2, 0.7
    figure = figures.disagreement(np.full(true.shape, 0.5), true, mean, mean / 10)
    errors = figure.axes[3].images[0].get_array()
    gray = np.ptp(errors, axis=-1) < 1e-6
    assert sorted(map(tuple, np.argwhere(~gray))) == [(1, 0), (1, 1), (1, 2), (3, 5)]
    assert not np.allclose(errors[1, 0], errors[1, 1]) and not np.allclose(errors[1, 0], errors[3, 5])
    plt.close(figure)
