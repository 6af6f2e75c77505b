"""Figures of the study behind Table 1: how ranks change at the threshold, and why."""

from textwrap import fill, wrap

import matplotlib.pyplot as plt
import numpy as np

from crack_utils import metrics
from crack_utils.evaluation.words import MEASURES
from crack_utils.losses.registry import REPORTED, title
from crack_utils.report.figures.style import FALSE_ALARM, FOUND, INK, LOSS_COLOURS, MISSED, QUIET, logarithmic
from crack_utils.runtime.typeset import number
from crack_utils.study import thresholds, verdicts
from crack_utils.study.published import TABLE_1

RANKED = (
    "unthresholded_mean_iou",
    "mean_iou",
    "crack_iou",
    "f1_tolerance_2",
    "cldice",
    "mean_class_accuracy",
    "accuracy",
    "expected_calibration_error",
)
FALLING = ("expected_calibration_error",)  # smaller is better


def ranks(tables):
    """Show the rank of each loss by each measure, as a slope chart.

    Parameters
    ----------
    tables : Tables
        The question "losses" is used.

    Notes
    -----
    A dot is the mean rank over the seeds, its bar the middle half of them; ties share their rank. Seeds with a failed
    training are excluded.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axes = plt.subplots(figsize=(10, 4.4))
    losses = list(REPORTED)
    places = np.array([_ranks(tables, measure, losses) for measure in RANKED])  # (measures, losses, seeds)
    reported = sorted(losses, key=lambda loss: -TABLE_1[loss]["val_miou"])
    x = np.arange(len(RANKED) + 1)
    for index, loss in enumerate(losses):
        middle = np.concatenate([[1 + reported.index(loss)], places[:, index].mean(axis=-1)])
        axes.plot(x, middle, "o-", color=LOSS_COLOURS[loss], lw=2, ms=8, label=title(loss))
        low, high = np.quantile(places[:, index], (0.25, 0.75), axis=-1)
        shift = 0.06 * (index - 1.5)
        axes.vlines(x[1:] + shift, low, high, color=LOSS_COLOURS[loss], lw=4, alpha=0.25)
    axes.axvline(1.5, color=QUIET, ls=":", lw=1.5)
    axes.annotate("no threshold | a threshold", (1.5, 0.62), ha="center", fontsize=9, color=QUIET)
    axes.set_xticks(x, ["the report's\nTable 1", *(fill(MEASURES[measure], 12) for measure in RANKED)])
    axes.set(ylabel="rank (1 is best)", ylim=(4.4, 0.5), yticks=[1, 2, 3, 4])
    axes.legend(ncols=4, loc="upper center", bbox_to_anchor=(0.5, -0.2))
    axes.grid(axis="y", alpha=0.3)
    return figure


def threshold_curves(tables):
    """Show the mean IoU of each loss as a function of the threshold, with the cast metric as its last point.

    Parameters
    ----------
    tables : Tables
        `thresholds` has the pooled counts of the test set by loss, seed and threshold.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axes = plt.subplots(figsize=(10, 3.8))
    rows = tables.swept("test")
    last = 19.0  # position of the cast on this axis; its logit is infinite
    for loss in REPORTED:
        chosen = rows[rows["variant"] == loss]
        chosen = chosen.assign(mean_iou=thresholds.mean_iou(chosen))
        table = chosen.pivot(index="threshold", columns="seed", values="mean_iou")
        x = [_logit(t, last) for t in table.index]
        axes.plot(x, table.mean(axis=1), color=LOSS_COLOURS[loss], lw=2, label=title(loss))
        axes.fill_between(x, table.min(axis=1), table.max(axis=1), color=LOSS_COLOURS[loss], alpha=0.15, lw=0)
        axes.plot(x[-1], table.iloc[-1].mean(), "s", color=LOSS_COLOURS[loss], ms=8, clip_on=False)
    axes.axvline(0, color=QUIET, lw=1)
    for limit in metrics.ROUNDS_TO_ONE.values():
        axes.axvline(_logit(limit, last), color=QUIET, lw=1, ls=":")
    for name, limit in {"0.5": 0.5, **metrics.ROUNDS_TO_ONE}.items():
        axes.annotate(name, (_logit(limit, last), 1), (0, 3), xycoords=("data", "axes fraction"),
                      textcoords="offset points", ha="center", fontsize=9, color=QUIET)  # fmt: skip
    ticks = [0.001, 0.1, 0.5, 0.9, 0.999, 0.99999]
    axes.set_xticks([*map(_logit, ticks), last], [*map(str, ticks), "cast"])
    axes.set(xlabel="threshold (on the scale of its logit)", ylabel="mean IoU of the test set")
    axes.legend(loc="lower right", bbox_to_anchor=(0.95, 0), ncols=2)  # below the curves, which fall to a half there
    axes.grid(axis="y", alpha=0.3)
    return figure


def crack_probabilities(tables):
    """Show the distribution of the probabilities of crack pixels, for each loss.

    It is computed from the counts: the share of crack pixels between two neighbouring thresholds.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, grid = plt.subplots(1, 4, figsize=(10, 2.8), sharey=True)
    rows = tables.swept("test")
    for axes, loss in zip(grid, REPORTED, strict=True):
        counts = rows[rows["variant"] == loss].groupby("threshold")[["tp", "fn"]].sum()
        share = counts["tp"] / (counts["tp"] + counts["fn"])  # of crack pixels at or above the threshold
        edges = [-10.0, *(_logit(t) for t in share.index[:-1]), 19.0]
        heights = -np.diff([1.0, *share])
        axes.stairs(heights, edges, fill=True, color=LOSS_COLOURS[loss])
        axes.bar(20.5, share.iloc[-1], width=1.6, color=LOSS_COLOURS[loss], hatch="//", edgecolor=INK)
        axes.set_title(f"{title(loss)}: {number(share.iloc[-1], '.0%')} at 1.0")
        axes.set_xticks([0, _logit(0.999), 20.5], ["0.5", "0.999", "1.0"])
        axes.set(xlabel="probability", xlim=(-10, 22))
    grid[0].set_ylabel("share of crack pixels")
    return figure


def saturation():
    """Show where a sigmoid reaches exactly 1 in float32, float16 and bfloat16.

    Returns
    -------
    matplotlib.figure.Figure
    """
    from keras import ops

    logits = np.linspace(0, 20, 4001, dtype=np.float32)
    figure, axes = plt.subplots(figsize=(10, 3))
    colours = {"bfloat16": MISSED, "float16": FALSE_ALARM, "float32": FOUND}
    for name, colour in colours.items():
        values = ops.convert_to_numpy(ops.cast(ops.sigmoid(ops.cast(logits, name)), "float32"))
        reached = logits[np.argmax(values >= 1)]  # the smallest logit with a sigmoid of 1
        gap = np.where(values < 1, 1 - values.astype(float), np.nan)
        axes.plot(logits, gap, color=colour, lw=2, label=f"{name}: 1.0 from logit {reached:.1f}")
        axes.plot(reached, 3e-8, "v", color=colour, ms=9, clip_on=False)
    axes.set(xlabel="logit", ylabel="1 − sigmoid", ylim=(3e-8, 1), xlim=(0, 20))
    logarithmic(axes.yaxis)
    axes.legend()
    axes.grid(alpha=0.3)
    return figure


def claims(findings):
    """Show each finding's difference by its first measure with its interval, coloured by verdict.

    The band around zero holds differences that do not matter.

    Parameters
    ----------
    findings : list of Finding
        Those in other units, and those without a value, are left out.

    Returns
    -------
    matplotlib.figure.Figure
    """
    shown = [each for each in findings if each.value is not None and "[GiB]" not in each.shown]
    figure, axes = plt.subplots(figsize=(8, 0.46 * len(shown) + 1.2))
    colours = {verdicts.SUPPORTED: FOUND, verdicts.CONTRADICTED: MISSED, verdicts.NO_DIFFERENCE: FALSE_ALARM}
    axes.axvspan(-verdicts.MATTERS, verdicts.MATTERS, color=QUIET, alpha=0.15, lw=0)
    for row, finding in enumerate(shown):
        colour = colours.get(finding.verdict, QUIET)
        axes.plot([finding.low, finding.high], [row, row], color=colour, lw=5, alpha=0.4, solid_capstyle="butt")
        axes.plot(finding.value, row, "o", color=colour, ms=7)
    axes.axvline(0, color=QUIET, lw=1)
    axes.set_yticks(range(len(shown)), [_even(finding.claim, 38) for finding in shown])
    axes.set(xlabel="difference in the direction of the claim", ylim=(len(shown) - 0.5, -0.5))
    axes.grid(axis="x", alpha=0.3)
    return figure


def _ranks(tables, measure, losses):
    """Return the rank of each loss for each seed, shape (losses, seeds); 1 is best, ties share theirs."""
    from scipy.stats import rankdata

    means = tables.values("losses", measure, losses, worked=True).mean(axis=-1)
    return rankdata(means if measure in FALLING else -means, axis=0)


def _even(text, width):
    """Break a text into as few lines as the width [letters] asks for, of about equal length."""
    lines = len(wrap(text, width))
    return next(fill(text, least) for least in range(1, width + 1) if len(wrap(text, least)) == lines)


def _logit(probability, infinite=None):
    """Return a probability's logit; for a probability of 1, return the given value."""
    if probability >= 1:
        return infinite
    return float(np.log(probability / (1 - probability)))
