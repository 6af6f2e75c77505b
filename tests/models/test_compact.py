import keras
import numpy as np
import pytest

from crack_utils import models
from crack_utils.models.graph import total_stride


@pytest.fixture(scope="module")
def small():
    return models.build("compact", filters=(2, 2, 4), normalise_from=3, seed=0)


def test_it_is_compact():
    model = models.build("compact")
    assert model.count_params() == 3_212_849
    report = models.layer_table(models.build(), (512, 640))["multiply_adds"].sum()
    assert models.layer_table(model, (512, 640))["multiply_adds"].sum() < report / 9


def test_any_size_and_only_probabilities(small):
    image = np.random.default_rng(0).random((2, 21, 35, 1), dtype="float32")
    probability = np.asarray(small(image))
    assert probability.shape == image.shape and probability.dtype == np.float32
    assert 0 < probability.min() < probability.max() < 1
    assert total_stride(small) == 8


def test_only_coarse_levels_are_normalised(small):
    normalised = [layer.name for layer in small.layers if isinstance(layer, keras.layers.BatchNormalization)]
    assert normalised == [
        *["encoder3_conv1_norm", "encoder3_conv2_norm", "bridge_conv1_norm", "bridge_conv2_norm"],
        *["decoder3_conv1_norm", "decoder3_conv2_norm"],
    ]


def test_same_seed_same_weights_and_no_two_layers_alike(small):
    again, other = (models.build("compact", filters=(2, 2, 4), seed=seed) for seed in (0, 1))
    pairs = list(zip(small.get_weights(), again.get_weights(), other.get_weights(), strict=True))
    assert all((ours == same).all() for ours, same, _ in pairs)
    kernels = [(ours, different) for ours, _, different in pairs if ours.ndim == 4]
    assert all((ours != different).any() for ours, different in kernels)
    assert len({float(ours.flat[0]) for ours, _ in kernels}) == len(kernels)


def test_starts_at_the_prior():
    model = models.build("compact", filters=(2, 2), prior=0.2, seed=0)
    assert np.asarray(model(np.zeros((1, 8, 8, 1), "float32"))) == pytest.approx(0.2, abs=1e-6)


@pytest.mark.parametrize("options", [{"filters": (4,)}, {"filters": (4, 0)}, {"normalise_from": 0}, {"prior": 1}])
def test_options_out_of_range(options):
    with pytest.raises(ValueError, match="must"):
        models.build("compact", **options)
