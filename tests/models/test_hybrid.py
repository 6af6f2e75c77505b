"""The hybrid: attention and positions against NumPy, parameters by hand, and a view of the whole picture."""

import keras
import numpy as np
import pytest
from scipy.special import softmax

from crack_utils import models, predict
from crack_utils.models.transformer import Attention, PositionalEncoding
from tests.helpers.arrays import images


@pytest.fixture(scope="module")
def model():
    return models.build("hybrid", filters=4, depth=2, heads=2, seed=0)


def test_attention_is_that_of_numpy():
    query, key, value = np.random.default_rng(0).normal(size=(3, 2, 3, 5, 8)).astype("float32")
    found = np.asarray(Attention(heads=2)([query, key, value]))
    expected = np.zeros((2, 15, 8))
    for image in range(2):
        for head in (np.s_[:4], np.s_[4:]):
            q, k, v = (each[image].reshape(15, 8)[:, head].astype(float) for each in (query, key, value))
            expected[image][:, head] = softmax(q @ k.T / 2, axis=1) @ v  # 2 = √4
    np.testing.assert_allclose(found.reshape(2, 15, 8), expected, atol=1e-5)


def test_positions_by_hand():
    found = np.asarray(PositionalEncoding()(np.zeros((1, 3, 4, 8), np.float32)))[0]
    # Two wavelengths each, 2π and 2π·100: sines and cosines of the row, then of the column.
    row, column = 2, 3
    angles = [row, row / 100], [column, column / 100]
    expected = np.concatenate([[*np.sin(each), *np.cos(each)] for each in angles])
    np.testing.assert_allclose(found[row, column], expected, atol=1e-5)
    larger = np.asarray(PositionalEncoding()(np.zeros((1, 9, 7, 8), np.float32)))[0]
    np.testing.assert_allclose(larger[:3, :4], found, atol=1e-6)
    assert len(np.unique(larger.round(5).reshape(-1, 8), axis=0)) == 63  # every place has its own


def test_parameters_by_hand(model):
    # Width 4: four 1×1 convolutions, the perceptron 4 → 16 → 4, two normalisations; after two blocks one more.
    block = 4 * (4 * 4 + 4) + (4 * 16 + 16) + (16 * 4 + 4) + 2 * 8
    plain = models.build(filters=4, depth=2)
    bridge = sum(plain.get_layer(f"bridge_conv{number}").count_params() for number in (1, 2))
    assert model.count_params() == plain.count_params() - bridge + 2 * block + 8


def test_layers(model):
    table = models.layer_table(model, (32, 48)).set_index("layer")
    assert table.loc["transformer1_attention", "output_shape"] == (8, 12, 4)
    assert table.loc["transformer1_attention", "multiply_adds"] == 2 * 96**2 * 4
    assert table.loc["transformer2_mlp1", "multiply_adds"] == 96 * 4 * 16
    assert table.loc["positions", "receptive_field"] < np.inf == table.loc["transformer1_attention", "receptive_field"]
    assert table.loc["output", "receptive_field"] == np.inf


def test_each_pixel_depends_on_the_whole_picture(model):
    picture = images(1, 64, 64)
    other = picture.copy()
    other[0, :8, :8] = 1 - other[0, :8, :8]
    far = np.s_[0, 48:, 48:]  # beyond what the convolutions of two levels reach
    assert not np.array_equal(model(picture)[far], model(other)[far])
    plain = models.build(filters=4, depth=2, seed=0)
    assert np.array_equal(plain(picture)[far], plain(other)[far])


def test_any_size_in_tiles_and_saved(model, tmp_path):
    assert model(images(2, 13, 21)).shape == (2, 13, 21, 1)
    tiled = predict(model, images(70, 50)[..., 0], tile=48)
    assert tiled.shape == (70, 50) and 0 <= tiled.min() <= tiled.max() <= 1
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(again(images(1, 13, 21)), model(images(1, 13, 21)))


def test_mixed_precision_is_near_float32(model):
    mixed = models.build("hybrid", dtype="mixed_bfloat16", filters=4, depth=2, heads=2)
    mixed.set_weights(model.get_weights())
    found = mixed(images(1, 16, 16))
    assert found.dtype == "float32"
    np.testing.assert_allclose(found, model(images(1, 16, 16)), atol=0.02)  # bfloat16 keeps 8 bits


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"filters": 6, "depth": 2}, "filters=6: the bridge has 6 channels at depth 2"),
        ({"heads": 3}, "must be divisible by 3 heads and by 4"),
        ({"transformers": 0}, "transformers must be a whole number of at least 1"),
    ],
)
def test_mistakes_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        models.build("hybrid", **options)
