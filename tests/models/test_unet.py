"""The U-Net's options: depth, normalisation, residual stages, deep supervision; the default stays as it was."""

import keras
import numpy as np
import pytest

from crack_utils import losses, models
from crack_utils.models.deep_supervision import DeeplySupervised
from crack_utils.models.encoder_decoder import level_filters
from crack_utils.models.graph import total_stride
from crack_utils.training import metrics
from tests.helpers.arrays import images


def conv(side, channels_in, channels_out):
    """Parameters of a convolution, by hand."""
    return side**2 * channels_in * channels_out + channels_out


def parameters(model):
    table = models.layer_table(model, (32, 32))
    return dict(zip(table["layer"], table["parameters"], strict=True))


def test_the_seed_of_a_layer_is_a_hundred_times_the_network_s_and_its_number():
    model = models.build(filters=2, seed=7)
    kernels = [layer.kernel for layer in model.layers if hasattr(layer, "kernel")]
    assert len(kernels) == 18
    for number, kernel in enumerate(kernels):
        expected = keras.initializers.GlorotUniform(700 + number)(kernel.shape)
        np.testing.assert_array_equal(kernel, expected)


def test_filters_double_from_the_third_level_on():
    assert level_filters(64, 3) == [64, 64, 128]  # R33
    assert level_filters(8, 5) == [8, 8, 16, 32, 64]
    found = parameters(models.build(filters=2, depth=4))
    assert found["encoder4_conv1"] == conv(3, 4, 8) and found["bridge_conv1"] == conv(3, 8, 16)
    assert found["bridge_conv2"] == conv(3, 16, 8) and found["decoder4_up"] == conv(3, 8, 8)
    assert found["decoder4_conv1"] == conv(3, 16, 8) and found["decoder4_conv2"] == conv(3, 8, 4)
    assert found["decoder3_up"] == conv(3, 4, 4) and found["output"] == conv(3, 2, 1)


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_any_depth_takes_any_size(depth):
    model = models.build(filters=2, depth=depth, seed=0)
    assert total_stride(model) == 2**depth
    assert model(images(1, 13, 21)).shape == (1, 13, 21, 1)


class TestNormalisation:
    @pytest.mark.parametrize(("normalisation", "own"), [("batch", 4), ("group", 2)])
    def test_parameters(self, normalisation, own):
        plain, found = (parameters(models.build(filters=4, normalisation=n)) for n in (None, normalisation))
        assert found["encoder1_conv1"] == plain["encoder1_conv1"] - 4  # no bias
        assert found["encoder3_conv1_norm"] == own * 8 and found["decoder1_up_norm"] == own * 4
        assert found["output"] == plain["output"] and "output_norm" not in found

    def test_a_group_s_mean_is_zero_and_its_variance_one(self):
        model = models.build(filters=16, normalisation="group", seed=0)
        layer = model.get_layer("encoder1_conv1_norm")
        assert layer.groups == 8
        found = np.asarray(keras.Model(model.input, layer.output)(images(2, 16, 16))).reshape(2, -1, 8, 2)
        np.testing.assert_allclose(found.mean(axis=(1, 3)), 0, atol=1e-4)
        np.testing.assert_allclose(found.var(axis=(1, 3)), 1, atol=0.02)

    def test_groups_see_the_whole_picture(self):
        table = models.layer_table(models.build(filters=2, normalisation="group"), (16, 16)).set_index("layer")
        assert table.loc["encoder1_conv1", "receptive_field"] == 3
        assert table.loc["encoder1_conv1_norm", "receptive_field"] == np.inf

    def test_normalising_over_the_batch_does_not_widen_the_view(self):
        fields = [
            models.layer_table(models.build(filters=2, normalisation=n), (16, 16))["receptive_field"].max()
            for n in (None, "batch")
        ]
        assert fields[0] == fields[1]


class TestResidual:
    def test_shortcuts_where_the_channels_change(self):
        model = models.build(filters=2, residual=True)
        found = parameters(model)
        shortcuts = {name: value for name, value in found.items() if name.endswith("shortcut")}
        assert shortcuts == {
            "encoder1_shortcut": conv(1, 1, 2),
            "encoder3_shortcut": conv(1, 2, 4),
            "decoder3_shortcut": conv(1, 8, 2),
            "decoder2_shortcut": conv(1, 4, 2),
            "decoder1_shortcut": conv(1, 4, 2),
        }
        assert model.count_params() == models.build(filters=2).count_params() + sum(shortcuts.values())

    def test_a_stage_without_weights_hands_on_what_enters(self):
        model = models.build(filters=2, residual=True, seed=0)
        for name in ("encoder2_conv1", "encoder2_conv2"):
            model.get_layer(name).set_weights([np.zeros_like(weight) for weight in model.get_layer(name).get_weights()])
        ends = [model.get_layer(name).output for name in ("encoder1_pool", "encoder2_relu")]
        before, after = keras.Model(model.input, ends)(images(1, 16, 16))
        np.testing.assert_array_equal(before, after)  # which a ReLU has made positive


@pytest.fixture(scope="module")
def model():
    return models.build(filters=2, deep_supervision=True, seed=0)


class TestDeepSupervision:
    def test_the_prediction_is_that_of_the_network_without(self, model):
        plain = models.build(filters=2, seed=0)
        assert type(model) is DeeplySupervised
        np.testing.assert_array_equal(model(images(1, 13, 21)), plain(images(1, 13, 21)))
        np.testing.assert_array_equal(model.predict_on_batch(images(1, 13, 21)), plain(images(1, 13, 21)))
        assert model.count_params() == plain.count_params() + 2 * conv(3, 2, 1)

    def test_side_outputs_have_the_size_of_the_picture(self, model):
        outputs = model(images(2, 13, 21), training=True)
        assert [each.shape for each in outputs] == [(2, 13, 21, 1)] * 3
        assert all(0 < float(np.min(each)) <= float(np.max(each)) < 1 for each in outputs)

    def test_the_loss_by_hand(self, model):
        x, mask = images(2, 16, 16), np.float32(images(2, 16, 16, seed=1) > 0.8)
        model.compile(loss=losses.get("bce"), metrics=[metrics.MeanIoU(name="miou")])
        outputs = model(x, training=True)
        main, half, quarter = (float(losses.get("bce")(mask, each)) for each in outputs)
        found = model.compute_loss(x, mask, outputs, training=True)
        assert float(found) == pytest.approx((main + half / 2 + quarter / 4) / 1.75, rel=1e-5)
        told = model.evaluate(x, mask, verbose=0, return_dict=True)
        assert told["loss"] == pytest.approx(main, rel=1e-5)
        assert set(told) == {"loss", "miou"}

    def test_every_side_output_learns(self, model):
        x, mask = images(2, 16, 16), np.float32(images(2, 16, 16, seed=1) > 0.8)
        model.compile(keras.optimizers.SGD(0.1), losses.get("dice"))
        before = {layer.name: layer.get_weights() for layer in model.layers if layer.name.endswith("output")}
        assert set(before) == {"output", "side2_output", "side3_output"}
        model.train_on_batch(x, mask)
        for name, weights in before.items():
            assert not np.array_equal(weights[0], model.get_layer(name).get_weights()[0])

    def test_saved_and_read_back(self, model, tmp_path):
        model.save(tmp_path / "model.keras")
        again = keras.models.load_model(tmp_path / "model.keras", compile=False)
        assert type(again) is DeeplySupervised
        np.testing.assert_array_equal(again(images(1, 13, 21)), model(images(1, 13, 21)))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"normalisation": "layer"}, r"normalisation must be one of \(None, 'batch', 'group'\), got 'layer'"),
        ({"depth": 0}, "depth must be a whole number of at least 1, got 0"),
        ({"filters": 0.5}, "filters must be a whole number"),
        ({"prior": 1}, r"prior must lie in \(0, 1\), got 1"),
        ({"depth": 1, "deep_supervision": True}, "depth, with deep_supervision, must be a whole number of at least 2"),
    ],
)
def test_mistakes_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        models.build(**options)
