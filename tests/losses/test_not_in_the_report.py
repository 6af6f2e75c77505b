"""What holds for every loss that the report does not have."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from crack_utils import losses
from crack_utils.training import metrics
from tests.helpers.short_cracks import crack, stacked

OTHERS = [name for name in losses.LOSSES if name not in losses.REPORTED]


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
