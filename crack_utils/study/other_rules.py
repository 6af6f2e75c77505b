"""The verdicts on the losses by other rules, to show how much the verdicts depend on our rules.

The rules of `verdicts` were set after the first results were seen. Here one rule at a time is changed: the threshold,
the size of a difference that matters, and the treatment of the failed training.
"""

from crack_utils.losses.registry import REPORTED
from crack_utils.study import claims, thresholds
from crack_utils.study.verdicts import by_seed, text, verdict

CHOSEN = "mean_iou_chosen"  # mean IoU of the test set at the threshold that validation chose


def by_rule(at_thresholds):
    """Return the verdicts on claims about the mean IoU of losses by three rules.

    Parameters
    ----------
    at_thresholds : DataFrame
        One row per (loss, seed), without the seeds with which any loss failed; columns `CHOSEN` and mean_iou_half, at a
        threshold of 0.5.

    Returns
    -------
    dict of dict
        By a number from "1": claim; at_half, the difference with its interval at 0.5; verdict (ours); verdict_at_half;
        verdict_at_twice, where only a difference twice as large matters.
    """
    rows = {}
    for claim in claims.claims().itertuples():
        if claim.question == "losses" and claim.measures == [CHOSEN]:
            chosen, half = (_difference(at_thresholds[name], claim) for name in (CHOSEN, "mean_iou_half"))
            rows[str(len(rows) + 1)] = {
                "claim": claim.claim,
                "verdict": verdict(chosen, claim.matters),
                "at_half": text(half),
                "verdict_at_half": verdict(half, claim.matters),
                "verdict_at_twice": verdict(chosen, 2 * claim.matters),
            }
    return rows


def changed(rows, rule):
    """Return how many verdicts of `by_rule` are different with another rule, "half" or "twice"."""
    return sum(row[f"verdict_at_{rule}"] != row["verdict"] for row in rows.values())


def dice_with_failures(tables):
    """Return the differences between Dice and each other loss with all seeds, including failed trainings.

    Returns
    -------
    dict of dict
        By the other loss: value, low and high (95 %) of the difference in mean IoU of the test set at the threshold of
        validation; the verdict on the claim that Dice is better; seeds, and below, with how many of them Dice is worse.
    """
    chosen = thresholds.by_training(tables.thresholds)[CHOSEN].unstack("variant")
    found = {}
    for loss in REPORTED:
        if loss != "dice":
            differences = (chosen["dice"] - chosen[loss]).dropna()
            limits = by_seed(differences)
            found[loss] = limits | {"verdict": verdict(limits), "below": int((differences < 0).sum())}
    return found


def _difference(values, claim):
    by_loss = values.unstack("variant")
    return by_seed((by_loss[claim.more].mean(axis=1) - by_loss[claim.less].mean(axis=1)).dropna())
