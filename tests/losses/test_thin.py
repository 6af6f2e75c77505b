"""Losses for thin structures: by hand, against plain NumPy, and by the slopes of their papers."""

import keras
import numpy as np
import pytest

from crack_utils import losses
from crack_utils.data import targets
from tests.helpers.short_cracks import crack, gradient, stacked


def soft_skeleton(picture, iterations):
    """The skeleton's definition as plain NumPy, neighbour by neighbour."""

    def over(values, steps, choose):
        height, width = values.shape
        found = np.empty_like(values)
        for row in range(height):
            for column in range(width):
                places = [(row + down, column + right) for down, right in steps]
                found[row, column] = choose(values[r, c] for r, c in places if 0 <= r < height and 0 <= c < width)
        return found

    def eroded(values):
        return over(values, [(0, 0), (-1, 0), (1, 0), (0, -1), (0, 1)], min)

    def opened(values):
        return over(eroded(values), [(down, right) for down in (-1, 0, 1) for right in (-1, 0, 1)], max)

    left = np.maximum(picture - opened(picture), 0)
    for _ in range(iterations):
        picture = eroded(picture)
        new = np.maximum(picture - opened(picture), 0)
        left = left + np.maximum(new - left * new, 0)
    return left


class TestCentrelineDice:
    @pytest.mark.parametrize("iterations", [1, 4])
    def test_soft_skeleton_equals_plain_numpy(self, iterations):
        rng = np.random.default_rng(3)
        pictures = np.float32([rng.random((13, 11)), (rng.random((13, 11)) < 0.7) * 0.9])
        found = keras.ops.convert_to_numpy(losses.soft_skeleton(pictures[..., None], iterations))[..., 0]
        np.testing.assert_allclose(found, [soft_skeleton(each, iterations) for each in pictures], atol=1e-6)

    def test_skeleton_of_a_bar_is_its_middle_row(self):
        bar = np.zeros((1, 11, 20, 1), np.float32)
        bar[:, 3:8] = 1  # five wide, across the whole picture
        found = keras.ops.convert_to_numpy(losses.soft_skeleton(bar, 3))[0, ..., 0]
        np.testing.assert_array_equal(found.sum(axis=1), [0] * 5 + [20] + [0] * 5)

    def test_equals_its_fractions(self):
        true, predicted = crack(14), np.float32(np.random.default_rng(4).random((16, 24)))
        mine, theirs = soft_skeleton(true, 2), soft_skeleton(predicted, 2)
        precision = ((theirs * true).sum() + 1) / (theirs.sum() + 1)
        sensitivity = ((mine * predicted).sum() + 1) / (mine.sum() + 1)
        loss = losses.get("cldice", iterations=2)(true[None, ..., None], predicted[None, ..., None])
        assert float(loss) == pytest.approx(1 - 2 / (1 / precision + 1 / sensitivity), rel=1e-5)

    def test_a_gap_costs_more_than_a_thinner_crack(self):
        loss, true = losses.get("cldice", smooth=0.0), np.zeros((1, 15, 30, 1), np.float32)
        true[:, 5:10] = 1
        thinner, broken = true.copy(), true.copy()
        thinner[:, [5, 9]] = 0
        broken[:, :, 9:21] = 0  # as many pixels
        assert thinner.sum() == broken.sum()
        assert float(loss(true, true)) == pytest.approx(0, abs=1e-6)
        assert float(loss(true, thinner)) == pytest.approx(0, abs=1e-6)
        assert float(loss(true, broken)) > 0.2


class TestBoundary:
    def test_by_hand(self):
        predicted = np.float32([0.5, 1, 0, 1]).reshape(1, 1, 4, 1)
        found = losses.get("boundary")(stacked([[0, 1, 0, 0]]), predicted)
        assert float(found) == pytest.approx((0.5 * 0.5 + 1.5) / 4 / np.hypot(1, 4), rel=1e-5)

    def test_has_the_papers_gradient(self):
        mask = crack(12)
        _, slope = gradient(losses.get("boundary"), stacked(mask), np.full((1, 16, 24, 1), 0.4, np.float32))
        expected = targets.signed_distance(mask > 0) / np.hypot(16, 24) / mask.size
        np.testing.assert_allclose(slope[0, ..., 0], expected, rtol=1e-4)
