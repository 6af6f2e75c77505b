"""The table of the default model's tips: hand-counted shares, and one real specimen."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from crack_utils.data.synthetic import render_specimen
from crack_utils.runtime import paths, provenance
from crack_utils.study import default_tips

SEED = 7  # of specimens of these tests


def test_shares_are_counted_by_hand_and_a_miss_is_outside():
    table = pd.DataFrame(
        {
            "tips": [1, 1, 1, 1, 2, 2, 0],
            "cracks": [1, 2, 0, 1, 1, 1, 1],
            "error_px": [1.0, 4.0, np.inf, 90.0, 5.0, np.inf, np.nan],
            "at_mouth": [0.0, 0.0, np.nan, 1.0, 0.0, np.nan, np.nan],
            "right_end": [1.0, 1.0, np.nan, 0.0, 1.0, np.nan, np.nan],
        }
    )
    summary = default_tips.summarise(table).set_index(["specimens", "result"])
    assert summary["count"].tolist() == [1, 2, 2, 1, 2, 1, 0, 1, 0]
    assert (
        summary.loc["one tip, found", "of"].tolist() == [3, 3, 3] and summary.loc["one tip, found", "count"].sum() == 3
    )
    assert summary.loc[("one tip", "within 5 px"), "share"] == 0.5
    # Clopper and Pearson for two of four.
    assert summary.loc[("one tip", "within 5 px"), "low"] == pytest.approx(0.0676, abs=1e-4)
    assert ((summary["low"] <= summary["share"]) & (summary["share"] <= summary["high"])).all()


class _Knows:
    """A network that knows the drawn crack."""

    threshold = 0.5

    def __init__(self, specimen):
        self.mask = render_specimen(SEED, specimen, frame=specimen % 10, size=(256, 320)).mask

    def predict(self, image):
        return np.float32(self.mask > 0)


def test_a_perfect_mask_gives_tips_near_the_true_ones():
    rows = [default_tips.measure_specimen(_Knows(number), number, SEED, size=(256, 320)) for number in range(1, 26)]
    tips = pd.DataFrame([row for row in rows if row["tips"] == 1])
    near = tips["error_px"] < 5
    assert len(tips) >= 8 and near.mean() > 0.85
    assert not tips.loc[near, "at_mouth"].any() and tips.loc[near, "right_end"].all()


def test_the_right_end_lies_at_the_primary_crack_and_nearer_to_a_tip():
    parts = np.zeros((200, 200), np.uint8)
    parts[100, 20:121], parts[10, 20:121] = 1, 2
    specimen = SimpleNamespace(parts=parts, tips=np.array([[100.0, 120.0]]), mouths=np.array([[100.0, 20.0]]))
    assert default_tips.is_right_end((100, 80), specimen) and default_tips.is_right_end((110, 110), specimen)
    assert not default_tips.is_right_end((100, 60), specimen)  # nearer to the mouth
    assert not default_tips.is_right_end((10, 120), specimen)  # the end of another crack


def test_usual_specimens_have_one_tip_at_the_end_of_their_crack_and_one_mouth():
    usual = default_tips.draw(3, seed=1, size=(128, 160), looks="usual")
    row = np.argwhere(usual.parts == 1)
    assert usual.tips.shape == usual.mouths.shape == (1, 2)
    assert np.hypot(*(row - usual.tips[0]).T).min() < 2 and np.hypot(*(row - usual.mouths[0]).T).min() < 4
    assert default_tips.is_right_end(usual.tips[0], usual) and not default_tips.is_right_end(usual.mouths[0], usual)


@pytest.mark.parametrize("table", default_tips.TABLES.values())
def test_the_committed_tables_are_of_the_seed_in_use(table):
    made_of = provenance.read_json((paths.root() / table).with_suffix(".json"))
    assert made_of["seed"] == default_tips.SEED
    assert made_of["specimens"] == len(pd.read_csv(paths.root() / table))
