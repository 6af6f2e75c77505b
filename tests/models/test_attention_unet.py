"""The Attention U-Net: gates against a NumPy implementation of their own, parameters by hand, maps."""

import keras
import numpy as np
import pytest
from scipy.special import expit

from crack_utils import models
from tests.helpers.arrays import images


@pytest.fixture(scope="module")
def model():
    return models.build("attention_unet", filters=4, seed=0)


def gate(skip, signal, weights):
    """Weigh `skip` (H, W, C) by `signal` (H/2, W/2, D), with loops, in float64."""
    by_skip, by_signal, bias, by_sum, offset = (np.asarray(each, np.float64) for each in weights)
    height, width = signal.shape[:2]
    attention = np.zeros((height, width))
    for row in range(height):
        for column in range(width):
            compared = signal[row, column] @ by_signal[0, 0] + bias
            for down in range(2):
                for across in range(2):
                    compared = compared + skip[2 * row + down, 2 * column + across] @ by_skip[down, across]
            attention[row, column] = expit((np.maximum(compared, 0) @ by_sum[0, 0] + offset)[0])
    enlarged = np.zeros(skip.shape[:2])
    for row in range(2 * height):
        for column in range(2 * width):
            at = np.clip([(row - 0.5) / 2, (column - 0.5) / 2], 0, [height - 1, width - 1])  # centre of a fine pixel
            low = np.minimum(np.floor(at).astype(int), [max(height - 2, 0), max(width - 2, 0)])
            for down in range(2):
                for across in range(2):
                    share = (1 - abs(at[0] - low[0] - down)) * (1 - abs(at[1] - low[1] - across))
                    enlarged[row, column] += share * attention[low[0] + down, low[1] + across]
    return skip * enlarged[..., None], enlarged


@pytest.mark.parametrize(
    ("level", "skip", "signal"), [(3, "encoder3_conv2", "bridge_conv2"), (2, "encoder2_conv2", "decoder3_conv2")]
)
def test_a_gate_is_that_of_numpy(model, level, skip, signal):
    ends = [skip, signal, f"gate{level}_weighed", f"gate{level}_up"]
    outputs = keras.Model(model.input, [model.get_layer(name).output for name in ends])(images(1, 24, 40))
    seen, asking, weighed, attention = (np.asarray(output)[0] for output in outputs)
    rows = [model.get_layer(f"gate{level}_{part}").get_weights() for part in ("skip", "signal", "attention")]
    expected, enlarged = gate(seen, asking, [weight for row in rows for weight in row])
    np.testing.assert_allclose(weighed, expected, atol=1e-5)
    np.testing.assert_allclose(attention[..., 0], enlarged, atol=1e-5)
    assert enlarged.std() > 1e-4  # or the test would say nothing


def test_parameters_by_hand(model):
    # Level 3: 8 channels of skip and of signal, 4 filters; level 2: 4 and 4, 2 filters. Kernel, then bias.
    level3 = 2 * 2 * 8 * 4 + (8 * 4 + 4) + (4 + 1)
    level2 = 2 * 2 * 4 * 2 + (4 * 2 + 2) + (2 + 1)
    assert model.count_params() == models.build(filters=4).count_params() + level3 + level2
    full = models.build("attention_unet")
    assert full.count_params() == 1_735_361 + (4 * 128 * 64 + 128 * 64 + 64 + 65) + (4 * 64 * 32 + 64 * 32 + 32 + 33)


def test_layers(model):
    table = models.layer_table(model, (32, 48)).set_index("layer")
    assert table.loc["gate2_attention", "output_shape"] == (8, 12, 1)
    assert table.loc["gate2_up", "output_shape"] == (16, 24, 1)
    assert table.loc["gate3_weighed", "output_shape"] == (8, 12, 8)
    assert table.loc["gate3_skip", "multiply_adds"] == 4 * 6 * 4 * 8 * 4
    assert not any(name.startswith("gate1") for name in table.index)
    # The bridge sees 68; interpolation between two of its pixels, 8 apart, adds 8.
    plain = models.layer_table(models.build(filters=2), (16, 16)).set_index("layer")["receptive_field"]
    assert table.loc["gate3_up", "receptive_field"] == plain["bridge_conv2"] + 8
    assert np.isfinite(table["receptive_field"]).all()


def test_closed_gates_leave_the_finest_skip_alone(model):
    shut = models.build("attention_unet", filters=4, seed=0)
    for level in (2, 3):
        layer = shut.get_layer(f"gate{level}_attention")
        layer.set_weights([layer.get_weights()[0] * 0, np.array([-100.0])])
    maps = models.attention_maps(shut, images(1, 16, 16))
    assert all(np.abs(each).max() < 1e-6 for each in maps.values())
    outputs = [shut.get_layer(name).output for name in ("decoder3_concat", "decoder1_concat")]
    coarse, fine = keras.Model(shut.input, outputs)(images(1, 16, 16))
    assert np.abs(np.asarray(coarse)[..., 8:]).max() < 1e-6 < np.abs(np.asarray(fine)[..., 4:]).max()


def test_maps_have_the_size_of_their_level(model):
    maps = models.attention_maps(model, images(2, 13, 21))
    assert {level: each.shape for level, each in maps.items()} == {2: (2, 7, 11), 3: (2, 4, 6)}
    assert all((each > 0).all() and (each < 1).all() for each in maps.values())
    with pytest.raises(ValueError, match="model 'unet' has no attention gates"):
        models.attention_maps(models.build(filters=2), images(1, 8, 8))


def test_saved_and_any_size(model, tmp_path):
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(again(images(1, 13, 21)), model(images(1, 13, 21)))
