"""The fit of the rule that tells tips from mouths, on samples made up for it."""

import numpy as np
import pytest

from crack_utils.study import tip_rule

NAMES = ["constant", "narrow"]


def made_up(count, slope, seed=0):
    """Samples whose ends are tips with a probability that rises with one feature."""
    rng = np.random.default_rng(seed)
    found = []
    for specimen in range(count):
        narrow = rng.normal(0, 1, 2)
        tips = rng.random(2) < 1 / (1 + np.exp(-slope * narrow))
        found.append((specimen, np.stack([np.ones(2), narrow], axis=1), tips, np.zeros(2, bool)))
    return found


def test_the_weights_of_made_up_samples_are_found_again():
    weights = tip_rule.fit_ends(made_up(4000, 2.0), NAMES)
    assert weights["narrow"] == pytest.approx(2.0, abs=0.15) and weights["constant"] == pytest.approx(0, abs=0.1)


def test_ends_at_the_border_are_not_fitted():
    found = made_up(500, 2.0)
    spoiled = [
        (number, np.vstack([features, [1, 50]]), np.append(tips, False), np.array([False, False, True]))
        for number, features, tips, _ in found
    ]
    assert tip_rule.fit_ends(spoiled, NAMES) == tip_rule.fit_ends(found, NAMES)


def test_what_a_rule_is_worth_by_hand():
    features = np.array([[1.0, 3.0], [1.0, -3.0]])
    samples = [
        (0, features, np.array(tips), np.zeros(2, bool)) for tips in ([True, False], [False, True], [True, True])
    ]
    found = tip_rule.worth({"constant": 0.0, "narrow": 1.0}, samples)
    assert found["right"] == pytest.approx(2 / 3) and found["both"] == 0
    assert 0.9 < found["stated"] < 1
    assert tip_rule.worth({"constant": 9.0, "narrow": 1.0}, samples)["both"] == 1
