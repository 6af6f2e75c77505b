"""From differences to verdicts: intervals over trainings, an equivalence test, and one verdict for several readings.

A verdict is about the next training on these specimens: trainings with the same seed are paired, and the interval is
Student's over the seeds. `results/README.md` shows the same rules as a separate script.
"""

import numpy as np
from scipy.special import stdtrit

from crack_utils.metrics import intervals
from crack_utils.runtime.typeset import number

SUPPORTED = "supported"
CONTRADICTED = "contradicted"
NO_DIFFERENCE = "no difference that matters"
UNDECIDED = "not decided by this study"
WORDS = (SUPPORTED, CONTRADICTED, NO_DIFFERENCE, UNDECIDED)

MATTERS = 0.01  # difference of mean IoU or recall; smaller differences do not matter in practice
SHARE, DIFFERENCE = (0, 1), (-1, 1)  # what a measure, and a difference of two, can be
LEVEL = 0.95
FEW = 5  # seeds: with fewer, an interval is wide, and its table says so


def by_seed(values, bounds=DIFFERENCE):
    """Return the mean of values, one per seed, with its intervals.

    Parameters
    ----------
    values : array, float, shape (seeds,)
    bounds : (float, float) or None
        What the mean can be at least and at most; None for a quantity without limits.

    Returns
    -------
    dict
        value; low, high (95 %); inner_low, inner_high (90 %, of the equivalence test); seeds. Limits are NaN with a
        single seed, all numbers with none.
    """
    values = np.asarray(values, float)
    mean = float(values.mean()) if values.size else np.nan
    found = {"value": mean, "low": np.nan, "high": np.nan, "inner_low": np.nan, "inner_high": np.nan}
    if values.size > 1:
        error = values.std(ddof=1) / np.sqrt(values.size)
        for prefix, level in (("", LEVEL), ("inner_", 2 * LEVEL - 1)):
            half = stdtrit(values.size - 1, (1 + level) / 2) * error  # equals scipy.stats.t.ppf, but is faster
            low, high = mean - half, mean + half
            if bounds is not None:
                low, high = intervals.within(mean, low, high, bounds)
            found[f"{prefix}low"], found[f"{prefix}high"] = float(low), float(high)
    return found | {"seeds": int(values.size)}


def interval(values, bounds=DIFFERENCE):
    """Return mean and 95 % interval of a measure; seeds and specimens are both samples.

    Parameters
    ----------
    values : array of float, shape (seeds, specimens)
    bounds : (float, float)
        Smallest and largest possible value.

    Returns
    -------
    dict
        value, low, high; and seeds, their number. Limits are NaN with a single seed.
    """
    if np.shape(values)[-2] < 2:
        return {"value": float(np.mean(values)), "low": np.nan, "high": np.nan, "seeds": 1}
    found = intervals.interval(values, bounds=bounds)
    limits = {"value": float(found.mean), "low": float(found.low), "high": float(found.high)}
    return limits | {"seeds": int(np.shape(values)[-2])}


def verdict(found, matters=MATTERS):
    """Return the verdict on a claim that a difference is positive.

    Parameters
    ----------
    found : dict
        From `by_seed`.
    matters : float
        Smaller differences, in either direction, do not matter in practice.

    Returns
    -------
    str
        One of WORDS. "No difference that matters" comes first: two one-sided tests at 5 % reject larger differences
        (Schuirmann 1987). This is the case if the 90 % interval is within ± matters. Otherwise the 95 % interval
        decides if it does not contain zero.
    """
    if -matters < found["inner_low"] and found["inner_high"] < matters:
        return NO_DIFFERENCE
    if found["low"] > 0:
        return SUPPORTED
    return CONTRADICTED if found["high"] < 0 else UNDECIDED


def agreed(words):
    """Return the common verdict of all readings of a claim; UNDECIDED if the readings have different verdicts."""
    return words[0] if len(set(words)) == 1 else UNDECIDED


def text(found, signed=True):
    """Return a value with its interval as text, and the number of seeds if it is small."""
    form = "+.3f" if signed else ".3f"
    if np.isnan(found["low"]):
        return f"{number(found['value'], form)} (no interval)"
    few = f" ({found['seeds']} seeds)" if found["seeds"] < FEW else ""
    return "{} [{}, {}]".format(*(number(found[name], form) for name in ("value", "low", "high"))) + few
