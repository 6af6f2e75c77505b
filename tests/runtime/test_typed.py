"""Values against declared types: what a JSON file may hold, and what it may not."""

import math
from dataclasses import dataclass

import pytest

from crack_utils import Experiment
from crack_utils.runtime.typed import fits, wrong_fields


@pytest.mark.parametrize(
    ("value", "kind", "expected"),
    [
        (3, int, True),
        (3.0, int, False),
        (True, int, False),
        (3, float, True),
        (math.nan, float, False),
        (math.inf, float, False),
        ("x", str, True),
        (None, int | None, True),
        ([1, 2], tuple[int, int], True),
        ([1, 2, 3], tuple[int, int], False),
        ([], tuple[str, ...], True),
        (["a", 1], tuple[str, ...], False),
        ({}, dict, True),
        ([], dict, False),
    ],
)
def test_by_hand(value, kind, expected):
    assert fits(value, kind) is expected


def test_all_wrong_fields_are_named():
    @dataclass
    class Settings:
        epochs: int
        rates: tuple[float, float] | None = None

    assert wrong_fields(Settings("ten", [1, "x"])) == [
        "epochs must be int, got 'ten'",
        "rates must be tuple[float, float] or None, got [1, 'x']",
    ]
    assert wrong_fields(Settings(3)) == []


@pytest.mark.parametrize("field", list(Experiment().to_dict()))
@pytest.mark.parametrize("value", [object(), math.nan, {"deeply": [[[]]]}, "x" * 1000, -1, 10**12])
def test_an_experiment_takes_no_nonsense(field, value):
    """Each field in turn of a wrong type, nested, long, negative, huge: one ValueError, or it is valid."""
    try:
        Experiment(**{field: value})
    except ValueError as error:
        assert field in str(error)
