"""The trainings of the study of photographs: their tables, and what they say, for the chapter on real photographs."""

import pandas as pd
from scipy import stats

from crack_utils.losses.registry import TITLES
from crack_utils.models import shipped
from crack_utils.runtime import paths
from crack_utils.runtime.typeset import number, styled
from crack_utils.study import photographs, verdicts
from crack_utils.training.experiment import PRESETS

TRAININGS = "results/photographs/trainings.csv"
LEVEL = 0.95
BY_LOSS = ("losses", "losses on specimens")  # questions of the trainings whose failures are counted
MEASURES = ("f1_tolerance_2", "f1", "precision", "recall", "minutes")


def read_trainings(table=None):
    """Read the trainings of the study of photographs.

    Parameters
    ----------
    table : path-like, optional
        By default the committed one.

    Returns
    -------
    DataFrame
        One row per training, see `study.photographs.measure`; empty if there is none.
    """
    table = table or paths.root() / TRAININGS
    try:
        return pd.read_csv(table, dtype={"labels": str, "default_model": str})
    except FileNotFoundError:
        return pd.DataFrame(columns=["question", "case", "labels", "seed", "failed", *MEASURES])


def case_table(trainings, question):
    """Return the mean of each case of a question over its seeds, with an interval for F1 within 2 px.

    A failed training counts with F1 0.

    Parameters
    ----------
    trainings : DataFrame
        From `read_trainings`.
    question : {"recipe", "ingredients", "losses", "losses on specimens", "labels"}

    Returns
    -------
    DataFrame
        One row per case (a loss by its title) and number of labels, in the order of the study: F1 within 2 px (mean
        over photographs) with low and high (Student's t over seeds, NaN with one seed), pooled F1, minutes, failed,
        seeds.
    """
    rows = []
    asked = trainings[trainings["question"] == question]
    for (case, labels), runs in asked.groupby(["case", "labels"], sort=False):
        near = runs["f1_tolerance_2"].fillna(0.0)
        mean, low, high = mean_interval(near)
        rows.append(
            {"case": TITLES.get(case, case), "labels": labels, "F1 within 2 px": mean, "low": low, "high": high}
            | {"pooled F1": runs["f1"].fillna(0.0).mean(), "minutes": runs["minutes"].mean()}
            | {"failed": int(runs["failed"].sum()), "seeds": len(runs)}
        )
    columns = ["case", "labels", "F1 within 2 px", "low", "high", "pooled F1", "minutes", "failed", "seeds"]
    return pd.DataFrame(rows, columns=columns)


def ingredient_table(trainings):
    """Return what leaving out each ingredient of the preset changes, on the same seeds.

    Parameters
    ----------
    trainings : DataFrame
        From `read_trainings`.

    Returns
    -------
    DataFrame
        One row per case except "all": difference of F1 within 2 px (case − all) with low and high (Student's t over
        seeds, NaN with one seed), seeds, and shown: whether the interval excludes 0.
    """
    asked = trainings[trainings["question"] == "ingredients"]
    by_case = asked.groupby("case", sort=False)
    near = {case: runs.set_index("seed")["f1_tolerance_2"].fillna(0.0) for case, runs in by_case}
    rows = []
    for case in [case for case in near if case != "all" and "all" in near]:
        difference = (near[case] - near["all"]).dropna()
        mean, low, high = mean_interval(difference, verdicts.DIFFERENCE)
        rows.append(
            {"case": case, "difference": mean, "low": low, "high": high, "seeds": len(difference)}
            | {"shown": "yes" if low > 0 or high < 0 else "no"}
        )
    return pd.DataFrame(rows, columns=["case", "difference", "low", "high", "seeds", "shown"])


def failures(trainings):
    """Say how many trainings with each of the losses failed, and how large the share that fails can be.

    Parameters
    ----------
    trainings : DataFrame
        From `read_trainings`.

    Returns
    -------
    str
        A sentence. The limit is the exact binomial one at 95 %, one-sided (Clopper and Pearson 1934), for independent
        trainings.

    Examples
    --------
    >>> failures(pd.DataFrame({"question": ["losses"] * 40, "failed": [0] * 40}))
    '0 of 40 trainings failed. With 95\\xa0% confidence at most 7.2\\xa0% of such trainings do.'
    """
    failed = trainings.loc[trainings["question"].isin(BY_LOSS), "failed"].astype(int)
    if failed.empty:
        return "None of these trainings has been made yet."
    limit = stats.binomtest(failed.sum(), len(failed), alternative="less").proportion_ci(LEVEL).high
    return (
        f"{failed.sum()} of {len(failed)} trainings failed. "
        f"With {number(LEVEL, '.0%')} confidence at most {number(limit, '.1%')} of such trainings do."
    )


def earlier_models(trainings, tested, present=None):
    """Say how many trainings began with a default model that has been replaced since.

    Parameters
    ----------
    trainings : DataFrame
        From `read_trainings`.
    tested : DataFrame
        From `folds.read`.
    present : str, optional
        `shipped.digest` of the default model to compare with; by default the one that comes with the package.

    Returns
    -------
    str
        A sentence.

    Examples
    --------
    >>> of_labels = pd.DataFrame({"default_model": ["a", None, "b"]})
    >>> by_fold = pd.DataFrame({"fold": [0, 0], "updates": [300, 300], "default_model": ["b", "b"]})
    >>> earlier_models(of_labels, by_fold, present="b")
    '3 trainings, those of the five parts included, began with the default model: 1 of them with an older version.'
    """
    present = shipped.digest() if present is None else present
    by_fold = tested.drop_duplicates(["fold", "updates"])["default_model"]
    started = [name for name in (*trainings.get("default_model", ()), *by_fold) if isinstance(name, str) and name]
    earlier = sum(name != present for name in started)
    began = f"{len(started)} trainings, those of the five parts included, began with the default model"
    return f"{began}: {earlier or 'none'} of them with an older version."


def with_few_labels(trainings, count=10):
    """Say what few labels give, beside what the whole preset gives with all labels.

    Parameters
    ----------
    trainings : DataFrame
        From `read_trainings`.
    count : int
        Of labels, training and validation together.

    Returns
    -------
    str
        A sentence.
    """
    near = _from_default(trainings, str(count))
    whole = case_table(trainings, "recipe")["F1 within 2 px"]
    if near.empty or whole.empty:
        return f"Trainings with {count} labels have not been made yet."
    mean, least, most, everything = (number(value, ".3f") for value in (near.mean(), near.min(), near.max(), whole[0]))
    said = (
        f"With {count} labels, drawn {len(near)} times, F1 within 2 px is {mean} on average (lowest {least}, "
        f"highest {most})."
    )
    as_long = _from_default(trainings, "all")
    if as_long.empty:
        return f"{said} The whole preset with all labels gives {everything}."
    equal = number(as_long.mean(), ".3f")
    return f"{said} With all labels, equally short trainings give {equal}, and the whole preset {everything}."


def without_labels(trainings, zero):
    """Say what the default model gives without any label, beside the best number of labels.

    Parameters
    ----------
    trainings : DataFrame
        From `read_trainings`.
    zero : float
        F1 within 2 px of the default model on the same photographs.

    Returns
    -------
    str
        A sentence.
    """
    table = case_table(trainings, "labels")
    table = table[table["case"] == "default"]
    said = f"Without any label, it is {number(zero, '.3f')} on the same photographs"
    if table.empty:
        return f"{said}."
    best = table.loc[table["F1 within 2 px"].idxmax()]
    reached = f"{number(best['F1 within 2 px'], '.3f')} with {best['labels']} labels"
    if best["F1 within 2 px"] <= zero:
        return f"{said}, and at best {reached}, on average not more than without labels."
    return f"{said}, and at best {reached}."


def shorter(trainings):
    """Say whether the whole preset is better than the shortest trainings from the default model, with all labels.

    Parameters
    ----------
    trainings : DataFrame
        From `read_trainings`.

    Returns
    -------
    str
        Some sentences; empty where one of the two was not trained.
    """
    short, whole = _from_default(trainings, "all"), case_table(trainings, "recipe")["F1 within 2 px"]
    if short.empty or whole.empty:
        return ""
    updates = photographs.SHORTEST["updates"]
    times = number(PRESETS["photo"]["updates"] / updates, ".0f")
    return (
        f"On these test photographs, {updates} updates from the default model give {number(short.mean(), '.3f')} "
        f"({len(short)} seeds). The whole preset, {times} times as long, gives {number(whole[0], '.3f')}. "
        "Its length was not chosen on them, and for other photographs it may be right."
    )


def _from_default(trainings, labels):
    """Return F1 within 2 px of the trainings with a number of labels from the default model; 0 for a failed one."""
    asked = (trainings["question"] == "labels") & (trainings["case"] == "default")
    return trainings.loc[asked & (trainings["labels"].astype(str) == labels), "f1_tolerance_2"].fillna(0.0)


def shown(table):
    """Return a table of the study for the page, or one line where nothing was measured yet."""
    from IPython.display import Markdown

    if table.empty:
        return Markdown("*Not measured yet: `make study STUDY=photographs` does it.*")
    signed = dict.fromkeys(("difference", "low", "high"), "+.3f") if "difference" in table else {"minutes": ".1f"}
    return styled(table, forms=signed).hide(axis="index")


def mean_interval(values, bounds=verdicts.SHARE):
    """Return mean, low and high over independent seeds, see `verdicts.by_seed`."""
    found = verdicts.by_seed(values, bounds)
    return found["value"], found["low"], found["high"]
