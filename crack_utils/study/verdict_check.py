"""Check the rule of the verdicts with simulated studies, in which the true difference is given.

    python -m crack_utils.study.verdict_check

writes `results/verdict_check.csv`, one row per setting: how often the 95 % interval over seeds covers the true
difference; how often a true difference of zero is called one (*supported* or *contradicted*); and how often a true
difference that just matters, in the worse of both directions, is called *no difference that matters*. The last two
should be 5 % at most.
"""

import sys
from itertools import product

import numpy as np
import pandas as pd
from scipy import stats

from crack_utils.runtime import paths
from crack_utils.runtime.typeset import joined
from crack_utils.study.table_file import write_table
from crack_utils.study.verdicts import CONTRADICTED, MATTERS, NO_DIFFERENCE, SUPPORTED, by_seed, verdict

TABLE = "results/verdict_check.csv"
SEEDS = (9, 5, 3)  # of the losses without the failed seed, of leaks, of other questions
SPREADS = (0.5, 1.0, 2.0)  # standard deviation over seeds, in differences that just matter
FAILURE = 35.0  # differences that just matter: by about as much the failed training with Dice is below the others
SHAPES = {  # of the differences over seeds, in differences that just matter; their mean is 0
    "normal": lambda rng, size, spread: spread * rng.standard_normal(size),
    # One training in ten is four standard deviations worse: unusual, but not failed.
    "with outliers": lambda rng, size, spread: (
        spread * (0.4 - 4 * (rng.random(size) < 0.1) + rng.standard_normal(size)) / np.sqrt(2.44)
    ),
    # One training in ten fails, and is counted.
    "with failures": lambda rng, size, spread: (
        spread * rng.standard_normal(size) - FAILURE * ((rng.random(size) < 0.1) - 0.1)
    ),
}
STUDIES = 4000


def check(studies=STUDIES, seed=0):
    """Simulate all settings.

    Parameters
    ----------
    studies : int
        Number of simulated studies per setting.
    seed : int

    Returns
    -------
    DataFrame
        seeds, shape, spread (in differences that just matter), studies; and the rates `covered`, `false_difference`
        and `false_equality`, each with its 95 % limits `_low` and `_high` (Clopper and Pearson 1934).
    """
    rng, rows = np.random.default_rng(seed), []
    for seeds, (shape, draw), spread in product(SEEDS, SHAPES.items(), SPREADS):
        noise = MATTERS * draw(rng, (studies, seeds), spread)
        none, more, less = ([by_seed(values + truth) for values in noise] for truth in (0.0, MATTERS, -MATTERS))
        hits = {
            "covered": [found["low"] <= 0 <= found["high"] for found in none],
            "false_difference": [verdict(found) in (SUPPORTED, CONTRADICTED) for found in none],
            "false_equality": max(_equal(more), _equal(less), key=sum),
        }
        row = {"seeds": seeds, "shape": shape, "spread": spread, "studies": studies}
        for name, values in hits.items():
            low, high = stats.binomtest(sum(values), studies).proportion_ci()
            row |= {name: np.mean(values), f"{name}_low": low, f"{name}_high": high}
        rows.append(row)
    return pd.DataFrame(rows)


def _equal(found):
    return [verdict(each) == NO_DIFFERENCE for each in found]


def read():
    """Return the table of the simulated studies, a DataFrame."""
    return pd.read_csv(paths.root() / TABLE)


def numbers(table):
    """Return the smallest coverage and the largest error rates, for each shape of the differences.

    Parameters
    ----------
    table : DataFrame
        From `check`.

    Returns
    -------
    dict
        By shape, with an underscore for a space: covered, false_difference, false_equality. "seeds": their numbers, in
        words.
    """
    worst = table.groupby("shape").agg({"covered": "min", "false_difference": "max", "false_equality": "max"})
    by_shape = {shape.replace(" ", "_"): row for shape, row in worst.to_dict("index").items()}
    return by_shape | {"seeds": joined(map(str, table["seeds"].unique()))}


def main():
    """Write the table."""
    write_table(paths.root() / TABLE, check().round(4))


if __name__ == "__main__":
    sys.exit(main())
