"""Paris' law, da/dN = C ΔKᵐ, from the readings of a test, with intervals that hold.

A regression of log da/dN on log ΔK is biased: both come from the same noisy lengths, the noise of neighbouring secants
is one reading's with opposite signs, and rates at or below 0 have no logarithm. The readings themselves have
independent noise. So the curve a(N) that the law integrates to is fitted to them by least squares; C, m and the first
length are its parameters. Their intervals are those of nonlinear regression, Student's t with n − 3 degrees of freedom.
"""

from dataclasses import dataclass

import numpy as np
from scipy import integrate, optimize, stats

from crack_utils.geometry.growth.stress_intensity import stress_intensity

GRID = 800  # lengths between which the integral of the law is interpolated
EXPONENTS = np.arange(0.5, 10, 0.5)  # m from which the best is where the fit starts
FEWEST = 6  # readings; with fewer there are no three degrees of freedom to tell the noise from
FAR_OFF = 8.0  # scatters: a reading farther from the curve is a blunder, such as a tip at the wrong end
SMALLEST_SCATTER = 1e-3  # [mm] that blunders are told by at least


@dataclass(frozen=True)
class ParisFit:
    """Paris' law of a test.

    Attributes
    ----------
    C, m : float
        For da/dN in mm/cycle and ΔK in MPa √m.
    C_interval, m_interval : (low, high)
    level : float
        Of confidence of all intervals here.
    a : ndarray, shape (n,)
        Length that the law gives at each reading [mm].
    a_interval : ndarray, shape (2, n)
        Low and high of that length [mm].
    noise : float
        Standard deviation of the readings about it [mm].
    correlation : float
        Of the residuals of neighbouring readings. The intervals suppose independent noise: well above 0 (beyond
        2/√n) they are too narrow.
    delta_k : (low, high)
        ΔK that the readings span [MPa √m].
    left_out : ndarray, shape (k,)
        Indices of readings that lie `FAR_OFF` robust standard deviations from the curve, and were not used.
    """

    C: float
    m: float
    C_interval: tuple
    m_interval: tuple
    level: float
    a: np.ndarray
    a_interval: np.ndarray
    noise: float
    correlation: float
    delta_k: tuple
    left_out: np.ndarray

    def rate(self, delta_k):
        """Return da/dN at ΔK [mm/cycle]."""
        return self.C * np.asarray(delta_k, float) ** self.m


def fit_paris(specimen, cycles, a, load, level=0.95):
    """Fit Paris' law to the readings of a test.

    Parameters
    ----------
    specimen : Specimen
    cycles : array, shape (n,)
        Rising.
    a : array, shape (n,)
        Crack lengths with independent noise of one size [mm].
    load : array, shape (n,)
        Largest load of the cycles that led to each reading [N]; the first is not used.
    level : float
        Of the intervals.

    Returns
    -------
    ParisFit

    Raises
    ------
    ValueError
        If there are fewer than `FEWEST` readings, the crack does not grow, or no law describes it.
    """
    cycles, a, load = (np.asarray(values, float) for values in (cycles, a, load))
    if len(a) < FEWEST:
        raise ValueError(f"{specimen.name}: {len(a)} readings; Paris' law needs at least {FEWEST}")
    if a[len(a) // 2 :].mean() <= a[: len(a) // 2].mean():
        raise ValueError(f"{specimen.name}: the crack does not grow from the first half of the readings to the second")
    curve = _Curve(specimen, cycles, a, load)
    fit, used = _without_blunders(curve, a)
    freedom = used.sum() - 3
    residuals = fit.fun[used]
    variance = residuals @ residuals / freedom
    try:
        covariance = variance * np.linalg.inv(fit.jac[used].T @ fit.jac[used])
    except np.linalg.LinAlgError:
        raise ValueError(f"{specimen.name}: the readings do not tell C and m") from None
    # C at ΔK = 1: the law's rate is a parameter where the readings are, far from there.
    to_c = np.array([0.0, 1.0, -np.log(curve.reference)])
    log_c, spread_c = to_c @ fit.x, np.sqrt(to_c @ covariance @ to_c)
    spread_a = np.sqrt(np.einsum("ij,jk,ik->i", fit.jac, covariance, fit.jac))
    wide = stats.t.ppf((1 + level) / 2, freedom)
    first, m, spread_m = fit.x[0], fit.x[2], np.sqrt(covariance[2, 2])
    if not np.isfinite([first, log_c, m, spread_c, spread_m]).all():
        raise ValueError(f"{specimen.name}: no law of Paris describes the readings")
    length = a + fit.fun
    range_k = stress_intensity(specimen, length, load * (1 - specimen.load_ratio))
    return ParisFit(
        float(np.exp(log_c)),
        float(m),
        tuple(np.exp(log_c + np.array([-1, 1]) * wide * spread_c).tolist()),
        (float(m - wide * spread_m), float(m + wide * spread_m)),
        level,
        length,
        np.stack([length - wide * spread_a, length + wide * spread_a]),
        float(np.sqrt(variance)),
        float(residuals[1:] @ residuals[:-1] / (residuals @ residuals)),
        (float(range_k[1:].min()), float(range_k[1:].max())),
        np.flatnonzero(~used),
    )


def _without_blunders(curve, a):
    """Fit a curve to lengths; return the fit, its residuals and Jacobian those of all, and which it was made with."""
    used, start = np.ones(len(a), bool), curve.start()
    while True:
        fit = optimize.least_squares(lambda parameters, used=used: (curve(parameters) - a)[used], start, x_scale="jac")
        off = np.abs(curve(fit.x) - a)
        scatter = 1.4826 * np.median(off[used]) * np.sqrt(used.sum() / (used.sum() - 3))
        fewer = used & (off <= FAR_OFF * max(scatter, SMALLEST_SCATTER))
        if fewer.sum() == used.sum() or fewer.sum() < FEWEST:
            return optimize.least_squares(lambda parameters: curve(parameters) - a, fit.x, max_nfev=1), used
        used, start = fewer, fit.x


class _Curve:
    """a(N) by Paris' law: a(first), log of the rate at a reference ΔK, and m give the length at each reading.

    With ΔK = ΔP k(a), the law separates: ∫ da / k(a)ᵐ = C ∫ ΔPᵐ dN. Both sides are taken relative to the reference, so
    that the three parameters are nearly independent.
    """

    def __init__(self, specimen, cycles, a, load):
        span = a.max() - a.min()
        top = specimen.longest * (1 - 1e-6)
        self.grid = np.linspace(max(a.min() - 0.5 * span, 0.6 * a.min()), min(a.max() + 0.5 * span, top), GRID)
        per_load = stress_intensity(specimen, self.grid, 1.0)
        usual = np.median(load[1:])
        middle = np.sqrt(np.interp(a.min(), self.grid, per_load) * np.interp(a.max(), self.grid, per_load))
        self.reference = middle * usual * (1 - specimen.load_ratio)
        self.shape, self.loads, self.steps, self.a = per_load / middle, load[1:] / usual, np.diff(cycles), a

    def integrals(self, m):
        """∫ da / k(a)ᵐ over the grid [mm], and ∫ ΔPᵐ dN at each reading [cycles]."""
        left = integrate.cumulative_trapezoid(self.shape**-m, self.grid, initial=0)
        return left, np.append(0.0, np.cumsum(self.steps * self.loads**m))

    def __call__(self, parameters):
        first, log_rate, m = parameters
        left, right = self.integrals(m)
        return np.interp(np.interp(first, self.grid, left) + np.exp(log_rate) * right, left, self.grid)

    def start(self):
        """For each of many m, the straight line through the separated law; the best of them."""
        best, least = None, np.inf
        for m in EXPONENTS:
            left, right = self.integrals(m)
            slope, offset = np.polyfit(right, np.interp(self.a, self.grid, left), 1)
            if slope <= 0:
                continue
            parameters = np.array([np.interp(offset, left, self.grid), np.log(slope), m])
            error = np.sum((self(parameters) - self.a) ** 2)
            if error < least:
                best, least = parameters, error
        if best is None:
            raise ValueError("the crack does not grow")
        return best
