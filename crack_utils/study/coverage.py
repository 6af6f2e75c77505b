"""Check the intervals of `metrics.intervals` with simulated studies, in which the true differences are given.

    python -m crack_utils.study.coverage results/statistics_check.csv

writes one row per setting. `coverage` is the rate at which an interval covers the true mean. `coverage of medians` is
the rate at which the interval of the study of tip losses covers the true difference of two medians. `family-wise error`
is the rate of studies in which at least one of the six pairs of four losses is wrongly called different. `power` is the
rate at which true differences are detected.
"""

import sys
from concurrent.futures import ProcessPoolExecutor
from itertools import chain, product, repeat

import numpy as np
import pandas as pd
from scipy import special, stats

from crack_utils.metrics.intervals import ENOUGH, compare, interval
from crack_utils.study.table_file import write_table
from crack_utils.study.tip_losses import median_difference

# Standard deviations of seeds, specimens and residual on the scale where effects add.
SPREADS = {
    "all alike": (1, 1, 1),
    "specimens": (0.3, 1, 0.3),
    "seeds": (1, 0.3, 0.3),
    "residual": (0.3, 0.3, 1),
}
SHAPES = ((10, 16), (5, 16), (3, 16), (2, 16))  # seeds, specimens
LOSSES = 4
# Advantage of each loss, in standard errors of a difference; pairs with equal numbers have no true difference.
NULLS = {"all equal": (0, 0, 0, 0), "one differs": (0, 0, 0, 4)}
LEVEL = 0.95
RESAMPLES = 999
FEWER_RESAMPLES = 200  # enough for a standard error
# Of the study of tip losses: six seeds, of which some may fail, and 24 specimens with 24 pictures.
MEDIAN_SHAPES = ((6, 24, 24), (5, 24, 24), (3, 24, 24))
MEDIAN_SPREADS = {"seeds alike": (0.1, 0.6, 1.0), "seeds differ": (0.4, 0.6, 1.0)}
CHUNK = 10  # simulated studies per call, chosen for the processor's cache


def _normal(generator, shape):
    return generator.standard_normal(shape)


def _skewed(generator, shape):
    """Return values with mean 0, standard deviation 1 and skewness −√2: a few are much worse than the others."""
    return (2 - generator.gamma(2, size=shape)) / np.sqrt(2)


def _near_one(effects):
    """Return the logistic function of values around 2.5: bounded, near 1 and skewed, like IoUs."""
    return special.expit(2.5 + 0.7 * effects)


SLOPE = 0.7 * special.expit(2.5) * special.expit(-2.5)  # of `_near_one` at 0


EFFECTS = {"normal": _normal, "skewed": _skewed, "near 1": _normal}


def draw(effects, spread, shape, generator, lead=()):
    """Return simulated tables and their true mean.

    Parameters
    ----------
    effects : str
        One of `EFFECTS`.
    spread : (float, float, float)
        As a value of `SPREADS`.
    shape : (seeds, specimens)
    generator : numpy Generator
    lead : tuple of int
        Leading axes of independent tables.

    Returns
    -------
    values : ndarray, shape (*lead, seeds, specimens)
    mean : float
    """
    seeds, specimens = shape
    shapes = ((*lead, seeds, 1), (*lead, 1, specimens), (*lead, seeds, specimens))
    values = sum(size * EFFECTS[effects](generator, axes) for size, axes in zip(spread, shapes, strict=True))
    if effects != "near 1":
        return values, 0.0
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    mean = weights @ _near_one(nodes * np.linalg.norm(spread)) / weights.sum()
    return _near_one(values), float(mean)


def coverage(effects, spread, shape, simulations, generator):
    """Return how many of the simulated studies have a 95 % interval that contains the true mean.

    Parameters
    ----------
    effects, spread, shape, generator
        As for `draw`.
    simulations : int
        Number of simulated studies.

    Returns
    -------
    int
    """
    hits = 0
    for count in _chunks(simulations):
        values, mean = draw(effects, spread, shape, generator, (count,))
        limits = interval(values, LEVEL, RESAMPLES)
        hits += int(((limits.low <= mean) & (mean <= limits.high)).sum())
    return hits


def median_coverage(spread, shape, simulations, generator):
    """Return how many simulated studies have an interval for the difference of two median errors that contains 0.

    Both networks err alike: their errors have one distribution, a lognormal one, with specimens in common.

    Parameters
    ----------
    spread : (float, float, float)
        Standard deviations of the logarithms: seeds, specimens, pictures.
    shape : (seeds, specimens, pictures)
    simulations : int
    generator : numpy Generator

    Returns
    -------
    int
    """
    seeds, specimens, _ = shape
    hits = 0
    for _ in range(simulations):
        sizes = ((2, seeds, 1, 1), (1, 1, specimens, 1), (2, *shape))
        errors = np.exp(sum(size * generator.standard_normal(axes) for size, axes in zip(spread, sizes, strict=True)))
        _, low, high = median_difference(*errors, resamples=FEWER_RESAMPLES)
        hits += low <= 0 <= high
    return hits


def errors(effects, spread, shape, nulls, simulations, generator):
    """Count the simulated studies with a false difference, and the true differences that are detected.

    Parameters
    ----------
    effects, spread, shape, generator
        As for `draw`.
    nulls : str
        One of `NULLS`.
    simulations : int
        Number of studies.

    Returns
    -------
    wrong, detected, true : int
        Number of studies with an error, of true differences that are detected, and of all true differences.
    """
    shift = np.array(NULLS[nulls], float)
    sizes = np.array([*shape, np.prod(shape)])
    wrong = detected = true = 0
    for count in _chunks(simulations):
        values, _ = draw(effects, spread, shape, generator, (count, LOSSES))
        error = np.sqrt(2 * (np.square(spread) / sizes).sum()) * (SLOPE if effects == "near 1" else 1)
        comparison = compare(values + (shift * error)[:, None, None], LEVEL, RESAMPLES)
        differs = np.array([shift[first] != shift[second] for first, second in comparison.pairs])
        # Limits and p-values agree (tested), and limits also exist with few seeds.
        rejected = (comparison.low > 0) | (comparison.high < 0)
        wrong += int((rejected & ~differs).any(axis=-1).sum())
        detected += int(rejected[:, differs].sum())
        true += count * int(differs.sum())
    return wrong, detected, true


def check(simulations=2000, seed=0):
    """Simulate all settings, with independent random numbers, on all cores.

    Parameters
    ----------
    simulations : int
        Number of studies per setting.
    seed : int

    Returns
    -------
    DataFrame
        check, effects, spread, seeds, specimens, resampled, nulls, trials, expected, rate, low, high; low and high
        are the 95 % limits of the rate for this number of trials (Clopper and Pearson).
    """
    settings = list(product(SHAPES, EFFECTS, SPREADS))
    generators = [np.random.default_rng([seed, number]) for number in range(len(settings))]
    with ProcessPoolExecutor() as pool:
        rows = list(chain.from_iterable(pool.map(_rows, settings, generators, repeat(simulations))))
        medians = list(product(MEDIAN_SHAPES, MEDIAN_SPREADS))
        rows += pool.map(median_row, medians, repeat(simulations // 2), repeat(seed))
        return pd.DataFrame(rows)


def median_row(setting, simulations, seed=0):
    """Return the row of `check` for one of `MEDIAN_SHAPES` and `MEDIAN_SPREADS`, a dict."""
    shape, name = setting
    generator = np.random.default_rng([seed, MEDIAN_SHAPES.index(shape), list(MEDIAN_SPREADS).index(name)])
    hits = median_coverage(MEDIAN_SPREADS[name], shape, simulations, generator)
    columns = {"effects": "lognormal", "spread": name, "seeds": shape[0], "specimens": shape[1]}
    columns |= {"resampled": True, "nulls": ""}
    return {"check": "coverage of medians", **columns, **_rate(hits, simulations, LEVEL)}


def _rows(setting, generator, simulations):
    shape, effects, name = setting
    spread = SPREADS[name]
    columns = {"effects": effects, "spread": name, "seeds": shape[0], "specimens": shape[1]}
    columns |= {"resampled": min(shape) >= ENOUGH, "nulls": ""}
    hits = coverage(effects, spread, shape, simulations, generator)
    rows = [{"check": "coverage", **columns, **_rate(hits, simulations, LEVEL)}]
    for nulls in NULLS:
        columns["nulls"] = nulls
        wrong, detected, true = errors(effects, spread, shape, nulls, simulations, generator)
        rows.append({"check": "family-wise error", **columns, **_rate(wrong, simulations, 1 - LEVEL)})
        if true:
            rows.append({"check": "power", **columns, "trials": true, "rate": round(detected / true, 4)})
    return rows


def _chunks(simulations):
    return [min(CHUNK, simulations - start) for start in range(0, simulations, CHUNK)]


def _rate(hits, trials, expected):
    limits = stats.binomtest(hits, trials).proportion_ci(0.95)
    values = {"expected": expected, "rate": hits / trials, "low": limits.low, "high": limits.high}
    return {"trials": trials, **{name: round(float(value), 4) for name, value in values.items()}}


def main(arguments=None):
    """Write the table to the given path."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if len(arguments) != 1:
        raise SystemExit("usage: python -m crack_utils.study.coverage results/statistics_check.csv")
    write_table(arguments[0], check())


if __name__ == "__main__":
    main()
