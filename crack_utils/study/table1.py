"""Can the published mIoU and accuracy (R54) come from one thresholded mask per model? An exact solution, not a search.

For a whole set of pictures, a thresholded prediction has three numbers: the crack share f, the recall r and the
specificity s. Mean IoU and accuracy give two equations, so the solutions form a curve. The crack share is that of the
masks and is the same for all four losses on the same set. Curves without a common crack share contradict each other.

Let w = 1 − accuracy be the share of wrong pixels and t = f·r the share of true positives. With the *global* accuracy,
mean IoU depends on t alone,

    (t + w)(1 − t) = w(1 + w) / (2(1 − mIoU)),

so f lies between t (all wrong pixels are false positives) and t + w (all are false negatives). With the *mean class*
accuracy, p = 1 − r, q = 1 − s, p + q = 2(1 − accuracy) and the odds ρ = f/(1 − f),

    p(1 − p − 2·mIoU)·ρ² + (2 − p − q − 2·mIoU·(1 + pq))·ρ + q(1 − q − 2·mIoU) = 0.

Of two solutions the one with the smaller crack share is used; in the other, crack and background are exchanged. All
measures are pooled over all pixels of a set. Keras computes mean IoU in this way, and the global accuracy too, because
all images have the same size. This is an assumption about the report. If its mean IoU is an average over images, all
errors could be in a few images, and the share of wrong pixels would say less.
"""

from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd

from crack_utils.losses.registry import title
from crack_utils.runtime.typeset import number, span
from crack_utils.study.published import TABLE_1

SETS = {"train": "training", "val": "validation"}
ACCURACIES = ("global", "mean class")
POINTS = 2001  # along a curve
ROUNDING = 0.5e-5  # Table 1 has five decimals; the sixth decimal of Dice's validation mIoU is not used


@dataclass(frozen=True)
class Masks:
    """Thresholded predictions along a curve; arrays of one shape, shares in [0, 1]."""

    crack_share: np.ndarray
    recall: np.ndarray
    specificity: np.ndarray

    @property
    def missed(self):
        """Share of all pixels that are false negatives."""
        return self.crack_share * (1 - self.recall)

    @property
    def false_alarm(self):
        """Share of all pixels that are false positives."""
        return (1 - self.crack_share) * (1 - self.specificity)

    @property
    def area_ratio(self):
        """Predicted crack area / true crack area."""
        return self.recall + self.false_alarm / self.crack_share

    @property
    def accuracy(self):
        """Share of all pixels that are right, in [0, 1]."""
        return 1 - self.missed - self.false_alarm

    @property
    def mean_class_accuracy(self):
        """Mean of the shares of crack and of background that are right, in [0, 1]."""
        return (self.recall + self.specificity) / 2

    @property
    def mean_iou(self):
        """Mean of the IoU of crack and of background, in [0, 1]."""
        crack = self.crack_share * self.recall / (self.crack_share + self.false_alarm)
        background = (1 - self.crack_share) * self.specificity / (1 - self.crack_share + self.missed)
        return (crack + background) / 2


def curve(mean_iou, accuracy, kind, points=POINTS):
    """Return all thresholded masks with this mean IoU and accuracy, and at most half of the pixels true positives.

    Parameters
    ----------
    mean_iou, accuracy : float in (0, 1)
    kind : str
        "global" or "mean class".
    points : int
        Number of points, from no false negatives to as many as possible.

    Returns
    -------
    Masks
        Empty if there is no such mask.

    Raises
    ------
    ValueError
        If the kind is unknown, or a value is not between 0 and 1.
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
    detected = (1 - wrong) / 2 - np.sqrt(root)
    missed = np.linspace(0, wrong, points)
    share = detected + missed
    return Masks(share, detected / share, 1 - (wrong - missed) / (1 - share))


def _class_curve(mean_iou, accuracy, points):
    total = 2 * (1 - accuracy)
    # Dense towards q = 0, which is excluded because the crack share is 0 there.
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


def rounded_curves(loss, name, kind):
    """Return the curves of the published pair, and of the four corners of the values that round to it.

    Parameters
    ----------
    loss : str
        A key of `published.TABLE_1`.
    name : str
        "train" or "val".
    kind : str
        "global" or "mean class".

    Returns
    -------
    list of Masks
        The curve of the published numbers first.
    """
    mean_iou, accuracy = TABLE_1[loss][f"{name}_miou"], TABLE_1[loss][f"{name}_accuracy"]
    steps = [(0, 0), *product((-ROUNDING, ROUNDING), repeat=2)]
    return [curve(mean_iou + first, accuracy + second, kind) for first, second in steps]


def feasible():
    """Return the properties that one thresholded mask per model must have, for each set, kind of accuracy, and loss.

    Returns
    -------
    DataFrame
        set, accuracy, loss; and the minimum (_low) and maximum (_high) of crack_share, recall, specificity and
        area_ratio, including rounding (the curves are monotone in both numbers, so the corners are enough). With the
        mean class accuracy the crack share approaches 0, which no curve reaches.
    """
    rows = []
    for name, kind, loss in product(SETS, ACCURACIES, TABLE_1):
        curves = rounded_curves(loss, name, kind)
        row = {"set": SETS[name], "accuracy": kind, "loss": loss}
        for quantity in ("crack_share", "recall", "specificity", "area_ratio"):
            values = np.concatenate([getattr(masks, quantity) for masks in curves])
            row |= {f"{quantity}_low": values.min(initial=np.inf), f"{quantity}_high": values.max(initial=-np.inf)}
        if kind == "mean class":
            row["crack_share_low"] = 0.0
        rows.append(row)
    return pd.DataFrame(rows)


def common_share(table):
    """Return the interval (low, high) of crack shares that all rows of `feasible` allow; low > high means none."""
    return float(table["crack_share_low"].max()), float(table["crack_share_high"].min())


def loss_bounds():
    """Return the smallest possible loss for a global accuracy at 0.5, to compare with the published loss.

    A pixel on the wrong side of 0.5 costs at least ln 2 in BCE, and 0.5²·ln 2 times its α in focal loss with γ = 2. The
    smallest α is used (0.25, if all wrong pixels are crack), so the bound is valid for errors anywhere. It assumes that
    the published loss is a mean over pixels.

    Returns
    -------
    DataFrame
        set, loss ("bce", "focal"), alpha (None: not weighted), least, published, and excluded: whether published is
        below least, including rounding.
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


def most_share_by_loss(name):
    """Return the largest crack share for which BCE's loss and mean class accuracy at 0.5 are consistent.

    The number of wrong pixels is smallest if all of them are crack: f·2(1 − accuracy) ≤ loss / ln 2.
    """
    missed = 2 * (1 - TABLE_1["bce"][f"{name}_accuracy"] - ROUNDING)
    return most_wrong(name) / missed


def most_wrong(name):
    """Return the largest possible share of wrong pixels at 0.5 with BCE's published loss: loss / ln 2."""
    return (TABLE_1["bce"][f"{name}_loss"] + ROUNDING) / np.log(2)


def truncated_recall(mean_iou, crack_share):
    """Return the share of crack pixels at exactly 1.0 that gives this truncated mean IoU, without false positives.

    Parameters
    ----------
    mean_iou : float in (0.5, 1)
    crack_share : array, float, in (0, 1)

    Returns
    -------
    ndarray, float
        NaN if even an empty prediction has a higher mean IoU.

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
    """Test each possible reading of Table 1 with the published numbers.

    Returns
    -------
    DataFrame
        set, reading, verdict ("excluded", "strained" or "consistent"), because. "Strained" means possible, but only if
        one loss predicts at least twice the true crack area while another predicts it within a tenth.
    """
    table, bounds = feasible(), loss_bounds()
    rows = []
    for name, set_title in SETS.items():
        of_set = table[table["set"] == set_title]
        for kind in ACCURACIES:
            verdict, because = _one_mask(of_set[of_set["accuracy"] == kind])
            reading = f"one mask per model (cast or at 0.5), {kind} accuracy"
            rows.append((set_title, reading, verdict, because))
        bce = bounds[(bounds["set"] == set_title) & (bounds["loss"] == "bce")].iloc[0]
        because = f"BCE’s accuracy needs a loss of at least {bce['least']:.4f}; published is {bce['published']:.5f}"
        verdict = "excluded" if bce["excluded"] else "consistent"
        rows.append((set_title, "mean IoU as cast, global accuracy at 0.5", verdict, because))
        because = f"any crack share up to {number(most_share_by_loss(name), '.1%')}"
        rows.append((set_title, "mean IoU as cast, mean class accuracy at 0.5", "consistent", because))
    return pd.DataFrame(rows, columns=["set", "reading", "verdict", "because"])


def _one_mask(table):
    low, high = common_share(table)
    if low > high:
        ranges = "; ".join(
            f"{title(row.loss)} {span(100 * row.crack_share_low, 100 * row.crack_share_high, unit=' %')}"
            for row in table.itertuples()
        )
        return "excluded", f"no common crack share: {ranges}"
    worst = table.loc[table["area_ratio_low"].idxmax()]
    right = (table["area_ratio_low"] < 1.1) & (table["area_ratio_high"] > 0.9)
    strained = worst["area_ratio_low"] > 2 and right.any()
    because = (
        f"crack share at most {number(high, '.2%')}; {title(worst['loss'])} predicts at least "
        f"{worst['area_ratio_low']:.1f} times the true crack area"
    )
    return ("strained" if strained else "consistent"), because
