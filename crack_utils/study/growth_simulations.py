"""How often the intervals of Paris' law hold, and how far growth rates are off, in simulated tests with a known law.

    python -m crack_utils.study.growth_simulations

simulates 500 tests for each kind of specimen, load ratio and noise, and writes `results/growth_simulations.csv`. The
chapter on growth shows it. The readings have normal errors that are independent; errors of real readings that
neighbours share are not in these numbers.
"""

import itertools

import numpy as np
import pandas as pd

from crack_utils.geometry.growth import (
    Specimen,
    fit_paris,
    growth_rates,
    incremental_polynomial,
    secant,
    simulate_test,
    spaced,
)
from crack_utils.runtime import paths
from crack_utils.study.table_file import write_table

TABLE = "results/growth_simulations.csv"
TESTS = 500
C = 1e-8  # for mm per cycle and MPa √m
SPECIMENS = {  # by kind: sizes [mm], load [N], and length at which the test ends [mm]
    "C(T)": ({"a_n": 12, "W": 50, "B": 10}, 9000, 30),
    "M(T)": ({"a_n": 10, "W": 100, "B": 5}, 90000, 33),
}
LOAD_RATIOS = (0.1, 0.5, 0.7)
NOISES = ((0.05, 40, 3.0), (0.2, 100, 2.6))  # standard deviation of a reading [mm], readings, and m


def simulated(kind, load_ratio, noise, readings, m, tests=TESTS):
    """Simulate many tests of one kind and compare what is fitted with the true law.

    Parameters
    ----------
    kind : str
        Of `SPECIMENS`.
    load_ratio : float
    noise : float
        Standard deviation of a reading [mm].
    readings : int
    m : float
        True exponent.
    tests : int

    Returns
    -------
    dict
        The settings; C_held and m_held, shares of the tests whose 95 % interval contains the true value; C_factor,
        upper over lower bound of C, and m_width, upper minus lower bound of m, medians; for each method
        bias_secant, bias_polynomial and bias_law, mean relative error of da/dN at the ΔK of the rate; bias_valid, that
        of the secants which pass the checks of ASTM E647, NaN if none does; valid, the share that does.
    """
    sizes, load, stop = SPECIMENS[kind]
    specimen = Specimen("simulated", kind, load_ratio=load_ratio, **sizes)
    test = simulate_test(specimen, C, m, load, stop, readings)
    setting = list(SPECIMENS).index(kind), round(10 * load_ratio), round(100 * noise)
    random = np.random.default_rng(setting)  # so that no setting has the noise of another one
    rows, valid = [], []
    for _ in range(tests):
        a = test.true_a + noise * random.standard_normal(readings)
        law = fit_paris(specimen, test.cycles, a, test.load)
        held = [low <= true <= high for true, (low, high) in ((C, law.C_interval), (m, law.m_interval))]
        widths = law.C_interval[1] / law.C_interval[0], law.m_interval[1] - law.m_interval[0]
        found = []
        for method, least in ((secant, law.noise), (incremental_polynomial, 0.0)):  # as `report.growth_law` does
            chosen = spaced(law.a, least)
            given = test.cycles[chosen], a[chosen], test.load[chosen]
            found.append(growth_rates(specimen, *given, method, smooth=law.a[chosen], noise=least))
        errors = [rates.rate / (C * rates.delta_k**m) - 1 for rates in found]
        at = np.geomspace(*law.delta_k, 5)
        rows.append([*held, *widths, *(np.mean(error) for error in errors), np.mean(law.rate(at) / (C * at**m)) - 1])
        # A rate below 0 is not valid; to leave it out would make the mean too large.
        passed = np.all([flag != 0 for flag in found[0].flags.values()], axis=0)
        valid += [(ok, error) for ok, error in zip(passed, errors[0], strict=True)]
    means, medians = np.mean(rows, axis=0), np.median(rows, axis=0)
    passed, errors = np.array(valid).T
    return {
        "kind": kind,
        "load_ratio": load_ratio,
        "m": m,
        "readings": readings,
        "noise_mm": noise,
        "tests": tests,
        "C_held": means[0],
        "m_held": means[1],
        "C_factor": medians[2],
        "m_width": medians[3],
        "bias_secant": means[4],
        "bias_polynomial": means[5],
        "bias_law": means[6],
        "bias_valid": errors[passed == 1].mean() if passed.any() else np.nan,
        "valid": passed.mean(),
    }


def stored():
    """Return the committed table, one row per setting, a DataFrame; its columns are those of `simulated`."""
    return pd.read_csv(paths.root() / TABLE)


def page_table(table):
    """Return the table as the chapter on growth shows it, a DataFrame: shares and errors in per cent."""
    per_cent = {
        "C_held": "C held [%]",
        "m_held": "m held [%]",
        "bias_secant": "secant off [%]",
        "bias_polynomial": "polynomial off [%]",
        "bias_valid": "valid secants off [%]",
        "valid": "valid [%]",
    }
    table = table.assign(**{name: 100 * table[name] for name in per_cent})
    names = {"load_ratio": "R", "readings": "readings", "noise_mm": "noise [mm]", "C_factor": "C: upper / lower"}
    names |= {"m_width": "m: upper − lower"} | per_cent
    return table.set_index("kind").rename(columns=names)[["m", *names.values()]]


def numbers(table):
    """Return what the chapter on growth says of the table in its prose, a dict."""
    held, bias = table[["C_held", "m_held"]].to_numpy(), table[["bias_secant", "bias_polynomial", "bias_law"]].abs()
    return {
        "tests_each": int(table["tests"].iloc[0]),
        "settings": len(table),
        "held_least": float(held.min()),
        "held_most": float(held.max()),
        "bias_largest": float(bias.to_numpy().max()),
    }


def main():
    """Simulate all settings and write the table."""
    rows = []
    for kind, load_ratio, (noise, readings, m) in itertools.product(SPECIMENS, LOAD_RATIOS, NOISES):
        rows.append(simulated(kind, load_ratio, noise, readings, m))
        print(rows[-1], flush=True)
    write_table(paths.root() / TABLE, pd.DataFrame(rows), float_format="%.4f")


if __name__ == "__main__":
    main()
