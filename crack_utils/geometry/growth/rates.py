"""How fast a crack grows: da/dN by the two methods of ASTM E647 (Appendix X1), and the standard's checks of them.

Lengths are in mm, loads in N, rates in mm a cycle.
"""

from dataclasses import dataclass

import numpy as np

from crack_utils.geometry.growth.stress_intensity import in_range, stress_intensity

SMALLEST_STEP = 0.25  # [mm] of growth between two readings (E647 8.6)
CURVATURE = 0.05  # of K, from which on a curved front has to be corrected (E647 9.1)
SIDES = 0.025  # of W, by which the two half cracks of M(T) may differ (E647 8.6)


@dataclass(frozen=True)
class Rates:
    """Growth rates, one an entry.

    Attributes
    ----------
    cycles, a, rate, delta_k : ndarray, shape (n,)
        N, crack length [mm], da/dN [mm/cycle] and ΔK [MPa √m]. A rate below 0 is one that the noise made.
    flags : dict of str to ndarray
        By check, True where it is passed, NaN where it could not be made; see `check`.
    """

    cycles: np.ndarray
    a: np.ndarray
    rate: np.ndarray
    delta_k: np.ndarray
    flags: dict

    @property
    def valid(self):
        """Where no check failed, shape (n,)."""
        return np.all([flag != 0 for flag in self.flags.values()], axis=0) & (self.rate > 0)


def secant(cycles, a):
    """Return N, mean length and rate between neighbouring readings (E647 X1.1).

    Parameters
    ----------
    cycles : array, shape (n,)
        Rising.
    a : array, shape (n,)
        [mm]

    Returns
    -------
    cycles, a, rate : ndarray, shape (n - 1,)
    """
    cycles, a = _series(cycles, a)
    return (cycles[1:] + cycles[:-1]) / 2, (a[1:] + a[:-1]) / 2, np.diff(a) / np.diff(cycles)


def incremental_polynomial(cycles, a, points=7):
    """Return N, smoothed length and rate from a parabola through the readings around each (E647 X1.2).

    Parameters
    ----------
    cycles, a
        As for `secant`.
    points : int
        Readings that a parabola is fitted to, odd and at least 3.

    Returns
    -------
    cycles, a, rate : ndarray, shape (n - points + 1,)
        Empty with fewer readings than that.
    """
    cycles, a = _series(cycles, a)
    if points < 3 or points % 2 == 0:
        raise ValueError(f"points={points}: valid is an odd number from 3 on")
    half, smoothed, rates = points // 2, [], []
    for middle in range(half, len(a) - half):
        window = slice(middle - half, middle + half + 1)
        parabola = np.polynomial.Polynomial.fit(cycles[window], a[window], 2)
        smoothed.append(parabola(cycles[middle]))
        rates.append(parabola.deriv()(cycles[middle]))
    return cycles[half : len(a) - half], np.array(smoothed), np.array(rates)


def growth_rates(specimen, cycles, a, load, method=secant, sides=None):
    """Return da/dN and ΔK of a test, with the standard's checks.

    Parameters
    ----------
    specimen : Specimen
    cycles, a
        As for `secant`.
    load : array, shape (n,)
        Largest load of the cycles that led to each reading [N].
    method : secant or incremental_polynomial
    sides : array, shape (n,), optional
        By how much the crack is longer on one side than on the other [mm], where it has two tips.

    Returns
    -------
    Rates
    """
    cycles, a = _series(cycles, a)
    load = np.asarray(load, float)
    at, length, rate = method(cycles, a)
    largest = load[np.searchsorted(cycles, at)]
    delta_k = stress_intensity(specimen, length, largest * (1 - specimen.load_ratio))
    flags = check(specimen, length, largest)
    step = rate * np.interp(at, (cycles[1:] + cycles[:-1]) / 2, np.diff(cycles))  # from reading to reading, there
    flags["spacing"] = ((step >= SMALLEST_STEP) & (step <= largest_step(specimen, length))).astype(float)
    if sides is not None and specimen.kind == "M(T)":
        flags["sides"] = (np.interp(at, cycles, np.abs(sides)) <= SIDES * specimen.W).astype(float)
    return Rates(at, length, rate, delta_k, flags)


def check(specimen, a, load):
    """Return the standard's checks of readings: 1.0 passed, 0.0 failed, NaN not to be told.

    Parameters
    ----------
    specimen : Specimen
    a, load : array, shape (n,)
        [mm] and, the largest of a cycle, [N].

    Returns
    -------
    dict of str to ndarray
        formula: the stress intensity is known there. ligament: the rest of the section stays elastic, C(T) and SE(B)
        W − a ≥ (4/π) (Kmax/σ)², M(T) W − 2a ≥ 1.25 Pmax/(B σ), σ the yield strength (E647 7.2); a pipe has no such
        rule. curvature: a curved front changes K by at most 5 % (E647 9.1).
    """
    a, load = np.asarray(a, float), np.asarray(load, float)
    ligament = np.full(a.shape, np.nan)
    strength = specimen.yield_strength
    if strength is not None and specimen.kind == "M(T)":
        ligament = (specimen.W - 2 * a >= 1.25 * load / (specimen.B * strength)).astype(float)
    elif strength is not None and specimen.kind != "pipe":
        largest = 1000 * (stress_intensity(specimen, a, load) / strength) ** 2  # [mm]
        ligament = (specimen.W - a >= 4 / np.pi * largest).astype(float)
    flags = {"formula": in_range(specimen, a).astype(float), "ligament": ligament}
    if specimen.curvature:
        change = stress_intensity(specimen, a + specimen.curvature, load) / stress_intensity(specimen, a, load) - 1
        flags["curvature"] = (np.abs(change) <= CURVATURE).astype(float)
    return flags


def largest_step(specimen, a):
    """Return how far a crack may grow between two readings [mm] (E647 8.6; SE(B) as C(T)); without limit in a pipe."""
    a = np.asarray(a, float)
    if specimen.kind == "pipe":
        return np.full(a.shape, np.inf)
    if specimen.kind == "M(T)":
        return np.where(2 * a / specimen.W < 0.6, 0.03, 0.02) * specimen.W
    ratio = a / specimen.W
    return np.select([ratio <= 0.4, ratio <= 0.6], [0.04, 0.02], 0.01) * specimen.W


def spaced(a, step=SMALLEST_STEP):
    """Return the indices of readings that lie at least a step apart, the first among them.

    Parameters
    ----------
    a : array, shape (n,)
        Lengths [mm], smooth ones such as a fit's: choosing by noisy ones favours those that the noise has lengthened.
    step : float
        [mm]
    """
    chosen = [0]
    for index, length in enumerate(a):
        if length - a[chosen[-1]] >= step:
            chosen.append(index)
    return np.array(chosen)


def _series(cycles, a):
    cycles, a = np.asarray(cycles, float), np.asarray(a, float)
    if cycles.shape != a.shape or cycles.ndim != 1 or len(a) < 2:
        raise ValueError(f"cycles {cycles.shape} and a {a.shape}: as many of each are needed, at least 2")
    if not (np.all(np.isfinite(a)) and np.all(np.diff(cycles) > 0)):
        raise ValueError("cycles have to rise from reading to reading, and each needs a length")
    return cycles, a
