"""The reliability diagram shows the points that `reliability` gives."""

import matplotlib.pyplot as plt
import numpy as np

from crack_utils import figures
from crack_utils.measures import reliability


def test_reliability_diagram():
    generator = np.random.default_rng(0)
    probability = generator.random((2, 20, 20), np.float32)
    true = generator.random(probability.shape) < probability**2
    figure = figures.reliability_diagram(true, probability, probability**2)
    axes, below = figure.axes
    _, network, calibrated = axes.lines
    said, seen, pixels = reliability(true, probability)
    np.testing.assert_array_equal(network.get_xydata(), np.stack([said, seen], axis=1))
    np.testing.assert_array_equal(below.lines[0].get_ydata(), pixels)
    assert np.abs(np.subtract(*calibrated.get_xydata().T)).mean() < np.abs(said - seen).mean()
    plt.close(figure)
