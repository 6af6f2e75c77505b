"""What the slider of the first page says."""

import pytest

from crack_utils.report.threshold_slider import _best, _change


def test_the_first_page_names_all_networks_that_share_the_best_value():
    values = {"BCE": 0.4902, "Dice": 0.4901, "focal": 0.4904, "Tversky": 0.31}
    networks = [{"title": title, "mean_iou": [value]} for title, value in values.items()]
    assert _best(networks, 0) == ["BCE", "Dice", "focal"]


@pytest.mark.parametrize(
    ("first", "last", "words"),
    [
        (["focal"], ["Dice"], "another winner"),
        (["focal"], ["Dice", "Tversky"], "other winners"),
        (["Dice"], ["Dice"], "the same winner but other distances"),
        (["BCE", "focal"], ["BCE", "focal"], "the same winners but other distances"),
        (["BCE", "focal"], ["BCE"], "not the same winners"),
        (["BCE", "focal"], ["BCE", "Dice", "focal", "Tversky"], "no winner"),
        (["BCE", "Dice", "focal", "Tversky"], ["BCE", "Dice", "focal", "Tversky"], "no winner"),
    ],
)
def test_what_the_cast_does_to_the_winner_is_true_for_a_tie_as_well(first, last, words):
    assert _change(first, last, 4) == words
