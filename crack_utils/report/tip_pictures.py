"""Drawn photographs on which a network's tips are looked at: good ones, bad ones, the worst."""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from crack_utils.data.synthetic import SpecimenPhotograph, render_specimen
from crack_utils.geometry import TipErrors, find_tip, tip_errors
from crack_utils.inference.measure import NO_CRACK, measure
from crack_utils.runtime.typeset import joined, number
from crack_utils.study.default_tips import is_right_end
from crack_utils.study.tip_rule import spoil

SEED = 7200  # of drawn specimens, used for nothing else
EDGES = (0.25, 0.5, 0.65, 0.8, 0.95, 1.0)  # between classes of the probability of the right end


@dataclass(frozen=True)
class TipPicture:
    """A drawn photograph with the tips that were found in it.

    Attributes
    ----------
    photograph : SpecimenPhotograph
    mask : ndarray, bool, shape (H, W)
        What the network says is crack.
    tip : geometry.Tip or None
        Of the primary crack; None without a crack.
    errors : ndarray, shape (n,)
        Distance of each true tip [px], infinite for a miss; empty where no crack was drawn.
    """

    photograph: SpecimenPhotograph
    mask: np.ndarray
    tip: object
    errors: np.ndarray

    @property
    def found(self):
        """(row, column) of the found tips [px], a list."""
        return [] if self.tip is None else self.tip.positions

    @property
    def worst(self):
        """The largest of its errors [px]."""
        return float(self.errors.max(initial=0.0))


def tip_pictures(trained, count=16, size=(512, 640)):
    """Draw specimens, each at another moment of its test, and find their tips as `crack-utils predict` does.

    Parameters
    ----------
    trained : Predictor
    count : int
    size : (height, width) [px]

    Returns
    -------
    list of TipPicture
    """
    pictures = []
    for specimen in range(count):
        photograph = render_specimen(SEED, specimen, frame=specimen % 10, size=size)
        image = np.float32(photograph.image) / 255
        probability = trained.predict(image)
        cracks = measure(image, probability, trained.threshold)
        tip = cracks[0].tip if cracks else None
        errors = tip_errors([photograph.tips], [tip]).distances if len(photograph.tips) else np.empty(0)
        pictures.append(TipPicture(photograph, probability >= np.float32(trained.threshold), tip, errors))
    return pictures


def cracked(pictures):
    """Return the pictures in which a crack with a tip was drawn, the best first."""
    return sorted((picture for picture in pictures if len(picture.errors)), key=lambda picture: picture.worst)


def good_bad_worst(pictures):
    """Choose nine pictures by their errors alone: three a quarter of the way, three at three quarters, the last three.

    Parameters
    ----------
    pictures : list of TipPicture
        At least nine with a crack.

    Returns
    -------
    dict of list of TipPicture
        "good", "bad" and "worst".
    """
    ordered = cracked(pictures)
    if len(ordered) < 9:
        raise ValueError(f"{len(ordered)} pictures with a crack; nine are needed")
    last = len(ordered)
    good, bad = min(last // 4, last - 8), min(3 * last // 4, last - 5)  # so that none is shown twice
    return {"good": ordered[good - 1 : good + 2], "bad": ordered[bad - 1 : bad + 2], "worst": ordered[-3:]}


def errors_of(pictures):
    """Return the errors of all drawn tips, a TipErrors."""
    return TipErrors(np.concatenate([picture.errors for picture in pictures]))


def right_ends(pictures, spoilt=2):
    """Return how sure the rule was of each end, and whether it was right.

    A few dozen predictions are not enough to test a probability near 1. So the drawn masks are also damaged with faults
    that networks make (`study.tip_rule.spoil`), and each is judged with its photograph.

    Parameters
    ----------
    pictures : list of TipPicture
    spoilt : int
        Number of spoilt masks of each picture.

    Returns
    -------
    DataFrame
        masks ("predicted" or "damaged"), probability, right; one row per found tip.
    """
    rng, rows = np.random.default_rng(SEED), []
    for picture in cracked(pictures):
        photograph, image = picture.photograph, np.float32(picture.photograph.image) / 255
        tips = [("predicted", picture.tip)]
        tips += [("damaged", find_tip(spoil(photograph, rng), image=image)) for _ in range(spoilt)]
        rows += [
            {"masks": masks, "probability": tip.right_end_probability, "right": is_right_end(tip.position, photograph)}
            for masks, tip in tips
            if tip is not None and tip.found
        ]
    return pd.DataFrame(rows, columns=["masks", "probability", "right"])


def reliability_table(ends):
    """Compare the stated probability of the right end with the share that was right, a row per class.

    Parameters
    ----------
    ends : DataFrame
        From `right_ends`.

    Returns
    -------
    DataFrame
        masks, from, to, stated (mean probability), right (share), low and high (exact binomial, 95 %), tips.
    """
    rows = []
    for masks, of_kind in ends.groupby("masks", sort=False):
        classes = pd.cut(of_kind["probability"], [0.0, *EDGES], include_lowest=True)
        for interval, members in of_kind.groupby(classes, observed=True):
            limits = stats.binomtest(int(members["right"].sum()), len(members)).proportion_ci()
            rows.append(
                {"masks": masks, "from": max(0.0, interval.left), "to": interval.right}
                | {"stated": members["probability"].mean(), "right": members["right"].mean()}
                | {"low": limits.low, "high": limits.high, "tips": len(members)}
            )
    return pd.DataFrame(rows, columns=["masks", "from", "to", "stated", "right", "low", "high", "tips"])


def groups_off(table):
    """Say in which groups of predicted tips the stated probability is outside the interval of the share that was right.

    Parameters
    ----------
    table : DataFrame
        From `reliability_table`.
    """
    off = table[(table["masks"] == "predicted") & ~table["stated"].between(table["low"], table["high"])]
    groups = [f"{number(row['from'], '.0%')} to {number(row['to'], '.0%')}" for _, row in off.iterrows()]
    if not groups:
        return "In each group of the figure below it lies inside the interval."
    return f"In the figure below, it lies outside the interval in the groups of {joined(groups)}."


def numbers(pictures, ends):
    """Return what the page of tips says of drawn specimens, a dict.

    Parameters
    ----------
    pictures : list of TipPicture
    ends : DataFrame
        From `right_ends`.
    """
    errors, empty = errors_of(pictures), [picture for picture in pictures if not len(picture.errors)]
    predicted = ends[ends["masks"] == "predicted"]
    summary = errors.summary()
    return {
        "drawn": len(pictures),
        "drawn_tips": len(errors.distances),
        "drawn_median": summary["median"] if math.isfinite(summary["median"]) else math.hypot(*pictures[0].mask.shape),
        "drawn_within_5": errors.success(5),
        "drawn_misses": errors.misses,
        "drawn_empty": len(empty),
        "drawn_false": sum(bool(picture.found) for picture in empty),
        "no_crack_from": NO_CRACK,
        "right_ends": float(predicted["right"].mean()) if len(predicted) else 0.0,
    }
