"""The stress intensity of each kind of specimen, against published values."""

import numpy as np
import pytest

from crack_utils.geometry.growth import (
    Specimen,
    in_range,
    stress_intensity,
)
from crack_utils.geometry.growth.stress_intensity import bend, compact_tension, middle_tension, pipe_bending
from tests.helpers.growth_specimens import BEAM, COMPACT, MIDDLE, PIPE


class TestStressIntensity:
    def test_compact_tension_is_the_table_of_e399(self):
        np.testing.assert_allclose(compact_tension([0.45, 0.50, 0.55]), [8.34, 9.66, 11.36], atol=0.005)

    def test_compact_tension_is_the_older_polynomial(self):
        """E399-72, fitted to other results of collocation; below a/W = 0.4 it is known to be off."""
        alpha = np.linspace(0.4, 0.7, 16)
        terms = [(29.6, 0.5), (-185.5, 1.5), (655.7, 2.5), (-1017.0, 3.5), (638.9, 4.5)]
        older = sum(factor * alpha**power for factor, power in terms)
        np.testing.assert_allclose(compact_tension(alpha), older, rtol=0.012)

    def test_bend_is_the_table_of_e399(self):
        np.testing.assert_allclose(bend([0.45, 0.50, 0.55]), [2.29, 2.66, 3.14], atol=0.005)

    def test_bend_is_bowers_polynomial(self):
        """Bower, Applied Mechanics of Solids: K = 4P/B √(π/W) (1.6 √α − 2.6 α^1.5 + …), an independent fit."""
        alpha = np.linspace(0.25, 0.6, 8)
        terms = [(1.6, 0.5), (-2.6, 1.5), (12.3, 2.5), (-21.2, 3.5), (21.8, 4.5)]
        other = 4 * np.sqrt(np.pi) * sum(factor * alpha**power for factor, power in terms)
        np.testing.assert_allclose(4 * bend(alpha), other, rtol=0.03)

    def test_middle_tension_is_isidas_value_and_tadas_formula(self):
        """Isida's exact series gives 1.1867 at 2a/W = 0.5; Tada's formula is right to 0.1 % everywhere."""
        share = np.linspace(0.05, 0.7, 14)
        secant_root = middle_tension(share) / np.sqrt(np.pi * share / 2)
        np.testing.assert_allclose(np.interp(0.5, share, secant_root), 1.1867, rtol=0.003)
        tada = (1 - 0.025 * share**2 + 0.06 * share**4) / np.sqrt(np.cos(np.pi * share / 2))
        np.testing.assert_allclose(secant_root, tada, rtol=0.006)

    def test_pipe_is_zahoors_formula_by_hand(self):
        # R/t = 10: A = 1; θ/π = 1/4: 1 + 4.5967 / 8 + 2.6422 · 2^-8.48
        assert pipe_bending(0.25, 10) == pytest.approx(1.581988, abs=1e-5)
        assert pipe_bending(0.25, 5) == pytest.approx(1 + 0.375**0.25 * 0.581988, abs=1e-5)

    @pytest.mark.parametrize("slenderness", [5, 10, 15])
    def test_pipe_is_near_the_solution_after_sanders(self, slenderness):
        """Sanders' shell solution as fitted for leak-before-break (NUREG/CR-4572); two solutions differ by 12 %."""
        share, ratio = np.linspace(0.05, 0.5, 10), slenderness
        factors = (
            -3.26543 + 1.52784 * ratio - 0.072698 * ratio**2 + 0.0016011 * ratio**3,
            11.36322 - 3.91412 * ratio + 0.18619 * ratio**2 - 0.004099 * ratio**3,
            -3.18609 + 3.84763 * ratio - 0.18304 * ratio**2 + 0.00403 * ratio**3,
        )
        sanders = 1 + sum(factor * share**power for factor, power in zip(factors, (1.5, 2.5, 3.5), strict=True))
        np.testing.assert_allclose(pipe_bending(share, slenderness), sanders, rtol=0.13)

    def test_units(self):
        # 10 kN on B = 10, W = 50 mm at a/W = 0.5: 1000 N/mm / √50 mm · 9.659 = 1366 N/mm^1.5 = 43.2 MPa √m
        assert stress_intensity(COMPACT, 25, 10_000) == pytest.approx(43.20, abs=0.01)
        # A small crack in a wide plate: σ √(π a), 100 MPa √(π 0.001 m)
        wide = Specimen("w", "M(T)", 1, W=1000, B=2)
        assert stress_intensity(wide, 1, 200_000) == pytest.approx(100 * np.sqrt(np.pi * 0.001), rel=1e-4)
        # S = 4 W, a/W = 0.5: P S / (B W^1.5) · 2.6625
        assert stress_intensity(BEAM, 20, 1000) == pytest.approx(1000 * 160 / 20 / 40**1.5 * 2.6625 / 1000**0.5)
        # A short crack in a pipe: M / (π R² t) √(π a), the arc taken at the mean radius
        stress = 1e5 * 500 / (np.pi * 100**2 * 10)
        expected = stress * np.sqrt(np.pi * 0.001 * 100 / 105)
        assert stress_intensity(PIPE, 1, 1e5) == pytest.approx(expected, rel=0.01)

    def test_a_pipe_without_moment_arm_is_refused(self):
        with pytest.raises(ValueError, match="moment_arm"):
            stress_intensity(Specimen("p", "pipe", 30, diameter=210, wall=10), 30, 1)

    def test_ranges(self):
        assert in_range(COMPACT, [9.9, 10.1, 50]).tolist() == [False, True, False]
        assert in_range(MIDDLE, [47.4, 47.6]).tolist() == [True, False]
        assert in_range(PIPE, [1, 0.55 * np.pi * 105 + 1]).tolist() == [True, False]
        assert not in_range(Specimen("thin", "pipe", 30, diameter=1000, wall=10), 50)
