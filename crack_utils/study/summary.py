"""Tables and numbers of the study for the pages of the book."""

from itertools import combinations

import numpy as np
import pandas as pd

from crack_utils.evaluation.words import MEASURES, number_type
from crack_utils.losses.registry import REPORTED, title
from crack_utils.metrics.counts import COUNTS
from crack_utils.metrics.probabilities import ROUNDS_TO_ONE
from crack_utils.runtime.typeset import joined, number, span
from crack_utils.study import other_rules, rates, thresholds, verdict_check
from crack_utils.study.cases import SCALES
from crack_utils.study.claims import compare_losses, present, variant_title, variants
from crack_utils.study.tables import overview, repeated, source
from crack_utils.study.verdicts import FEW, MATTERS, SHARE, by_seed, interval, text


def loss_table(tables, measures):
    """Compare the losses: failed trainings of each, and measures with 95 % intervals, over the seeds without a failure.

    Parameters
    ----------
    tables : Tables
    measures : sequence of str
        Columns of `tables.specimens`.

    Returns
    -------
    DataFrame of str
        One row per loss.
    """
    rows, failed = {}, tables.failures("losses")
    for loss, name in zip(REPORTED, map(title, REPORTED), strict=True):
        rows[name] = {"failed trainings": f"{failed[loss]}"}
        for measure in measures:
            values = tables.values("losses", measure, REPORTED, worked=True)[REPORTED.index(loss)]
            rows[name][MEASURES.get(measure, measure)] = text(interval(values, SHARE), signed=False)
    return pd.DataFrame(rows).T


def pair_table(tables, measures):
    """Compare the losses in pairs, with limits for all pairs together.

    Parameters
    ----------
    tables : Tables
    measures : sequence of str
        Columns of `tables.specimens`.

    Returns
    -------
    DataFrame of str
        One row per pair, one column per measure. A star marks an established difference: its limits exclude zero.
    """
    columns = {}
    for measure in measures:
        pairs = {key: row for key, row in compare_losses(tables, measure).items() if row["value"] >= 0}
        columns[MEASURES.get(measure, measure)] = {frozenset(key): _pair_text(row) for key, row in pairs.items()}
    index = {frozenset(pair): " – ".join(title(loss) for loss in pair) for pair in combinations(REPORTED, 2)}
    return pd.DataFrame({name: {index[key]: text for key, text in cells.items()} for name, cells in columns.items()})


def leak_table(tables):
    """Return a table of texts on leaks, by number of specimens and kind of split.

    It has the share of validation pictures that were used in training, and the mean IoU of validation and test.
    Failed trainings are counted and excluded from the values.
    """
    rows = []
    for question in present(tables, "leaks", "leaks, few specimens"):
        failed, working = tables.failures(question), tables.working_runs(question)
        for variant in variants(tables, question):
            runs = working[working["variant"] == variant]
            above = by_seed(runs["validation_mean_iou"] - runs["pooled_mean_iou"])
            rows.append(
                {
                    "specimens": "few" if "few" in question else "many",
                    "split of validation": variant,
                    "trainings (failed)": f"{len(runs) + failed[variant]} ({failed[variant]})",
                    "share used in training": number(runs["validation_seen"].mean(), ".0%"),
                    "validation, pooled mean IoU": f"{runs['validation_mean_iou'].mean():.3f}",
                    "test, pooled mean IoU": f"{runs['pooled_mean_iou'].mean():.3f}",
                    "validation − test [95 %]": text(above),
                }
            )
    index = ["specimens", "split of validation"]
    return pd.DataFrame(rows).set_index(index) if rows else pd.DataFrame(index=index)


def variant_table(tables):
    """Return a table of texts on all variants of the other questions: failures, mean IoU at 0.5, time, memory.

    Mean IoU is that of the trainings that worked; "–" if none did. Time and memory are those of all.
    """
    rows, shown_elsewhere = [], ("losses", "leaks", "leaks, few specimens")
    for question in [name for name in dict.fromkeys(tables.runs["question"]) if name not in shown_elsewhere]:
        failed = tables.failures(question)
        for variant in variants(tables, question):
            runs = tables.runs[(tables.runs["question"] == question) & (tables.runs["variant"] == variant)]
            rows.append(
                {
                    "question": question,
                    "variant": variant_title(variant),
                    "trainings": len(runs),
                    "failed": int(failed[variant]),
                    "mean IoU at 0.5 [95 %]": _worked(tables, question, variant, int(failed[variant]) == len(runs)),
                    "time [s]": f"{runs['seconds'].median():.0f}",
                    "peak memory [GiB]": f"{runs['peak_memory_gib'].median():.2f}",
                }
            )
    index = ["question", "variant"]
    return pd.DataFrame(rows).set_index(index) if rows else pd.DataFrame(index=index)


def _worked(tables, question, variant, none):
    """Return the mean IoU at 0.5 of the trainings of a variant that worked, with its interval."""
    (values,) = tables.values(question, "mean_iou", [variant], worked=True)
    return "–" if none else text(interval(values, SHARE), signed=False)


def precision_effect(tables):
    """Return the cast mean IoU of each loss's networks if their output were stored in another number type.

    A stored probability rounds to 1 from half a step below 1, so the cast is a threshold there. Values are pooled over
    the test set, with means over the seeds with which no loss failed.
    """
    rows = tables.swept("test")
    rows = rows[rows["seed"].isin(_kept_seeds(tables))]
    effect = {}
    for loss, name in zip(REPORTED, map(title, REPORTED), strict=True):
        chosen = rows[rows["variant"] == loss]
        effect[name] = {kind: _mean_iou_at(chosen, limit) for kind, limit in ROUNDS_TO_ONE.items()}
        effect[name]["at 0.5"] = _mean_iou_at(chosen, 0.5)
    return pd.DataFrame(effect).T


def threshold_table(tables):
    """Return each loss at thresholds that are fair to all: chosen on validation, and of matched precision.

    Returns
    -------
    DataFrame
        One row per loss, by its title: the median threshold that validation chooses; mean IoU and recall of the test
        set at this threshold and recall at matched precision, each a mean over seeds with its interval; mean IoU at 0.5
        for comparison. Seeds with which a training failed are left out.
    """
    found, rows = _at_thresholds(tables), {}
    for loss, name in zip(REPORTED, map(title, REPORTED), strict=True):
        chosen = found.loc[loss]
        rows[name] = {"threshold of validation": f"{chosen['threshold'].median():.2f}"}
        for measure, heading in {
            "mean_iou_half": "pooled mean IoU at 0.5",
            "mean_iou_chosen": "pooled mean IoU at the threshold of validation",
            "recall_chosen": "pooled recall at the threshold of validation",
            "recall_matched": "pooled recall at matched precision",
        }.items():
            rows[name][heading] = text(by_seed(chosen[measure].dropna(), SHARE), signed=False)
    return pd.DataFrame(rows).T


def matched_precision(tables):
    """Return the precision at which recalls are compared, see `thresholds.matched_precision`."""
    return thresholds.matched_precision(tables.thresholds)


def _at_thresholds(tables):
    """Return `thresholds.by_training` with the mean IoU at 0.5 and as cast, without the seeds with which a loss failed.

    A cast is a threshold of 1, so all these values are pooled over the pictures of the test set in the same way.
    """
    at_thresholds, test = thresholds.by_training(tables.thresholds), tables.swept("test")
    for measure, threshold in {"mean_iou_half": 0.5, "mean_iou_cast": 1.0}.items():
        rows = test[np.isclose(test["threshold"], threshold, rtol=0, atol=1e-9)].set_index(["variant", "seed"])
        at_thresholds[measure] = thresholds.mean_iou(rows)
    return at_thresholds[at_thresholds.index.get_level_values("seed").isin(_kept_seeds(tables))]


def _kept_seeds(tables):
    """Return the seeds with which no loss failed; all if there is none."""
    failed = tables.failed().loc["losses"].groupby("seed").any()
    return failed.index if failed.all() else failed.index[~failed]


def _crack_share(tables):
    """Return the share of crack in the pixels of the test set."""
    first = tables.specimens.groupby(["question", "variant", "seed"], sort=False)[list(COUNTS)].sum().iloc[0]
    return float((first["tp"] + first["fn"]) / first.sum())


def interval_check_table(checked):
    """Return a table of texts: the error rates of the intervals in simulated studies, by number of seeds.

    Parameters
    ----------
    checked : DataFrame
        From `crack_utils.study.coverage.check`.
    """
    shown = checked[checked["check"] != "power"]
    grouped = shown.groupby(["check", "seeds", "specimens"], sort=False)["rate"]
    ranges = grouped.agg(lambda rates: span(100 * rates.min(), 100 * rates.max(), ".1f", " %")).rename("least – most")
    return grouped.mean().map(lambda rate: number(rate, ".1%")).to_frame("mean").join(ranges)


def findings_table(findings):
    """Return a table of findings for the page: claim, report, our contrast and difference, verdict."""
    return pd.DataFrame(
        {
            "item": finding.item,
            "claim": finding.claim,
            "report": finding.reported,
            "ours": finding.contrast,
            "difference [95\u00a0%]": finding.shown,
            "verdict": finding.verdict,
        }
        for finding in findings
    )


def numbers(full, fair, live, findings):
    """Return the values for the prose of the pages, with their sources.

    Parameters
    ----------
    full, fair, live : Tables
    findings : list of Finding
        Of the full study and of `fair`, the study "fairness".

    Returns
    -------
    dict
        Ready for JSON.
    """
    at_thresholds = _at_thresholds(full)
    by_rule = other_rules.by_rule(at_thresholds)
    # What a threshold of validation gains over 0.5.
    gains = (at_thresholds["mean_iou_chosen"] - at_thresholds["mean_iou_half"]).groupby("variant").mean().astype(float)
    others = gains.drop("focal")
    return {
        "source": source(full),
        "facts": overview(full),
        "size": list(SCALES["full"]["base"]["size"]),
        "batch": SCALES["full"]["base"]["batch"],
        "crack_share": _crack_share(full),
        "number_type": ", ".join(map(number_type, sorted(full.working_runs("losses")["precision_policy"].unique()))),
        "with_failures": other_rules.dice_with_failures(full),
        "other_rules": by_rule,
        "changed": {rule: other_rules.changed(by_rule, rule) for rule in ("half", "twice")} | {"of": len(by_rule)},
        "verdict_check": verdict_check.numbers(verdict_check.read()),
        "failures": {loss: int(count) for loss, count in full.failures("losses").items()},
        "losses": _loss_numbers(full, at_thresholds),
        "gains": {"focal": gains["focal"], "others_least": others.min(), "others_most": others.max()},
        "over_specimens": compare_losses(full, "mean_iou")["dice", "bce"],
        "matters": MATTERS,
        "few_seeds": FEW,
        "matched_precision": matched_precision(full),
        "optimizers": _failures(full, "optimizers"),
        "batches": _failures(full, "batches"),
        "optimizers_at_best": _optimizers(fair),
        "rates_at_edge": joined(rates.at_edge(fair)) or "none",
        "findings": _by_item(findings),
        "live": {"source": source(live), "repeated": repeated(full, live)},
    }


def _loss_numbers(full, at_thresholds):
    """Return two measures of each loss with their intervals: of the pixels at exactly 1, and at a chosen threshold."""
    at_one = full.values("losses", "crack_at_one", REPORTED, worked=True)
    return {
        loss: {
            "crack_at_one": interval(values, SHARE),
            "mean_iou_chosen": by_seed(at_thresholds.loc[loss, "mean_iou_chosen"].dropna(), SHARE),
        }
        for loss, values in zip(REPORTED, at_one, strict=True)
    }


def _failures(tables, question):
    """Return trainings and failed ones of each variant, by the first word of its name; nothing if it was not asked."""
    if question not in present(tables, question):
        return {}
    failed = tables.failed().loc[question].groupby("variant", sort=False)
    return {
        variant.partition(",")[0]: {"trainings": len(group), "failed": int(group.sum())} for variant, group in failed
    }


def _optimizers(fair):
    """Return the rows of `rates.table` by optimizer, with names that a page can use."""
    names = ["optimizer", "tried", "rate", "failed_there", "failed", "mean_iou"]
    rows = rates.table(fair).reset_index().set_axis(names, axis=1)
    return {row["optimizer"].replace(" ", "_"): row | {"source": source(fair)} for row in rows.to_dict("records")}


def _by_item(findings):
    """Return findings by their item; the second finding of an item is named "R60_2", for example."""
    named = {}
    for finding in findings:
        number = 1 + sum(name.partition("_")[0] == finding.item for name in named)
        named[finding.item if number == 1 else f"{finding.item}_{number}"] = finding.to_dict()
    return named


def _pair_text(row):
    better = f"{title(row['first'])} " if row["value"] > 0 else ""
    value, low, high = (number(row[name], "+.3f") for name in ("value", "low", "high"))
    return f"{better}{value} [{low}, {high}]" + (" *" if row["low"] > 0 else "")


def _mean_iou_at(rows, threshold):
    """Return the mean over the seeds of the pooled mean IoU at a threshold of the table."""
    chosen = rows[np.isclose(rows["threshold"], threshold, rtol=0, atol=1e-9)]
    return float(thresholds.mean_iou(chosen).mean())
