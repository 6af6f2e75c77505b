"""Growth rates by both methods of ASTM E647, and its checks, by hand."""

import dataclasses

import numpy as np
import pytest

from crack_utils.geometry.growth import (
    Specimen,
    growth_rates,
    incremental_polynomial,
    secant,
    spaced,
    stress_intensity,
)
from crack_utils.geometry.growth.rates import check, largest_step
from tests.helpers.growth_specimens import COMPACT, MIDDLE


class TestRates:
    def test_secant_by_hand(self):
        cycles, a, rate = secant([0, 1000, 1500], [10, 11, 12])
        assert (cycles.tolist(), a.tolist(), rate.tolist()) == ([500, 1250], [10.5, 11.5], [0.001, 0.002])

    def test_a_parabola_is_its_own_polynomial(self):
        cycles = np.array([0, 10, 25, 30, 50, 60, 90, 100, 130.0])
        a = 5 + 0.02 * cycles + 0.001 * cycles**2
        at, smoothed, rate = incremental_polynomial(cycles, a)
        np.testing.assert_allclose(at, cycles[3:6])
        np.testing.assert_allclose(smoothed, a[3:6])
        np.testing.assert_allclose(rate, 0.02 + 0.002 * cycles[3:6])
        assert [len(values) for values in incremental_polynomial(cycles[:6], a[:6])] == [0, 0, 0]

    def test_polynomial_is_least_squares(self):
        """The slope at the middle of a parabola through seven evenly spaced readings: Savitzky and Golay's weights."""
        a = np.array([1, 2, 4, 3, 6, 9, 11.0])
        rate = incremental_polynomial(np.arange(7) * 100.0, a)[2]
        assert rate == pytest.approx(np.arange(-3, 4) @ a / 28 / 100)

    @pytest.mark.parametrize(
        ("cycles", "a", "message"),
        [
            ([0, 0], [1, 2], "increase"),
            ([0, 1], [1, np.nan], "finite"),
            ([0], [1], "at least 2"),
            ([0, 1], [1], "same length"),
        ],
    )
    def test_what_is_no_series_is_refused(self, cycles, a, message):
        with pytest.raises(ValueError, match=message):
            secant(cycles, a)

    def test_points_are_odd(self):
        with pytest.raises(ValueError, match="odd"):
            incremental_polynomial([0, 1, 2], [1, 2, 3], points=4)

    def test_delta_k_takes_the_load_of_the_cycles_before(self):
        rates = growth_rates(COMPACT, [0, 1000, 2000], [20, 21, 22], [1, 6000, 3000])
        expected = stress_intensity(COMPACT, [20.5, 21.5], [6000 * 0.9, 3000 * 0.9])
        np.testing.assert_allclose(rates.delta_k, expected)

    def test_a_negative_load_does_not_count(self):
        """ASTM E647: for R ≤ 0 the range is that from zero."""
        by_ratio = [dataclasses.replace(COMPACT, load_ratio=ratio).effective(1000.0) for ratio in (0.5, 0.0, -1.0)]
        assert by_ratio == [500.0, 1000.0, 1000.0]

    def test_the_ligament_has_to_stay_elastic(self):
        # a = 25, P = 10 kN: K = 43.2 MPa √m; (4/π) (43.2/σ)² ≤ 25 mm needs σ ≥ 308 MPa
        for strength, passed in ((305, 0), (311, 1)):
            specimen = Specimen("c", "C(T)", 12, W=50, B=10, yield_strength=strength)
            assert check(specimen, [25], [10_000])["ligament"] == [passed]
        # W − 2a = 40 mm ≥ 1.25 P / (B σ) needs σ ≥ 1.25 · 60 kN / 5 / 40 = 375 MPa
        for strength, passed in ((370, 0), (380, 1)):
            specimen = Specimen("m", "M(T)", 10, W=100, B=5, yield_strength=strength)
            assert check(specimen, [30], [60_000])["ligament"] == [passed]
        assert np.isnan(check(COMPACT, [25], [10_000])["ligament"]).all()

    def test_readings_have_to_be_spaced(self):
        np.testing.assert_allclose(largest_step(COMPACT, [15, 25, 35]), [2, 1, 0.5])
        np.testing.assert_allclose(largest_step(MIDDLE, [20, 40]), [3, 2])
        rates = growth_rates(COMPACT, [0, 1, 2, 3], [20, 20.1, 20.6, 23], [6000] * 4)
        assert rates.flags["spacing"].tolist() == [0, 1, 0]
        assert rates.valid.tolist() == [False, True, False]

    def test_sides_and_curvature_are_checked(self):
        rates = growth_rates(MIDDLE, [0, 1, 2], [20, 20.5, 21], [6e4] * 3, sides=[0, 4, 4])
        assert rates.flags["sides"].tolist() == [1, 0]  # 2.5 mm are allowed
        for curvature, passed in ((0.5, 1), (2.0, 0)):
            specimen = Specimen("c", "C(T)", 12, W=50, B=10, curvature=curvature)
            assert check(specimen, [25], [1])["curvature"] == [passed]

    def test_spaced_keeps_a_distance(self):
        assert spaced([1, 1.1, 1.3, 1.4, 1.6, 3]).tolist() == [0, 2, 4, 5]
