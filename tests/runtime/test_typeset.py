"""Numbers and lists as a page writes them."""

import numpy as np
import pandas as pd
import pytest

from crack_utils.runtime.typeset import joined, number, power, span, styled


@pytest.mark.parametrize(
    ("value", "form", "text"),
    [
        (-0.0244, ".3f", "−0.024"),
        (0.0244, "+.3f", "+0.024"),
        (-0.0001, "+.3f", "0.000"),
        (-0.0, ".3f", "0.000"),
        (0.1294, ".1%", "12.9\u00a0%"),
        (0.0, ".0%", "0\u00a0%"),
        (1e-6, ".0e", "10⁻⁶"),
        (-2.5e-7, ".1e", "−2.5×10⁻⁷"),
        (1e-7, ".1g", "10⁻⁷"),
        (0.0, ".0e", "0"),
        (10, "d", "10"),
        (1735361, ",", "1,735,361"),
        (float("-inf"), ".1f", "−inf"),
    ],
)
def test_a_number_has_a_real_minus_and_no_sign_before_zero(value, form, text):
    assert number(value, form) == text


def test_a_number_too_small_for_a_float_is_zero():
    assert power(0.0) == "0"


def test_a_power_of_ten_stands_for_many_zeros():
    assert [power(v) for v in (1e-4, 4e-4, 1.6e-3, 0.01, 0.5, 9000, 3e-8, 1e24)] == [
        *("10⁻⁴", "4×10⁻⁴", "1.6×10⁻³", "0.01", "0.5", "9000", "3×10⁻⁸", "10²⁴")
    ]


def test_an_interval_that_is_one_number_as_written_is_one_number():
    assert span(1.531, 1.534) == "1.53"
    assert span(0.1, 0.25, unit=" %") == "0.10–0.25\u00a0%"


@pytest.mark.parametrize(
    ("words", "text"),
    [([], ""), (["BCE"], "BCE"), (["BCE", "Dice"], "BCE and Dice"), (["BCE", "Dice", "focal"], "BCE, Dice and focal")],
)
def test_words_are_joined_as_in_a_sentence(words, text):
    assert joined(iter(words)) == text


def test_words_are_joined_by_another_word():
    assert joined(["int", "float"], "or") == "int or float"


def test_a_table_is_written_as_the_text():
    rows = {"name": ["a<b", "c"], "count": [3, 4], "change": [-0.0244, np.nan], "share": [np.float32(0.129), 1.0]}
    html = styled(pd.DataFrame(rows), 2, {"share": ".1%"}, missing="missed").to_html()
    for cell in ("a&lt;b", "3", "−0.02", "missed", "12.9\u00a0%"):
        assert f">{cell}</td>" in html
