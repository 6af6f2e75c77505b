"""How sure a mean over seeds and specimens is, and which losses differ: intervals and comparisons for crossed data.

Every network (seed) is measured on the same specimens, so the values form a table: seeds down, specimens across.
A claim about the next training *and* the next specimen must count both as drawn by chance. Frames of a specimen are
siblings: average or pool them first (`pooled_values`), so that a specimen is one value and is resampled whole.

The variance of the mean comes from the two-way analysis of variance. Its quantiles come from resampling seeds and
specimens independently ("pigeonhole" bootstrap [1]_) and studentising each resample [2]_, which follows skew as
measures near 1 have it. `python -m crack_utils.study.coverage` measures how often the intervals cover. With fewer
than `ENOUGH` seeds or specimens resampling does not work; then intervals are wide ones from Student's t, and
comparisons have no p-value.

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

from crack_utils.metrics.masks import Confusion

ENOUGH = 5  # seeds and specimens each; below, resamples repeat one of them so often that they say nothing
RESAMPLES = 9999


@dataclass(frozen=True)
class Interval:
    """A mean over seeds and specimens with its interval; floats, or arrays where several tables were given."""

    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray
    resampled: bool


@dataclass(frozen=True)
class Comparison:
    """All pairs of losses at once.

    Parameters
    ----------
    pairs : list of (int, int)
        Positions of the first and the second loss of each pair.
    difference, low, high : ndarray, shape (..., pairs)
        Mean of first minus second, and simultaneous limits: all pairs' limits hold together at the stated rate.
    p : ndarray, shape (..., pairs)
        Adjusted for all pairs; at most 1 − level exactly where the limits leave out 0. NaN where there are fewer than
        `ENOUGH` seeds or specimens: no difference can be established then.
    resampled : bool
    """

    pairs: list
    difference: np.ndarray
    low: np.ndarray
    high: np.ndarray
    p: np.ndarray
    resampled: bool


def interval(values, level=0.95, resamples=RESAMPLES, seed=0):
    """Return the mean over seeds and specimens with an interval that counts both as drawn by chance.

    Parameters
    ----------
    values : array, float, shape (..., seeds, specimens)
        One value for each network and specimen; at least two of both. Leading axes are separate tables.
    level : float in (0, 1)
    resamples : int
    seed : int
        Of the resampling. The same seed gives the same interval.

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
        # Ends of the resampled values, not between them: some can be infinite.
        above = np.quantile(studentised, (1 + level) / 2, axis=-1, method="higher")
        below = np.quantile(studentised, (1 - level) / 2, axis=-1, method="lower")
        low, high = mean - _times(above, error), mean - _times(below, error)
    else:
        half = _wide(values, level)
        low, high = mean - half, mean + half
    return Interval(mean, low, high, resampled)


def compare(values, level=0.95, resamples=RESAMPLES, seed=0):
    """Compare all pairs of losses on the same seeds and specimens, with one error rate for all pairs together.

    Parameters
    ----------
    values : array, float, shape (..., losses, seeds, specimens)
        Row s of every loss is the same seed, column p the same specimen.
    level : float in (0, 1)
        1 − level is the chance that any of the pairs is wrongly found to differ.
    resamples, seed : int
        As in `interval`.

    Returns
    -------
    Comparison

    Notes
    -----
    The largest studentised difference over the pairs is resampled, all losses with the same seeds and specimens.
    The smallest p is 1 / (resamples + 1). If only the seeds vary, about n^(1−n) of the resamples of n seeds draw one
    seed alone, so p cannot be below that: 0.0016 for five seeds. (The paired Wilcoxon test of five seeds stops
    at 0.0625 for one pair, before it is adjusted for six.)
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
    return Comparison(pairs, difference, difference - half, difference + half, p, resampled)


def pooled_values(counts, measure="crack_iou"):
    """Return values whose mean over specimens is a measure of the pixels of all specimens together.

    A pooled measure is no mean over specimens, but it is nearly linear in them: each specimen's value is the pooled
    one plus what leaving this specimen out takes away (the jackknife's pseudo-value, centred). `interval` and
    `compare` use them like any other values.

    Parameters
    ----------
    counts : array of int, shape (..., seeds, specimens, 4)
        tp, fp, fn, tn, summed over the frames of each specimen [px].
    measure : str
        A property of `measures.Confusion`, such as "crack_iou" or "mean_iou".

    Returns
    -------
    ndarray, float, shape (..., seeds, specimens)
    """
    counts = np.asarray(counts)
    if counts.ndim < 3 or counts.shape[-1] != 4 or counts.shape[-2] < 2:
        raise ValueError(f"counts must be (..., seeds, two or more specimens, 4), got {counts.shape}")
    if not isinstance(getattr(Confusion, measure, None), property):
        valid = [name for name, value in vars(Confusion).items() if isinstance(value, property)]
        raise ValueError(f"unknown measure {measure!r}; valid are {', '.join(valid)}")
    total = counts.sum(axis=-2, keepdims=True)
    whole, without = _measured(total, measure), _measured(total - counts, measure)
    return whole + (counts.shape[-2] - 1) * (without.mean(axis=-1, keepdims=True) - without)


def _measured(counts, measure):
    flat = [getattr(Confusion(*row), measure) for row in counts.reshape(-1, 4).tolist()]
    return np.array(flat, float).reshape(counts.shape[:-1])


def _table(values):
    values = np.asarray(values, float)
    if values.ndim < 2 or min(values.shape[-2:]) < 2:
        raise ValueError(f"values must be (..., seeds, specimens) with two of each or more, got shape {values.shape}")
    if not np.isfinite(values).all():
        raise ValueError("values must be finite, got NaN or infinity; decide on missing ones first")
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
    """Return mean (less that of the table) and its standard error for tables with rows and columns drawn repeatedly.

    Parameters
    ----------
    values : ndarray, shape (..., seeds, specimens)
    seed_weights, specimen_weights : ndarray, shape (resamples, seeds) and (resamples, specimens)
        How often each was drawn.

    Returns
    -------
    mean, error : ndarray, shape (..., resamples)

    Notes
    -----
    With the mean squares M of seeds, specimens and residual, the variance of the mean is
    (M_seeds + M_specimens − M_residual) / (seeds · specimens), not less than with the larger of the first two alone.
    """
    seeds, specimens = values.shape[-2:]
    size = seeds * specimens
    values = values - values.mean(axis=(-2, -1), keepdims=True)
    values[np.abs(values) < 1e-12] = 0  # rounding errors of equal values are no spread
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
    """Return the half width for few seeds or specimens: Student's t of the two sets of means, added as squares.

    The residual is counted with both, so the interval is wide rather than narrow.
    """
    squares = 0
    for axis in (-1, -2):
        means = values.mean(axis=axis)
        error = means.std(axis=-1, ddof=1) / np.sqrt(means.shape[-1])
        squares = squares + (stats.t.ppf((1 + level) / 2, means.shape[-1] - 1) * error) ** 2
    return np.sqrt(squares)


def _critical(largest, level):
    """Return the value that p ≤ 1 − level needs to leave behind, so that limits and p-values agree."""
    resamples = largest.shape[-1]
    beyond = int(np.floor((1 - level) * (resamples + 1) + 1e-9)) - 1  # resamples that may reach it
    if beyond < 0:
        return np.full(largest.shape[:-1], np.inf)
    return np.sort(largest, axis=-1)[..., resamples - 1 - beyond]


def _ratio(part, whole):
    """Return part / whole; 0 / 0 is 0 (nothing differs), anything else / 0 infinite."""
    zero = whole == 0
    return np.where(zero, np.where(part == 0, 0, np.copysign(np.inf, part)), part / np.where(zero, 1, whole))


def _times(factor, error):
    """Return factor · error, where no spread is no width even if the factor is infinite."""
    return np.where(error == 0, 0, factor) * error
