"""Fit Paris' law, da/dN = C ΔKᵐ, to the readings of a test, with confidence intervals.

A regression of log da/dN on log ΔK is biased, for three reasons: both values come from the same noisy lengths;
neighbouring secants share one reading, so their errors are correlated; and rates of 0 or less have no logarithm. The
errors of the readings themselves are independent. Therefore the law is integrated to a curve a(N), and this curve is
fitted to the readings by least squares. Its parameters are C, m and the first length. The intervals are those of
nonlinear regression, by Student's t with n − 3 degrees of freedom.
"""

from dataclasses import dataclass

import numpy as np
from scipy import integrate, optimize, stats

from crack_utils.geometry.growth.stress_intensity import stress_intensity

GRID = 800  # number of lengths at which the integral of the law is tabulated
EXPONENTS = np.arange(0.5, 10, 0.5)  # values of m that are tried as start of the fit
FEWEST = 6  # readings; with fewer, less than three degrees of freedom are left to estimate the noise
FAR_OFF = 8.0  # robust standard deviations from the curve: a reading farther away is an outlier
LARGEST_LOG = 300.0  # of a rate that the search may try
LARGEST_EXPONENT = 100.0  # of m, and half of its interval: no law beyond; metals have 2 to 5, ceramics up to 50
SMALLEST_SCATTER = 1e-3  # [mm] smallest standard deviation that is used to find outliers


@dataclass(frozen=True)
class ParisFit:
    """Paris' law, fitted to the n readings of a test.

    Attributes
    ----------
    C, m : float
        Parameters of the law, for da/dN in mm/cycle and ΔK in MPa √m.
    C_interval, m_interval : (low, high)
        Confidence intervals.
    level : float
        Confidence level of all intervals, in (0, 1).
    a : ndarray, shape (n,)
        Crack length of the fitted curve at each reading [mm].
    a_interval : ndarray, shape (2, n)
        Lower and upper bound of that length [mm].
    noise : float
        Standard deviation of the readings around the curve [mm].
    correlation : float
        Correlation between the residuals of neighbouring readings, in [-1, 1]. The intervals assume independent errors;
        if it is larger than 2/√n, they are too narrow.
    delta_k : (low, high)
        Range of ΔK of the readings [MPa √m].
    left_out : ndarray of int, shape (k,)
        Indices of outliers, which lie more than `FAR_OFF` robust standard deviations from the curve and were not used.
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
        """Return da/dN [mm/cycle] for `delta_k` [MPa √m], an array of any shape; the result has the same shape."""
        return self.C * np.asarray(delta_k, float) ** self.m


def fit_paris(specimen, cycles, a, load, level=0.95):
    """Fit Paris' law to the readings of a test.

    Parameters
    ----------
    specimen : Specimen
    cycles : array, shape (n,)
        Number of cycles at each reading, increasing.
    a : array, shape (n,)
        Crack lengths [mm]; their errors must be independent and of the same size. NaN where the length is not known:
        the cycles and the load count all the same. All other arrays have one value for each known length.
    load : array, shape (n,)
        Maximum load of the cycles before each reading [N]; that of the first known length and before is not used.
    level : float
        Confidence level of the intervals, in (0, 1).

    Returns
    -------
    ParisFit

    Raises
    ------
    ValueError
        If there are fewer than `FEWEST` readings, the crack does not grow, the law does not describe the readings (as
        with an exponent above `LARGEST_EXPONENT`), or they do not determine C and m.
    """
    cycles, a, load = (np.asarray(values, float) for values in (cycles, a, load))
    known = np.isfinite(a)
    if known.sum() < FEWEST:
        raise ValueError(f"{specimen.name}: {known.sum()} readings; Paris' law needs at least {FEWEST}")
    begin = known.argmax()
    cycles, load, known, a = cycles[begin:], load[begin:], known[begin:], a[np.isfinite(a)]
    if a[len(a) // 2 :].mean() <= a[: len(a) // 2].mean():
        raise ValueError(f"{specimen.name}: the crack does not grow from the first half of the readings to the second")
    curve = _Curve(specimen, cycles, a, load, known)
    fit, used = _without_blunders(curve, a)
    freedom = used.sum() - 3
    residuals = fit.fun[used]
    variance = residuals @ residuals / freedom
    try:
        covariance = variance * np.linalg.inv(fit.jac[used].T @ fit.jac[used])
    except np.linalg.LinAlgError:
        raise ValueError(f"{specimen.name}: the readings do not determine C and m") from None
    # The fitted parameter is the rate at a ΔK within the readings; C is the rate at ΔK = 1, outside of them.
    to_c = np.array([0.0, 1.0, -np.log(curve.reference)])
    log_c, spread_c = to_c @ fit.x, np.sqrt(to_c @ covariance @ to_c)
    spread_a = np.sqrt(np.einsum("ij,jk,ik->i", fit.jac, covariance, fit.jac))
    wide = stats.t.ppf((1 + level) / 2, freedom)
    first, m, spread_m = fit.x[0], fit.x[2], np.sqrt(covariance[2, 2])
    if not np.isfinite([first, log_c, m, spread_c, spread_m]).all() or abs(m) > LARGEST_EXPONENT:
        raise ValueError(f"{specimen.name}: Paris' law does not describe the readings")
    if wide * spread_m > LARGEST_EXPONENT:
        raise ValueError(f"{specimen.name}: the readings do not determine C and m")
    length = a + fit.fun
    loads = specimen.effective(load[known])[1:]  # that of a reading was applied before it
    range_k = np.concatenate([stress_intensity(specimen, part, loads) for part in (length[:-1], length[1:])])
    return ParisFit(
        C=float(np.exp(log_c)),
        m=float(m),
        C_interval=tuple(np.exp(log_c + np.array([-1, 1]) * wide * spread_c).tolist()),
        m_interval=(float(m - wide * spread_m), float(m + wide * spread_m)),
        level=level,
        a=length,
        a_interval=np.stack([length - wide * spread_a, length + wide * spread_a]),
        noise=float(np.sqrt(variance)),
        correlation=float(residuals[1:] @ residuals[:-1] / (residuals @ residuals)),
        delta_k=(float(range_k.min()), float(range_k.max())),
        left_out=np.flatnonzero(~used),
    )


def _without_blunders(curve, a):
    """Fit a curve to lengths without outliers; return the fit, with residuals of all readings, and which were used."""
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
    """The curve a(N) of Paris' law; its parameters are the first length, the log of the rate at a reference ΔK, and m.

    With ΔK = ΔP k(a), the variables of the law can be separated: ∫ da / k(a)ᵐ = C ∫ ΔPᵐ dN. Both sides are divided by
    their values at the reference, so that the three parameters are nearly independent.
    """

    def __init__(self, specimen, cycles, a, load, known):
        span = a.max() - a.min()
        top = specimen.longest * (1 - 1e-6)
        self.grid = np.linspace(max(a.min() - 0.5 * span, 0.6 * a.min()), min(a.max() + 0.5 * span, top), GRID)
        per_load = stress_intensity(specimen, self.grid, 1.0)
        usual = np.median(load[1:])
        middle = np.sqrt(np.interp(a.min(), self.grid, per_load) * np.interp(a.max(), self.grid, per_load))
        self.reference = middle * specimen.effective(usual)
        self.shape, self.loads, self.steps = per_load / middle, load[1:] / usual, np.diff(cycles)
        self.a, self.known = a, known

    def integrals(self, m):
        """Return ∫ da / k(a)ᵐ over the grid [mm], and ∫ ΔPᵐ dN at each known length [cycles]."""
        with np.errstate(over="ignore"):  # of an m far off, which the search leaves again
            left = integrate.cumulative_trapezoid(self.shape**-m, self.grid, initial=0)
            return left, np.append(0.0, np.cumsum(self.steps * self.loads**m))[self.known]

    def __call__(self, parameters):
        first, log_rate, m = parameters
        left, right = self.integrals(m)
        grown = np.exp(min(log_rate, LARGEST_LOG)) * right
        return np.interp(np.interp(first, self.grid, left) + grown, left, self.grid)

    def start(self):
        """Return start parameters: for several m, the separated law is a straight line; the best line is taken."""
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
