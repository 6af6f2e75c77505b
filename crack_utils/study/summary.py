"""The study in tables and numbers, as its pages show them."""

from itertools import combinations, product

import numpy as np
import pandas as pd

from crack_utils.losses.registry import REPORTED, title
from crack_utils.metrics.masks import ROUNDS_TO_ONE, Confusion
from crack_utils.study.cases import SCALES
from crack_utils.study import thresholds
from crack_utils.study.claims import compare_losses, present, variants
from crack_utils.study.published import order
from crack_utils.study.tables import COUNTS, facts, folder_of, repeated, source
from crack_utils.study.verdicts import MATTERS, SHARE, WORDS, by_seed, interval, text

QUOTED = ("mean_iou", "unthresholded_mean_iou", "crack_at_one", "recall", "expected_calibration_error")  # in the prose


def loss_table(tables, measures):
    """Return how many trainings of each loss failed, and each measure of the others with its interval: texts."""
    rows, failed = {}, tables.failures("losses")
    for loss, name in zip(REPORTED, map(title, REPORTED), strict=True):
        rows[name] = {"failed trainings": f"{failed[loss]}"}
        for measure in measures:
            (values,) = tables.values("losses", measure, [loss], worked=True)
            rows[name][measure] = text(interval(values, SHARE), signed=False)
    return pd.DataFrame(rows).T


def pair_table(tables, measures):
    """Return the difference of each pair of losses with limits that hold for all pairs at once, texts for the page.

    A star marks what is established: limits on one side of zero.
    """
    columns = {}
    for measure in measures:
        pairs = {key: row for key, row in compare_losses(tables, measure).items() if row["value"] >= 0}
        columns[measure] = {frozenset(key): _pair_text(row) for key, row in pairs.items()}
    index = {frozenset(pair): " – ".join(title(loss) for loss in pair) for pair in combinations(REPORTED, 2)}
    return pd.DataFrame({name: {index[key]: text for key, text in cells.items()} for name, cells in columns.items()})


def leak_table(tables):
    """Return, by number of specimens and way of drawing, what of validation was trained on and what it measured.

    Failed trainings are counted, and left out.
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
                    "validation is drawn": variant,
                    "trainings (failed)": f"{len(runs) + failed[variant]} ({failed[variant]})",
                    "of it trained on": f"{runs['validation_seen'].mean():.0%}",
                    "validation mean IoU": f"{runs['validation_mean_iou'].mean():.3f}",
                    "test mean IoU": f"{runs['pooled_mean_iou'].mean():.3f}",
                    "validation − test [95 %]": text(above),
                }
            )
    index = ["specimens", "validation is drawn"]
    return pd.DataFrame(rows).set_index(index) if rows else pd.DataFrame(index=index)


def variant_table(tables):
    """Return what every variant of every other question came to: failures, mean IoU at 0.5 with interval, cost.

    All trainings count, failed ones too.
    """
    rows, leaks = [], ("leaks", "leaks, few specimens")
    for question in [each for each in dict.fromkeys(tables.runs["question"]) if each not in ("losses", *leaks)]:
        failed = tables.failures(question)
        for variant in variants(tables, question):
            runs = tables.runs[(tables.runs["question"] == question) & (tables.runs["variant"] == variant)]
            (values,) = tables.values(question, "mean_iou", [variant])
            rows.append(
                {
                    "question": question,
                    "variant": variant,
                    "trainings": len(runs),
                    "failed": int(failed[variant]),
                    "mean IoU at 0.5 [95 %]": text(interval(values, SHARE), signed=False),
                    "time [s]": f"{runs['seconds'].median():.0f}",
                    "peak memory [GiB]": f"{runs['peak_memory_gib'].median():.2f}",
                }
            )
    index = ["question", "variant"]
    return pd.DataFrame(rows).set_index(index) if rows else pd.DataFrame(index=index)


def precision_effect(tables):
    """Return the cast mean IoU of each loss's networks if their output were stored in another floating-point type.

    A stored probability rounds to 1 from half a step below it on, so the cast is a threshold there; pooled over the
    test set, mean over the seeds.
    """
    rows = tables.swept("test")
    found = {}
    for loss, name in zip(REPORTED, map(title, REPORTED), strict=True):
        chosen = rows[rows["variant"] == loss]
        found[name] = {kind: _mean_iou_at(chosen, limit) for kind, limit in ROUNDS_TO_ONE.items()}
        found[name]["at 0.5"] = _mean_iou_at(chosen, 0.5)
    return pd.DataFrame(found).T


def threshold_table(tables):
    """Return each loss at thresholds that are fair to all: chosen on validation, and of matched precision.

    Returns
    -------
    DataFrame
        One row a loss, by its title: the median threshold that validation chooses; mean IoU and recall of the test set
        at it and recall at matched precision, each a mean over seeds with its interval; mean IoU at 0.5 for comparison.
        Seeds with which a training failed are left out.
    """
    found, rows = _at_thresholds(tables), {}
    for loss, name in zip(REPORTED, map(title, REPORTED), strict=True):
        chosen = found.loc[loss]
        rows[name] = {"threshold of validation": f"{chosen['threshold'].median():.2f}"}
        for measure, heading in {
            "mean_iou_half": "mean IoU at 0.5",
            "mean_iou_chosen": "mean IoU at the threshold of validation",
            "recall_chosen": "recall at the threshold of validation",
            "recall_matched": "recall at matched precision",
        }.items():
            rows[name][heading] = text(by_seed(chosen[measure].dropna(), SHARE), signed=False)
    return pd.DataFrame(rows).T


def matched_precision(tables):
    """Return the precision at which recalls are compared, see `thresholds.matched_precision`."""
    return thresholds.matched_precision(tables.thresholds)


def _at_thresholds(tables):
    """Return `thresholds.by_training` with the mean IoU at 0.5, without the seeds with which any loss failed."""
    found = thresholds.by_training(tables.thresholds)
    half = tables.swept("test")
    half = half[np.isclose(half["threshold"], 0.5)].set_index(["variant", "seed"])
    failed = tables.failed().loc["losses"].groupby("seed").any()
    kept = failed.index[~failed] if not failed.all() else failed.index
    found = found.assign(mean_iou_half=thresholds.mean_iou(half))
    return found[found.index.get_level_values("seed").isin(kept)]


def statistics_table(checked):
    """Return what simulated studies say of the intervals, by number of seeds: texts.

    Parameters
    ----------
    checked : DataFrame
        From `crack_utils.study.coverage.check`.
    """
    shown = checked[checked["check"] != "power"]
    grouped = shown.groupby(["check", "seeds", "specimens"], sort=False)["rate"]
    ranges = grouped.agg(lambda rates: f"{rates.min():.1%} – {rates.max():.1%}").rename("least – most")
    return grouped.mean().map("{:.1%}".format).to_frame("mean").join(ranges)


def findings_table(findings):
    """Return findings as the table of the page: claim, report, ours with interval, verdict."""
    return pd.DataFrame(
        {
            "item": each.item,
            "claim": each.claim,
            "report": each.reported,
            "ours": each.contrast,
            "difference [95 %]": each.shown,
            "verdict": each.verdict,
        }
        for each in findings
    )


def numbers(full, live, findings):
    """Return what the pages say in their prose, each group with its source."""
    losses = {}
    for loss in REPORTED:
        losses[loss] = {}
        for measure in QUOTED:
            (values,) = full.values("losses", measure, [loss], worked=True)
            losses[loss][measure] = interval(values, SHARE)
    at_thresholds = _at_thresholds(full)
    for loss, measure in product(REPORTED, ("threshold", "mean_iou_half", *thresholds.MEASURES[1:])):
        losses[loss][measure] = by_seed(at_thresholds.loc[loss, measure].dropna(), SHARE)
    spread = {
        measure: max(losses[loss][measure]["value"] for loss in REPORTED)
        - min(losses[loss][measure]["value"] for loss in REPORTED)
        for measure in ("mean_iou", "unthresholded_mean_iou", "mean_iou_chosen")
    }
    means = {measure: {loss: losses[loss][measure]["value"] for loss in REPORTED} for measure in spread}
    measures = ("mean_iou", "unthresholded_mean_iou")
    live_means = {
        measure: dict(
            zip(REPORTED, live.values("losses", measure, REPORTED, worked=True).mean(axis=(1, 2)).tolist(), strict=True)
        )
        for measure in measures
    }
    pairs = {measure: compare_losses(full, measure) for measure in measures}
    return {
        "source": source(full),
        "facts": facts(full),
        "size": list(SCALES["full"]["base"]["size"]),
        "batch": SCALES["full"]["base"]["batch"],
        "failures": {loss: int(count) for loss, count in full.failures("losses").items()},
        "losses": losses,
        "spread": spread,
        "order": {measure: order(values) for measure, values in means.items()},
        "established": {measure: _established(rows) for measure, rows in pairs.items()},
        "matters": MATTERS,
        "matched_precision": matched_precision(full),
        "optimizers": _failures(full, "optimizers"),
        "batches": _failures(full, "batches"),
        "fairness": {"known": (folder_of("fairness") / "specimens.csv").is_file()},
        "findings": _by_item(findings),
        "verdicts": {name.replace(" ", "_"): sum(each.verdict == name for each in findings) for name in WORDS},
        "live": {
            "source": source(live),
            "repeated": repeated(full, live),
            "facts": facts(live),
            "order": {measure: order(values) for measure, values in live_means.items()},
        },
    }


def _failures(tables, question):
    """Return trainings and failed ones of each variant, by the first word of its name; nothing if it was not asked."""
    if question not in present(tables, question):
        return {}
    failed = tables.failed().loc[question].groupby("variant", sort=False)
    return {
        variant.partition(",")[0]: {"trainings": len(group), "failed": int(group.sum())} for variant, group in failed
    }


def _by_item(findings):
    """Return findings by their item; a second one of an item is named such as "R60_2"."""
    named = {}
    for each in findings:
        number = 1 + sum(name.partition("_")[0] == each.item for name in named)
        named[each.item if number == 1 else f"{each.item}_{number}"] = each.to_dict()
    return named


def _established(rows):
    """Return the pairs that differ, such as "Dice > BCE", the first being the better; "none" if none does."""
    found = [f"{title(a)} > {title(b)}" for (a, b), row in rows.items() if row["low"] > 0]
    return ", ".join(found) or "none"


def _pair_text(row):
    star = " *" if row["low"] > 0 else ""
    return f"{title(row['first'])} {row['value']:+.3f} [{row['low']:+.3f}, {row['high']:+.3f}]{star}"


def _mean_iou_at(rows, threshold):
    """Return the mean over the seeds of the pooled mean IoU at a threshold of the table."""
    chosen = rows[np.isclose(rows["threshold"], threshold, rtol=0, atol=1e-9)]
    return float(np.mean([Confusion(*each).mean_iou for each in chosen[list(COUNTS)].itertuples(index=False)]))
