"""Paris' law from simulated tests of known law, and how often its intervals hold."""

import numpy as np
import pytest
from scipy import stats

from crack_utils.geometry.growth import (
    Specimen,
    fit_paris,
    simulate_test,
    stress_intensity,
)
from tests.helpers.growth_specimens import BEAM, COMPACT, MIDDLE, PIPE


class TestParis:
    @pytest.mark.parametrize(
        ("specimen", "load", "stop"), [(COMPACT, 6000, 32), (MIDDLE, 1e5, 35), (BEAM, 9000, 25), (PIPE, 5e4, 90)]
    )
    def test_without_noise_the_law_is_found(self, specimen, load, stop):
        test = simulate_test(specimen, 2e-9, 3.2, load, stop, readings=20)
        law = fit_paris(specimen, test.cycles, test.a, test.load)
        assert (law.C, law.m) == (pytest.approx(2e-9, rel=2e-3), pytest.approx(3.2, abs=1e-3))
        np.testing.assert_allclose(law.a, test.a, atol=1e-3)

    def test_simulated_cycles_are_those_of_the_law(self):
        """An independent way: step by step with the rate of the law."""
        test = simulate_test(COMPACT, 1e-8, 3, 6000, 20, readings=5)
        a = 12.0
        for _ in range(500):
            half = a + test.cycles[-1] / 1000 * 1e-8 * stress_intensity(COMPACT, a, 5400) ** 3
            a += test.cycles[-1] / 500 * 1e-8 * stress_intensity(COMPACT, half, 5400) ** 3
        assert a == pytest.approx(20, abs=2e-3)

    def test_steps_of_the_load_are_followed(self):
        """Two blocks under different loads are one law."""
        first = simulate_test(COMPACT, 1e-8, 3, 6000, 18, readings=12)
        more = Specimen("c", "C(T)", 18, W=50, B=10, load_ratio=0.1)
        second = simulate_test(more, 1e-8, 3, 4500, 24, readings=12)
        cycles = np.append(first.cycles, first.cycles[-1] + second.cycles[1:])
        load, a = np.append(first.load, second.load[1:]), np.append(first.a, second.a[1:])
        law = fit_paris(COMPACT, cycles, a, load)
        assert (law.C, law.m) == (pytest.approx(1e-8, rel=3e-3), pytest.approx(3, abs=2e-3))

    def test_a_tip_at_the_wrong_end_is_left_out(self):
        test = simulate_test(COMPACT, 1e-8, 3, 6000, 30, noise=0.05, seed=2)
        clean = fit_paris(COMPACT, test.cycles, test.a, test.load)
        wrong = test.a.copy()
        wrong[[7, 30]] = 12, 14
        law = fit_paris(COMPACT, test.cycles, wrong, test.load)
        assert law.left_out.tolist() == [7, 30] and not clean.left_out.size
        assert law.m == pytest.approx(clean.m, abs=0.02)
        np.testing.assert_allclose(law.a, clean.a, atol=0.03)

    def test_neighbours_that_err_alike_are_told(self):
        test = simulate_test(COMPACT, 1e-8, 3, 6000, 30)
        slow = test.true_a + 0.2 * np.sin(np.arange(40) / 3)
        assert fit_paris(COMPACT, test.cycles, slow, test.load).correlation > 0.6

    @pytest.mark.parametrize(
        ("a", "message"),
        [
            ([20, 21, 22], "at least 6"),
            (np.linspace(25, 20, 10), "does not grow"),
            ([14, 14, 14, 14, 14, 14, 14, 14.0001], "do not determine C and m"),  # noise alone
            ([14, 14.1, 14, 14.1, 14, 14.1, 14.1, 14.2, 14.1, 14.15], "do not determine C and m"),
        ],
    )
    def test_what_tells_no_law_is_refused(self, a, message):
        with pytest.raises(ValueError, match=message):
            fit_paris(COMPACT, np.arange(len(a)) * 1000, a, np.full(len(a), 6000))


def test_simulated_noise_is_normal():
    test = simulate_test(COMPACT, 1e-8, 3, 6000, 30, readings=400, noise=0.1, seed=3)
    errors = test.a - test.true_a
    assert errors.std() == pytest.approx(0.1, rel=0.1)
    assert stats.shapiro(errors).pvalue > 0.01
    with pytest.raises(ValueError, match="valid is a length between 12 and 50"):
        simulate_test(COMPACT, 1e-8, 3, 6000, 60)
