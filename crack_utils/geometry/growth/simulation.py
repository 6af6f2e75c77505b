"""Simulated growth tests with a known law, to check the analysis of real tests."""

import itertools
from dataclasses import dataclass

import numpy as np
from scipy import integrate

from crack_utils.geometry.growth.specimen import Specimen
from crack_utils.geometry.growth.stress_intensity import stress_intensity


@dataclass(frozen=True)
class GrowthTest:
    """Readings of a growth test.

    Attributes
    ----------
    specimen : Specimen
    cycles, load : ndarray, shape (n,)
        Number of cycles, and maximum load of a cycle [N].
    true_a, a : ndarray, shape (n,)
        True crack length, and the reading with noise [mm].
    """

    specimen: Specimen
    cycles: np.ndarray
    load: np.ndarray
    true_a: np.ndarray
    a: np.ndarray


def simulate_test(specimen, C, m, load, stop, readings=40, noise=0.0, seed=0):
    """Simulate a test in which a crack grows by Paris' law under a constant load.

    Parameters
    ----------
    specimen : Specimen
        The crack starts with the length of its notch.
    C, m : float
        Parameters of the law, for da/dN in mm/cycle and ΔK in MPa √m.
    load : float
        Maximum load of a cycle [N].
    stop : float
        Crack length at the last reading [mm].
    readings : int
        Number of readings, evenly spaced in length; the numbers of cycles are rounded.
    noise : float
        Standard deviation of the readings [mm].
    seed : int or numpy Generator

    Returns
    -------
    GrowthTest

    Raises
    ------
    ValueError
        If `stop` is not between the notch and the largest possible length.
    """
    if not specimen.a_n < stop < specimen.longest:
        raise ValueError(f"stop={stop}: valid is a length between {specimen.a_n} and {specimen.longest} mm")

    def cycles_per_mm(length):
        return 1 / (C * stress_intensity(specimen, length, specimen.effective(load)) ** m)

    lengths = np.linspace(specimen.a_n, stop, readings)
    taken = [integrate.quad(cycles_per_mm, *ends)[0] for ends in itertools.pairwise(lengths)]
    exact = np.append(0.0, np.cumsum(taken))
    cycles = np.rint(exact)
    true_a = lengths + (cycles - exact) / cycles_per_mm(lengths)
    read = true_a + noise * np.random.default_rng(seed).standard_normal(readings)
    return GrowthTest(specimen, cycles, np.full(readings, float(load)), true_a, read)
