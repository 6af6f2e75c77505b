"""Growth rates da/dN by the two methods of ASTM E647 (Appendix X1), and the checks that this standard requires.

Lengths are in mm, loads in N, rates in mm/cycle.
"""

from dataclasses import dataclass

import numpy as np

from crack_utils.geometry.growth.stress_intensity import in_range, stress_intensity

SMALLEST_STEP = 0.25  # [mm] smallest growth between two readings (E647 8.6)
PRECISIONS = 10  # and so many times the standard deviation with which a length is measured (E647 8.6)
FEWEST = 10  # steps between readings that are kept, though each is then smaller than the noise asks for
CURVATURE = 0.05  # largest relative change of K by a curved crack front without correction (E647 9.1)
SIDES = 0.025  # share of W: largest difference between the two half cracks of M(T) (E647 8.6)


@dataclass(frozen=True)
class Rates:
    """Growth rates at n points of a test.

    Attributes
    ----------
    cycles, a, rate, delta_k : ndarray, shape (n,)
        Number of cycles, crack length [mm], da/dN [mm/cycle] and ΔK [MPa √m]. A negative rate is caused by noise.
    flags : dict of str to ndarray, shape (n,)
        Result of each check: 1.0 passed, 0.0 failed, NaN not possible; see `check` and `growth_rates`.
        A caller that knows the load between the readings adds ``load``: passed if the load did not change.
    """

    cycles: np.ndarray
    a: np.ndarray
    rate: np.ndarray
    delta_k: np.ndarray
    flags: dict

    @property
    def valid(self):
        """True where no check failed and the rate is positive, ndarray of bool, shape (n,)."""
        return np.all([flag != 0 for flag in self.flags.values()], axis=0) & (self.rate > 0)


def secant(cycles, a):
    """Compute growth rates between neighbouring readings, by the secant method (E647 X1.1).

    Parameters
    ----------
    cycles : array, shape (n,)
        Number of cycles at each reading, increasing.
    a : array, shape (n,)
        Crack length [mm].

    Returns
    -------
    cycles, a, rate : ndarray, shape (n - 1,)
        Mean number of cycles, mean length [mm] and da/dN [mm/cycle] of each pair of neighbours.

    Raises
    ------
    ValueError
        If there are fewer than two readings, the cycles do not increase, or a length is not finite.
    """
    cycles, a = _series(cycles, a)
    return (cycles[1:] + cycles[:-1]) / 2, (a[1:] + a[:-1]) / 2, np.diff(a) / np.diff(cycles)


def incremental_polynomial(cycles, a, points=7):
    """Compute growth rates by the incremental polynomial method: a parabola is fitted around each reading (E647 X1.2).

    Parameters
    ----------
    cycles, a
        As for `secant`.
    points : int
        Number of readings of each parabola; odd and at least 3.

    Returns
    -------
    cycles, a, rate : ndarray, shape (n - points + 1,)
        Number of cycles, length of the parabola [mm] and da/dN [mm/cycle]; empty with fewer than `points` readings.

    Raises
    ------
    ValueError
        As `secant`, and if `points` is not valid.
    """
    cycles, a = _series(cycles, a)
    if points < 3 or points % 2 == 0:
        raise ValueError(f"points={points}: valid is an odd number of at least 3")
    half, smoothed, rates = points // 2, [], []
    for middle in range(half, len(a) - half):
        window = slice(middle - half, middle + half + 1)
        parabola = np.polynomial.Polynomial.fit(cycles[window], a[window], 2)
        smoothed.append(parabola(cycles[middle]))
        rates.append(parabola.deriv()(cycles[middle]))
    return cycles[half : len(a) - half], np.array(smoothed), np.array(rates)


def growth_rates(specimen, cycles, a, load, method=secant, sides=None, smooth=None, noise=0.0):
    """Compute da/dN and ΔK of a test, with the checks of ASTM E647.

    In addition to those of `check` there is ``spacing``: the growth between readings is at least `SMALLEST_STEP` and
    `PRECISIONS` times the noise, and at most `largest_step` (E647 8.6); and for M(T) ``sides``: the lengths at both
    tips differ by at most `SIDES` times the width.

    Parameters
    ----------
    specimen : Specimen
    cycles, a
        As for `secant`.
    load : array, shape (n,)
        Maximum load of the cycles before each reading [N].
    method : secant or incremental_polynomial
    sides : array, shape (n,), optional
        Difference between the lengths at the two tips [mm], measured from the middle of an M(T) specimen. Without it,
        the symmetry of such a specimen is not checked.
    smooth : array, shape (n,), optional
        Lengths without noise, such as those of a fitted law [mm]; by default `a`. The growth between readings is
        checked with them: with noisy lengths, steps that are too small by chance fail, and the others are too large.
    noise : float
        Standard deviation with which a length is measured [mm].

    Returns
    -------
    Rates

    Raises
    ------
    ValueError
        If the readings are not valid, see `secant`, or the stress intensity is not known, see `stress_intensity`.
    """
    cycles, a = _series(cycles, a)
    load = np.asarray(load, float)
    at, length, rate = method(cycles, a)
    largest = load[np.searchsorted(cycles, at)]
    delta_k = stress_intensity(specimen, length, specimen.effective(largest))
    flags = check(specimen, length, largest)
    steps = np.diff(a if smooth is None else smooth)
    step = np.interp(at, (cycles[1:] + cycles[:-1]) / 2, steps)  # growth between two readings [mm]
    smallest = max(SMALLEST_STEP, PRECISIONS * noise) - 1e-9
    flags["spacing"] = ((step >= smallest) & (step <= largest_step(specimen, length))).astype(float)
    if specimen.kind == "M(T)":
        apart = np.full(len(a), np.nan) if sides is None else np.abs(sides)
        flags["sides"] = np.where(np.isnan(apart).any(), np.nan, np.interp(at, cycles, apart) <= SIDES * specimen.W)
    return Rates(at, length, rate, delta_k, flags)


def check(specimen, a, load):
    """Apply the checks of ASTM E647 to readings.

    Parameters
    ----------
    specimen : Specimen
    a, load : array, shape (n,)
        Crack length [mm] and maximum load of the cycle [N].

    Returns
    -------
    dict of str to ndarray, shape (n,)
        1.0 passed, 0.0 failed, NaN if the check is not possible. The checks are:

        - ``formula``: the crack length is in the range of the stress intensity formula.
        - ``ligament``: the remaining section stays elastic (E647 7.2). With the yield strength σ this is
          W − a ≥ (4/π) (Kmax/σ)² for C(T) and SE(B), and W − 2a ≥ 1.25 Pmax/(B σ) for M(T). There is no rule for a
          pipe.
        - ``curvature``: a curved crack front changes K by at most 5 % (E647 9.1); only if the curvature is known.
    """
    a, load = np.asarray(a, float), np.asarray(load, float)
    flags = {"formula": in_range(specimen, a).astype(float)}
    with np.errstate(invalid="ignore"):  # the specimen may be broken: then the checks fail
        flags["ligament"] = ligament_holds(specimen, a, load)
        if specimen.curvature:
            longer = stress_intensity(specimen, a + specimen.curvature, load)
            change = longer / stress_intensity(specimen, a, load) - 1
            flags["curvature"] = (np.abs(change) <= CURVATURE).astype(float)
    return flags


def ligament_holds(specimen, a, load):
    """Check that the remaining section of a specimen stays elastic, see `check`.

    Parameters
    ----------
    specimen, a, load
        As for `check`.

    Returns
    -------
    ndarray, shape (n,)
        1.0 where it does, 0.0 where not, and NaN where that cannot be checked.
    """
    a, load = np.asarray(a, float), np.asarray(load, float)
    ligament = np.full(a.shape, np.nan)
    strength = specimen.yield_strength
    if strength is not None and specimen.kind == "M(T)":
        ligament = (specimen.W - 2 * a >= 1.25 * load / (specimen.B * strength)).astype(float)
    elif strength is not None and specimen.kind != "pipe":
        largest = 1000 * (stress_intensity(specimen, a, load) / strength) ** 2  # [mm]
        ligament = (specimen.W - a >= 4 / np.pi * largest).astype(float)
    return ligament


def largest_step(specimen, a):
    """Return the largest growth that ASTM E647 (8.6) allows between two readings.

    Parameters
    ----------
    specimen : Specimen
        SE(B) is treated as C(T); a pipe has no limit.
    a : array, shape (n,)
        Crack length [mm].

    Returns
    -------
    ndarray, shape (n,)
        [mm]
    """
    a = np.asarray(a, float)
    if specimen.kind == "pipe":
        return np.full(a.shape, np.inf)
    if specimen.kind == "M(T)":
        return np.where(2 * a / specimen.W < 0.6, 0.03, 0.02) * specimen.W
    ratio = a / specimen.W
    return np.select([ratio <= 0.4, ratio <= 0.6], [0.04, 0.02], 0.01) * specimen.W


def spaced(a, noise=0.0):
    """Choose readings with so much growth between them that a growth rate can be computed (E647 8.6).

    The smallest growth is `SMALLEST_STEP`, or `PRECISIONS` times the noise if that is more. With much noise it is
    smaller, so that about `FEWEST` readings remain; `growth_rates` then says that they are too near to each other.

    Parameters
    ----------
    a : array, shape (n,)
        Crack lengths [mm]. Use smooth ones, for example of a fit: with noisy lengths, readings that are too long by
        chance would be chosen more often.
    noise : float
        Standard deviation with which a length is measured [mm].

    Returns
    -------
    ndarray of int, shape (k,)
        Indices; the first reading is always chosen.
    """
    smallest = max(SMALLEST_STEP, min(PRECISIONS * noise, (a[-1] - a[0]) / FEWEST))
    chosen = [0]
    for index, length in enumerate(a):
        if length - a[chosen[-1]] >= smallest:
            chosen.append(index)
    return np.array(chosen)


def _series(cycles, a):
    cycles, a = np.asarray(cycles, float), np.asarray(a, float)
    if cycles.shape != a.shape or cycles.ndim != 1 or len(a) < 2:
        raise ValueError(f"cycles {cycles.shape} and a {a.shape}: both need the same length, at least 2")
    if not (np.all(np.isfinite(a)) and np.all(np.diff(cycles) > 0)):
        raise ValueError("cycles must increase from reading to reading, and every a must be a finite number")
    return cycles, a
