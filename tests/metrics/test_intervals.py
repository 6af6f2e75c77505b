"""Intervals and comparisons: hand-worked tables, what must not matter, and simulated studies with known answers."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from crack_utils.metrics import intervals
from crack_utils.metrics.intervals import bootstrap, bootstrap_of_few, compare, interval
from crack_utils.runtime import paths
from crack_utils.study import coverage as study_of_coverage
from crack_utils.study.coverage import (
    MEDIAN_SHAPES,
    MEDIAN_SPREADS,
    SPREADS,
    check,
    coverage,
    draw,
    errors,
    median_coverage,
)


def values(*lead, seeds=10, specimens=16, seed=0):
    return draw("near 1", (0.3, 1, 0.3), (seeds, specimens), np.random.default_rng(seed), lead)[0]


class TestInterval:
    def test_few_seeds_by_hand(self):
        """Means of seeds 1 and 3 and of specimens 1 and 3: both have the standard error 1."""
        found = interval([[0, 2], [2, 4]])
        half = stats.t.ppf(0.975, 1) * np.sqrt(2)
        assert (found.mean, found.low, found.high) == pytest.approx((2, 2 - half, 2 + half))
        assert not found.resampled

    def test_standard_error_by_hand(self):
        """Mean squares: seeds 4, specimens 4, residual 0; (4 + 4 − 0) / 4."""
        error = intervals._standard_error(np.array([[0.0, 2.0], [2.0, 4.0]]))
        assert error == pytest.approx(np.sqrt(2))

    def test_resampled_moments_are_those_of_the_repeated_table(self):
        """Weights say the same as a table whose rows and columns are really repeated."""
        table = values()
        rows, columns = np.random.default_rng(1).integers(0, 10, 10), np.random.default_rng(2).integers(0, 16, 16)
        weights = np.bincount(rows, minlength=10)[None] * 1.0, np.bincount(columns, minlength=16)[None] * 1.0
        mean, error = intervals._moments(table, *weights)
        repeated = table[np.ix_(rows, columns)]
        assert mean[0] == pytest.approx(repeated.mean() - table.mean())
        between = 16 * repeated.mean(1).var(ddof=1), 10 * repeated.mean(0).var(ddof=1)
        rest = repeated - repeated.mean(1)[:, None] - repeated.mean(0) + repeated.mean()
        variance = (sum(between) - (rest**2).sum() / (9 * 15)) / 160
        assert error[0] == pytest.approx(np.sqrt(max(variance, max(between) / 160)))

    def test_moves_and_stretches_with_the_values(self):
        own, moved = interval(values()), interval(3 * values() + 5)
        np.testing.assert_allclose([moved.low, moved.high], [3 * own.low + 5, 3 * own.high + 5])

    @pytest.mark.parametrize("axis", [0, 1])
    def test_order_hardly_matters(self, axis):
        order = np.random.default_rng(0).permutation(values().shape[axis])
        own, other = interval(values()), interval(values().take(order, axis))
        assert other.mean == pytest.approx(own.mean)
        np.testing.assert_allclose([other.low, other.high], [own.low, own.high], atol=0.05 * (own.high - own.low))

    def test_tables_are_separate(self):
        many = interval(values(3))
        assert many.low.shape == (3,)
        assert many.low[1] == pytest.approx(interval(values(3)[1]).low)

    def test_is_repeatable(self):
        assert interval(values()) == interval(values())

    @pytest.mark.parametrize("seeds", [2, 10])
    def test_equal_values_have_no_width(self, seeds):
        found = interval(np.full((seeds, 16), 0.3))
        assert found.low == found.high == found.mean == pytest.approx(0.3)

    @pytest.mark.parametrize(("wrong", "said"), [(np.ones((1, 5)), "two of each"), ([[1, np.nan], [1, 1]], "finite")])
    def test_refuses_what_has_no_interval(self, wrong, said):
        with pytest.raises(ValueError, match=said):
            interval(wrong)

    def test_refuses_a_level_in_percent(self):
        with pytest.raises(ValueError, match="level"):
            interval(values(), level=95)


class TestCompare:
    def test_all_pairs_in_order(self):
        found = compare(values(4))
        assert found.pairs == [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)]
        means = values(4).mean((1, 2))
        np.testing.assert_allclose(found.difference[3], means[1] - means[2])

    @pytest.mark.parametrize("resamples", [99, 199, 999])
    def test_limits_and_p_values_agree(self, resamples):
        found = compare(values(40, 4, seed=3) + np.linspace(0, 0.1, 4)[:, None, None], resamples=resamples)
        outside = (found.low > 0) | (found.high < 0)
        assert 0.05 < outside.mean() < 0.95
        np.testing.assert_array_equal(outside, found.p <= 0.05 + 1e-12)

    def test_smallest_p(self):
        tables = 0.001 * values(2) + np.array([0, 1])[:, None, None]
        assert compare(tables, resamples=999).p == pytest.approx(1 / 1000)

    def test_smallest_p_of_five_seeds_that_alone_vary(self):
        seeds = np.random.default_rng(0).normal(size=(5, 1)) * 1e-3 + np.zeros((5, 16))
        p = compare(np.stack([seeds + 1, np.zeros((5, 16))])).p
        assert p == pytest.approx(5.0**-4, rel=0.6)
        assert p < 0.05

    def test_few_seeds_establish_nothing(self):
        found = compare(values(4, seeds=3))
        assert np.isnan(found.p).all() and not found.resampled
        assert (found.low < found.high).all()

    def test_equal_losses_do_not_differ(self):
        found = compare(np.stack([values()] * 4))
        assert (found.p == 1).all() and (found.low == 0).all() and (found.high == 0).all()

    def test_what_all_losses_share_does_not_matter(self):
        shared = np.random.default_rng(5).normal(size=(10, 16))
        np.testing.assert_allclose(compare(values(4) + shared).p, compare(values(4)).p, atol=1e-3)

    def test_refuses_a_single_loss(self):
        with pytest.raises(ValueError, match="two losses"):
            compare(values())


class TestBootstrap:
    def test_covers_a_mean_like_the_interval_of_crossed_data(self):
        table = values()
        found = bootstrap(lambda rows, columns: table[np.ix_(rows, columns)].mean(), *table.shape, resamples=2000)
        expected = interval(table)
        assert found[0] == pytest.approx(expected.mean)
        assert found[1] == pytest.approx(expected.low, abs=0.3 * (expected.high - expected.low))

    def test_of_a_constant_and_of_several_values(self):
        found = bootstrap(lambda rows: np.array([1.0, len(rows)]), 4, resamples=10)
        np.testing.assert_array_equal(found, [[1, 4]] * 3)

    def test_one_entry_gives_no_limits(self):
        value, low, high = bootstrap(lambda rows, columns: 0.5, 1, 9)
        assert value == 0.5 and np.isnan(low) and np.isnan(high)


def within(rate, expected, trials):
    """Whether a rate is as expected, within four standard errors of so many trials and a point of approximation."""
    return abs(rate - expected) < 4 * np.sqrt(expected * (1 - expected) / trials) + 0.01


@pytest.mark.parametrize("effects", ["normal", "near 1"])
def test_intervals_cover(effects):
    hits = coverage(effects, SPREADS["specimens"], (10, 16), 200, np.random.default_rng(0))
    assert within(hits / 200, 0.95, 200)


def test_the_interval_of_a_difference_of_medians_is_not_too_narrow(monkeypatch):
    """With three seeds; percentiles of the same bootstrap are too narrow then."""

    def percentiles(own, base, resamples):
        def difference(seeds, specimens):
            chosen = (errors[np.ix_(seeds, specimens)].reshape(len(seeds), -1) for errors in (own, base))
            return np.subtract(*(np.median(errors, axis=1).mean() for errors in chosen))

        return bootstrap(difference, *own.shape[:2], resamples=resamples)

    setting = MEDIAN_SPREADS["seeds differ"], (3, 24, 6), 100
    assert median_coverage(*setting, np.random.default_rng(0)) >= 90
    monkeypatch.setattr(study_of_coverage, "median_difference", percentiles)
    assert median_coverage(*setting, np.random.default_rng(0)) <= 80


def test_the_committed_intervals_of_medians_are_not_too_narrow():
    table = pd.read_csv(paths.root() / "results" / "statistics_check.csv")
    medians = table[table["check"] == "coverage of medians"]
    assert len(medians) == len(MEDIAN_SHAPES) * len(MEDIAN_SPREADS) and (medians["high"] >= 0.95).all()


def test_comparisons_keep_the_error_of_the_family_and_find_differences():
    wrong, found, true = errors("normal", SPREADS["all alike"], (10, 16), "one differs", 100, np.random.default_rng(0))
    assert wrong / 100 < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 100)
    assert found / true > 0.6


@pytest.mark.acceptance
def test_all_simulated_settings():
    table = check()
    enough = table[table["seeds"] == 10]
    covered = enough[enough["check"] == "coverage"]
    assert covered["rate"].between(0.92, 0.98).all() and (covered["rate"].mean() > 0.935)
    family = enough[enough["check"] == "family-wise error"]
    assert (family["low"] <= 0.05).all()


class TestOfFew:
    def test_of_a_mean_it_is_student_s_interval(self):
        """One factor: the standard error of a resampled mean, widened to n − 1, is that of Student's t."""
        values = np.array([1.0, 2.0, 4.0, 7.0])
        value, low, high = bootstrap_of_few(lambda chosen: values[chosen].mean(), 4, resamples=20_000)
        error = values.std(ddof=1) / 2
        assert value == 3.5
        np.testing.assert_allclose([low, high], 3.5 + error * stats.t.ppf([0.025, 0.975], 3), atol=0.1)

    def test_one_entry_has_no_interval(self):
        value, low, high = bootstrap_of_few(lambda chosen: 2.0, 1)
        assert value == 2 and np.isnan(low) and np.isnan(high)
