"""The tips of many drawn specimens, as the chapter on tips shows them: tables, and numbers for its prose."""

import math

import numpy as np
import pandas as pd
from scipy import stats

from crack_utils.runtime.typeset import styled
from crack_utils.study.default_tips import stored, summarise

NEAR = 5  # [px] from the true tip
SAID = {"right_end_probability": "probability of the right end", "uncertainty_px": "tip ± [px]"}  # columns, as shown


def page_table(looks="wide", file=None):
    """Return the summary of a stored table for a page, or one line where nobody has measured it yet.

    Parameters
    ----------
    looks, file
        As for `stored`.
    """
    from IPython.display import Markdown

    table = stored(looks, file)
    if table is None:
        return Markdown("*Not measured yet: the head of `crack_utils/study/default_tips.py` says how.*")
    forms = dict.fromkeys(("share", "low", "high"), ".0%")
    return styled(summarise(table), forms=forms).hide(axis="index")


def sure_table(looks="wide", file=None):
    """Return how often a found tip is near the true one, by how sure the tool says it is.

    The tips of specimens with one tip are divided into three groups of the same size, once by the stated probability of
    the right end and once by the stated uncertainty.

    Parameters
    ----------
    looks, file
        As for `stored`.

    Returns
    -------
    DataFrame
        stated, from, to (its range in the group), tips, near (share within `NEAR` px), low and high (exact binomial,
        95 %); empty without the table.
    """
    table, rows = stored(looks, file), []
    columns = ["stated", "from", "to", "tips", "near", "low", "high"]
    if table is None:
        return pd.DataFrame(columns=columns)
    found = table[table["tips"] == 1].dropna(subset="right_end")
    for column, stated in SAID.items():
        ordered = found.sort_values(column, kind="stable")
        for group in np.array_split(np.arange(len(ordered)), 3):
            part = ordered.iloc[group]
            near = part["error_px"] <= NEAR
            limits = stats.binomtest(int(near.sum()), len(part)).proportion_ci()
            values = part[column].min(), part[column].max(), len(part), near.mean(), limits.low, limits.high
            rows.append([stated, *values])
    return pd.DataFrame(rows, columns=columns)


def sure_numbers(table):
    """Return what the page says of `sure_table`, a dict: the share of near tips in the surest and the least sure third.

    sure_probable, sure_improbable: by probability; sure_sharp, sure_vague: by uncertainty. NaN without the table.
    """
    if table.empty:
        return dict.fromkeys(("sure_improbable", "sure_probable", "sure_sharp", "sure_vague"), math.nan)
    improbable, _, probable, sharp, _, vague = table["near"].astype(float)
    return {"sure_improbable": improbable, "sure_probable": probable, "sure_sharp": sharp, "sure_vague": vague}


def right_ends(file=None):
    """Return how sure the rule was of each tip that the default model found, and whether it was right.

    Parameters
    ----------
    file : path-like, optional
        As for `stored`.

    Returns
    -------
    DataFrame
        masks ("predicted"), probability, right; one row per found tip; no row without the table.
    """
    table = stored(file=file)
    if table is None:
        return pd.DataFrame(columns=["masks", "probability", "right"])
    found = table.dropna(subset="right_end")
    return pd.DataFrame(
        {"masks": "predicted", "probability": found["right_end_probability"], "right": found["right_end"] == 1}
    )


def right_end_numbers(file=None):
    """Return what the page says of the probability of the right end, over all specimens where a tip was found.

    Parameters
    ----------
    file : path-like, optional
        As for `stored`.

    Returns
    -------
    dict
        many_right, many_low, many_high: share that was the right end, with its exact binomial 95 % interval;
        many_stated: mean stated probability; many_holds: "inside" or "outside" the interval. NaN without the table.
    """
    found = right_ends(file)
    if found.empty:
        return dict.fromkeys(("many_right", "many_low", "many_high", "many_stated"), math.nan) | {"many_holds": "–"}
    limits = stats.binomtest(int(found["right"].sum()), len(found)).proportion_ci()
    stated = float(found["probability"].mean())
    return {
        "many_right": float(found["right"].mean()),
        "many_low": float(limits.low),
        "many_high": float(limits.high),
        "many_stated": stated,
        "many_holds": "inside" if limits.low <= stated <= limits.high else "outside",
    }


def error_numbers(looks, file=None):
    """Return what the page says of the distances from the true tips, as numbers.

    Parameters
    ----------
    looks, file
        As for `stored`.

    Returns
    -------
    dict
        Of specimens with one tip: median [px], within_5 and wrong_end (shares), specimens; of those with two:
        two_within_5, two_specimens; of those without a crack: false_alarms (share); of all found tips: right (share)
        and stated (mean probability of the right end). The keys begin with `looks`, as in "usual_median". NaN without
        the table.
    """
    table = stored(looks, file)
    if table is None:
        columns = ["tips", "cracks", "error_px", "at_mouth", "right_end", "right_end_probability"]
        table = pd.DataFrame(columns=columns, dtype=float)
    one, two, none = (table[table["tips"] == count] for count in (1, 2, 0))
    found = table.dropna(subset="right_end")
    named = {
        "median": float(one["error_px"].median()),
        "within_5": float((one["error_px"] <= 5).mean()),
        "wrong_end": float((one["at_mouth"] == 1).mean()),
        "specimens": len(one),
        "two_within_5": float((two["error_px"] <= 5).mean()),
        "two_specimens": len(two),
        "false_alarms": float((none["cracks"] > 0).mean()),
        "right": float((found["right_end"] == 1).mean()),
        "stated": float(found["right_end_probability"].mean()),
    }
    return {f"{looks}_{name}": value for name, value in named.items()}
