"""The study of photographs, on six tiny pictures: its splits, its rows, and that it goes on where it stopped."""

import numpy as np
import pandas as pd
import pytest

from crack_utils.data import find_pairs
from crack_utils.data.split_file import read_split
from crack_utils.data.synthetic import generate
from crack_utils.study import photographs
from tests.helpers.folders import dark_cracks

pytestmark = pytest.mark.usefixtures("own_artifacts", "untraced")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    masks = np.zeros((15, 32, 32), np.uint8)
    for mask, column in zip(masks, range(2, 32, 2), strict=True):
        mask[:, column : column + 2] = 255
    return dark_cracks(tmp_path_factory.mktemp("lines"), masks)


def test_names_are_told_apart():
    places = [(case.question, case.name, case.labels) for case in photographs.cases()]
    assert len(places) == len(set(places))


def test_the_test_set_is_the_same_for_all(folder, tmp_path):
    pairs = find_pairs(folder)
    splits = {
        (labels, seed): read_split(photographs.split_of_labels(pairs, labels, seed, tmp_path), pairs)
        for labels in (5, None)
        for seed in (0, 1)
    }
    assert len({tuple(pair.name for pair in split.test) for split in splits.values()}) == 1
    assert [len(split.train) + len(split.validation) for split in splits.values()] == [5, 5, 12, 12]
    assert splits[5, 0].train != splits[5, 1].train


def test_questions_are_all_asked():
    assert {case.question for case in photographs.cases()} == set(photographs.QUESTIONS)


def test_no_specimen_is_in_two_sets(tmp_path):
    generate(tmp_path / "drawn", specimens=6, frames=2, size=(32, 40))
    pairs = find_pairs(tmp_path / "drawn")
    split = read_split(photographs.split_of_labels(pairs, None, 0, tmp_path), pairs)
    names = [{pair.specimen for pair in part} for part in (split.train, split.validation, split.test)]
    assert all(names)
    assert sum(map(len, names)) == len(set.union(*names)) == 6


def test_a_row_a_training_and_none_twice(folder, tmp_path, monkeypatch):
    small = {"start": "", "updates": 3, "epochs": 3, "restarts": 0, "model_options": {"filters": (2, 2)}}
    case = photographs.Case("recipe", "small", options=small)
    monkeypatch.setattr(photographs, "cases", lambda: [case])
    table = photographs.study(tmp_path, seeds=1, data=str(folder))
    assert list(table.columns[:5]) == ["question", "case", "labels", "seed", "commit"]
    assert list(table["default_model"]) == [""], "it is trained from scratch"
    assert set(table.columns) >= {"minutes", "f1", "f1_tolerance_2"}
    monkeypatch.setattr(photographs, "measure", lambda *_: pytest.fail("trained twice"))
    again = photographs.study(tmp_path, seeds=1, data=str(folder))
    pd.testing.assert_frame_equal(again, pd.read_csv(tmp_path / "trainings.csv"))


def test_a_digest_that_looks_like_a_number_stays_a_digest(tmp_path):
    kept = pd.DataFrame({"question": ["recipe"], "case": ["photo"], "labels": ["all"], "seed": [0]})
    kept.assign(default_model="12e4567890123456").to_csv(tmp_path / "trainings.csv", index=False)
    assert list(photographs.study(tmp_path, seeds=0)["default_model"]) == ["12e4567890123456"]
