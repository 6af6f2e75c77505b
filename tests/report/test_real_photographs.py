"""The chapter on real photographs: the default model's measures by hand, and what the prose says without a study."""

import numpy as np
import pandas as pd
import pytest

from crack_utils.report import photograph_trainings
from crack_utils.report import real_photographs as chapter
from tests.helpers.darkness import Dark


def test_measures_and_the_worst_pictures():
    mask = np.zeros((20, 30), bool)
    mask[9:12] = True
    seen, missed, empty = np.where(mask, 0.1, 0.9), np.full(mask.shape, 0.9), np.full(mask.shape, 0.9)
    pictures = [("seen", seen, mask), ("missed", missed, mask), ("empty", empty, ~mask & mask)]
    _, table = chapter.predict_all(Dark(), pictures)
    zero_shot = chapter.zero_shot_table({"drawn surfaces": table, "none": pd.DataFrame()})
    row = zero_shot.loc["drawn surfaces"]
    assert (row["pictures"], row["precision"], row["recall"]) == (3, 1.0, 0.5)
    assert row["pooled F1"] == pytest.approx(2 / 3)
    assert chapter.worst(table, [mask for _, _, mask in pictures], 1) == [1]
    numbers = chapter.numbers(zero_shot, photograph_trainings.read_trainings("/nowhere.csv"))
    assert (numbers["drawn"], numbers["measured"], numbers["recipe"]) == (3, "nothing", "not been trained yet")
    some = pd.DataFrame(
        {"question": ["losses", "recipe"], "case": "photo", "labels": "all", "f1_tolerance_2": [0.5, 0.75]}
    )
    some = photograph_trainings.read_trainings("/nowhere.csv").merge(some, how="right").assign(failed=0)
    numbers = chapter.numbers(zero_shot, some)
    assert numbers["measured"] == "how well it does with all labels and whether every loss learns"
    assert numbers["recipe"] == "0.750"


def test_drawn_surfaces_are_pictures_with_masks():
    ((name, image, mask),) = chapter.drawn_surfaces(1, size=(48, 64))
    assert name == "drawn 0" and image.shape == mask.shape == (48, 64) and mask.dtype == bool
    assert image.min() >= 0 and image.max() <= 1


def test_asphalt_is_told_to_be_absent(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(chapter.crackforest, "local", lambda: None)
    monkeypatch.setattr(chapter.paths, "root", lambda: tmp_path / "project")
    assert chapter.asphalt() == [] and "crack-utils fetch crackforest" in capsys.readouterr().out
