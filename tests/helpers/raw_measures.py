"""The measures of each training from the tables of counts: written once more, without the package, to check it."""

import numpy as np
import pandas as pd

KEY = ["question", "variant", "seed"]


def measures(folder):
    """Return the table that `results/<folder>/measures.csv` should hold, from the other tables there."""
    names = ("specimens", "runs", "thresholds")
    specimens, runs, swept = (pd.read_csv(f"{folder}/{name}.csv", dtype={"variant": str}) for name in names)
    tried = runs[runs.question == "optimizers, rates"].groupby("variant").validation_mean_iou.mean()
    at_best = "optimizers at their best rates"
    for optimizer, variant in tried.groupby(tried.index.str.split().str[0]).idxmax().items():
        specimens, runs = (
            pd.concat([table, table[table.variant == variant].assign(question=at_best, variant=optimizer)])
            for table in (specimens, runs)
        )
    runs, groups = runs.set_index(KEY), specimens.sort_values("crack_width").groupby(KEY)
    counts = groups[["tp", "fp", "fn", "tn"]].sum()
    share = (counts.tp + counts.fn) / counts.sum(axis=1)
    recalls, third = groups.recall_tolerance_2, {size: size // 3 for size in groups.size()}
    table = pd.DataFrame(
        {
            "failed": _iou(counts) <= np.maximum(share, 1 - share) / 2,
            "mean_iou": groups.mean_iou.mean(),
            "mean_iou_cast": groups.unthresholded_mean_iou.mean(),
            "tip_recall_at_half": groups.tip_recall.mean(),
            "thin_recall_at_half": recalls.agg(lambda found: found.head(third[len(found)]).mean() - 0.9),
            "thick_recall_at_half": recalls.agg(lambda found: found.tail(third[len(found)]).mean() - 0.9),
            "fall_at_half": runs.curve.str.split().map(_fall),
            "optimism": runs.validation_mean_iou - runs.pooled_mean_iou,
            "memory_gib": runs.peak_memory_gib,
        }
    )
    swept = swept[swept.question == "losses"]
    return table.join(_at_thresholds(swept, table.failed)) if len(swept) else table


def _iou(c):
    return (c.tp / (c.tp + c.fp + c.fn) + c.tn / (c.tn + c.fp + c.fn)) / 2


def _fall(curve):
    first_half = np.array(curve, float)[: len(curve) // 2 + 1]
    return max([0, *-np.diff(first_half)])


def _at_thresholds(swept, failed):
    sets = {name: s.sort_values("threshold").set_index([*KEY, "threshold"]) for name, s in swept.groupby("set")}
    best = _iou(sets["validation"]).groupby(KEY).idxmax()  # the threshold that validation chooses
    chosen, seen = sets["test"].loc[best], sets["validation"].loc[best]
    wanted = (seen.tp / (seen.tp + seen.fp)).median()  # the precision at which recalls are compared

    def matched(c):
        above = (1 - wanted) * c.tp.to_numpy() - wanted * c.fp.to_numpy()
        i = np.flatnonzero((above >= 0) & (c.tp > 0))[0]
        part = -above[i - 1] / (above[i] - above[i - 1])
        return (c.tp.iloc[i - 1] + part * (c.tp.iloc[i] - c.tp.iloc[i - 1])) / (c.tp + c.fn).iloc[0]

    alive = sets["test"][sets["test"].index.droplevel(3).isin(failed.index[~failed])]
    recall = chosen.tp / (chosen.tp + chosen.fn)
    table = pd.DataFrame({"mean_iou_chosen": _iou(chosen), "recall_chosen": recall}).droplevel(3)
    return table.join(alive.groupby(KEY).apply(matched).rename("recall_matched"))
