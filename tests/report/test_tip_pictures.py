"""Pictures of tips: which are shown, which end is the right one, and how sure one may be."""

from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from crack_utils.report import figures, tip_pictures
from crack_utils.report.tip_pictures import TipPicture
from tests.helpers.darkness import Dark

INF = float("inf")


def made_up(error, tip=(20.0, 30.0), probability=0.9):
    """A picture whose crack begins at column 5 and ends at column 30, and what was found in it."""
    photograph = SimpleNamespace(
        image=np.full((40, 60), 200, np.uint8),
        parts=np.zeros((40, 60), np.uint8),
        tips=np.array([[20.0, 30.0]]),
        mouths=np.array([[20.0, 5.0]]),
    )
    mask = np.zeros((40, 60), bool)
    mask[19:22, 5:31] = True
    found = SimpleNamespace(position=tip, positions=[tip], found=True, right_end_probability=probability)
    return TipPicture(photograph, mask, None if np.isinf(error) else found, np.array([error]))


def test_pictures_are_chosen_by_their_errors_alone():
    pictures = [made_up(float(error)) for error in (8, 1, INF, 3, 2, 7, 4, 6, 5)]
    chosen = tip_pictures.good_bad_worst(pictures)
    errors = {name: [picture.worst for picture in row] for name, row in chosen.items()}
    assert errors == {"good": [1, 2, 3], "bad": [4, 5, 6], "worst": [7, 8, INF]}
    chosen = tip_pictures.good_bad_worst([made_up(float(error)) for error in range(20)])
    assert [picture.worst for picture in chosen["good"] + chosen["bad"]] == [4, 5, 6, 14, 15, 16]
    shown = figures.tip_gallery(tip_pictures.good_bad_worst(pictures))
    assert [axes.get_title() for axes in shown.axes][::8] == ["good: 1.0 px off", "worst: a tip was missed"]
    plt.close("all")
    with pytest.raises(ValueError, match="8 pictures with a crack; nine are needed"):
        tip_pictures.good_bad_worst(pictures[:8])


def test_stated_and_observed_shares_by_class():
    ends = pd.DataFrame(
        [("predicted", 0.9, True), ("predicted", 0.9, False), ("predicted", 0.7, True), ("damaged", 0.999, True)],
        columns=["masks", "probability", "right"],
    )
    table = tip_pictures.reliability_table(ends)
    assert table[["masks", "to", "right", "tips"]].to_numpy().tolist() == [
        ["predicted", 0.8, 1.0, 1],
        ["predicted", 0.95, 0.5, 2],
        ["damaged", 1.0, 1.0, 1],
    ]
    assert tip_pictures.groups_off(table).startswith("In each group")
    off = table.assign(stated=0.01)
    assert "outside the interval in the groups of 65\xa0% to 80\xa0% and 80\xa0% to" in tip_pictures.groups_off(off)
    assert (table["low"] <= table["right"]).all() and (table["high"] >= table["right"]).all()
    assert table.loc[1, "low"] == pytest.approx(0.0126, abs=1e-4)  # exact binomial interval of one of two
    assert len(figures.right_end_reliability(table).axes[0].containers) == 2
    plt.close("all")


def test_drawn_pictures_and_their_numbers():
    pictures = tip_pictures.tip_pictures(Dark(), 3, size=(64, 80))
    assert len(pictures) == 3
    ends = tip_pictures.right_ends(pictures, spoilt=1)
    assert set(ends["masks"]) <= {"predicted", "damaged"} and ends["probability"].between(0, 1).all()
    numbers = tip_pictures.numbers([made_up(2.0), made_up(INF), made_up(4.0)], ends)
    assert (numbers["drawn_misses"], numbers["drawn_median"]) == (1, 4.0)
    assert numbers["drawn_within_5"] == pytest.approx(2 / 3)
