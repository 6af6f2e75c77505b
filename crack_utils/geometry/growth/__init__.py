"""Crack growth under load: stress intensity, growth rates, Paris' law, and the crack tip opening angle.

`Specimen` describes what was tested. `growth_rates` computes da/dN and ΔK with the checks of ASTM E647, `fit_paris` the
parameters C and m of Paris' law with intervals, and `opening_angle` the CTOA. `simulate_test` simulates a test with a
known law.
"""

from crack_utils.geometry.growth.opening import OpeningAngle, opening_angle
from crack_utils.geometry.growth.paris import ParisFit, fit_paris
from crack_utils.geometry.growth.rates import Rates, growth_rates, incremental_polynomial, secant, spaced
from crack_utils.geometry.growth.simulation import GrowthTest, simulate_test
from crack_utils.geometry.growth.specimen import KINDS, Specimen
from crack_utils.geometry.growth.stress_intensity import in_range, stress_intensity

__all__ = [
    "KINDS",
    "GrowthTest",
    "OpeningAngle",
    "ParisFit",
    "Rates",
    "Specimen",
    "fit_paris",
    "growth_rates",
    "in_range",
    "incremental_polynomial",
    "opening_angle",
    "secant",
    "simulate_test",
    "spaced",
    "stress_intensity",
]
