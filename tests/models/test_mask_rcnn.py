"""Mask R-CNN as a whole: its layers and losses by hand, and in tiny trainings."""

import shutil

import keras
import numpy as np
import pytest
import tensorflow as tf

from crack_utils import Experiment, models, predict
from crack_utils.data.synthetic import render
from crack_utils.metrics import confusion
from crack_utils.models.mask_rcnn import instances, network, roi_align, targets
from crack_utils.runtime import hardware
from crack_utils.training import fit
from tests.helpers.boxes import chosen, mask_ceiling
from tests.helpers.full_disk import full_at_the_second_epoch

SMALL = {"filters": 8, "mask_size": 28, "mask_convolutions": 1}


@pytest.fixture(scope="module")
def small():
    return models.build("mask_rcnn", **SMALL, seed=0)


@pytest.fixture(scope="module")
def photographs():
    """Eight photographs of 64×80 and their masks, both (8, 64, 80, 1) float32; two of them have two cracks."""
    drawn = [render(specimen, frame=2, frames=3, size=(64, 80)) for specimen in range(8)]
    images, masks = (np.stack([getattr(each, part) for each in drawn]) for part in ("image", "mask"))
    return np.float32(images[..., None]) / 255, np.float32(masks[..., None])


def batches(model, images, masks):
    return model.training_data(tf.data.Dataset.from_tensors((images, masks)), seed=0)


class TestNetwork:
    def test_order_is_that_of_the_heads(self, small):
        maps = small(np.zeros((1, 64, 96, 1), np.float32), training=True)
        assert maps["anchors"].shape == (maps["objectness"].shape[1], 4) == maps["corrections"].shape[1:]

    def test_shapes_and_parameters_by_hand(self):
        model = models.build("mask_rcnn")
        stages = [
            320 + 64,
            9248 + 64 + 9248 + 64 + 1056,
            18496 + 128 + 36928 + 128 + 2112,
            73856 + 256 + 147584 + 256 + 8320,
            147584 + 256 + 147584 + 256 + 16512,
        ]
        laterals = [2112, 2112, 4160, 8256, 8256]
        assert model.pyramid.count_params() == sum(stages) + sum(laterals) + 5 * 36928
        assert model.proposal_head.count_params() == 36928 + 5 * 65 + 20 * 65
        assert model.box_head.count_params() == (49 * 64 + 1) * 128 + 129 * 128 + 129 + 4 * 129
        assert model.mask_head.count_params() == 3 * 36928 + (4 * 64 * 64 + 64) + 65
        assert model.count_params() == 829_856 + 38_553 + 418_693 + 127_297 == 1_414_399

        shapes = [
            tuple(level.shape[1:]) for level in model.pyramid.compute_output_spec(keras.KerasTensor((1, 64, 96, 1)))
        ]
        assert shapes == [(32, 48, 64), (16, 24, 64), (8, 12, 64), (4, 6, 64), (2, 3, 64), (1, 2, 64)]
        assert [output.shape for output in model.proposal_head.outputs] == [
            (None, None, None, 5),
            (None, None, None, 20),
        ]
        assert model.box_head.input_shape == (None, 7, 7, 64)
        assert [output.shape for output in model.box_head.outputs] == [(None, 1), (None, 4)]
        assert model.mask_head.input_shape == (None, 28, 28, 64) and model.mask_head.output_shape == (None, 56, 56)

    def test_multiply_adds_by_hand(self, small):
        """With 8 filters: one, stage and pyramid level after the other, then the heads."""
        stages = [72 * 32 * 32, (576 + 576 + 64) * 256, (1152 + 2304 + 128) * 64]
        stages += [(4608 + 9216 + 512) * 16, (9216 + 9216 + 1024) * 4]
        pyramid = sum(stages)
        for places, width in [(1024, 8), (256, 8), (64, 16), (16, 32), (4, 32)]:
            pyramid += places * (width * 16 + 9 * 16 * 16)
        proposals = (256 + 64 + 16 + 4 + 1) * (9 * 16 * 16 + 25 * 16)
        one_box, one_mask = 49 * 16 * 32 + 32 * 32 + 5 * 32, 14**2 * (9 * 16 * 16 + 4 * 16 * 16) + 28**2 * 16
        expected = pyramid + proposals + network.PROPOSALS * one_box + network.CRACKS * one_mask
        assert small.multiply_adds((64, 64)) == small.multiply_adds((33, 50)) == expected

    def test_there_is_no_table_of_layers(self, small):
        with pytest.raises(ValueError, match="mask_rcnn is not one graph of layers"):
            models.layer_table(small, (64, 64))

    def test_tiles_are_blended(self, small):
        image = np.random.default_rng(0).random((70, 100)).astype(np.float32)
        tiled = predict(small, image, tile=96)
        assert tiled.shape == (70, 100) and 0 <= tiled.min() <= tiled.max() <= 1

    def test_any_size_gives_the_same_size(self, small):
        function = tf.function(small, input_signature=[tf.TensorSpec((None, None, None, 1))])
        for size in [(64, 80), (13, 21), (1, 1)]:
            images = np.random.default_rng(0).random((2, *size, 1)).astype(np.float32)
            output = np.asarray(small(images))
            assert output.shape == images.shape and output.dtype == np.float32
            assert 0 <= output.min() <= output.max() <= 1
            np.testing.assert_allclose(function(images), output, atol=1e-5)

    def test_saving_keeps_all(self, small, tmp_path):
        small.save(tmp_path / "model.keras")
        again = keras.models.load_model(tmp_path / "model.keras")
        images = np.random.default_rng(0).random((1, 40, 50, 1)).astype(np.float32)
        assert again.options == small.options
        np.testing.assert_array_equal(again(images), small(images))

    def test_precision_is_given_to_the_maps_and_what_comes_out_is_float32(self, small):
        model = models.build("mask_rcnn", dtype="mixed_bfloat16", **SMALL)
        parts = (model.pyramid, model.proposal_head, model.box_head, model.mask_head)
        assert {layer.compute_dtype for layer in model.pyramid.layers[1:]} == {"bfloat16"}
        assert {output.dtype for part in parts[1:] for output in keras.tree.flatten(part.outputs)} == {"float32"}
        assert {weight.dtype for weight in model.weights} == {"float32"}
        assert model(np.zeros((1, 32, 32, 1), np.float32)).dtype == tf.float32
        small_weights = small.get_weights()
        model.set_weights(small_weights)
        assert all(np.array_equal(a, b) for a, b in zip(model.get_weights(), small_weights, strict=True))

    def test_a_seed_fixes_the_weights(self, small):
        same, other = (models.build("mask_rcnn", **SMALL, seed=seed).get_weights() for seed in (0, 1))
        assert all(np.array_equal(a, b) for a, b in zip(small.get_weights(), same, strict=True))
        assert not np.array_equal(same[0], other[0])

    def test_merged_is_the_largest_product_of_score_and_mask(self, small, photographs):
        maps = small(photographs[0][:2], training=True)
        where, scores, masks = map(np.asarray, small._detect(maps))
        assert (scores > 0).any()
        expected = np.zeros((2, 64, 80))
        for each, number in np.ndindex(scores.shape):
            mask, box = masks[each, number][None, None], where[each, number][None, None]
            pasted = np.asarray(roi_align.paste_masks(mask, box, 64, 80))[0, 0]
            expected[each] = np.maximum(expected[each], scores[each, number] * pasted)
        np.testing.assert_allclose(np.asarray(small(photographs[0][:2]))[..., 0], expected, atol=1e-5)

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"filters": 12}, "filters must be a multiple of 8, got 12"),
            ({"mask_size": 7}, "mask_size must be an even number"),
            ({"mask_convolutions": -1}, "mask_convolutions must be 0 or more"),
            ({"depth": 3}, "unknown option depth of model 'mask_rcnn'; valid are filters"),
        ],
    )
    def test_mistakes_are_named(self, options, message):
        with pytest.raises(ValueError, match=message):
            models.build("mask_rcnn", **options)


class TestLosses:
    def test_proposal_losses_equal_plain_ones(self, small, photographs):
        images, true = next(iter(batches(small, *(part[:2] for part in photographs))))
        maps = small(images, training=True)
        found = small.five_losses(maps, true)
        priority = small._chance(maps["objectness"].shape, 0, 0)
        sample = targets.sample_anchors(maps["anchors"], true["boxes"], true["valid"] > 0, priority, network.ANCHORS)
        entropy, smooth, number = 0.0, 0.0, 0
        for each in range(2):
            cracks, others, matched = chosen(sample, each)
            logits, corrections = maps["objectness"].numpy()[each], maps["corrections"].numpy()[each]
            probability = 1 / (1 + np.exp(-logits.astype(np.float64)))
            entropy -= np.log(probability[cracks]).sum() + np.log(1 - probability[others]).sum()
            number += len(cracks) + len(others)
            for crack, which in zip(cracks, matched, strict=True):
                a, b = maps["anchors"].numpy()[crack], true["boxes"].numpy()[each, which]
                height, width = a[2] - a[0], a[3] - a[1]
                down, right = (b[0] + b[2] - a[0] - a[2]) / 2 / height, (b[1] + b[3] - a[1] - a[3]) / 2 / width
                wanted = [down, right, np.log((b[2] - b[0]) / height), np.log((b[3] - b[1]) / width)]
                for difference in np.abs(corrections[crack] - wanted):
                    smooth += 4.5 * difference**2 if difference < 1 / 9 else difference - 1 / 18
        assert found["objectness"].numpy() == pytest.approx(entropy / number, rel=1e-4)
        assert found["proposals"].numpy() == pytest.approx(smooth / number, rel=1e-4)

    def test_undecided_heads_by_hand(self, photographs):
        model = models.build("mask_rcnn", **SMALL, seed=0)
        for head, names in [("proposal_head", ["objectness"]), ("box_head", ["crack"]), ("mask_head", ["crack"])]:
            for name in names:
                for weight in getattr(model, head).get_layer(name).weights:
                    weight.assign(tf.zeros_like(weight))
        images, true = next(iter(batches(model, *photographs)))
        maps = model(images, training=True)
        losses = model.five_losses(maps, true)
        assert losses["objectness"].numpy() == pytest.approx(np.log(2), rel=1e-5)
        assert losses["crack"].numpy() == pytest.approx(np.log(2), rel=1e-5)
        # Binary cross-entropy of one half, and a Dice loss between none and all of 28² cells being crack.
        assert np.log(2) + 1 - 2 / 3 - 0.01 < losses["masks"].numpy() < np.log(2) + 1

    def test_gradients_reach_every_weight(self, photographs):
        model = models.build("mask_rcnn", **SMALL, seed=0)
        images, true = next(iter(batches(model, *photographs)))
        with tf.GradientTape() as tape:
            loss = model.compute_loss(images, true, model(images, training=True))
        gradients = tape.gradient(loss, model.trainable_variables)
        still = [
            variable.path
            for variable, gradient in zip(model.trainable_variables, gradients, strict=True)
            if gradient is None or not np.abs(gradient).max() > 0
        ]
        assert not still

    def test_chance_is_a_function_of_seed_and_step(self, small):
        first, same, later, other = (
            np.asarray(small._chance((3,), step, use)) for step, use in [(0, 0), (0, 0), (1, 0), (0, 1)]
        )
        assert (first == same).all() and (first != later).all() and (first != other).all()

    def test_pictures_without_a_crack(self, small, photographs):
        images, true = next(iter(batches(small, photographs[0][:2], np.zeros_like(photographs[1][:2]))))
        with tf.GradientTape() as tape:
            losses = small.five_losses(small(images, training=True), true)
            total = sum(losses.values())
        assert losses["proposals"] == losses["boxes"] == losses["masks"] == 0
        assert all(np.isfinite(g).all() for g in tape.gradient(total, small.trainable_variables) if g is not None)

    def test_plain_masks_are_no_training_data(self, small, photographs):
        with pytest.raises(ValueError, match="fit it on training_data"):
            small.compute_loss(y=photographs[1], y_pred={})
        with pytest.raises(ValueError, match="sample_weight"):
            small.compute_loss(y=photographs[1], y_pred=photographs[1], sample_weight=1)

    def test_validation_is_cross_entropy_of_the_mask(self, small):
        mask, probability = np.float32([[[[1.0], [0.0]]]]), np.float32([[[[0.5], [0.2]]]])
        found = small.compute_loss(y=tf.constant(mask), y_pred=tf.constant(probability), training=False)
        assert float(found) == pytest.approx(-(np.log(0.5) + np.log(0.8)) / 2, rel=1e-5)


def test_training_data_has_each_picture_s_cracks(small, photographs):
    (images, true), *more = batches(small, *photographs).as_numpy_iterator()
    assert not more
    np.testing.assert_array_equal(images, photographs[0])
    np.testing.assert_array_equal(true["mask"], photographs[1])
    np.testing.assert_array_equal(true["ids"] > 0, photographs[1][..., 0] > 0)
    assert true["valid"].sum(axis=1).tolist() == true["ids"].max(axis=(1, 2)).tolist() == [1, 1, 2, 1, 1, 2, 1, 1]
    assert true["boxes"].shape == (8, network.CRACKS, 4)


@pytest.mark.usefixtures("own_artifacts", "untraced")
def test_smoke_preset():
    small = {"size": (32, 40), "epochs": 1}
    run = fit.fit(Experiment.preset("smoke", model="mask_rcnn", model_options=SMALL, **small))
    names = {"loss", "miou", "unthresholded_miou", "accuracy", "pixel_accuracy"}
    assert set(run.history) == names | {f"val_{name}" for name in names} | {"learning_rate"}
    assert all(len(values) == 1 and np.isfinite(values).all() for values in run.history.values())
    model = run.model()
    assert model(np.zeros((1, 40, 50, 1), np.float32)).shape == (1, 40, 50, 1)


@pytest.mark.acceptance
def test_an_interrupted_training_continues_to_the_same_weights(tmp_path, monkeypatch):
    experiment = Experiment.preset("smoke", model="mask_rcnn", model_options=SMALL)
    monkeypatch.setenv("CRACK_UTILS_ARTIFACTS", str(tmp_path))
    monkeypatch.setattr(hardware, "resolve", lambda *_: ("float32", False))
    finished = fit.fit(experiment).model().get_weights()
    shutil.rmtree(tmp_path / "runs")
    with full_at_the_second_epoch():
        fit.fit(experiment)
    for one, other in zip(fit.fit(experiment).model().get_weights(), finished, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


@pytest.mark.acceptance
def test_overfits_eight_pictures(photographs):
    """The masks of eight pictures, with one or two cracks each, are predicted with an IoU of 0.7 or more."""
    images, masks = photographs
    assert min(mask_ceiling(mask[..., 0], 56) for mask in masks) == 1
    model = models.build("mask_rcnn", filters=16, mask_convolutions=2, seed=0)
    model.compile(keras.optimizers.Adam(1e-3))
    model.fit(batches(model, images, masks).cache().repeat(), steps_per_epoch=150, epochs=1, shuffle=False, verbose=0)
    predicted = model.predict_on_batch(images) >= 0.5
    for true, mask in zip(masks > 0, predicted, strict=True):
        assert confusion(true, mask).crack_iou >= 0.7
        ids, _, valid = instances.label(true[..., 0], network.CRACKS)
        assert all(mask[ids == number].mean() >= 0.75 for number in range(1, valid.sum() + 1))  # none is missed
