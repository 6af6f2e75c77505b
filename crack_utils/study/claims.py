"""What the study says about each claim of the report: a difference over trainings, its interval and a verdict.

`results/claims.csv` lists the claims: which variants of which question are compared, by which measures, and whether
trainings that failed (`Tables.failed`) are left out, with their seed, or counted. `verdicts` has the rules. For
losses there are two more rules: a verdict needs more than one threshold, or one that validation chose; and a measure
that is known only at a fixed threshold of 0.5 decides nothing, even if its difference is clear.
"""

import re
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from crack_utils.losses.registry import REPORTED, TITLES, title
from crack_utils.metrics import intervals
from crack_utils.runtime import paths
from crack_utils.runtime.typeset import power
from crack_utils.study import thresholds
from crack_utils.study.rates import OPTIMIZERS, with_best
from crack_utils.study.table_file import write_table
from crack_utils.study.verdicts import DIFFERENCE, UNDECIDED, agreed, by_seed, text, verdict

LIST = "claims.csv"
FIXED = "_at_half"  # ends the name of a measure of losses that is known at a threshold of 0.5 alone
RECALL_WANTED = 0.9  # of the crack pixels within 2 px: a crack that is found (R66)
MEASURES = {
    "mean_iou": "mean IoU at 0.5",
    "mean_iou_cast": "mean IoU as Keras casts",
    "mean_iou_chosen": "mean IoU at the threshold of validation",
    "recall_chosen": "recall at the threshold of validation",
    "recall_matched": "recall at matched precision",
    "tip_recall_at_half": "recall near the tip at 0.5",
    "fall_at_half": "largest fall of validation mean IoU at 0.5",
    "thin_recall_at_half": f"recall within 2 px at 0.5, less {RECALL_WANTED}",
    "thick_recall_at_half": f"recall within 2 px at 0.5, less {RECALL_WANTED}",
    "optimism": "mean IoU at 0.5, validation minus test",
    "memory_gib": "peak memory [GiB]",
}
WITHOUT_LIMITS = ("memory_gib",)
JUDGED = ("full", "fairness", "augmentation")  # studies that answer claims; their folders have a table of measures
SMALL = re.compile(r"0\.00\d+|\d(\.\d+)?e-\d+")  # a learning rate in the name of a variant


@dataclass(frozen=True)
class Finding:
    """One claim of the report and the result of our test.

    Attributes
    ----------
    item : str
        Item of the checklist, such as "R56".
    claim, reported : str
        The claim in our words, and the report's evidence for it.
    contrast : str
        What is compared, such as "Dice − BCE".
    value, low, high : float or None
        The difference in the direction of the claim by its first measure, with its 95 % interval; None where there is
        none, such as with fewer than two trainings that worked.
    shown : str
        All of its measures in words.
    verdict : str
        One of `verdicts.WORDS`.
    source : str
        Question, seeds and runs behind it.
    """

    item: str
    claim: str
    reported: str
    contrast: str
    value: float | None
    low: float | None
    high: float | None
    shown: str
    verdict: str
    source: str

    def to_dict(self):
        """Return all fields as a dictionary."""
        return asdict(self)


def findings(*studies):
    """Return every finding of some studies: of the claims whose question one of them asked.

    Parameters
    ----------
    *studies : Tables
        A claim is judged by the first of them that asked its question.

    Returns
    -------
    list of Finding
        In the order of `results/claims.csv`.
    """
    found, listed = {}, claims()
    for tables in map(with_best, studies):
        measured, asked = measures(tables), present(tables, *listed["question"].unique())
        for claim in listed.itertuples():
            if claim.Index not in found and claim.question in asked and _trained(tables, claim):
                found[claim.Index] = _finding(tables, claim, _readings(tables, measured, claim))
    return [found[place] for place in sorted(found)]


def claims():
    """Return the list of claims, a DataFrame; `more` and `less` are lists of variants, `measures` of names."""
    table = pd.read_csv(paths.root() / "results" / LIST, keep_default_na=False)
    table["measures"] = table["measures"].str.split()
    for side in ("more", "less"):  # losses are compared in groups; other variants have names of several words
        one = table[side].map(lambda name: [name] if name else [])
        table[side] = one.where(table["question"] != "losses", table[side].str.split())
    return table


def measures(tables):
    """Return the measures of each training: one row per (question, variant, seed), one column per measure in MEASURES.

    Measures of pictures are means over the test specimens; those at a threshold of validation or at matched precision
    are of pooled counts, and known for the question "losses" only.
    """
    keys = ["question", "variant", "seed"]
    groups = tables.specimens.groupby(keys, sort=False)
    renamed = {"unthresholded_mean_iou": "mean_iou_cast", "tip_recall": f"tip_recall{FIXED}"}
    table = groups[["mean_iou", *renamed]].mean().rename(columns=renamed)
    for name in ("thin", "thick"):
        table[f"{name}_recall{FIXED}"] = groups.apply(_recall_of_third, name == "thin", include_groups=False)
    runs = tables.runs.set_index(keys)
    table["optimism"] = runs["validation_mean_iou"] - runs["pooled_mean_iou"]
    table[f"fall{FIXED}"] = runs["curve"].map(lambda curve: _largest_fall([float(value) for value in curve.split()]))
    table["memory_gib"] = runs["peak_memory_gib"]
    swept = tables.thresholds
    chosen = thresholds.by_training(swept[swept["question"] == "losses"])
    chosen.index = pd.MultiIndex.from_tuples([("losses", *key) for key in chosen.index], names=keys)
    return table.join(chosen).sort_index()


def write_measures(folder, tables):
    """Write `measures.csv`, from which the script in `results/README.md` recomputes every verdict.

    Parameters
    ----------
    folder : path-like
    tables : Tables
        One row per training, with the columns question, variant, seed, failed (see `Tables.failed`) and MEASURES. The
        optimizers at their best rates are a separate question.
    """
    tables = with_best(tables)
    table = measures(tables).reindex(columns=list(MEASURES))
    table.insert(0, "failed", tables.failed())
    write_table(Path(folder) / "measures.csv", table, index=True, float_format="%.9g")


def stability(tables, question):
    """Return how evenly the variants of a question train: failures, spread over seeds, oscillation, updates (R60, R61).

    Returns
    -------
    DataFrame
        One row per variant: trainings; failed; mean IoU at 0.5 of those that worked, and its standard deviation over
        seeds; the largest fall of the validation mean IoU in the first half of a training, a mean over all.
    """
    measured, failed = measures(tables).loc[question], tables.failed().loc[question]
    rows = {}
    for variant in variants(tables, question):
        worked = measured.loc[variant, "mean_iou"][~failed.loc[variant]]
        rows[variant_title(variant)] = {
            "trainings": len(failed.loc[variant]),
            "failed": int(failed.loc[variant].sum()),
            "mean IoU at 0.5": f"{worked.mean():.3f}" if len(worked) else "–",
            "standard deviation over seeds": f"{worked.std(ddof=1):.3f}" if len(worked) > 1 else "–",
            "largest fall": f"{measured.loc[variant, f'fall{FIXED}'].mean():.3f}",
        }
    return pd.DataFrame(rows).T


def compare_losses(tables, measure):
    """Compare all pairs of the report's losses by one measure. The limits hold for all pairs at once (95 %).

    Parameters
    ----------
    tables : Tables
    measure : str
        Column of `specimens.csv`.

    Returns
    -------
    dict of (first, second) to dict
        first, second (titles), value (first − second), low, high, and p, all of the measure's unit but p.
    """
    compared = intervals.compare(tables.values("losses", measure, REPORTED, worked=True), bounds=DIFFERENCE)
    rows = {}
    for place, (one, other) in enumerate(compared.pairs):
        value, low, high, p = (float(getattr(compared, name)[place]) for name in ("difference", "low", "high", "p"))
        first, second = REPORTED[one], REPORTED[other]
        rows[(first, second)] = {"first": first, "second": second, "value": value, "low": low, "high": high, "p": p}
        rows[(second, first)] = {"first": second, "second": first, "value": -value, "low": -high, "high": -low, "p": p}
    return rows


def _readings(tables, measured, claim):
    """Return the difference that a claim is about, by measure, from `by_seed`.

    The claim says whether failed trainings count.
    """
    rows = measured.loc[claim.question]
    among = variants(tables, "losses") if claim.question == "losses" else [*claim.more, *claim.less]
    failed = tables.failed().loc[claim.question].loc[among].groupby("seed").any()
    found = {}
    for name in claim.measures:
        by_variant = rows[name].unstack("variant")
        values = by_variant[claim.more].mean(axis=1) - (by_variant[claim.less].mean(axis=1) if claim.less else 0)
        if claim.failed == "left out":
            values = values[~failed.reindex(values.index)]
        found[name] = by_seed(values.dropna(), None if name in WITHOUT_LIMITS else DIFFERENCE)
        if name in WITHOUT_LIMITS and not values.any():  # too small to be measured: zeros are not an interval
            found[name] |= dict.fromkeys(("value", "low", "high", "inner_low", "inner_high"), np.nan)
    return found


def _finding(tables, claim, readings):
    words = [UNDECIDED if name.endswith(FIXED) else verdict(found, claim.matters) for name, found in readings.items()]
    first = next(iter(readings.values()))
    sides = [_group(side, claim.question) for side in (claim.more, claim.less) if side]
    shown = "; ".join(f"{MEASURES[name]} {_shown(found)}" for name, found in readings.items())
    rows = tables.runs[tables.runs["question"] == claim.question]
    source = (
        f"study {tables.provenance['scale']}, question {claim.question}: {first['seeds']} of {rows['seed'].nunique()} "
        f"seeds, {rows['run'].nunique()} runs ({rows['run'].iloc[0]} …), commit {tables.provenance['commit']}"
    )
    limits = [None if np.isnan(first[name]) else first[name] for name in ("value", "low", "high")]
    return Finding(claim.item, claim.claim, claim.reported, " − ".join(sides), *limits, shown, agreed(words), source)


def _shown(found):
    if not found["seeds"]:
        return "not known: no seed with which these trainings worked"
    return "too small to be measured" if np.isnan(found["value"]) else text(found)


def _group(side, question):
    names = [title(name) if question == "losses" else variant_title(name) for name in side]
    return names[0] if len(names) == 1 else f"{{{', '.join(names)}}}"


def variant_title(variant):
    """Return a variant's name for readers: with the title of its loss or optimizer, and its rate as a power of ten.

    >>> variant_title("bce 0.0016"), variant_title("adagrad, rate × 100"), variant_title("1e-6 at once")
    ('BCE 1.6×10⁻³', 'AdaGrad, rate × 100', '10⁻⁶ at once')
    """
    first = variant.replace(",", " ").split()[0]
    words = ((TITLES | OPTIMIZERS).get(first, first) + variant.removeprefix(first)).split(" ")
    return " ".join(power(float(word)) if SMALL.fullmatch(word) else word for word in words)


def _trained(tables, claim):
    return {*claim.more, *claim.less} <= set(variants(tables, claim.question))


def _recall_of_third(rows, thin):
    """Return the recall within 2 px minus `RECALL_WANTED`, of the third with the thinnest or the thickest cracks."""
    ordered = rows.sort_values("crack_width")["recall_tolerance_2"]
    third = len(rows) // 3
    return (ordered.head(third) if thin else ordered.tail(third)).mean() - RECALL_WANTED


def _largest_fall(curve):
    """Return the largest decrease of a curve between two epochs in its first half; 0 if it never decreases."""
    half = np.array(curve[: len(curve) // 2 + 1])
    return float(max([0, *(half[:-1] - half[1:])]))


def variants(tables, question):
    """Return the names of a question's variants that were trained, in the order of the study.

    Parameters
    ----------
    tables : Tables
    question : str
        One of `cases.QUESTIONS`.

    Returns
    -------
    list of str
    """
    return list(dict.fromkeys(tables.runs.loc[tables.runs["question"] == question, "variant"]))


def present(tables, *questions):
    """Return the given questions that a study contains."""
    return [question for question in questions if question in set(tables.runs["question"])]
