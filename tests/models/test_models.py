import doctest

import keras
import numpy as np
import pytest
import tensorflow as tf

from crack_utils import losses, models
from crack_utils.models.any_size import AnySizeModel
from crack_utils.models.graph import total_stride
from crack_utils.training import metrics

# Report item R33, layer by layer; poolings and concatenations have no parameters.
R33 = [640, 36928, 0, 36928, 36928, 0, 73856, 147584, 0, 295168, 295040]
R33 += [147584, 0, 295040, 73792, 36928, 0, 73792, 36928, 36928, 0, 73792, 36928, 577]


@pytest.fixture(scope="module")
def unet():
    return models.build()


@pytest.fixture(scope="module")
def small():
    return models.build(filters=2, seed=0)


def random_images(*shape, seed=0):
    return np.random.default_rng(seed).random((*shape, 1), dtype="float32")


def test_layers_and_parameters_are_the_report_s(unet):
    table = models.layer_table(unet, (512, 640))
    assert table["parameters"].tolist() == R33
    assert len(table) == len(unet.layers) - 1 == 24
    assert table["parameters"].sum() == unet.count_params() == 1_735_361
    assert sum(np.prod(weight.shape) for weight in unet.trainable_weights) == 1_735_361


def test_input_output_and_activations_are_the_report_s(unet):
    assert unet.input_shape == (None, None, None, 1)
    assert unet.output_shape == (None, None, None, 1)
    convolutions = [layer for layer in unet.layers if hasattr(layer, "kernel")]
    assert [layer.activation.__name__ for layer in convolutions] == ["relu"] * 17 + ["sigmoid"]
    assert {layer.kernel_size for layer in convolutions} == {(3, 3)}


def test_table_shapes_and_names(unet):
    table = models.layer_table(unet, (512, 640)).set_index("layer")
    assert list(table.index[:3]) == ["encoder1_conv1", "encoder1_conv2", "encoder1_pool"]
    assert list(table.index[-5:-1]) == ["decoder1_up", "decoder1_concat", "decoder1_conv1", "decoder1_conv2"]
    assert table.loc["bridge_conv2", "output_shape"] == (64, 80, 128)
    assert table.loc["decoder3_concat", "output_shape"] == (128, 160, 256)
    assert table.loc["output", "output_shape"] == (512, 640, 1)
    assert table.loc["encoder1_conv1", "kind"] == "Conv2D"


def test_multiply_adds_by_hand(unet):
    table = models.layer_table(unet, (8, 16)).set_index("layer")["multiply_adds"]
    assert table["encoder1_conv1"] == 8 * 16 * 9 * 64
    assert table["bridge_conv1"] == 1 * 2 * 9 * 128 * 256
    assert table["decoder3_up"] == 1 * 2 * 9 * 128 * 128  # each input pixel meets the whole kernel once
    assert table["encoder1_pool"] == table["decoder1_concat"] == 0


def test_table_of_a_size_that_needs_padding_is_that_of_the_padded_size(unet):
    assert models.layer_table(unet, (9, 16)).equals(models.layer_table(unet, (16, 16)))


def test_receptive_fields_are_what_one_bright_row_reaches():
    model = models.build(filters=1)
    for weight in model.weights:
        weight.assign(np.full(weight.shape, 1 / 9 if len(weight.shape) == 4 else 0))
    every = keras.Model(model.input, [layer.output for layer in model.layers[1:-1]])
    length = 256
    rows = np.broadcast_to(np.eye(length, dtype="float32")[:, :, None, None], (length, length, 8, 1))  # image i: row i
    reached = [np.asarray(output).max(axis=(2, 3)) > 0 for output in every(rows)]  # [input row, output row]
    measured = []
    for matrix in reached:
        inner = matrix.T[len(matrix.T) * 3 // 8 : len(matrix.T) * 5 // 8]  # output rows that no border cuts short
        measured.append(max(np.ptp(np.flatnonzero(row)) + 1 for row in inner))
    assert models.layer_table(model, (64, 64))["receptive_field"].tolist()[:-1] == measured


def test_a_layer_whose_receptive_field_is_unknown_is_named():
    image = keras.Input((16, 16, 1))
    model = keras.Model(image, keras.layers.ZeroPadding2D(name="strange")(image))
    with pytest.raises(ValueError, match="layer 'strange' is a ZeroPadding2D"):
        models.layer_table(model, (16, 16))


@pytest.mark.parametrize("size", [(16, 24), (13, 21), (1, 1), (8, 9)])
def test_any_size_gives_the_same_size(small, size):
    images = random_images(2, *size)
    output = np.asarray(small(images))
    assert output.shape == (2, *size, 1)
    assert ((output > 0) & (output < 1)).all()
    height, width = (-size[0] % 8, -size[1] % 8)
    padded = np.pad(images, [(0, 0), (0, height), (0, width), (0, 0)], mode="edge")
    np.testing.assert_allclose(output, np.asarray(small(padded))[:, : size[0], : size[1]], atol=1e-6)


@pytest.mark.parametrize(("compiled", "size"), [(False, (13, 21)), (False, (16, 24)), (True, (13, 21))])
def test_sizes_unknown_until_run_time(small, compiled, size):
    anything = [tf.TensorSpec((None, None, None, 1))]
    function = tf.function(lambda images: small(images), input_signature=anything, jit_compile=compiled)
    images = random_images(2, *size)
    np.testing.assert_allclose(function(images), small(images), atol=1e-5)


def test_fitting_sizes_add_no_operation(small):
    def operations(size):
        function = tf.function(lambda images: small(images)).get_concrete_function(tf.TensorSpec((1, *size, 1)))
        return {operation.type for operation in function.graph.get_operations()}

    assert "GatherV2" in operations((13, 24))
    assert not {"GatherV2", "StridedSlice", "Pad"} & operations((16, 24))


def test_use_inside_another_model(small):
    image = keras.Input((13, 21, 1))
    model = keras.Model(image, small(image))
    assert model.output_shape == (None, 13, 21, 1)
    images = random_images(1, 13, 21)
    np.testing.assert_allclose(model(images), small(images), atol=1e-6)


def test_saving_keeps_weights_sizes_and_kind(small, tmp_path):
    small.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    images = random_images(1, 13, 21)
    assert type(again) is type(small)
    np.testing.assert_array_equal(again(images), small(images))
    assert models.layer_table(again, (16, 16)).equals(models.layer_table(small, (16, 16)))


def test_training_compiled_with_every_metric():
    image = keras.Input((None, None, 1))
    output = keras.layers.Conv2D(1, 3, padding="same", activation="sigmoid")(image)  # XLA takes seconds for a U-Net
    model = AnySizeModel(image, output)
    kinds = [metrics.MeanIoU(), metrics.MeanPixelAccuracy(), metrics.PixelAccuracy(), metrics.UnthresholdedMeanIoU()]
    model.compile(keras.optimizers.Adam(0.01), losses.get("dice+bce"), metrics=kinds, jit_compile=True)
    images = random_images(4, 16, 16)
    history = model.fit(images, (images > 0.8).astype("float32"), batch_size=2, epochs=3, verbose=0).history
    assert set(history) == {"loss", *(metric.name for metric in kinds)}
    assert history["loss"][-1] < history["loss"][0]
    assert kinds[0].counts.numpy().sum() == 4 * 16 * 16


@pytest.mark.parametrize(
    ("dtype", "compute"), [(None, "float32"), ("mixed_float16", "float16"), ("mixed_bfloat16", "bfloat16")]
)
def test_precision_is_given_to_each_layer_and_the_output_is_float32(dtype, compute):
    model = models.build(dtype=dtype, filters=2)
    assert {layer.compute_dtype for layer in model.layers[1:-1]} == {compute}
    assert {weight.dtype for weight in model.weights} == {"float32"}
    assert model.layers[-1].compute_dtype == "float32"
    assert model(random_images(1, 9, 8)).dtype == tf.float32
    assert keras.config.dtype_policy().name == "float32"


def test_the_global_policy_is_not_read():
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        assert {layer.compute_dtype for layer in models.build(filters=2).layers[1:]} == {"float32"}
    finally:
        keras.config.set_dtype_policy("float32")


def test_a_seed_fixes_the_weights():
    first, same, other = (models.build(filters=2, seed=seed).get_weights() for seed in (1, 1, 2))
    assert all(np.array_equal(a, b) for a, b in zip(first, same, strict=True))
    assert not np.array_equal(first[0], other[0])
    kernels = [weight for weight in first if weight.shape == (3, 3, 2, 2)]
    assert not np.array_equal(kernels[0], kernels[1])  # layers of equal shape differ


def test_stride_decides_the_padding(small):
    assert total_stride(small) == 8


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("vgg", {}, "unknown model 'vgg'; valid are unet"),
        ("unet", {"window": 3}, "unknown option window of model 'unet'"),
    ],
)
def test_mistakes_are_named(name, options, message):
    with pytest.raises(ValueError, match=message):
        models.build(name, **options)


def test_names_can_all_be_built():
    assert "unet" in models.MODELS


def test_examples_in_the_documentation_run():
    assert doctest.testmod(models).failed == 0
