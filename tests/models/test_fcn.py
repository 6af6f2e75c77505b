"""FCN-32s, -16s and -8s: layers by hand, and transposed convolutions that begin as bilinear interpolation."""

import keras
import numpy as np
import pytest
from scipy.ndimage import map_coordinates

from crack_utils import models
from crack_utils.models.fcn import Bilinear
from tests.helpers.arrays import images

# Kernel side, channels in and out of FCN-32s with 2 filters: VGG-16's thirteen convolutions, two "fully connected"
# ones, the score, and its interpolation.
LAYERS = [(3, 1, 2), (3, 2, 2), (3, 2, 4), (3, 4, 4), (3, 4, 8), (3, 8, 8), (3, 8, 8), (3, 8, 16), (3, 16, 16)]
LAYERS += [(3, 16, 16)] * 4 + [(3, 16, 32), (1, 32, 32), (1, 32, 1), (64, 1, 1)]


def test_parameters_by_hand():
    expected = [side**2 * inside * outside + outside for side, inside, outside in LAYERS]
    found = models.build("fcn", filters=2, stride=32)
    assert [layer.count_params() for layer in found.layers if layer.count_params()] == expected
    sixteen = sum(expected[:-1]) + (4 * 4 + 1) + (16 + 1) + (32 * 32 + 1)
    assert models.build("fcn", filters=2, stride=16).count_params() == sixteen
    eight = sum(expected[:-1]) + 2 * (4 * 4 + 1) + (16 + 1) + (8 + 1) + (16 * 16 + 1)
    assert models.build("fcn", filters=2, stride=8).count_params() == eight


def test_the_convolutions_are_vgg_16_s():
    table = models.layer_table(models.build("fcn", filters=64), (512, 640)).set_index("layer")
    stages = table[table.index.str.match("stage._conv")]
    assert stages["parameters"].sum() == 14_714_688 - 2 * 9 * 64  # as published, of one channel instead of three
    assert len(stages) == 13
    assert table.loc["stage5_pool", "output_shape"] == (16, 20, 512)
    assert table.loc["score16_sum", "output_shape"] == (32, 40, 1)
    assert table.loc["score8_sum", "output_shape"] == (64, 80, 1)
    assert table.loc["output", "output_shape"] == (512, 640, 1)
    assert table.loc["stage5_pool", "receptive_field"] == 212  # of VGG-16's last pooling


@pytest.mark.parametrize("stride", [8, 16, 32])
def test_skips_are_summed(stride):
    model = models.build("fcn", filters=2, stride=stride, seed=0)
    sums = [layer.name for layer in model.layers if isinstance(layer, keras.layers.Add)]
    assert sums == {8: ["score16_sum", "score8_sum"], 16: ["score16_sum"], 32: []}[stride]
    for name in sums:
        parts = [name.replace("sum", "")[:-1], f"score{2 * int(name[5:-4])}_up"]
        outputs = [model.get_layer(part).output for part in (*parts, name)]
        own, doubled, total = keras.Model(model.input, outputs)(images(1, 64, 96))
        np.testing.assert_allclose(total, own + doubled, atol=1e-6)


@pytest.mark.parametrize("factor", [2, 8, 16])
def test_bilinear_interpolation(factor):
    layer = keras.layers.Conv2DTranspose(
        1, 2 * factor, strides=factor, padding="same", use_bias=False, kernel_initializer=Bilinear()
    )
    coarse = images(1, 5, 7)
    found = np.asarray(layer(coarse))[0, ..., 0]
    rows, columns = ((np.arange(factor * length) + 0.5) / factor - 0.5 for length in (5, 7))
    expected = map_coordinates(coarse[0, ..., 0], np.meshgrid(rows, columns, indexing="ij"), order=1, mode="nearest")
    inner = np.s_[factor:-factor, factor:-factor]  # beyond the border a convolution sees zeros
    np.testing.assert_allclose(found[inner], expected[inner], atol=1e-5)


def test_a_channel_goes_into_itself_alone():
    kernel = np.asarray(Bilinear()((4, 4, 2, 2)))
    np.testing.assert_allclose(kernel[..., 0, 0], np.outer([0.25, 0.75, 0.75, 0.25], [0.25, 0.75, 0.75, 0.25]))
    assert (kernel[..., 0, 1] == 0).all() and (kernel[..., 0, 0] == kernel[..., 1, 1]).all()


@pytest.mark.parametrize("stride", [8, 32])
def test_saved_and_any_size(stride, tmp_path):
    model = models.build("fcn", filters=1, stride=stride, seed=0, prior=0.1)
    found = np.asarray(model(images(1, 33, 70)))
    assert found.shape == (1, 33, 70, 1) and found.dtype == np.float32
    model.save(tmp_path / "model.keras")
    np.testing.assert_array_equal(keras.models.load_model(tmp_path / "model.keras")(images(1, 33, 70)), found)


def test_normalised():
    model = models.build("fcn", filters=1, normalisation="batch", stride=32)
    assert model.get_layer("stage5_conv3_norm").count_params() == 4 * 8
    assert not any(layer.name == "score32_norm" for layer in model.layers)


@pytest.mark.parametrize(
    ("options", "message"),
    [({"stride": 4}, "stride must be one of 32, 16, 8, got 4"), ({"filters": 0}, "filters must be")],
)
def test_mistakes_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        models.build("fcn", **options)
