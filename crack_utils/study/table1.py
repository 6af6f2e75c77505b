"""Can the published mIoU and accuracy (R54) come from one hard mask a model? Solved exactly, not searched.

A hard prediction of all pixels of a set is three numbers: the crack share f, the recall r and the specificity s.
Mean IoU and accuracy are two equations, so what is left is a curve. Crack shares are those of the masks, the same
for all four losses on the same set: curves without a common crack share contradict each other.

With the share of wrong pixels w = 1 − accuracy and of found crack t = f·r, the *global* accuracy makes mean IoU
depend on t alone,

    (t + w)(1 − t) = w(1 + w) / (2(1 − mIoU)),

so f lies between t (all wrong pixels are false alarms) and t + w (all are missed crack). With the *mean class*
accuracy, p = 1 − r, q = 1 − s, p + q = 2(1 − accuracy) and the odds ρ = f/(1 − f),

    p(1 − p − 2·mIoU)·ρ² + (2 − p − q − 2·mIoU·(1 + pq))·ρ + q(1 − q − 2·mIoU) = 0.

Of two solutions the one with the smaller crack is taken; the other has crack and background exchanged. All measures
are over all pixels of a set together, as Keras accumulates mean IoU and, images being of one size, the global
accuracy. This is an assumption about the report: a mean IoU averaged over images could hide all errors in a few
images, and then its share of wrong pixels says less.
"""

from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd

from crack_utils.losses.registry import title
from crack_utils.study.published import TABLE_1

SETS = {"train": "training", "val": "validation"}
ACCURACIES = ("global", "mean class")
POINTS = 2001  # along a curve
ROUNDING = 0.5e-5  # Table 1 has five decimals; the sixth of Dice's validation mIoU is not relied on


@dataclass(frozen=True)
class Masks:
    """Hard predictions along a curve; arrays of one shape, shares in [0, 1]."""

    crack_share: np.ndarray
    recall: np.ndarray
    specificity: np.ndarray

    @property
    def missed(self):
        """Share of all pixels that are missed crack."""
        return self.crack_share * (1 - self.recall)

    @property
    def false_alarm(self):
        """Share of all pixels that are background called crack."""
        return (1 - self.crack_share) * (1 - self.specificity)

    @property
    def area_ratio(self):
        """Predicted crack area / true crack area."""
        return self.recall + self.false_alarm / self.crack_share

    @property
    def accuracy(self):
        return 1 - self.missed - self.false_alarm

    @property
    def mean_class_accuracy(self):
        return (self.recall + self.specificity) / 2

    @property
    def mean_iou(self):
        crack = self.crack_share * self.recall / (self.crack_share + self.false_alarm)
        background = (1 - self.crack_share) * self.specificity / (1 - self.crack_share + self.missed)
        return (crack + background) / 2


def curve(mean_iou, accuracy, kind, points=POINTS):
    """Return all hard masks with this mean IoU and accuracy and at most half of the pixels found crack.

    Parameters
    ----------
    mean_iou, accuracy : float in (0, 1)
    kind : str
        "global" or "mean class".
    points : int
        From no missed crack to as much as possible.

    Returns
    -------
    Masks
        Empty if there is no such mask.
    """
    if kind not in ACCURACIES:
        raise ValueError(f"unknown accuracy {kind!r}; valid are {', '.join(ACCURACIES)}")
    if not (0 < mean_iou < 1 and 0 < accuracy < 1):
        raise ValueError(f"mean IoU and accuracy must lie between 0 and 1, got {mean_iou} and {accuracy}")
    solve = _global_curve if kind == "global" else _class_curve
    return solve(mean_iou, accuracy, points)


def _global_curve(mean_iou, accuracy, points):
    wrong = 1 - accuracy
    overlap = wrong * (1 + wrong) / (2 * (1 - mean_iou))  # (t + w)(1 − t)
    root = (1 + wrong) ** 2 / 4 - overlap
    if root < 0 or overlap < wrong:
        return _empty()
    found = (1 - wrong) / 2 - np.sqrt(root)
    missed = np.linspace(0, wrong, points)
    share = found + missed
    return Masks(share, found / share, 1 - (wrong - missed) / (1 - share))


def _class_curve(mean_iou, accuracy, points):
    total = 2 * (1 - accuracy)
    # Dense towards q = 0, which is left out: there the crack share is 0.
    p = min(total, 1) * (1 - np.linspace(1, 0, points, endpoint=False) ** 2)
    q = total - p
    square, constant = p * (1 - p - 2 * mean_iou), q * (1 - q - 2 * mean_iou)
    linear = 2 - total - 2 * mean_iou * (1 + p * q)
    inside = linear**2 - 4 * square * constant
    valid = (linear > 0) & (constant < 0) & (inside >= 0)
    odds = -2 * constant[valid] / (linear[valid] + np.sqrt(inside[valid]))  # the smaller root, without cancellation
    return Masks(odds / (1 + odds), 1 - p[valid], 1 - q[valid])


def _empty():
    return Masks(*np.empty((3, 0)))


def rounded_curves(loss, name, kind, points=POINTS):
    """Return the curves of the published pair and of the corners of what rounds to it.

    Parameters
    ----------
    loss : str
        A key of `report.TABLE_1`.
    name : str
        "train" or "val".
    kind : str
        "global" or "mean class".

    Returns
    -------
    list of Masks
        The published numbers' own first.
    """
    mean_iou, accuracy = TABLE_1[loss][f"{name}_miou"], TABLE_1[loss][f"{name}_accuracy"]
    steps = [(0, 0), *product((-ROUNDING, ROUNDING), repeat=2)]
    return [curve(mean_iou + first, accuracy + second, kind, points) for first, second in steps]


def feasible():
    """Return what one hard mask a model would have to be, for each set, reading of accuracy, and loss.

    Returns
    -------
    DataFrame
        set, accuracy, loss; and least and most crack_share, recall, specificity and area_ratio, rounding included
        (the curves are monotone in both numbers, so the corners suffice). With the mean class accuracy the crack
        share goes down to 0, which no curve reaches.
    """
    rows = []
    for name, kind, loss in product(SETS, ACCURACIES, TABLE_1):
        curves = rounded_curves(loss, name, kind)
        row = {"set": SETS[name], "accuracy": kind, "loss": loss}
        for quantity in ("crack_share", "recall", "specificity", "area_ratio"):
            values = np.concatenate([getattr(each, quantity) for each in curves])
            row |= {f"{quantity}_low": values.min(initial=np.inf), f"{quantity}_high": values.max(initial=-np.inf)}
        if kind == "mean class":
            row["crack_share_low"] = 0.0
        rows.append(row)
    return pd.DataFrame(rows)


def common_share(table):
    """Return the crack shares that all rows of `feasible` allow: (low, high), where low > high means none.

    Each row's shares are an interval, so their intersection is one.
    """
    return float(table["crack_share_low"].max()), float(table["crack_share_high"].min())


def loss_bounds():
    """Return what a global accuracy at 0.5 forces the published loss to be at least.

    A pixel on the wrong side of 0.5 costs at least ln 2 in BCE, and 0.5²·ln 2 times its α in focal loss with γ = 2.
    The least α is taken (0.25, all wrong pixels being crack), so the bound holds wherever the errors are. This
    assumes that the published loss is a mean over pixels.

    Returns
    -------
    DataFrame
        set, loss ("bce", "focal"), alpha (None: not weighted), least, published, and excluded: published < least,
        rounding included.
    """
    rows = []
    for name, (loss, alpha, cost) in product(
        SETS, (("bce", None, np.log(2)), ("focal", None, np.log(2) / 4), ("focal", 0.25, np.log(2) / 16))
    ):
        published = TABLE_1[loss][f"{name}_loss"]
        wrong = 1 - TABLE_1[loss][f"{name}_accuracy"]
        rows.append(
            {
                "set": SETS[name],
                "loss": loss,
                "alpha": alpha,
                "least": wrong * cost,
                "published": published,
                "excluded": published + ROUNDING < (wrong - ROUNDING) * cost,
            }
        )
    return pd.DataFrame(rows)


def dice_bound(name):
    """Return the least crack share at which Dice's published loss allows its accuracy to be global and at 0.5.

    A missed pixel leaves at least half of it in the soft FN, a false alarm half in the soft FP. So with pooled sums
    loss ≥ (w/2) / (2f + w/2), and f ≥ w(1 − loss) / (4·loss). Assumes the linear Dice loss, its sums pooled over
    the set (or batches alike), and ε negligible.
    """
    wrong, loss = 1 - TABLE_1["dice"][f"{name}_accuracy"] - ROUNDING, TABLE_1["dice"][f"{name}_loss"] + ROUNDING
    return wrong * (1 - loss) / (4 * loss)


def most_share_by_loss(name):
    """Return the largest crack share at which BCE's loss allows its mean class accuracy at 0.5.

    Fewest pixels are wrong if all of them are crack: f·2(1 − accuracy) ≤ loss / ln 2.
    """
    missed = 2 * (1 - TABLE_1["bce"][f"{name}_accuracy"] - ROUNDING)
    return most_wrong(name) / missed


def most_wrong(name):
    """Return the largest share of pixels that can be wrong at 0.5 with BCE's published loss: loss / ln 2."""
    return (TABLE_1["bce"][f"{name}_loss"] + ROUNDING) / np.log(2)


def truncated_recall(mean_iou, crack_share):
    """Return the share of crack that is exactly 1.0 if a truncated mean IoU has this value, without false alarms.

    Parameters
    ----------
    mean_iou : float in (0.5, 1)
    crack_share : array, float, in (0, 1)

    Returns
    -------
    ndarray, float
        NaN where even an empty prediction has a higher mean IoU.

    Notes
    -----
    With missed crack x, 2·mIoU = 1 − x/f + (1 − f)/(1 − f + x): a quadratic in x.
    """
    share = np.asarray(crack_share, float)
    rest = 1 - share
    linear = rest + share * (2 * mean_iou - 1)
    constant = 2 * share * rest * (1 - mean_iou)  # x² + linear·x − constant = 0
    recall = 1 - 2 * constant / (linear + np.sqrt(linear**2 + 4 * constant)) / share
    return np.where(recall >= 0, recall, np.nan)


def verdicts():
    """Return each reading of Table 1 with what the numbers say of it.

    Returns
    -------
    DataFrame
        set, reading, verdict ("excluded", "strained" or "consistent"), because. Strained: possible, but only with a
        crack area at least twice too large for one loss while another's is right within a tenth.
    """
    table, bounds = feasible(), loss_bounds()
    rows = []
    for name, set_title in SETS.items():
        here = table[table["set"] == set_title]
        for kind in ACCURACIES:
            verdict, because = _one_mask(here[here["accuracy"] == kind])
            rows.append((set_title, f"one hard mask a model (truncated or at 0.5), {kind} accuracy", verdict, because))
        bce = bounds[(bounds["set"] == set_title) & (bounds["loss"] == "bce")].iloc[0]
        because = f"BCE's accuracy needs a loss of {bce['least']:.4f} or more, published is {bce['published']:.5f}"
        verdict = "excluded" if bce["excluded"] else "consistent"
        rows.append((set_title, "truncated mIoU, global accuracy at 0.5", verdict, because))
        because = f"any crack share up to {100 * most_share_by_loss(name):.1f} %"
        rows.append((set_title, "truncated mIoU, mean class accuracy at 0.5", "consistent", because))
    return pd.DataFrame(rows, columns=["set", "reading", "verdict", "because"])


def _one_mask(table):
    low, high = common_share(table)
    if low > high:
        ranges = "; ".join(
            f"{title(row.loss)} {100 * row.crack_share_low:.2f}–{100 * row.crack_share_high:.2f} %"
            for row in table.itertuples()
        )
        return "excluded", f"no common crack share: {ranges}"
    worst = table.loc[table["area_ratio_low"].idxmax()]
    right = (table["area_ratio_low"] < 1.1) & (table["area_ratio_high"] > 0.9)
    strained = worst["area_ratio_low"] > 2 and right.any()
    because = (
        f"crack share at most {100 * high:.2f} %; {title(worst['loss'])} predicts at least "
        f"{worst['area_ratio_low']:.1f} times the true crack area"
    )
    return ("strained" if strained else "consistent"), because
