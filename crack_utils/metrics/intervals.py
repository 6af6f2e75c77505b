"""Confidence intervals for means over seeds and specimens, and comparisons of losses, for crossed data.

Every network (seed) is measured on the same specimens, so the values form a table: one row per seed, one column per
specimen. A claim about the next training *and* the next specimen must treat both as random samples. Frames of a
specimen are not independent: average them first, so that a specimen is one value and is resampled as a whole.

The variance of the mean comes from the two-way analysis of variance. Its quantiles come from resampling seeds and
specimens independently ("pigeonhole" bootstrap [1]_) and studentising each resample [2]_. This accounts for skewed
distributions, which are typical of measures near 1. `python -m crack_utils.study.coverage` measures the coverage of the
intervals. With fewer than `ENOUGH` seeds or specimens resampling does not work; then intervals are wide ones from
Student's t, and comparisons have no p-value.

References
----------
.. [1] Owen (2007), The pigeonhole bootstrap, Annals of Applied Statistics 1(2), 386–411.
.. [2] Efron, Tibshirani (1993), An Introduction to the Bootstrap, section 12.5; for several comparisons
   Westfall, Young (1993), Resampling-Based Multiple Testing.

>>> result = interval(np.add.outer(np.linspace(0, 0.01, 10), np.linspace(0.8, 0.9, 16)))
>>> round(float(result.mean), 3), bool(result.low < result.mean < result.high)
(0.855, True)
"""

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy import stats
from scipy.special import expit, logit

ENOUGH = 5  # least number of seeds and of specimens; with fewer, resamples repeat the same one too often
RESAMPLES = 9999


@dataclass(frozen=True)
class Interval:
    """A mean over seeds and specimens with its interval.

    Attributes
    ----------
    mean, low, high : float, or ndarray for several tables
    resampled : bool
        Whether the limits come from the bootstrap; otherwise they come from Student's t.
    """

    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray
    resampled: bool


@dataclass(frozen=True)
class Comparison:
    """The differences between all pairs of losses, with limits that hold for all pairs together.

    Attributes
    ----------
    pairs : list of (int, int)
        Positions of the first and the second loss of each pair.
    difference, low, high : ndarray, shape (..., pairs)
        Mean of first minus second, and simultaneous limits: the level applies to all pairs together.
    p : ndarray, shape (..., pairs)
        Adjusted for all pairs; at most 1 − level exactly where the limits exclude 0. NaN with fewer than `ENOUGH` seeds
        or specimens, because no difference can be established then.
    resampled : bool
        As in `Interval`.
    """

    pairs: list
    difference: np.ndarray
    low: np.ndarray
    high: np.ndarray
    p: np.ndarray
    resampled: bool


def interval(values, level=0.95, resamples=RESAMPLES, seed=0, bounds=None):
    """Return the mean over seeds and specimens with an interval that treats both as random samples.

    Parameters
    ----------
    values : array, float, shape (..., seeds, specimens)
        One value per network and specimen; at least two of both. Leading axes are separate tables.
    level : float in (0, 1)
        Intended coverage.
    resamples : int
        Number of bootstrap resamples.
    seed : int
        Seed of the resampling. The same seed gives the same interval.
    bounds : (float, float), optional
        What the mean can be at least and at most; limits then stay between them, see `within`.

    Returns
    -------
    Interval

    Raises
    ------
    ValueError
        If the table is too small or has NaN, or the level is not between 0 and 1.
    """
    values = _table(values)
    _check_level(level)
    mean, error = _mean(values), _standard_error(values)
    resampled = min(values.shape[-2:]) >= ENOUGH
    if resampled:
        studentised = _resampled(values, resamples, seed)
        # Quantiles are resampled values themselves, not interpolated, because some can be infinite.
        above = np.quantile(studentised, (1 + level) / 2, axis=-1, method="higher")
        below = np.quantile(studentised, (1 - level) / 2, axis=-1, method="lower")
        low, high = mean - _times(above, error), mean - _times(below, error)
    else:
        half = _wide(values, level)
        low, high = mean - half, mean + half
    if bounds is not None:
        low, high = within(mean, low, high, bounds)
    return Interval(mean, low, high, resampled)


def within(mean, low, high, bounds):
    """Return limits that stay within the range of their quantity: the same steps from the mean, on the logit's scale.

    A mean of F1 cannot be 1.2. The logit of (mean − least) / (most − least) has no such ends, so the steps from the
    mean are taken there, divided by the slope of the scale at the mean (delta method). Far from the ends, and for small
    steps, the limits hardly change.

    Parameters
    ----------
    mean, low, high : array, float
        Limits may be infinite.
    bounds : (float, float)
        Least and most.

    Returns
    -------
    low, high : ndarray, float
        A mean that is itself least or most has every value there; it keeps its limits.

    Examples
    --------
    >>> low, high = within(0.9, 0.7, 1.1, (0, 1))
    >>> round(float(low), 3), round(float(high), 3)
    (0.494, 0.988)
    """
    least, most = bounds
    mean, low, high = (np.asarray(value, float) for value in (mean, low, high))
    share = (mean - least) / (most - least)
    inside = (share > 0) & (share < 1)
    safe = np.where(inside, share, 0.5)
    slope = safe * (1 - safe) * (most - least)
    limits = (least + (most - least) * expit(logit(safe) + (limit - mean) / slope) for limit in (low, high))
    return tuple(np.where(inside, limit, mean) for limit in limits)


def compare(values, level=0.95, resamples=RESAMPLES, seed=0, bounds=None):
    """Compare all pairs of losses on the same seeds and specimens, with one error rate for all pairs together.

    Parameters
    ----------
    values : array, float, shape (..., losses, seeds, specimens)
        Row s of every loss is the same seed, column p the same specimen.
    level : float in (0, 1)
        1 − level is the probability that at least one pair is wrongly called different.
    resamples, seed : int
        As in `interval`.
    bounds : (float, float), optional
        What a difference can be at least and at most: limits are cut off there, so that they still agree with p.

    Returns
    -------
    Comparison

    Raises
    ------
    ValueError
        As for `interval`, and if there are fewer than two losses.

    Notes
    -----
    The largest studentised difference over the pairs is resampled, with the same seeds and specimens for all losses.
    The smallest p is 1 / (resamples + 1). If only the seeds vary, about n^(1−n) of the resamples of n seeds draw the
    same seed n times, so p cannot be smaller: 0.0016 for five seeds. (The paired Wilcoxon test of five seeds cannot be
    below 0.0625 for one pair, before the adjustment for six pairs.)
    """
    values = _table(values)
    _check_level(level)
    if values.ndim < 3 or values.shape[-3] < 2:
        raise ValueError(f"values must be (..., losses, seeds, specimens) with two losses or more, got {values.shape}")
    pairs = list(combinations(range(values.shape[-3]), 2))
    first, second = map(list, zip(*pairs, strict=True))
    differences = values[..., first, :, :] - values[..., second, :, :]
    difference, error = _mean(differences), _standard_error(differences)
    resampled = min(values.shape[-2:]) >= ENOUGH
    if resampled:
        largest = np.abs(_resampled(differences, resamples, seed)).max(axis=-2)  # (..., resamples)
        observed = np.abs(_ratio(difference, error))
        reached = (largest[..., None, :] >= observed[..., None]).sum(axis=-1)
        p = (reached + 1) / (resamples + 1)
        half = _times(_critical(largest, level)[..., None], error)
    else:
        p = np.full(difference.shape, np.nan)
        half = _wide(differences, 1 - (1 - level) / len(pairs))
    least, most = (-np.inf, np.inf) if bounds is None else bounds
    low, high = np.maximum(difference - half, least), np.minimum(difference + half, most)
    return Comparison(pairs, difference, low, high, p, resampled)


def bootstrap(statistic, *sizes, level=0.95, resamples=RESAMPLES, seed=0):
    """Return a statistic with a percentile interval, for statistics that are not a plain mean (see `interval`).

    Parameters
    ----------
    statistic : callable
        Takes one array of positions per factor, such as seeds and specimens; returns a float or an ndarray.
    *sizes : int
        Number of entries of each factor. Factors are resampled independently [1]_.
    level : float in (0, 1)
    resamples, seed : int
        As in `interval`.

    Returns
    -------
    value, low, high : float or ndarray
        NaN limits if a factor has fewer than two entries.

    References
    ----------
    .. [1] Owen (2007), The pigeonhole bootstrap, Annals of Applied Statistics 1(2), 386–411.
    """
    _check_level(level)
    value = statistic(*map(np.arange, sizes))
    if min(sizes) < 2:
        return value, value * np.nan, value * np.nan
    generator = np.random.default_rng(seed)
    drawn = [statistic(*(generator.integers(0, size, size) for size in sizes)) for _ in range(resamples)]
    return value, *np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2], axis=0)


def bootstrap_of_few(statistic, *sizes, level=0.95, resamples=RESAMPLES, seed=0):
    """Return a statistic with an interval for few seeds or specimens, for statistics that are not a plain mean.

    Percentiles of a bootstrap are too narrow then. So the interval is the bootstrap's standard error times the quantile
    of Student's t, as for the mean of as few values as the smallest factor has. `study.coverage` checks how often it
    holds for differences of medians.

    Parameters
    ----------
    statistic, *sizes, level, resamples, seed
        As for `bootstrap`; one float is returned.

    Returns
    -------
    value, low, high : float
        NaN limits if a factor has fewer than two entries.
    """
    _check_level(level)
    value, few = statistic(*map(np.arange, sizes)), min(sizes)
    if few < 2:
        return value, np.nan, np.nan
    generator = np.random.default_rng(seed)
    drawn = [statistic(*(generator.integers(0, size, size) for size in sizes)) for _ in range(resamples)]
    # Values drawn again from n values have a variance that is too small by (n − 1) / n.
    half = stats.t.ppf((1 + level) / 2, few - 1) * np.std(drawn) * np.sqrt(few / (few - 1))
    return value, value - half, value + half


def _table(values):
    values = np.asarray(values, float)
    if values.ndim < 2 or min(values.shape[-2:]) < 2:
        raise ValueError(f"values must be (..., seeds, specimens) with two of each or more, got shape {values.shape}")
    if not np.isfinite(values).all():
        raise ValueError("values must be finite, got NaN or infinity; remove or replace missing values first")
    return values


def _check_level(level):
    if not 0 < level < 1:
        raise ValueError(f"level must lie between 0 and 1, got {level}")


def _mean(values):
    return values.mean(axis=(-2, -1))


def _standard_error(values):
    """Return the standard error of the mean over both factors, shape (...)."""
    return _moments(values, np.ones((1, values.shape[-2])), np.ones((1, values.shape[-1])))[1][..., 0]


def _resampled(values, resamples, seed):
    """Return the studentised means of resampled tables, shape (..., resamples)."""
    generator = np.random.default_rng(seed)
    seeds, specimens = (
        generator.multinomial(count, np.full(count, 1 / count), resamples).astype(float) for count in values.shape[-2:]
    )
    return _ratio(*_moments(values, seeds, specimens))


def _moments(values, seed_weights, specimen_weights):
    """Return the means of resampled tables, minus the mean of the table itself, and their standard errors.

    Parameters
    ----------
    values : ndarray, shape (..., seeds, specimens)
    seed_weights, specimen_weights : ndarray, shape (resamples, seeds) and (resamples, specimens)
        How often each row and each column was drawn.

    Returns
    -------
    mean, error : ndarray, shape (..., resamples)

    Notes
    -----
    With the mean squares M of seeds, specimens and residual, the variance of the mean is
    (M_seeds + M_specimens − M_residual) / (seeds · specimens). It is at least the larger of the first two alone.
    """
    seeds, specimens = values.shape[-2:]
    size = seeds * specimens
    values = values - values.mean(axis=(-2, -1), keepdims=True)
    values[np.abs(values) < 1e-12] = 0  # rounding errors between equal values do not count as spread
    rows = values @ specimen_weights.T / specimens  # (..., seeds, resamples)
    columns = seed_weights @ values / seeds  # (..., resamples, specimens)
    mean = (seed_weights.T * rows).sum(axis=-2) / seeds
    between_seeds = specimens * (seed_weights.T * rows**2).sum(axis=-2) - size * mean**2
    between_specimens = seeds * (specimen_weights * columns**2).sum(axis=-1) - size * mean**2
    total = ((seed_weights @ values**2) * specimen_weights).sum(axis=-1) - size * mean**2
    noise = 1e-12 * (total + size * mean**2)
    between_seeds = np.where(between_seeds > noise, between_seeds, 0)
    between_specimens = np.where(between_specimens > noise, between_specimens, 0)
    residual = np.maximum(total - between_seeds - between_specimens, 0) / ((seeds - 1) * (specimens - 1))
    between_seeds, between_specimens = between_seeds / (seeds - 1), between_specimens / (specimens - 1)
    larger = np.maximum(between_seeds, between_specimens)
    return mean, np.sqrt(np.maximum(between_seeds + between_specimens - residual, larger) / size)


def _wide(values, level):
    """Return the half width for few seeds or specimens: the root of the summed squares of two half widths.

    They come from Student's t, for the means over specimens and for the means over seeds. The residual is included in
    both, so the interval is too wide rather than too narrow.
    """
    squares = 0
    for axis in (-1, -2):
        means = values.mean(axis=axis)
        error = means.std(axis=-1, ddof=1) / np.sqrt(means.shape[-1])
        squares = squares + (stats.t.ppf((1 + level) / 2, means.shape[-1] - 1) * error) ** 2
    return np.sqrt(squares)


def _critical(largest, level):
    """Return the critical value of the largest difference for p ≤ 1 − level, so that limits and p-values agree."""
    resamples = largest.shape[-1]
    beyond = int(np.floor((1 - level) * (resamples + 1) + 1e-9)) - 1  # number of resamples allowed to reach it
    if beyond < 0:
        return np.full(largest.shape[:-1], np.inf)
    return np.sort(largest, axis=-1)[..., resamples - 1 - beyond]


def _ratio(part, whole):
    """Return part / whole; 0 / 0 is 0 (no difference), any other value / 0 is infinite."""
    zero = whole == 0
    return np.where(zero, np.where(part == 0, 0, np.copysign(np.inf, part)), part / np.where(zero, 1, whole))


def _times(factor, error):
    """Return factor · error; 0 if the error is 0, even for an infinite factor."""
    return np.where(error == 0, 0, factor) * error
