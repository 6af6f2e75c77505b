"""Corrections, outlines and measures of a photograph, against values worked out by hand."""

import numpy as np
import pytest

from crack_utils.inference.page.examine import MOST_CRACKS, corrected, examine, outlines
from crack_utils.inference.page.settings import Settings, Stroke
from tests.helpers.small_page import bars, predictor


def found(settings, image=None):
    image = bars() if image is None else image
    field = corrected(image, 1 - image, settings.strokes)
    return examine(predictor(), image, field, settings, outlines(field, settings.threshold), [])


def test_outlines_go_round_cracks_and_holes_and_close_at_the_border():
    field = np.zeros((20, 30), np.float32)
    field[5:12, 0:10] = 1
    field[7:9, 3:6] = 0
    lines = outlines(field, 0.5)
    assert len(lines) == 2 and all((line[0] == line[-1]).all() for line in lines)
    low, high = lines[0].min(axis=0), lines[0].max(axis=0)
    np.testing.assert_allclose([low, high], [[4.5, -0.5], [11.5, 9.5]])
    assert outlines(np.zeros((20, 30), np.float32), 0.5) == []


def test_an_edge_is_no_crack_until_a_person_draws_chooses_or_sets_the_threshold():
    image = np.full((120, 160), 0.5, np.float32) + np.float32(np.random.default_rng(0).normal(0, 0.03, (120, 160)))
    image[61:] += 0.3
    field = np.full(image.shape, 0.002, np.float32)
    field[59:62] = 0.7

    def cracks(**more):
        settings = Settings(**{"threshold": 0.4, **more})  # the network's own
        drawn = corrected(image, field, settings.strokes)
        return len(examine(predictor(), image, drawn, settings, outlines(drawn, settings.threshold), []).cracks)

    assert cracks() == 0
    assert cracks(primary=(60.0, 80.0)) == cracks(threshold=0.5) == 1
    assert cracks(strokes=(Stroke("add", "straight", 3, ((60.0, 10.0), (60.0, 40.0))),)) == 1


def test_outlines_of_noise_are_drawn_coarser():
    noise = np.random.default_rng(0).random((1200, 1200), np.float32)
    assert sum(map(len, outlines(noise, 0.5))) < 500_000


def test_corrections_add_and_remove_in_order():
    image = bars()
    add, erase = (Stroke(mode, "straight", 1.0, ((30.0, 10.0), (30.0, 12.0))) for mode in ("add", "subtract"))
    expected = np.zeros_like(image)
    expected[30, 10:13] = 1
    nothing = np.zeros_like(image)
    np.testing.assert_array_equal(corrected(image, nothing, [add]), expected)
    np.testing.assert_array_equal(corrected(image, nothing, [add, erase]), nothing)
    np.testing.assert_array_equal(corrected(image, nothing, [erase, add]), expected)
    assert corrected(image, nothing, ()) is nothing
    with pytest.raises(ValueError, match="outside"):
        corrected(image, nothing, [Stroke("add", "straight", 1.0, ((900.0, 10.0),))])


def test_a_person_names_the_primary_crack_and_its_tip():
    first = found(Settings(0.4))
    assert [round(crack.length) for crack in first.cracks] == [30, 20]
    assert len(first.primary) == 1
    second = found(Settings(0.4, primary=(41.0, 30.0)))
    assert [round(crack.length) for crack in second.cracks] == [20, 30]
    assert [crack.primary for crack in second.cracks] == [True, False] and second.primary != first.primary
    tip = first.cracks[0].tip
    turned = found(Settings(0.4, notch=tip.position)).cracks[0].tip
    assert turned.position == tip.other_end and turned.other_end == tip.position and turned.second is None


def test_a_drawn_line_is_measured_with_what_was_found():
    line = Stroke("add", "straight", 4.0, ((19.5, 49.0), (19.5, 69.5)))
    cracks = found(Settings(0.4, 0.1, strokes=(line,))).cracks
    assert cracks[0].length == pytest.approx(50, abs=2.5)
    assert cracks[0].to_dict()["length_mm"] == pytest.approx(cracks[0].length / 10)


def test_bounds_hold_only_where_they_were_measured():
    intervals = {"level": 0.8, "length": {"bound_px": 3.0}, "tip": {"bound_px": None}}
    known = predictor(calibration={"intervals": intervals})
    image = bars()

    def told(settings, unlike=()):
        field = corrected(image, 1 - image, settings.strokes)
        return " ".join(examine(known, image, field, settings, [], list(unlike)).sure)

    bound = "at most 3.0 px"
    assert bound in told(Settings(0.4))
    assert bound not in told(Settings(0.6)) and "another threshold" in told(Settings(0.6))
    assert bound not in told(Settings(0.4), ["darker than all"]) and "unlike" in told(Settings(0.4), ["darker"])
    assert "set or corrected the primary crack" in told(Settings(0.4, primary=(41.0, 30.0)))
    stroke = Stroke("subtract", "straight", 2.0, ((5.0, 5.0),))
    assert bound not in told(Settings(0.4, strokes=(stroke,)))


def test_of_too_many_specks_the_largest_are_measured():
    image = np.full((120, 400), 0.9, np.float32)
    image[2::4, 2::4] = 0.1
    image[60:63, 10:300] = 0.1
    result = found(Settings(0.4), image)
    assert len(result.cracks) <= MOST_CRACKS and result.left_out > 2000
    assert max(crack.length for crack in result.cracks) == pytest.approx(290, abs=3)
