"""Networks made ready for prediction: folded, in bfloat16, with OpenVINO, and all with the probabilities of Keras."""

import keras
import numpy as np
import pytest

from crack_utils import models
from crack_utils.inference import engine
from crack_utils.inference.engine import BFLOAT16, BOUNDS, FLOAT32, compiled, folded, is_installed, stride_and_reach


def used(model, seed=0):
    """Give a network weights that a training may have left, means and variances of its normalisation too."""
    generator = np.random.default_rng(seed)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            count = layer.moving_mean.shape[0]
            layer.set_weights(
                [generator.uniform(low, high, count) for low, high in ((0.5, 2), (-1, 1), (-1, 1), (0.2, 3))]
            )
    return model


@pytest.fixture(scope="module")
def compact():
    return used(models.build("compact", filters=(4, 4, 6), normalise_from=1, seed=0))


def noise(*shape, seed=0):
    return np.random.default_rng(seed).random(shape, np.float32)


def test_a_folded_kernel_worked_out_by_hand():
    image = keras.Input((None, None, 1))
    x = keras.layers.Conv2D(1, 1, name="conv")(image)
    model = keras.Model(image, keras.layers.BatchNormalization(epsilon=0.75, name="norm")(x))
    model.get_layer("conv").set_weights([np.full((1, 1, 1, 1), 3.0), np.array([1.0])])
    model.get_layer("norm").set_weights([np.array([value]) for value in (2.0, 5.0, 7.0, 3.25)])
    # 2·(3x + 1 − 7)/√(3.25 + 0.75) + 5 = 3x − 1
    kernel, bias = folded(model).get_layer("conv").get_weights()
    assert (kernel.item(), bias.item()) == (3, -1)


@pytest.mark.parametrize("shape", [(1, 32, 40, 1), (2, 45, 61, 1)])
def test_folding_changes_probabilities_by_rounding_only(compact, shape):
    flat, images = folded(compact), noise(*shape)
    assert not any(isinstance(layer, keras.layers.BatchNormalization) for layer in flat.layers)
    expected = np.asarray(compact(images, training=False))
    assert expected.std() > 0.02
    np.testing.assert_allclose(flat(images, training=False), expected, atol=1e-5)


def test_transposed_convolutions_fold_too():
    model = used(models.build(filters=2, normalisation="batch", seed=0))
    flat = folded(model)
    assert sum(isinstance(layer, keras.layers.BatchNormalization) for layer in flat.layers) == 0
    images = noise(1, 32, 48, 1)
    np.testing.assert_allclose(flat(images), model(images, training=False), atol=1e-5)


def test_what_cannot_be_folded_stays():
    image = keras.Input((None, None, 1))
    conv = keras.layers.Conv2D(3, 1, activation="relu")(image)  # its activation comes before the normalisation
    shared = keras.layers.Conv2D(3, 1)(conv)
    both = keras.layers.Add()(
        [keras.layers.BatchNormalization()(conv), keras.layers.BatchNormalization()(shared), shared]
    )
    model = used(keras.Model(image, both))
    assert folded(model) is model
    plain = models.build(filters=2, seed=0)
    assert folded(plain, FLOAT32) is plain


def test_one_function_for_all_sizes(compact):
    ready = compiled(compact, "tensorflow", FLOAT32)
    traces = []
    function = ready._function
    for shape in ((1, 32, 40, 1), (1, 45, 61, 1), (3, 32, 48, 1)):
        images = noise(*shape)
        expected = compact.predict_on_batch(images)
        found = ready.predict_on_batch(images)
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, expected, atol=1e-5)
        traces.append(function.experimental_get_tracing_count())
    assert traces == [1, 1, 1] and ready.name == "tensorflow, float32"
    assert stride_and_reach(ready) == stride_and_reach(compact)


def test_bfloat16_keeps_to_its_bound(compact):
    ready = compiled(compact, "tensorflow", BFLOAT16)
    images = noise(1, 48, 64, 1)
    difference = np.abs(ready.predict_on_batch(images) - compact.predict_on_batch(images)).max()
    assert 0 < difference < BOUNDS[BFLOAT16] and ready.name == "tensorflow, bfloat16"


@pytest.mark.parametrize(
    ("flags", "expected"), [({"amx_bf16"}, BFLOAT16), ({"avx512f", "avx512_vnni"}, FLOAT32), (set(), FLOAT32)]
)
def test_the_precision_is_that_of_the_processor(flags, expected, monkeypatch):
    monkeypatch.setattr(engine, "cpu_flags", lambda: flags)
    assert engine.precision() == expected


@pytest.mark.parametrize("name", [name for name in models.MODELS if name != "mask_rcnn"])
def test_every_architecture_compiles(name):
    model = models.build(name, seed=0)
    images = noise(1, 48, 64, 1)
    expected = np.asarray(model(images, training=False))
    np.testing.assert_allclose(compiled(model, "tensorflow", FLOAT32).predict_on_batch(images), expected, atol=1e-5)


def test_engines_that_are_not_there(compact, monkeypatch):
    with pytest.raises(ValueError, match="engine=torch: valid are tensorflow, openvino"):
        compiled(compact, "torch")
    monkeypatch.setattr(engine, "is_installed", lambda: False)
    with pytest.raises(ValueError, match=r"OpenVINO is not installed; pip install -e '\.\[openvino\]'"):
        compiled(compact, "openvino")


def test_an_engine_with_other_results_is_refused_or_left_out(compact, monkeypatch):
    monkeypatch.setattr(engine, "is_installed", lambda: True)
    monkeypatch.setattr(engine, "_openvino", lambda function: lambda images: np.zeros_like(images))
    with pytest.raises(ValueError, match="engine=openvino: probabilities differ"):
        compiled(compact, "openvino", FLOAT32)
    assert compiled(compact, None, BFLOAT16).name == "tensorflow, bfloat16"


@pytest.mark.skipif(not is_installed(), reason=engine.HINT)
def test_openvino_gives_what_keras_gives(compact):
    ready = compiled(compact, "openvino", engine.precision())
    for shape in ((1, 32, 40, 1), (2, 45, 61, 1)):
        images = noise(*shape)
        expected = compact.predict_on_batch(images)
        np.testing.assert_allclose(ready.predict_on_batch(images), expected, atol=BOUNDS[engine.precision()])
    assert ready.name.startswith("openvino, ")
