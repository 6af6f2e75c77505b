"""Losses for tips and for thin structures: by hand, against plain NumPy, through the pipeline, in trainings."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from crack_utils import Experiment, evaluate, losses
from crack_utils.data import DataError, find_pairs, make_dataset, targets
from crack_utils.data.pairs import Pair
from crack_utils.losses.tips import near_tip
from crack_utils.training import fit, metrics
from tests.helpers.folders import make_folder

pytestmark = pytest.mark.usefixtures("own_artifacts")

OTHERS = [name for name in losses.LOSSES if name not in losses.REPORTED]


def stacked(mask, tip=targets.NO_TIP):
    """Return one mask as a batch of all channels."""
    return targets.stack(mask, tip, distance=True)[None]


def gradient(loss, true, predicted):
    probability = tf.constant(predicted)
    with tf.GradientTape() as tape:
        tape.watch(probability)
        value = loss(true, probability)
    return float(value), tape.gradient(value, probability).numpy()


def crack(length, height=16, width=24):
    """A crack two pixels wide from the left edge; its tip, at the end of its lower row, is (8, length − 1)."""
    mask = np.zeros((height, width), np.float32)
    mask[7:9, :length] = 1
    return mask


class TestTruth:
    def test_by_hand(self):
        known = targets.stack([[0, 1, 0, 0]], tip=(2.0, 1.5), distance=True)
        assert known.dtype == np.float32 and known.shape == (1, 4, targets.CHANNELS)
        expected = [[0, -2, -1.5, 0.5], [1, -2, -0.5, -0.5], [0, -2, 0.5, 0.5], [0, -2, 1.5, 1.5]]
        np.testing.assert_array_equal(known[0], expected)
        assert np.isnan(targets.stack([[0, 1]])[..., 1:]).all()

    def test_distance_is_zero_without_an_edge_and_changes_sign_with_the_mask(self):
        assert not targets.signed_distance(np.zeros((3, 4), bool)).any()
        assert not targets.signed_distance(np.ones((3, 4), bool)).any()
        mask = np.random.default_rng(0).random((9, 7)) < 0.3
        np.testing.assert_array_equal(targets.signed_distance(~mask), -targets.signed_distance(mask))

    def test_the_tip_goes_with_the_size(self, tmp_path):
        folder = make_folder(tmp_path, {"a": np.full((8, 20), 90, np.uint8)})
        pair = Pair("a", folder / "images" / "a.png", folder / "images" / "a.png", tip=(3.5, 19.5))
        assert targets.tip_at(pair) == targets.tip_at(pair, (8, 20)) == (3.5, 19.5)
        assert targets.tip_at(pair, (4, 40)) == (1.5, 39.5)  # half of the height down, the right edge
        assert np.isnan(targets.tip_at(Pair("a", pair.image, pair.mask), (4, 40))).all()


class TestGaussianTip:
    true = np.array([[[1, 0, 0, np.nan], [0, 0, 1, np.nan], [1, 0, 2, np.nan]]], np.float32)[None]
    weights = 1 + 3 * np.exp(-np.array([0, 1, 4]) / (2 * 2.0**2))

    def test_cross_entropy_by_hand(self):
        predicted = np.float32([0.8, 0.4, 0.5]).reshape(1, 1, 3, 1)
        loss = losses.get("tip", base="bce", strength=3, sigma=2.0)
        expected = -np.mean(self.weights * np.log([0.8, 0.6, 0.5]))
        assert float(loss(self.true, predicted)) == pytest.approx(expected, rel=1e-5)

    def test_tversky_by_hand(self):
        predicted = np.float32([1, 1, 0]).reshape(1, 1, 3, 1)
        right, false, missed = self.weights
        loss = losses.get("tip", base="tversky", strength=3, sigma=2.0)
        expected = 1 - (right + 1) / (right + 0.3 * false + 0.7 * missed + 1)
        assert float(loss(self.true, predicted)) == pytest.approx(expected, rel=1e-5)

    def test_in_a_sum_with_cross_entropy_by_hand(self):
        """BCE plus weighted BCE (R71), with the default strength of 10 and a sixteenth of the height, here 1/16 px."""
        predicted = np.float32([0.8, 0.4, 0.5]).reshape(1, 1, 3, 1)
        cross_entropy = -np.log([0.8, 0.6, 0.5])
        weights = np.array([11, 1, 1])  # one pixel off is 16 standard deviations
        expected = cross_entropy.mean() + (weights * cross_entropy).mean()
        assert float(losses.get("bce+tip")(self.true, predicted)) == pytest.approx(expected, rel=1e-5)
        halves = cross_entropy.mean() + 0.5 * (weights * cross_entropy).mean()
        assert float(losses.get("bce+0.5*tip")(self.true, predicted)) == pytest.approx(halves, rel=1e-5)

    @pytest.mark.parametrize(
        ("name", "base"), [("dice+tip", "dice"), ("tip+tversky", "tversky"), ("tip+cldice", "dice")]
    )
    def test_the_base_is_the_partner(self, name, base):
        (tip,) = [part for part in losses.get(name).losses if part.name == "tip"]
        assert tip.base.name == base

    @pytest.mark.parametrize("base", losses.REPORTED)
    def test_is_the_base_without_a_tip_or_without_strength(self, base):
        mask, predicted = crack(10), np.float32(np.random.default_rng(1).random((1, 16, 24, 1)))
        expected = float(losses.get(base)(mask[None, ..., None], predicted))
        assert float(losses.get("tip", base=base)(stacked(mask), predicted)) == pytest.approx(expected, rel=1e-6)
        still = losses.get("tip", base=base, strength=0)
        assert float(still(stacked(mask, (8, 9)), predicted)) == pytest.approx(expected, rel=1e-6)

    @pytest.mark.parametrize("base", losses.REPORTED)
    def test_a_mistake_at_the_tip_costs_more_than_one_far_away(self, base):
        mask = crack(18)
        near, far = mask.copy(), mask.copy()
        near[8, 17] = far[8, 3] = 0
        loss = losses.get("tip", base=base)
        costs = [float(loss(stacked(mask, (8, 17)), each[None, ..., None])) for each in (near, far)]
        assert costs[0] > 1.5 * costs[1] > 0

    def test_reach_follows_the_height_unless_given(self):
        true, predicted = stacked(crack(10, height=32), (8, 9)), np.full((1, 32, 24, 1), 0.3, np.float32)
        own, given = losses.get("tip"), losses.get("tip", sigma=2.0)  # 32 / 16
        assert float(own(true, predicted)) == pytest.approx(float(given(true, predicted)), rel=1e-6)


def mean_position(probability, tip, sigma):
    """E(p) as plain NumPy, pixel by pixel."""
    total, moment = 1.0, np.zeros(2)
    for place, value in np.ndenumerate(probability):
        offset = np.subtract(place, tip)
        weight = value * np.exp(-(offset @ offset) / (2 * sigma**2))
        total, moment = total + weight, moment + weight * offset
    return moment / total


class TestTipDistance:
    def test_equals_plain_numpy(self):
        predicted = np.float32(np.random.default_rng(2).random((16, 24)))
        apart = mean_position(predicted, (8, 9.5), 3.0) - mean_position(crack(10), (8, 9.5), 3.0)
        found = losses.get("tip_distance", sigma=3.0)(stacked(crack(10), (8, 9.5)), predicted[None, ..., None])
        assert float(found) == pytest.approx(np.hypot(*apart) / np.hypot(16, 24), abs=0.01 / 28)

    def test_grows_with_the_way_that_is_missing_or_too_much(self):
        loss, true = losses.get("tip_distance", sigma=4.0), stacked(crack(12), (7.5, 11.5))
        cost = {length: float(loss(true, crack(length)[None, ..., None])) for length in range(7, 18)}
        assert cost[12] == 0
        assert sorted(cost, key=cost.get)[:3] in ([12, 11, 13], [12, 13, 11])
        assert all(cost[short] < cost[short - 1] for short in range(12, 7, -1))
        assert all(cost[long] < cost[long + 1] for long in range(12, 17))

    def test_gradient_mends_the_end(self):
        loss, true = losses.get("tip_distance"), stacked(crack(12), (7.5, 11.5))
        _, short = gradient(loss, true, np.clip(crack(9), 0.1, 0.9)[None, ..., None])
        assert (short[0, 7:9, 10:12] < 0).all()  # more crack at the tip costs less
        _, long = gradient(loss, true, np.clip(crack(15), 0.1, 0.9)[None, ..., None])
        assert (long[0, 7:9, 12:15] > 0).all()

    def test_nothing_without_a_tip(self):
        value, slope = gradient(
            losses.get("tip_distance"), stacked(crack(12)), np.full((1, 16, 24, 1), 0.4, np.float32)
        )
        assert value == 0 and not slope.any()


def soft_skeleton(picture, iterations):
    """The skeleton's definition as plain NumPy, neighbour by neighbour."""

    def over(values, steps, choose):
        height, width = values.shape
        found = np.empty_like(values)
        for row in range(height):
            for column in range(width):
                places = [(row + down, column + right) for down, right in steps]
                found[row, column] = choose(values[r, c] for r, c in places if 0 <= r < height and 0 <= c < width)
        return found

    def eroded(values):
        return over(values, [(0, 0), (-1, 0), (1, 0), (0, -1), (0, 1)], min)

    def opened(values):
        return over(eroded(values), [(down, right) for down in (-1, 0, 1) for right in (-1, 0, 1)], max)

    left = np.maximum(picture - opened(picture), 0)
    for _ in range(iterations):
        picture = eroded(picture)
        new = np.maximum(picture - opened(picture), 0)
        left = left + np.maximum(new - left * new, 0)
    return left


class TestCentrelineDice:
    @pytest.mark.parametrize("iterations", [1, 4])
    def test_soft_skeleton_equals_plain_numpy(self, iterations):
        rng = np.random.default_rng(3)
        pictures = np.float32([rng.random((13, 11)), (rng.random((13, 11)) < 0.7) * 0.9])
        found = keras.ops.convert_to_numpy(losses.soft_skeleton(pictures[..., None], iterations))[..., 0]
        np.testing.assert_allclose(found, [soft_skeleton(each, iterations) for each in pictures], atol=1e-6)

    def test_skeleton_of_a_bar_is_its_middle_row(self):
        bar = np.zeros((1, 11, 20, 1), np.float32)
        bar[:, 3:8] = 1  # five wide, across the whole picture
        found = keras.ops.convert_to_numpy(losses.soft_skeleton(bar, 3))[0, ..., 0]
        np.testing.assert_array_equal(found.sum(axis=1), [0] * 5 + [20] + [0] * 5)

    def test_equals_its_fractions(self):
        true, predicted = crack(14), np.float32(np.random.default_rng(4).random((16, 24)))
        mine, theirs = soft_skeleton(true, 2), soft_skeleton(predicted, 2)
        precision = ((theirs * true).sum() + 1) / (theirs.sum() + 1)
        sensitivity = ((mine * predicted).sum() + 1) / (mine.sum() + 1)
        loss = losses.get("cldice", iterations=2)(true[None, ..., None], predicted[None, ..., None])
        assert float(loss) == pytest.approx(1 - 2 / (1 / precision + 1 / sensitivity), rel=1e-5)

    def test_a_gap_costs_more_than_a_thinner_crack(self):
        loss, true = losses.get("cldice", smooth=0.0), np.zeros((1, 15, 30, 1), np.float32)
        true[:, 5:10] = 1
        thinner, broken = true.copy(), true.copy()
        thinner[:, [5, 9]] = 0
        broken[:, :, 9:21] = 0  # as many pixels
        assert thinner.sum() == broken.sum()
        assert float(loss(true, true)) == pytest.approx(0, abs=1e-6)
        assert float(loss(true, thinner)) == pytest.approx(0, abs=1e-6)
        assert float(loss(true, broken)) > 0.2


class TestBoundary:
    def test_by_hand(self):
        predicted = np.float32([0.5, 1, 0, 1]).reshape(1, 1, 4, 1)
        found = losses.get("boundary")(stacked([[0, 1, 0, 0]]), predicted)
        assert float(found) == pytest.approx((0.5 * 0.5 + 1.5) / 4 / np.hypot(1, 4), rel=1e-5)

    def test_has_the_papers_gradient(self):
        mask = crack(12)
        _, slope = gradient(losses.get("boundary"), stacked(mask), np.full((1, 16, 24, 1), 0.4, np.float32))
        expected = targets.signed_distance(mask > 0) / np.hypot(16, 24) / mask.size
        np.testing.assert_allclose(slope[0, ..., 0], expected, rtol=1e-4)


@pytest.mark.parametrize(
    ("name", "compiled"),
    [(name, False) for name in [*OTHERS, "0.5*tversky+tip"]] + [("tip+tip_distance+boundary", True)],
)
def test_values_and_gradients_are_finite_at_certainty_and_without_tips(name, compiled):
    loss = losses.get(name)
    true = np.concatenate(
        [stacked(crack(12), (8, 11)), stacked(crack(12)), stacked(crack(0)), stacked(crack(0), (3, 3))]
    )
    true = true if losses.needs(name) else true[..., :1]

    @tf.function(jit_compile=compiled)
    def both(probability):
        with tf.GradientTape() as tape:
            tape.watch(probability)
            value = loss(tf.constant(true), probability)
        return value, tape.gradient(value, probability)

    for probability in (0.0, 0.3, 1.0):
        value, slope = both(tf.fill((4, 16, 24, 1), probability))
        assert np.isfinite(value) and np.isfinite(slope).all()


@pytest.mark.parametrize("name", OTHERS)
def test_perfect_predictions_cost_nothing_and_worse_ones_more(name):
    mask = crack(12)
    true = stacked(mask, (8, 11)) if losses.needs(name) else mask[None, ..., None]
    wrong = np.float32(np.random.default_rng(5).random(mask.shape))
    costs = [
        float(losses.get(name)(true, (mask + share * (wrong - mask))[None, ..., None])) for share in (0, 0.3, 0.6, 1)
    ]
    assert costs[0] == pytest.approx(0, abs=1e-6)
    assert costs == sorted(costs)


@pytest.mark.parametrize("name", OTHERS)
def test_flips_do_not_matter(name):
    mask, predicted = crack(12), np.float32(np.random.default_rng(6).random((1, 16, 24, 1)))
    true, turned = (stacked(each, tip) for each, tip in ((mask, (8, 11)), (mask[::-1, ::-1], (7, 12))))
    if not losses.needs(name):
        true, turned = true[..., :1], turned[..., :1]
    found = float(losses.get(name)(turned, predicted[:, ::-1, ::-1]))
    assert found == pytest.approx(float(losses.get(name)(true, predicted)), rel=1e-5)


def test_sums_and_metrics_take_the_mask_alone():
    mask, predicted = crack(12), np.float32(np.random.default_rng(7).random((1, 16, 24, 1)))
    true = stacked(mask, (8, 11))
    expected = losses.get("dice")(true[..., :1], predicted) + 2 * losses.get("tip")(true, predicted)
    assert float(losses.get("dice+2*tip")(true, predicted)) == pytest.approx(float(expected), rel=1e-6)
    for kind in (metrics.MeanIoU, metrics.PixelAccuracy):
        found, plain = kind(), kind()
        found.update_state(true, predicted)
        plain.update_state(true[..., :1], predicted)
        assert float(found.result()) == float(plain.result())


@pytest.mark.parametrize(
    ("name", "options", "expected"),
    [
        ("dice+bce", {}, []),
        ("cldice", {}, []),
        ("dice+tip", {}, ["tip"]),
        ("tip", {"base": "bce"}, ["tip"]),
        ("tip_distance+0.1*boundary", {}, ["distance", "tip"]),
    ],
)
def test_what_losses_need(name, options, expected):
    assert sorted(losses.needs(name, **options)) == expected


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("tip", {"base": "cldice"}, "base must be one of bce, dice, focal, tversky"),
        ("tip", {"strength": -1}, "strength must not be negative"),
        ("tip", {"sigma": 0}, "sigma must be a positive number"),
        ("tip_distance", {"strength": 1}, "unknown option strength of loss 'tip_distance'; valid are sigma, reduction"),
        ("cldice", {"iterations": 1.5}, "iterations must be a whole number"),
    ],
)
def test_mistakes_are_named(name, options, message):
    with pytest.raises(ValueError, match=message):
        losses.get(name, **options)


@pytest.mark.parametrize("name", ["tip", "tip_distance", "boundary"])
def test_a_mask_alone_is_not_enough(name):
    mask = crack(12)[None, ..., None]
    with pytest.raises(ValueError, match=r"needs y_true of shape \(batch, height, width, 4\)"):
        losses.get(name)(mask, mask)


@pytest.mark.parametrize("name", [*OTHERS, "dice+tip"])
def test_configuration_survives_saving(name):
    options = {"tip": {"base": "focal", "sigma": 3.0}, "cldice": {"iterations": 4}}.get(name, {})
    loss = losses.get(name, **options)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(loss))
    assert type(again) is type(loss) and again.get_config() == loss.get_config()


def test_near_tip_by_hand():
    offsets = np.float32([[[[0, 0], [3, 4], [0, 0]]]])
    known = np.float32([1, 1, 0]).reshape(1, 1, 3, 1)
    np.testing.assert_allclose(np.ravel(near_tip(offsets, known, 5.0)), [1, np.exp(-0.5), 0], rtol=1e-6)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Ten pictures of 16×24 with a dark crack and, at its end, one bright pixel: its tip. The last one's is unknown."""
    images, masks, rows = {}, {}, ["name,tip_row,tip_column"]
    for number in range(10):
        length = 6 + number
        mask = np.roll(crack(length), number % 3, axis=0)
        image = np.where(mask > 0, 40, 150 + number).astype(np.uint8)
        image[8 + number % 3, length - 1] = 255
        images[str(number)], masks[str(number)] = image, (255 * mask).astype(np.uint8)
        rows.append(f"{number},{8 + number % 3},{length - 1}" if number < 9 else f"{number},,")
    return make_folder(tmp_path_factory.mktemp("tips"), images, masks, "\n".join(rows) + "\n")


@pytest.mark.parametrize("fit", ["resize", "crop"])
def test_the_tip_goes_with_flips_and_crops(folder, fit):
    pairs = find_pairs(folder)
    size = (16, 24) if fit == "resize" else (8, 16)
    dataset = make_dataset(pairs, size, 2, repeat=4, training=True, fit=fit, needs={"tip", "distance"})
    seen = 0
    for image, known in dataset.unbatch().as_numpy_iterator():
        assert known.shape == (*size, targets.CHANNELS)
        np.testing.assert_array_equal(known[..., 3], np.float32(targets.signed_distance(known[..., 0] > 0)))
        at_tip = (known[..., 1] == 0) & (known[..., 2] == 0)
        bright = image[..., 0] == 1
        if np.isnan(known[..., 1]).any():
            assert np.isnan(known[..., 1:3]).all()
        else:
            seen += 1
            np.testing.assert_array_equal(at_tip, bright)
    assert seen >= 30


def test_without_needs_nothing_changes(folder):
    pairs = find_pairs(folder)
    plain, rich = (
        list(make_dataset(pairs, (16, 24), 2, training=True, needs=needs).as_numpy_iterator())
        for needs in (frozenset(), {"tip"})
    )
    for (image, mask), (same, known) in zip(plain, rich, strict=True):
        np.testing.assert_array_equal(image, same)
        np.testing.assert_array_equal(mask, known[..., :1])


@pytest.mark.usefixtures("untraced")
def test_smoke_training(folder):
    """All four in one sum, which needs both the tip and the distance."""
    loss = "dice+tip+tip_distance+0.1*cldice+boundary"
    options = {"data": str(folder), "model_options": {"filters": 2, "depth": 1}, "repeat": 1, "epochs": 1}
    run = fit.fit(Experiment.preset("smoke", loss=loss, **options))
    assert np.isfinite(run.history["loss"]).all()
    measures = evaluate(run)  # whole pictures after the training, as the last validation saw them
    assert measures["validation"]["loss"] == pytest.approx(run.history["val_loss"][-1], rel=1e-3)
    assert json.loads((run.folder / "experiment.json").read_text())["loss"] == loss


def test_data_without_tips_is_refused_before_training(tmp_path):
    masks = {name: (255 * crack(8)).astype(np.uint8) for name in "abcd"}
    images = {name: np.full((16, 24), 90 + ord(name), np.uint8) for name in masks}
    experiment = Experiment.preset("smoke", data=str(make_folder(tmp_path, images, masks)), loss="dice+tip")
    with pytest.raises(DataError, match=r"metadata\.csv.*'dice\+tip' needs them; .* tip_row and tip_column"):
        fit.fit(experiment)
