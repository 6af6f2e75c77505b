"""The study in tables and numbers, as its pages show them."""

from itertools import combinations

import numpy as np
import pandas as pd

from crack_utils.evaluation.words import MEASURES
from crack_utils.losses.registry import REPORTED, title
from crack_utils.metrics.masks import ROUNDS_TO_ONE, Confusion
from crack_utils.study.cases import SCALES
from crack_utils.study.claims import by_seed, compare_losses, interval, present, variants
from crack_utils.study.published import order
from crack_utils.study.tables import COUNTS, facts, repeated, source

QUOTED = ("mean_iou", "unthresholded_mean_iou", "crack_at_one", "recall", "expected_calibration_error")  # in the prose
VERDICTS = ("reproduced", "not reproduced", "depends")


def loss_table(tables, measures):
    """Return how many trainings of each loss failed, and each measure of the others with its interval: texts."""
    rows, failed = {}, tables.failures("losses")
    for loss, name in zip(REPORTED, map(title, REPORTED), strict=True):
        rows[name] = {"failed trainings": f"{failed[loss]}"}
        for measure in measures:
            (values,) = tables.values("losses", measure, [loss], worked=True)
            found = interval(values)
            rows[name][MEASURES.get(measure, measure)] = f"{found['value']:.3f} [{found['low']:.3f}, {found['high']:.3f}]"
    return pd.DataFrame(rows).T


def pair_table(tables, measures):
    """Return the difference of each pair of losses with limits that hold for all pairs at once, texts for the page.

    A star marks what is established: limits on one side of zero.
    """
    columns = {}
    for measure in measures:
        pairs = {key: row for key, row in compare_losses(tables, measure).items() if row["value"] >= 0}
        columns[MEASURES.get(measure, measure)] = {frozenset(key): _pair_text(row) for key, row in pairs.items()}
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
                    "validation − test [95 %]": _text(above),
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
            found = interval(values)
            rows.append(
                {
                    "question": question,
                    "variant": variant,
                    "trainings": len(runs),
                    "failed": int(failed[variant]),
                    "mean IoU at 0.5 [95 %]": f"{found['value']:.3f} [{found['low']:.3f}, {found['high']:.3f}]",
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


def best_thresholds(tables):
    """Return, by loss, the threshold that is best on validation, and the mean IoU of the test set at it and at 0.5."""
    found = {}
    for loss, name in zip(REPORTED, map(title, REPORTED), strict=True):
        swept = (tables.swept(part) for part in ("validation", "test"))
        validation, test = (rows[rows["variant"] == loss] for rows in swept)
        best = max(validation["threshold"].unique(), key=lambda threshold: _mean_iou_at(validation, threshold))
        found[name] = {"threshold": best, "test": _mean_iou_at(test, best), "test_at_half": _mean_iou_at(test, 0.5)}
    return found


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
            "difference [95 %]": _text({"value": each.value, "low": each.low, "high": each.high}),
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
            losses[loss][measure] = interval(values)
    spread = {
        measure: max(losses[loss][measure]["value"] for loss in REPORTED)
        - min(losses[loss][measure]["value"] for loss in REPORTED)
        for measure in ("mean_iou", "unthresholded_mean_iou")
    }
    means = {measure: {loss: losses[loss][measure]["value"] for loss in REPORTED} for measure in spread}
    live_means = {
        measure: dict(
            zip(REPORTED, live.values("losses", measure, REPORTED, worked=True).mean(axis=(1, 2)).tolist(), strict=True)
        )
        for measure in spread
    }
    pairs = {measure: compare_losses(full, measure) for measure in spread}
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
        "best_thresholds": best_thresholds(full),
        "findings": _by_item(findings),
        "verdicts": {name: sum(each.verdict.startswith(name) for each in findings) for name in VERDICTS},
        "live": {
            "source": source(live),
            "repeated": repeated(full, live),
            "facts": facts(live),
            "order": {measure: order(values) for measure, values in live_means.items()},
        },
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
    return f"{title(row['first'])} {_text(row)}{star}"


def _text(found):
    return f"{found['value']:+.3f} [{found['low']:+.3f}, {found['high']:+.3f}]"


def _mean_iou_at(rows, threshold):
    """Return the mean over the seeds of the pooled mean IoU at a threshold of the table."""
    chosen = rows[np.isclose(rows["threshold"], threshold, rtol=0, atol=1e-9)]
    return float(np.mean([Confusion(*each).mean_iou for each in chosen[list(COUNTS)].itertuples(index=False)]))
