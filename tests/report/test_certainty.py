"""What the page of certainty shows, from a calibration whose numbers are known."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from crack_utils.data import novelty
from crack_utils.evaluation.calibration import Calibration
from crack_utils.inference.certainty import why_no_bound
from crack_utils.report import certainty

MEASURED = {
    "expected_calibration_error_before": 0.02,
    "expected_calibration_error_after": 0.01,
    "mean_iou": 0.8,
    "crack_iou": 0.6,
    "mean_iou_at_threshold": 0.85,
    "crack_iou_at_threshold": 0.7,
}
INTERVALS = {
    "level": 0.8,
    "specimens": 9,
    "pictures": 27,
    "tip": {"bound_px": None, "coverage": None, "coverage_low": None, "coverage_high": None},
    "length": {"bound_px": 3.5, "coverage": 0.84, "coverage_low": 0.5, "coverage_high": 1.0},
}


@pytest.fixture
def calibration():
    measured = {"validation": MEASURED, "test": MEASURED | {"mean_iou": 0.75}}
    return Calibration(1.5, 0.4, measured, INTERVALS)


@pytest.fixture
def image():
    """A gray picture with a slope, a texture and a dark line."""
    image = np.linspace(0.4, 0.6, 64)[:, None] + np.random.default_rng(1).normal(0, 0.03, (64, 80))
    image[30:33, :50] = 0.1
    return np.clip(image, 0, 1)


def test_one_row_a_set(calibration):
    table = certainty.calibration_table(calibration)
    assert list(table.index) == ["validation", "test"]
    assert list(table.loc["test"]) == [0.02, 0.01, 0.75, 0.85]
    assert table.columns[-1] == "at 0.4"


def test_no_bound_is_an_empty_place(calibration):
    table = certainty.bounds_table(calibration)
    assert list(table.loc["length"])[:5] == [3.5, 0.8, 0.84, 0.5, 1.0]
    assert table.loc["tip"].isna().sum() == 4
    assert table["why there is no bound"].isna().tolist() == [True, False]


@pytest.mark.parametrize(("specimens", "why"), [(3, "at least 4 test specimens, not 3"), (4, "too many cracks")])
def test_no_bound_says_why(specimens, why):
    """With four specimens, a bound covers 4 / 5 = 80 % at most."""
    assert why in why_no_bound({"level": 0.8, "specimens": specimens})


def test_no_test_set_no_bounds():
    calibration = Calibration(1.0, 0.5, {"validation": MEASURED})
    assert certainty.bounds_table(calibration).empty
    assert certainty.certainty_numbers(calibration)["evaluated"] == "validation"


def test_numbers_are_those_of_the_test_set(calibration):
    numbers = certainty.certainty_numbers(calibration)
    assert (numbers["evaluated"], numbers["mean_iou"], numbers["temperature"]) == ("test", 0.75, 1.5)


def test_versions_are_pictures_and_always_the_same(image):
    versions = certainty.altered(image)
    for version in versions.values():
        assert version.shape == image.shape and 0 <= version.min() <= version.max() <= 1
    np.testing.assert_array_equal(versions["noise of 10 %"], certainty.altered(image)["noise of 10 %"])
    np.testing.assert_allclose(versions["its negative"], 1 - image, atol=1e-6)


def test_what_is_said_of_each_version(image):
    generator = np.random.default_rng(2)
    training = [
        np.clip(factor * image + shift + generator.normal(0, noise, image.shape), 0, 1)
        for factor in (0.8, 1, 1.2)
        for shift in (-0.1, 0, 0.1)
        for noise in (0, 0.02)
    ]
    ranges = novelty.ranges(training)
    warnings = certainty.unlike_table(certainty.altered(image), ranges).set_index("photograph")["warning"]
    assert warnings["original"] == "–"
    assert warnings["a third of the light"].startswith("much darker")
    assert "brighter" in warnings["overexposed"]
    assert "lower in contrast" in warnings["half the contrast"]
    assert "more blurred" in warnings["blurred by 1.5 px"] or "less noisy" in warnings["blurred by 1.5 px"]
    assert "noisier" in warnings["noise of 10 %"]


def test_bounds_of_a_half_are_tested_on_the_other_and_misses_take_the_bound_away():
    errors = np.random.default_rng(0).exponential(2, 300)
    tables = {
        "usual": pd.DataFrame({"error_px": errors, "length_error_px": np.where(errors < 1, errors, np.inf)}),
        "plates": pd.DataFrame({"error_px": [*errors, np.nan, np.nan]}),
    }
    table = certainty.coverage_table(read=tables.get)
    assert table["specimens"].tolist()[:2] == table["tested"].tolist()[:2] == [150, 150]
    assert table["specimens"].iloc[2] + table["tested"].iloc[2] == 300  # a picture without a crack has no error
    length, tip, _ = table.to_dict("records")
    # Six in ten are missed, so no bound can hold for eight in ten.
    assert np.isnan(length["error at most [px]"]) and np.isnan(length["covered"])
    # The 121st of 150 is the smallest bound with a coverage of 0.8 or more: 121 / 151 = 0.801.
    first = np.isin(np.arange(300), certainty._half(300))
    assert tip["error at most [px]"] == np.sort(errors[first])[120]
    assert tip["covered"] == (errors[~first] <= tip["error at most [px]"]).mean()


def test_halves_are_mixed():
    """Kind of specimen and moment of its test depend on the last digit of its number."""
    digits = np.bincount(certainty._half(400) % 10, minlength=10)
    assert digits.sum() == 200 and digits.min() >= 10


def test_range_of_the_covered_share_is_that_of_simulations():
    random = np.random.default_rng(1)
    bounds = np.sort(random.random((4000, 40)))[:, 32]  # 33 / 41 = 0.805
    shares = (random.random((4000, 60)) <= bounds[:, None]).mean(axis=1)
    assert certainty._shares_if_it_holds(40, 60, 0.8) == pytest.approx(
        np.quantile(shares, (0.025, 0.975)), abs=1.5 / 60
    )


def test_the_bounds_hold_on_the_committed_tables():
    """Each share lies outside of its range of 95 % once in twenty; more of them than chance explains must not."""
    inside, bounds = certainty.bounds_inside(certainty.coverage_table())
    assert bounds >= 3
    assert stats.binomtest(bounds - inside, bounds, certainty.OUTSIDE, "greater").pvalue > 0.05
