"""Splits that leak on purpose: what lies on both sides of each."""

import numpy as np
import pytest

from crack_utils.data import Pair, Split
from crack_utils.data.leaks import leak


def pairs(specimens, frames, start=0):
    return [
        Pair(f"s{s:02d}f{f}", f"{s}-{f}.png", f"{s}-{f}m.png", source="old", specimen=f"s{s:02d}")
        for s in range(start, start + specimens)
        for f in range(frames)
    ]


class TestLeaks:
    split = Split(train=pairs(8, 5), validation=pairs(2, 5, 8), test=pairs(3, 5, 10))

    def drawn(self, how, seed=0):
        made = leak(self.split, how, 0.2, seed)
        assert made.test == self.split.test and len(made.validation) == 10
        assert {*made.train, *made.validation} <= {*self.split.train, *self.split.validation}
        return made

    def test_none_keeps_siblings_together(self):
        made = self.drawn("none")
        assert not {p.specimen for p in made.train} & {p.specimen for p in made.validation}
        assert len(made.train) == 40 and self.drawn("none", 1) != made

    def test_siblings_lie_on_both_sides(self):
        made = self.drawn("siblings")
        assert not {*made.train} & {*made.validation} and len(made.train) == 40
        assert {p.specimen for p in made.train} >= {p.specimen for p in made.validation}

    def test_drawn_once_trains_on_most_of_validation(self):
        shares = [
            np.mean([p in made.train for p in made.validation])
            for made in map(self.drawn, ["drawn once"] * 40, range(40))
        ]
        assert np.mean(shares) == pytest.approx(0.8, abs=0.06)  # 400 draws of standard deviation 0.02

    def test_drawn_each_epoch_trains_on_everything(self):
        made = self.drawn("drawn each epoch")
        assert {*made.train} == {*self.split.train, *self.split.validation}
