import keras
import numpy as np
import pytest
import tensorflow as tf

from crack_utils.metrics import masks
from crack_utils.training import metrics
from tests.helpers.arrays import image

ALL = [metrics.MeanIoU, metrics.MeanPixelAccuracy, metrics.PixelAccuracy, metrics.UnthresholdedMeanIoU]


@pytest.mark.parametrize(
    ("true", "predicted", "mean_iou", "mean_accuracy", "accuracy", "cast_mean_iou"),
    [
        ([1, 1, 0, 0], [1.0, 1.0, 0.0, 0.0], 1, 1, 1, 1),
        ([1, 1, 0, 0], [0.9, 0.5, 0.4, 0.1], 1, 1, 1, 1 / 4),  # right, yet the cast sees no crack at all
        ([1, 1, 0, 0], [1.0, 0.9, 0.9, 0.0], (2 / 3 + 1 / 2) / 2, 3 / 4, 3 / 4, (1 / 2 + 2 / 3) / 2),
        ([1, 0, 0, 0], [0.0, 0.0, 0.0, 0.0], 3 / 8, 1 / 2, 3 / 4, 3 / 8),
        ([1, 0, 0, 0], [1.0, 1.0, 0.0, 0.0], (1 / 2 + 2 / 3) / 2, 5 / 6, 3 / 4, (1 / 2 + 2 / 3) / 2),
        ([0, 0, 0, 0], [0.0, 0.0, 0.0, 0.0], 1, 1, 1, 1),
        ([0, 0, 0, 0], [1.0, 0.0, 0.0, 0.0], 3 / 8, 3 / 8, 3 / 4, 3 / 8),
        ([1, 1, 1, 1], [1.0, 1.0, 1.0, 1.0], 1, 1, 1, 1),
    ],
)
def test_by_hand(true, predicted, mean_iou, mean_accuracy, accuracy, cast_mean_iou):
    expected = (mean_iou, mean_accuracy, accuracy, cast_mean_iou)
    for kind, value in zip(ALL, expected, strict=True):
        assert float(kind()(image(*true), image(*predicted))) == pytest.approx(value), kind.__name__


def random_batches(number=3, shape=(2, 8, 6, 1)):
    rng = np.random.default_rng(0)
    for _ in range(number):
        predicted = rng.random(shape).astype("float32")
        predicted[predicted > 0.9] = 1  # some pixels that the cast sees
        yield (rng.random(shape) < 0.2), predicted


def test_equal_the_measures_over_several_batches():
    made = [kind() for kind in ALL]
    for true, predicted in random_batches():
        for metric in made:
            metric.update_state(true.astype("float32"), predicted)
    total = masks.pooled(masks.confusion(true, predicted >= 0.5) for true, predicted in random_batches())
    cast = masks.pooled(masks.confusion(true, predicted.astype(int)) for true, predicted in random_batches())
    expected = [total.mean_iou, total.mean_class_accuracy, total.accuracy, cast.mean_iou]
    np.testing.assert_allclose([metric.result() for metric in made], expected, rtol=1e-6)
    for metric in made:
        metric.reset_state()
        assert not metric.counts.numpy().any()


@pytest.mark.parametrize("crack", [None, 0, 1])
@pytest.mark.parametrize("certain", [None, 0, 1])
def test_unthresholded_mean_iou_is_what_keras_computes(crack, certain):
    ours, theirs = metrics.UnthresholdedMeanIoU(), keras.metrics.MeanIoU(num_classes=2)
    for true, predicted in random_batches():
        if crack is not None:
            true = np.full(true.shape, crack)
        if certain is not None:
            predicted = np.full(predicted.shape, certain, "float32")
        ours.update_state(true, predicted)
        theirs.update_state(true, predicted)
    assert float(ours.result()) == pytest.approx(float(theirs.result()), rel=1e-6)


def test_an_almost_certain_crack_counts_for_nothing_without_a_threshold():
    true = image(1, 0, 0, 0)
    almost_one = np.nextafter(np.float32(1), np.float32(0))
    assert float(metrics.UnthresholdedMeanIoU()(true, true * almost_one)) == 3 / 8
    assert float(metrics.MeanIoU()(true, true * almost_one)) == 1


def test_the_threshold_belongs_to_the_crack():
    true = image(1, 0, 0, 0)
    assert float(metrics.MeanIoU(threshold=0.75)(true, 0.75 * true)) == 1
    assert float(metrics.MeanIoU(threshold=0.75)(true, 0.74 * true)) == 3 / 8


@pytest.mark.parametrize("mask", [image(255, 255, 0, 0), image(True, True, False, False, dtype=bool)])
@pytest.mark.parametrize("kind", ALL)
def test_other_encodings_of_a_mask_count_the_same(kind, mask):
    predicted = image(1, 0.9, 0.6, 0)
    assert float(kind()(mask, predicted)) == float(kind()(image(1, 1, 0, 0), predicted))
    assert kind()(mask.astype("uint8"), predicted) == kind()(mask, predicted)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_low_precision_does_not_overflow(dtype):
    true, predicted = tf.ones((2, 256, 256, 1), dtype), tf.fill((2, 256, 256, 1), tf.constant(0.5, dtype))
    metric = metrics.PixelAccuracy()
    assert float(metric(true, predicted)) == 1
    assert metric.counts.numpy().tolist() == [2 * 256**2, 0, 0, 0]


def test_counts_stay_exact_where_float32_stops_counting():
    metric = metrics.PixelAccuracy()
    metric.counts.assign([2**24, 0, 0, 2**40])
    metric.update_state(image(1, 0, 0, 1), image(1, 0, 1, 0))
    assert metric.counts.numpy().tolist() == [2**24 + 1, 1, 1, 2**40 + 1]


def test_counts_are_the_same_when_compiled():
    metric, compiled = metrics.MeanIoU(), metrics.MeanIoU()
    update = tf.function(lambda true, predicted: compiled.update_state(true, predicted), jit_compile=True)
    for true, predicted in random_batches():
        metric.update_state(true.astype("float32"), predicted)
        update(tf.constant(true, tf.float32), tf.constant(predicted))
    assert compiled.counts.numpy().tolist() == metric.counts.numpy().tolist()


@pytest.mark.parametrize("kind", ALL)
def test_configuration_survives_saving(kind):
    options = {} if kind is metrics.UnthresholdedMeanIoU else {"threshold": 0.3}
    metric = kind(name="named", **options)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(metric))
    assert type(again) is kind
    assert (again.name, again.threshold) == (metric.name, metric.threshold)


@pytest.mark.parametrize("kind", ALL)
def test_flips_do_not_matter(kind):
    true, predicted = next(random_batches())
    assert float(kind()(true[:, ::-1], predicted[:, ::-1])) == float(kind()(true, predicted))


def test_mistakes_are_named():
    with pytest.raises(ValueError, match=r"threshold must lie in \[0, 1\], got 127"):
        metrics.MeanIoU(threshold=127)
    with pytest.raises(ValueError, match="takes no sample_weight"):
        metrics.MeanIoU().update_state(image(1, 0, 0, 0), image(1, 0, 0, 0), sample_weight=2.0)
    with pytest.raises(ValueError, match=r"true \(1, 2, 2\) and predicted \(1, 2, 2, 1\)"):
        metrics.MeanIoU().update_state(image(1, 0, 0, 0)[..., 0], image(1, 0, 0, 0))
