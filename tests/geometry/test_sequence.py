"""A crack that grows along a line of its own, with known camera movement, wrong tips and a standstill."""

import numpy as np
import pytest
from scipy import ndimage

from crack_utils.geometry.sequence import along_path, joint_tips, movement, register, rising, surface

PATH = np.stack([np.full(101, 30.0), np.linspace(10, 110, 101)], axis=1)


def test_wrong_ends_are_flagged_and_the_joint_tip_rises():
    random = np.random.default_rng(0)
    true = np.repeat(np.linspace(20, 90, 10), 2)
    tips = [(30 + random.normal(0, 0.5), 10 + length + random.normal(0, 0.7)) for length in true]
    tips[4], tips[13], tips[17] = (30.0, 10.0), (30.0, 11.0), None
    found = joint_tips(tips, PATH)
    assert np.flatnonzero(found.outliers).tolist() == [4, 13]
    assert np.all(np.diff(found.along) >= 0)
    np.testing.assert_allclose(found.along, true, atol=4.5)
    np.testing.assert_allclose(found.tips[:, 1], found.along + 10, atol=1e-6)
    assert np.isnan(found.single[17]) and found.single[4] == pytest.approx(0, abs=0.5)
    good = ~found.outliers & np.isfinite(found.single)
    assert np.std(found.single[good] - true[good]) == pytest.approx(0.7, abs=0.3)


def test_a_tip_far_from_the_path_is_an_outlier_though_it_lies_as_far_along():
    tips = [(30.0, 30.0), (90.0, 50.0), (31.0, 70.0), (30.0, 90.0)]
    found = joint_tips(tips, PATH)
    assert np.flatnonzero(found.outliers).tolist() == [1]
    np.testing.assert_allclose(found.along, [20, 40, 60, 80], atol=0.1)
    with pytest.raises(ValueError, match="no tip lies near the path"):
        joint_tips([(90.0, 50.0)], PATH)


def test_true_falls_are_kept_within_the_noise_only():
    single = [(30.0, 10.0 + at) for at in (20, 22, 21, 40)]
    assert joint_tips(single, PATH).along.tolist() == pytest.approx([20, 21.5, 21.5, 40], abs=0.3)


def test_camera_movement_is_found_and_taken_out():
    random = np.random.default_rng(1)
    scene = ndimage.gaussian_filter(random.normal(size=(160, 200)), 2)
    true = np.array([[0, 0], [3.25, -1.5], [-2.0, 4.75]])
    frames = [ndimage.shift(scene, move, order=3, mode="nearest") for move in true]
    moved = register(iter(frames))
    np.testing.assert_allclose(moved, true, atol=0.15)
    tips = [np.array([30.0, 60.0 + 5 * number]) + move for number, move in enumerate(true)]
    found = joint_tips(tips, PATH, moved)
    np.testing.assert_allclose(found.along, [50, 55, 60], atol=0.5)
    np.testing.assert_allclose(found.tips, tips, atol=0.5)


def test_a_crack_that_grows_does_not_look_as_if_it_moved():
    random = np.random.default_rng(3)
    scene = 0.6 + 0.02 * ndimage.gaussian_filter(random.normal(size=(200, 260)), 2)
    lengths, true = (40, 120, 220), np.array([[0, 0], [1.5, -2.0], [-3.0, 4.5]])
    masks = np.zeros((3, 200, 260), bool)
    for mask, length in zip(masks, lengths, strict=True):
        mask[96:104, :length] = True
    frames = [ndimage.shift(scene, move, order=3, mode="nearest") for move in true]
    frames = [np.where(mask, 0.1, frame) for mask, frame in zip(masks, frames, strict=True)]
    assert np.abs(register(frames) - true).max() > 1
    np.testing.assert_allclose(register(frames, masks), true, atol=0.2)


def test_a_movement_is_not_trusted_where_frames_have_nothing_in_common():
    random = np.random.default_rng(4)
    one, other = (surface(random.normal(size=(120, 160))) for _ in range(2))
    assert movement(one, one)[1] and not movement(one, other)[1]
    assert not movement(surface(np.full((120, 160), 0.5)), surface(np.full((120, 160), 0.5)))[1]


@pytest.mark.parametrize("noise", [0.5, 2, 5])
def test_ordinary_noise_is_no_outlier_and_a_blunder_is_one(noise):
    false, found = [], []
    for seed in range(20):
        random = np.random.default_rng(seed)
        single = np.arange(40) * 0.5 + random.normal(0, noise, 40)
        false.append(~rising(single[:, None], np.ones(40))[1])
        single[[12, 25]] -= 80
        found.append(~rising(single[:, None], np.ones(40))[1][[12, 25]])
    assert np.mean(false) < 0.02 and np.mean(found) > 0.95


def test_both_tips_have_to_agree_in_the_same_frames():
    first = [10, 11, 12, 13, 6, 7, 8, 8.5]
    second = [20, 19, 18, 17, 1, 2, 3, 4]
    along, kept = rising(10 * np.array([first, second]).T, np.ones(8))
    assert kept.any() and np.all(np.diff(along, axis=0) >= 0)
    assert np.all(np.diff(10 * np.array(first)[kept]) >= -5) and np.all(np.diff(10 * np.array(second)[kept]) >= -5)


def test_a_frame_unlike_the_first_one_moves_as_its_neighbours():
    random = np.random.default_rng(5)
    scene = ndimage.gaussian_filter(random.normal(size=(160, 200)), 2)
    frames = [scene, random.normal(size=scene.shape), ndimage.shift(scene, (4, -6), order=1, mode="nearest")]
    np.testing.assert_allclose(register(frames), [[0, 0], [2, -3], [4, -6]], atol=0.15)


def test_large_frames_are_reduced():
    random = np.random.default_rng(2)
    scene = ndimage.gaussian_filter(random.normal(size=(700, 900)), 4)
    moved = register([scene, ndimage.shift(scene, (6.0, -9.0), order=1, mode="nearest")])
    np.testing.assert_allclose(moved[1], (6, -9), atol=0.3)


def test_points_beyond_the_path():
    points = np.array([[31.0, 115.0], [30.0, 4.0], [28.0, 60.0]])
    np.testing.assert_allclose(along_path(points, PATH), [105, -6, 50], atol=0.3)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: joint_tips([None, None], PATH), "at least one tip"),
        (lambda: joint_tips([(1, 2)], PATH, shifts=np.zeros((2, 2))), "shifts of shape \\(2, 2\\)"),
        (lambda: register([np.eye(20), np.eye(20, 30)]), "one shape"),
        (lambda: register([np.eye(20)], [np.eye(30) > 0]), "a mask of shape"),
        (lambda: register([]), "no picture"),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
