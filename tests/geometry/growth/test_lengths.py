"""Crack lengths from tips in photographs, by hand."""

import dataclasses

import numpy as np
import pytest

from crack_utils.geometry.growth import (
    Specimen,
)
from crack_utils.geometry.growth.lengths import both_halves, crack_lengths
from tests.helpers.growth_specimens import COMPACT, MIDDLE


class TestLengths:
    def test_growth_is_projected_from_the_notch(self):
        tips = [(50, 30), (50, 50), (50, 70), (np.nan, np.nan)]
        others = [(50, 10), (52, 11), (49, 9), (np.nan, np.nan)]
        specimen = Specimen("c", "C(T)", 12, W=50, B=10, direction=0)
        found = crack_lengths(specimen, tips, others, [0.1] * 4, [0.5] * 4)
        np.testing.assert_allclose(found.a, [14, 16, 18, np.nan])
        np.testing.assert_allclose(found.uncertainty[:3], 0.05)
        assert (found.mm_per_px, found.residual, found.sides) == (0.1, 0, None)

    def test_a_crack_that_turns_is_projected_and_told(self):
        specimen = Specimen("c", "C(T)", 12, W=50, B=10, notch=(50, 10), direction=180)
        found = crack_lengths(specimen, [(50, 0), (90, -30)], np.full((2, 2), np.nan), [0.1, 0.1], [0, 0])
        np.testing.assert_allclose(found.a, [13, 16])
        np.testing.assert_allclose(found.turned, [0, 45])

    def test_only_a_line_that_goes_on_beyond_the_notch_is_the_other_half(self):
        speck, scratch, half = [(60, -900), (60, -903)], [(60, 60), (60, 20)], [(61, 142), (62, 110)]
        across = [(70, 140), (120, 120)]
        slot = dataclasses.replace(MIDDLE, a_n=10)  # so the halves are 30 px apart at most
        primary, lines = ((60, 230), (60, 158)), [speck, scratch, across]
        assert both_halves(slot, *primary, lines, 1) == primary
        assert both_halves(slot, *primary, [*lines, half], 1) == ((60, 230), (62, 110))
        assert both_halves(slot, *primary[::-1], [*lines, half], 1) == ((60, 230), (62, 110))
        assert both_halves(slot, (60, 230), None, lines, 1) == ((60, 230), None)

    def test_a_tip_on_another_line_is_an_outlier_though_its_length_fits(self):
        grown = np.array([10, 20, 30, 40, 50, 60])
        tips = np.stack([50 + 0.2 * grown, 100.0 + grown], axis=1)
        tips[2] = 350, 130  # an edge of the plate
        given = dataclasses.replace(COMPACT, notch=(50, 100), direction=0)
        found = crack_lengths(given, tips, np.full((6, 2), np.nan), np.full(6, 0.1), np.full(6, 0.5))
        np.testing.assert_allclose(found.a, 12 + 0.1 * grown)
        assert found.outliers.tolist() == [False, False, True, False, False, False]
        np.testing.assert_allclose(found.together, 12 + 0.1 * grown)

    def test_the_direction_of_a_crack_that_has_hardly_grown_is_noise(self):
        tips = [(53, 100), (53, 101), (54, 101), (52, 160), (52, 200)]
        given = dataclasses.replace(COMPACT, notch=(50, 100), direction=0)
        found = crack_lengths(given, tips, np.full((5, 2), np.nan), np.full(5, 0.1), np.full(5, 0.5))
        assert not found.outliers.any()
        np.testing.assert_allclose(found.together[-2:], [18, 22])

    def test_where_all_frames_contradict_each_other_some_are_kept(self):
        tips = [(139, 122), (-5, 104), (124, 190), (50, 136), (50, 164), (50, 175)]
        given = dataclasses.replace(COMPACT, notch=(50, 100), direction=0)
        weights = [1, 1, 1e-6, 0.5, 1e-6, 0.02]
        found = crack_lengths(given, tips, np.full((6, 2), np.nan), np.full(6, 0.1), np.full(6, 0.5), weights)
        assert not found.outliers.all()

    def test_without_a_direction_it_is_that_of_the_crack(self):
        found = crack_lengths(COMPACT, [(3, 4), (6, 8)], [(0, 0), (0, 0)], [1, 1], [0, 0])
        np.testing.assert_allclose(found.a, [12 + 5, 12 + 10])

    def test_a_notch_in_the_mask_is_behind_the_given_one(self):
        """The mask shows 40 px of the slot; at first the crack is shorter than that."""
        grown = np.array([5, 15, 30, 45, 60, 90])
        tips = np.stack([np.full(6, 50.0), 100.0 + grown], axis=1)
        others = np.tile([50.0, 60.0], (6, 1))
        given = dataclasses.replace(COMPACT, notch=(50, 100))
        found = crack_lengths(given, tips, others, np.full(6, 0.1), np.full(6, 0.5))
        np.testing.assert_allclose(found.a, 12 + 0.1 * grown)
        assert not found.exchanged.any()

    def test_the_end_that_moves_is_the_tip_though_most_frames_say_otherwise(self):
        tips = np.stack([np.full(6, 50.0), [20, 20, 60, 20, 20, 120]], axis=1)
        others = np.stack([np.full(6, 50.0), [40, 50, 20, 80, 100, 20]], axis=1)
        for given in (COMPACT, dataclasses.replace(COMPACT, notch=(50, 100), direction=0)):
            found = crack_lengths(given, tips, others, np.full(6, 0.1), np.full(6, 0.5))
            assert found.exchanged.tolist() == [True, True, False, True, True, False]
            np.testing.assert_allclose(np.diff(found.a), [1, 1, 2, 2, 2])

    @pytest.mark.parametrize("known", [{"direction": 0}, {"direction": 10}, {"notch": (50, 22)}])
    def test_of_a_crack_that_does_not_grow_direction_or_notch_say_where_its_tip_is(self, known):
        tips, others = [(50, 20), (50, 60), (50, 21)], [(50, 61), (50, 20), (50, 60)]
        found = crack_lengths(dataclasses.replace(COMPACT, **known), tips, others, np.full(3, 0.1), np.full(3, 0.5))
        assert found.exchanged.tolist() == [True, False, True]

    def test_a_camera_that_moves_is_no_growth(self):
        """Both ends move alike: most frames decide."""
        tips, others = [(50, 60 + 8 * i) for i in range(6)], [(50, 20 + 8 * i) for i in range(6)]
        found = crack_lengths(COMPACT, tips, others, np.full(6, 0.1), np.full(6, 0.5))
        assert not found.exchanged.any()

    @pytest.mark.parametrize("known", [{}, {"direction": 0}, {"notch": (50, 200)}])
    @pytest.mark.parametrize("begins", [[200] * 4 + [20] * 4, [250] * 3 + [100] * 5])
    def test_masks_that_begin_to_show_the_notch_are_no_growth_at_that_end(self, begins, known):
        tips, others = [(50, 260 + 8 * i) for i in range(8)], [(50, column) for column in begins]
        found = crack_lengths(dataclasses.replace(COMPACT, **known), tips, others, np.full(8, 0.1), np.full(8, 0.5))
        assert not found.exchanged.any()
        np.testing.assert_allclose(np.diff(found.a), 0.8)

    def test_a_camera_that_follows_the_tip_does_not_overrule_direction_and_tips(self):
        tips, others = [(50, 300)] * 8, [(50, 250 - 8 * i) for i in range(8)]
        given = dataclasses.replace(COMPACT, direction=0)
        assert not crack_lengths(given, tips, others, np.full(8, 0.1), np.full(8, 0.5)).exchanged.any()

    def test_of_frames_that_contradict_each_other_the_longer_cracks_decide(self):
        tips, others = [(50, 100), (50, 20)], [(50, 20), (50, 29)]
        found = crack_lengths(COMPACT, tips, others, [0.1] * 2, [0.5] * 2)
        assert found.exchanged.tolist() == [False, True]

    def test_a_crack_that_runs_against_its_direction_has_lengths_below_its_notch(self):
        given = dataclasses.replace(COMPACT, direction=180)
        tips, others = [(50, 60 + 8 * i) for i in range(6)], [(50, 20)] * 6
        for begins in (others, np.full((6, 2), np.nan)):  # a person gives tips alone
            placed = dataclasses.replace(given, notch=(50, 20))
            found = crack_lengths(placed, tips, begins, np.full(6, 0.1), np.full(6, 0.5))
            assert (found.a < COMPACT.a_n).all()

    def test_one_long_line_across_does_not_decide_at_which_end_the_tips_are(self):
        random = np.random.default_rng(0)
        others = np.array([50.0, 100.0]) + random.normal(scale=2, size=(8, 2))
        tips = others + np.stack([np.zeros(8), 10.0 + 8 * np.arange(8)], axis=1)
        tips[3], others[3] = (20, 130), (500, 135)  # the edge of the plate
        found = crack_lengths(COMPACT, tips, others, np.full(8, 0.1), np.full(8, 0.5))
        assert not np.delete(found.exchanged, 3).any()
        assert found.outliers.tolist() == [False] * 3 + [True] + [False] * 4

    @pytest.mark.parametrize("wrong", [0, 4, 7])
    def test_one_wrong_pair_of_tips_changes_no_other_length(self, wrong):
        """Also the first one, which may give the centre, and the last one, which may give the direction."""
        half = 20.0 + 8 * np.arange(8)
        tips = np.stack([[50, 51, 49, 50, 52, 48, 50, 50], 200 - half], axis=1)
        others = np.stack([[51, 49, 50, 50, 48, 52, 49, 50], 200 + half], axis=1)
        tips[wrong], others[wrong] = (10, 320), (480, 330)
        found = crack_lengths(MIDDLE, tips, others, np.full(8, 0.1), np.full(8, 0.5))
        assert found.outliers.tolist() == [frame == wrong for frame in range(8)]
        np.testing.assert_allclose(
            np.delete(found.tips, wrong, axis=0), np.delete(half, wrong)[:, None] * [0.1, 0.1], atol=0.02
        )

    def test_a_camera_that_moves_does_not_exchange_two_tips(self):
        tips = np.array([(50.0, 20), (250, 10), (450, 0)])
        others = tips + np.array([[1, 60], [-1, 80], [1, 100]])
        found = crack_lengths(MIDDLE, tips, others, np.full(3, 0.1), np.full(3, 0.5))
        np.testing.assert_allclose(found.a, [3, 4, 5], atol=0.01)

    def test_with_two_tips_a_given_notch_is_the_centre(self):
        given = dataclasses.replace(MIDDLE, notch=(50, 40))
        found = crack_lengths(given, [(50, 20), (50, 10)], [(50, 80), (50, 110)], [0.5, 0.5], [1, 1])
        np.testing.assert_allclose(found.tips, [[10, 20], [15, 35]])

    def test_two_tips_in_any_order(self):
        tips, others = [(50, 20), (50, 110)], [(50, 80), (50, 10)]
        found = crack_lengths(MIDDLE, tips, others, [0.5, 0.5], [1, 1])
        np.testing.assert_allclose(found.tips, [[15, 15], [20, 30]])
        np.testing.assert_allclose(found.a, [15, 25])
        np.testing.assert_allclose(found.sides, [0, -10])
        np.testing.assert_allclose(found.uncertainty, 0.5 / np.sqrt(2))

    def test_scales_that_differ_are_told(self):
        found = crack_lengths(COMPACT, [(0, 10), (0, 20)], [(0, 0)] * 2, [0.09, 0.11], [0, 0])
        assert (found.mm_per_px, found.residual) == (pytest.approx(0.1), pytest.approx(0.1))
        np.testing.assert_allclose(found.uncertainty, [0.1, 0.2])

    @pytest.mark.parametrize(
        ("specimen", "tips", "others", "message"),
        [
            (COMPACT, [(np.nan, np.nan)], [(np.nan, np.nan)], "no frame shows a crack"),
            (COMPACT, [(0, 5)], [(np.nan, np.nan)], "give notch_row and notch_column"),
            (COMPACT, [(0, 5)], [(0, 5)], "does not leave its notch"),
            (MIDDLE, [(0, 5)], [(np.nan, np.nan)], "its tips"),
        ],
    )
    def test_what_gives_no_length_is_refused(self, specimen, tips, others, message):
        with pytest.raises(ValueError, match=message):
            crack_lengths(specimen, tips, others, [1], [0])
