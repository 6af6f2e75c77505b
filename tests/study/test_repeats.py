"""Trainings of kept studies that were repeated: what is compared, and what is said of it."""

import pandas as pd
import pytest

from crack_utils.study import repeats, tables
from crack_utils.study.cases import KEPT


def test_the_kept_values_are_those_of_the_kept_studies():
    scales = {folder: scale for scale, folder in KEPT.items()}
    for (study, question, variant, seed), rows in repeats.read().groupby(["study", "question", "variant", "seed"]):
        runs = tables.read(tables.folder_of(scales[study])).runs.set_index(["question", "variant", "seed"])
        kept = runs.loc[(question, variant, seed)]
        assert rows.set_index("measure")["kept"].to_dict() == pytest.approx(kept[list(repeats.MEASURES)].to_dict())
        assert set(rows["number_type"]) == {kept["precision_policy"]}


def test_each_kept_study_has_two_seeds():
    kept = {folder for scale, folder in KEPT.items() if tables.folder_of(scale).is_dir()}
    again = repeats.read()
    assert set(again["study"]) == kept
    assert (again.groupby(["study", "variant"])["seed"].unique().map(set) == set(repeats.SEEDS)).all()


def test_differences_by_number_type():
    row = {"study": "tips", "question": "tips", "variant": "dice", "measure": "pooled_mean_iou", "kept": 0.8}
    rows = [
        row | {"seed": 0, "number_type": "float32", "again": 0.8},
        row | {"seed": 1, "number_type": "float32", "again": 0.801},
        row | {"seed": 1, "number_type": "float32", "again": 0.8, "measure": "validation_mean_iou"},
        row | {"seed": 0, "number_type": "mixed_bfloat16", "again": 0.797, "variant": "bce"},
    ]
    found = repeats.numbers(pd.DataFrame(rows))
    assert found["trainings"] == 3
    assert found["float32"] == {"largest": pytest.approx(0.001), "trainings": 2, "equal": 1}
    assert found["mixed_bfloat16"] == {"largest": pytest.approx(0.003), "trainings": 1, "equal": 0}
