import doctest

import keras
import numpy as np
import pytest
import tensorflow as tf

from crack_utils import losses
from tests.helpers.arrays import image

TRUE = [1, 1, 0, 0]


def value(loss, true, predicted):
    return float(loss(image(*true), image(*predicted)))


@pytest.mark.parametrize(
    ("predicted", "options", "expected"),
    [
        ([1, 1, 0, 0], {}, 0),
        ([0, 0, 0, 0], {"smooth": 0}, 1),
        ([0, 0, 0, 0], {}, 1 - 1 / (0.7 * 2 + 1)),
        ([1, 1, 1, 0], {"smooth": 0}, 1 - 2 / 2.3),  # a false positive costs alpha = 0.3
        ([1, 0, 0, 0], {"smooth": 0}, 1 - 1 / 1.7),  # a false negative costs beta = 0.7
        ([1, 1, 1, 0], {"smooth": 0, "alpha": 0, "beta": 1}, 0),
        ([1, 0, 0, 0], {"smooth": 0, "alpha": 1, "beta": 0}, 0),
        ([0.5, 0.5, 0.5, 0.5], {}, 1 - 2 / (1 + 0.3 + 0.7 + 1)),
        ([1, 1, 1, 1], {"smooth": 3, "alpha": 0.5, "beta": 0.5}, 1 - 5 / 6),
    ],
)
def test_tversky_by_hand(predicted, options, expected):
    assert value(losses.get("tversky", **options), TRUE, predicted) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    ("predicted", "smooth", "expected"),
    [([1, 0, 1, 0], 0, 0.5), ([1, 1, 1, 1], 0, 1 / 3), ([1, 0, 0, 0], 0, 1 / 3), ([1, 0, 0, 0], 1, 1 - 2 / 2.5)],
)
def test_dice_by_hand(predicted, smooth, expected):
    assert value(losses.get("dice", smooth=smooth), TRUE, predicted) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    ("name", "options", "expected"),
    [
        ("bce", {}, np.log(2)),
        ("focal", {"gamma": 0, "alpha": None}, np.log(2)),
        ("focal", {"gamma": 0, "alpha": 0.5}, np.log(2) / 2),
        ("focal", {"gamma": 2, "alpha": None}, np.log(2) / 4),
        ("focal", {"gamma": 2, "alpha": 0.25}, np.log(2) / 8),
    ],
)
def test_cross_entropies_of_one_half(name, options, expected):
    assert value(losses.get(name, **options), TRUE, [0.5] * 4) == pytest.approx(expected, rel=1e-5)


def test_focal_alpha_weighs_the_crack_and_one_minus_alpha_the_background():
    focal = losses.get("focal", gamma=1.5, alpha=0.25)
    assert value(focal, [1] * 4, [0.8] * 4) == pytest.approx(-0.25 * 0.2**1.5 * np.log(0.8), rel=1e-5)
    assert value(focal, [0] * 4, [0.8] * 4) == pytest.approx(-0.75 * 0.8**1.5 * np.log(0.2), rel=1e-5)


def random_batch(seed=0, shape=(3, 8, 6, 1)):
    rng = np.random.default_rng(seed)
    return (rng.random(shape) < 0.2).astype("float32"), rng.uniform(0.01, 0.99, shape).astype("float32")


def reference(name, y, p):
    """Return each loss as plain NumPy in float64, written from the papers' formulas."""
    y, p = y.astype(float).ravel(), p.astype(float).ravel()
    pt, at = np.where(y == 1, p, 1 - p), np.where(y == 1, 0.25, 0.75)
    return {
        "bce": -np.log(pt).mean(),
        "focal": -(at * (1 - pt) ** 2 * np.log(pt)).mean(),
        "dice": 1 - (2 * y @ p + 2) / (y.sum() + p.sum() + 2),
        "tversky": 1 - (y @ p + 1) / (y @ p + 0.3 * (1 - y) @ p + 0.7 * y @ (1 - p) + 1),
    }[name]


@pytest.mark.parametrize("name", losses.REPORTED)
def test_equals_an_independent_implementation(name):
    true, predicted = random_batch()
    assert float(losses.get(name)(true, predicted)) == pytest.approx(reference(name, true, predicted), rel=1e-5)


def test_dice_is_tversky_with_equal_weights():
    true, predicted = random_batch(1)
    tversky = losses.get("tversky", alpha=0.5, beta=0.5)
    assert float(losses.get("dice")(true, predicted)) == float(tversky(true, predicted))


def test_sums_run_over_the_batch_unless_told_otherwise():
    true, predicted = random_batch(2)
    one_by_one = [reference("dice", t, p) for t, p in zip(true, predicted, strict=True)]
    assert float(losses.get("dice", per_image=True)(true, predicted)) == pytest.approx(np.mean(one_by_one), rel=1e-5)
    assert float(losses.get("dice")(true, predicted)) != pytest.approx(np.mean(one_by_one), rel=1e-3)
    np.testing.assert_allclose(losses.get("dice", per_image=True, reduction=None)(true, predicted), one_by_one, 1e-5)


@pytest.mark.parametrize("name", [*losses.REPORTED, "dice+bce"])
def test_flips_do_not_matter_and_better_predictions_cost_less(name):
    loss = losses.get(name)
    true, predicted = random_batch(3)
    assert float(loss(true[:, ::-1, ::-1], predicted[:, ::-1, ::-1])) == pytest.approx(float(loss(true, predicted)))
    steps = [float(loss(true, predicted + share * (true - predicted))) for share in np.linspace(0, 1, 6)]
    assert steps == sorted(steps, reverse=True)
    assert steps[-1] == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("name", [*losses.REPORTED, "0.5*tversky+bce"])
@pytest.mark.parametrize("predicted", [0.3, 0.0, 1.0])
@pytest.mark.parametrize("crack", [0.0, 1.0])
def test_value_and_gradient_are_finite_on_images_of_one_class(name, predicted, crack):
    true, probability = tf.fill((2, 8, 8, 1), crack), tf.fill((2, 8, 8, 1), predicted)
    with tf.GradientTape() as tape:
        tape.watch(probability)
        loss = losses.get(name)(true, probability)
    gradient = tape.gradient(loss, probability).numpy()
    assert np.isfinite(loss)
    assert np.isfinite(gradient).all()
    if predicted == 0.3:  # a useful gradient: it moves every pixel towards the truth
        assert (np.sign(gradient) == (-1 if crack else 1)).all()


@pytest.mark.parametrize("gamma", [0, 0.5, 1, 2])
def test_focal_gradient_is_finite_at_certainty(gamma):
    probability = tf.constant(image(0, 1, 0, 1))
    with tf.GradientTape() as tape:
        tape.watch(probability)
        loss = losses.get("focal", gamma=gamma)(image(*TRUE), probability)
    assert np.isfinite(tape.gradient(loss, probability)).all()


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("name", losses.REPORTED)
def test_low_precision_does_not_overflow(name, dtype):
    shape = (2, 256, 256, 1)  # 131,072 pixels; the largest float16 is 65,504
    true, predicted = tf.ones(shape, dtype), tf.fill(shape, tf.constant(0.5, dtype))
    loss = losses.get(name)(true, predicted)
    assert loss.dtype == tf.float32
    assert float(loss) == pytest.approx(reference(name, np.ones(shape), np.full(shape, 0.5)), rel=1e-4)


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int32"])
def test_masks_may_be_boolean_or_integer(dtype):
    assert float(losses.get("dice")(image(*TRUE, dtype=dtype), image(*TRUE))) == 0


@pytest.mark.parametrize("name", losses.REPORTED)
def test_shapes_that_would_broadcast_are_refused(name):
    with pytest.raises(ValueError, match=r"true \(1, 2, 2\) and predicted \(1, 2, 2, 1\)"):
        losses.get(name)(image(*TRUE)[..., 0], image(*TRUE))
    with pytest.raises(ValueError, match="same shape"):  # one-hot truth, one sigmoid channel
        losses.get(name)(np.zeros((1, 2, 2, 2)), image(*TRUE))


def test_sums_add_their_weighted_terms():
    true, predicted = random_batch(4)
    expected = 0.5 * reference("tversky", true, predicted) + reference("bce", true, predicted)
    assert float(losses.get("0.5*tversky+bce")(true, predicted)) == pytest.approx(expected, rel=1e-5)
    assert float(losses.get("0.5*tversky + bce")(true, predicted)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    "loss",
    [
        losses.get("bce"),
        losses.get("dice", smooth=2.0, per_image=True),
        losses.get("focal", gamma=1.0, alpha=None),
        losses.get("tversky", alpha=0.2, beta=0.9, reduction="sum"),
        losses.get("2*focal+dice"),
    ],
    ids=lambda loss: loss.name,
)
def test_configuration_survives_saving(loss):
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(loss))
    assert type(again) is type(loss)
    assert again.get_config() == loss.get_config()
    true, predicted = random_batch(5)
    assert float(again(true, predicted)) == float(loss(true, predicted))


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("jaccard", {}, "unknown loss 'jaccard'; valid are bce, dice, focal, tversky"),
        ("focal", {"gamma": "x"}, "gamma must be a number, got 'x'"),
        ("dice+jaccard", {}, "unknown loss 'dice.jaccard'"),
        ("half*dice+bce", {}, "weight in 'half\\*dice' must be a number"),
        ("dice", {"alpha": 0.3}, "unknown option alpha of loss 'dice'; valid are smooth, per_image, reduction"),
        ("dice+bce", {"smooth": 2}, "sum, which takes no options"),
        ("tversky", {"beta": -1}, "beta must not be negative"),
        ("focal", {"alpha": 25}, "alpha must be None or lie in \\[0, 1\\]"),
    ],
)
def test_mistakes_are_named(name, options, message):
    with pytest.raises(ValueError, match=message):
        losses.get(name, **options)


def test_every_loss_has_a_title():
    assert losses.REPORTED == ("bce", "dice", "focal", "tversky")
    assert losses.title("0.5*dice+bce") == "0.5 · Dice + BCE"


def test_examples_in_the_documentation_run():
    assert doctest.testmod(losses).failed == 0


def test_edges_weigh_more():
    true, predicted = np.zeros((1, 12, 12, 1), "float32"), np.full((1, 12, 12, 1), 0.5, "float32")
    true[:, :, :3] = 1  # the outline lies between columns 2 and 3; two on either side are near it
    near = 4 * 12 / 12**2
    found = float(losses.get("edge", weight=2.0, radius=2)(true, predicted))
    assert found == pytest.approx(np.log(2) * (1 + 2 * near), rel=1e-6)
    assert float(losses.get("edge", weight=0.0)(true, predicted)) == pytest.approx(np.log(2), rel=1e-6)


def test_a_picture_of_one_kind_has_no_edge():
    predicted = np.full((1, 8, 8, 1), 0.5, "float32")
    for kind in (0, 1):
        true = np.full((1, 8, 8, 1), kind, "float32")
        assert float(losses.get("edge")(true, predicted)) == pytest.approx(np.log(2), rel=1e-6)
