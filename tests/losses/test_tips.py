"""Losses for tips: by hand, and against plain NumPy."""

import numpy as np
import pytest

from crack_utils import losses
from crack_utils.losses.tips import near_tip
from tests.helpers.short_cracks import crack, gradient, stacked


class TestGaussianTip:
    true = np.array([[[1, 0, 0, np.nan], [0, 0, 1, np.nan], [1, 0, 2, np.nan]]], np.float32)[None]
    weights = 1 + 3 * np.exp(-np.array([0, 1, 4]) / (2 * 2.0**2))

    def test_cross_entropy_by_hand(self):
        predicted = np.float32([0.8, 0.4, 0.5]).reshape(1, 1, 3, 1)
        loss = losses.get("tip", base="bce", strength=3, sigma=2.0)
        expected = -np.mean(self.weights * np.log([0.8, 0.6, 0.5]))
        assert float(loss(self.true, predicted)) == pytest.approx(expected, rel=1e-5)

    def test_tversky_by_hand(self):
        predicted = np.float32([1, 1, 0]).reshape(1, 1, 3, 1)
        right, false, missed = self.weights
        loss = losses.get("tip", base="tversky", strength=3, sigma=2.0)
        expected = 1 - (right + 1) / (right + 0.3 * false + 0.7 * missed + 1)
        assert float(loss(self.true, predicted)) == pytest.approx(expected, rel=1e-5)

    def test_in_a_sum_with_cross_entropy_by_hand(self):
        """BCE plus weighted BCE (R71), with the default strength of 10 and a sixteenth of the height, here 1/16 px."""
        predicted = np.float32([0.8, 0.4, 0.5]).reshape(1, 1, 3, 1)
        cross_entropy = -np.log([0.8, 0.6, 0.5])
        weights = np.array([11, 1, 1])  # one pixel off is 16 standard deviations
        expected = cross_entropy.mean() + (weights * cross_entropy).mean()
        assert float(losses.get("bce+tip")(self.true, predicted)) == pytest.approx(expected, rel=1e-5)
        halves = cross_entropy.mean() + 0.5 * (weights * cross_entropy).mean()
        assert float(losses.get("bce+0.5*tip")(self.true, predicted)) == pytest.approx(halves, rel=1e-5)

    @pytest.mark.parametrize(
        ("name", "base"), [("dice+tip", "dice"), ("tip+tversky", "tversky"), ("tip+cldice", "dice")]
    )
    def test_the_base_is_the_partner(self, name, base):
        (tip,) = [part for part in losses.get(name).losses if part.name == "tip"]
        assert tip.base.name == base

    @pytest.mark.parametrize("base", losses.REPORTED)
    def test_is_the_base_without_a_tip_or_without_strength(self, base):
        mask, predicted = crack(10), np.float32(np.random.default_rng(1).random((1, 16, 24, 1)))
        expected = float(losses.get(base)(mask[None, ..., None], predicted))
        assert float(losses.get("tip", base=base)(stacked(mask), predicted)) == pytest.approx(expected, rel=1e-6)
        still = losses.get("tip", base=base, strength=0)
        assert float(still(stacked(mask, (8, 9)), predicted)) == pytest.approx(expected, rel=1e-6)

    @pytest.mark.parametrize("base", losses.REPORTED)
    def test_a_mistake_at_the_tip_costs_more_than_one_far_away(self, base):
        mask = crack(18)
        near, far = mask.copy(), mask.copy()
        near[8, 17] = far[8, 3] = 0
        loss = losses.get("tip", base=base)
        costs = [float(loss(stacked(mask, (8, 17)), each[None, ..., None])) for each in (near, far)]
        assert costs[0] > 1.5 * costs[1] > 0

    def test_reach_follows_the_height_unless_given(self):
        true, predicted = stacked(crack(10, height=32), (8, 9)), np.full((1, 32, 24, 1), 0.3, np.float32)
        own, given = losses.get("tip"), losses.get("tip", sigma=2.0)  # 32 / 16
        assert float(own(true, predicted)) == pytest.approx(float(given(true, predicted)), rel=1e-6)


def mean_position(probability, tip, sigma):
    """E(p) as plain NumPy, pixel by pixel."""
    total, moment = 1.0, np.zeros(2)
    for place, value in np.ndenumerate(probability):
        offset = np.subtract(place, tip)
        weight = value * np.exp(-(offset @ offset) / (2 * sigma**2))
        total, moment = total + weight, moment + weight * offset
    return moment / total


class TestTipDistance:
    def test_equals_plain_numpy(self):
        predicted = np.float32(np.random.default_rng(2).random((16, 24)))
        apart = mean_position(predicted, (8, 9.5), 3.0) - mean_position(crack(10), (8, 9.5), 3.0)
        found = losses.get("tip_distance", sigma=3.0)(stacked(crack(10), (8, 9.5)), predicted[None, ..., None])
        assert float(found) == pytest.approx(np.hypot(*apart) / np.hypot(16, 24), abs=0.01 / 28)

    def test_grows_with_the_way_that_is_missing_or_too_much(self):
        loss, true = losses.get("tip_distance", sigma=4.0), stacked(crack(12), (7.5, 11.5))
        cost = {length: float(loss(true, crack(length)[None, ..., None])) for length in range(7, 18)}
        assert cost[12] == 0
        assert sorted(cost, key=cost.get)[:3] in ([12, 11, 13], [12, 13, 11])
        assert all(cost[short] < cost[short - 1] for short in range(12, 7, -1))
        assert all(cost[long] < cost[long + 1] for long in range(12, 17))

    def test_gradient_mends_the_end(self):
        loss, true = losses.get("tip_distance"), stacked(crack(12), (7.5, 11.5))
        _, short = gradient(loss, true, np.clip(crack(9), 0.1, 0.9)[None, ..., None])
        assert (short[0, 7:9, 10:12] < 0).all()  # more crack at the tip costs less
        _, long = gradient(loss, true, np.clip(crack(15), 0.1, 0.9)[None, ..., None])
        assert (long[0, 7:9, 12:15] > 0).all()

    def test_nothing_without_a_tip(self):
        value, slope = gradient(
            losses.get("tip_distance"), stacked(crack(12)), np.full((1, 16, 24, 1), 0.4, np.float32)
        )
        assert value == 0 and not slope.any()


def test_near_tip_by_hand():
    offsets = np.float32([[[[0, 0], [3, 4], [0, 0]]]])
    known = np.float32([1, 1, 0]).reshape(1, 1, 3, 1)
    np.testing.assert_allclose(np.ravel(near_tip(offsets, known, 5.0)), [1, np.exp(-0.5), 0], rtol=1e-6)
