"""Where geometry takes a short way, it finds the same as the plain long one."""

import tracemalloc
from itertools import combinations

import numpy as np
import pytest
from scipy import ndimage
from scipy.spatial.distance import cdist
from skimage.morphology import remove_small_holes

from crack_utils.geometry import ends, pieces, primary, skeleton
from crack_utils.geometry.centreline import line_of, ray, trace
from crack_utils.geometry.skeleton import EIGHT, skeletons, without_pores
from crack_utils.geometry.tip import uncertainty

LEVEL = 0.5


@pytest.fixture(params=range(6))
def picture(request):
    """Return a probability with dozens of winding, broken lines, and a photograph in which they are dark."""
    rng = np.random.default_rng(request.param)
    valleys = np.abs(ndimage.gaussian_filter(rng.normal(size=(120, 160)), 7))
    broken = ndimage.gaussian_filter(rng.normal(size=valleys.shape), 4) * 12
    field = np.float32(np.clip(1.1 - 60 * valleys + broken, 0, 1))
    image = ndimage.gaussian_filter(rng.uniform(size=field.shape), 1) - 0.2 * field
    return field, np.float32(np.clip(image, 0, 1))


def test_a_line_traced_from_its_other_end_is_the_same_line(picture):
    field, image = picture
    for crack in skeletons(field >= LEVEL):
        way, closed = crack.longest_path()
        if closed or len(way) < 20:
            continue
        line, other = line_of(field, LEVEL, crack, way), line_of(field, LEVEL, crack, way[::-1])
        assert other.reverse is line
        backward = trace(field, LEVEL, crack.pixels[way[::-1]], crack.radii[way[::-1]], heading=crack.heading)
        np.testing.assert_allclose(other.points, backward.points, atol=1e-6)
        np.testing.assert_allclose(other.widths, backward.widths, atol=1e-6)
        measured, again = (ends.features_of(each, (False, False), image, field >= LEVEL) for each in (other, backward))
        np.testing.assert_allclose(measured, again, atol=0.01)


def test_cracks_after_joining_are_those_of_a_new_skeleton(picture):
    joined, found = primary._joined(picture[0], LEVEL, picture[1])
    plain = primary._longest_first(skeletons(joined >= LEVEL))
    assert len(found) == len(plain) > 5
    for (crack, way, closed), (other, other_way, other_closed) in zip(found, plain, strict=True):
        np.testing.assert_array_equal(crack.pixels, other.pixels)
        np.testing.assert_array_equal(crack.radii, other.radii)
        np.testing.assert_array_equal(crack.links.toarray(), other.links.toarray())
        np.testing.assert_array_equal(way, other_way)
        assert closed == other_closed


@pytest.mark.parametrize("band", [1, 7, 256])
@pytest.mark.parametrize("share", [0.5, 0.6, 0.9])
def test_pores_are_those_of_the_whole_picture_whatever_the_bands(band, share, monkeypatch):
    mask = np.random.default_rng(band).random((61, 40)) < share
    monkeypatch.setattr(skeleton, "_BAND", band)
    filled = without_pores(mask)
    np.testing.assert_array_equal(filled, remove_small_holes(mask, max_size=8, connectivity=1))
    assert (filled & ~mask).any()


def test_pores_of_a_large_mask_are_found_in_little_memory():
    mask = np.random.default_rng(0).random((4000, 500)) < 0.1
    tracemalloc.start()
    without_pores(mask)
    peak = tracemalloc.get_traced_memory()[1] / mask.size
    tracemalloc.stop()
    assert peak < 3, peak  # bytes a pixel; the labels of a whole picture take four


def test_a_rise_is_the_fall_of_the_negative(picture):
    field, _ = picture
    starts = np.argwhere(field < LEVEL)[::97]
    rises = [ray(field, LEVEL, start, (0.6, -0.8), 200.0, rising=True) for start in starts]
    assert rises == [ray(-field, -LEVEL, start, (0.6, -0.8), 200.0) for start in starts] and min(rises) < 20


def test_no_crack_costs_a_copy_of_the_photograph():
    """A network unsure of many small cracks: each of them has its tip where the probability never is high enough."""
    field = np.zeros((1000, 1000), np.float32)
    field[500, 400:600] = LEVEL + 0.05
    tracemalloc.start()
    assert uncertainty(field, LEVEL, np.array([500.0, 599.0]), np.array([0.0, 1.0])) > 10
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < field.nbytes / 2, peak


def test_some_pieces_are_joined(picture):
    assert (primary._joined(picture[0], LEVEL, picture[1])[0] != picture[0]).any()


def test_primary_crack_has_the_largest_sum_of_all_features(picture):
    field, image = picture
    _, cracks, features = primary.candidates(field, LEVEL, image)
    first = np.argmax(features @ list(primary.WEIGHTS.values()))
    found = primary.ranked(field, LEVEL, image)[1][0][0]
    np.testing.assert_array_equal(found.pixels, cracks[first][0].pixels)


def test_chances_are_those_of_all_features_but_for_the_usual_ends_of_the_others(picture, monkeypatch):
    field, image = picture
    sums = primary.candidates(field, LEVEL, image)[2] @ list(primary.WEIGHTS.values())
    monkeypatch.setattr(primary, "NONE", sums.max())  # none is as likely as the first
    shares = np.exp([*sums, primary.NONE] - sums.max())
    chances = primary.ranked(field, LEVEL, image)[2]
    assert chances.primary == pytest.approx(chances.none) == pytest.approx(1 / shares.sum(), abs=0.05)
    assert chances.none > 2 * 0.05  # so far from 0 that the tolerance shows a mistake


@pytest.mark.parametrize("with_image", [False, True])
def test_pairs_of_ends_that_are_left_out_are_not_joined(picture, with_image, monkeypatch):
    field, image = picture
    cracks = skeletons(field >= LEVEL)
    found = pieces.join_pieces(field, LEVEL, cracks, image if with_image else None)

    def all_pairs(ends, _):
        pairs = combinations(range(len(ends)), 2)
        return [(first, second) for first, second in pairs if ends[first]["piece"] != ends[second]["piece"]]

    monkeypatch.setattr(pieces, "_facing", all_pairs)
    np.testing.assert_array_equal(found, pieces.join_pieces(field, LEVEL, cracks, image if with_image else None))


@pytest.mark.parametrize("rows", [3, 14, 15, 16, 40])  # 64 samples, a quarter of a pixel apart, are looked at first
def test_edges_near_and_far_are_found_alike(rows):
    field = np.zeros((100, 20), np.float32)
    field[: rows + 1] = 1
    assert ray(field, LEVEL, (0.0, 10.0), (1.0, 0.0), 90.0) == rows + 0.5
    assert ray(field, LEVEL, (0.0, 10.0), (-1.0, 0.0), 90.0) == pytest.approx(0.5, abs=0.15), "the picture's border"


def test_mask_grows_as_by_dilation():
    mask = np.random.default_rng(0).uniform(size=(40, 50)) > 0.95
    np.testing.assert_array_equal(ends._grown(ends._grown(mask)), ndimage.binary_dilation(mask, iterations=2))


@pytest.mark.parametrize("limit", [0.5, 7, 30])
def test_pixels_near_a_line_are_those_within_its_distance(limit):
    rng = np.random.default_rng(1)
    points = np.cumsum(rng.normal(size=(50, 2)), axis=0) + np.array([60, 80])
    at = np.argwhere(rng.uniform(size=(100, 120)) > 0.3)[500:]
    np.testing.assert_array_equal(ends._within(limit, at, points), cdist(at, points).min(axis=1) < limit)
    assert ends._within(limit, at[:0], points).shape == (0,)


def test_components_touch_nothing_else(picture):
    """What `_joined` relies on: a component's skeleton and radii do not depend on the others."""
    mask = picture[0] >= LEVEL
    labels, count = ndimage.label(mask, EIGHT)
    alone = [crack for number in range(1, count + 1) for crack in skeletons(labels == number)]
    together = skeletons(mask)
    assert {crack.pixels.tobytes() + crack.radii.tobytes() for crack in alone} == {
        crack.pixels.tobytes() + crack.radii.tobytes() for crack in together
    }
