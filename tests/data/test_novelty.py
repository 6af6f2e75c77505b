"""A picture that is unlike says in which way; one that is like the training pictures says nothing."""

import doctest

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from crack_utils.data import find_pairs, novelty, read_image, synthetic
from crack_utils.data.novelty import features, ranges


@pytest.fixture(scope="module")
def specimens(tmp_path_factory):
    """Pictures of specimens in training, and of others."""
    folder = tmp_path_factory.mktemp("specimens")
    synthetic.generate(folder, specimens=40, frames=1, size=(64, 80), seed=3, workers=1)
    pairs = find_pairs(folder / "old", folder / "new")
    images = [read_image(pair.image) for pair in pairs]
    return images[::2], images[1::2]


def test_no_false_alarm(specimens):
    trained, held_out = specimens
    known = ranges(trained)
    alarms = np.mean([bool(novelty.unlike(image, known)) for image in held_out])
    assert alarms <= 0.1


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (lambda image: image * 0.15, "darker"),
        (lambda image: 0.8 + image * 0.2, "brighter"),
        (lambda image: 0.45 + (image - image.mean()) * 0.1, "lower in contrast"),
        (lambda image: np.float32(image > np.median(image)), "higher in contrast"),
        (lambda image: gaussian_filter(image, 6), "more blurred"),
        (lambda image: np.clip(image + np.random.default_rng(0).normal(0, 0.15, image.shape), 0, 1), "noisier"),
    ],
)
def test_each_way_is_told(specimens, change, word):
    trained, held_out = specimens
    known = ranges(trained)
    told = [any(said.startswith(f"much {word}") for said in novelty.unlike(change(image), known)) for image in held_out]
    assert np.mean(told) > 0.8


def test_noise_is_measured():
    generator = np.random.default_rng(0)
    slope = np.linspace(0.2, 0.6, 200)[None] * np.ones((200, 1))
    found = features(slope + generator.normal(0, 0.02, slope.shape))
    assert 10 ** found["noise"] == pytest.approx(0.02, rel=0.03)
    assert found["brightness"] == pytest.approx(0.4, abs=0.001)
    assert features(slope)["noise"] == -4  # a slope is none


def test_a_gray_surface_has_numbers():
    assert features(np.full((5, 5), 0.5)) == {"brightness": 0.5, "contrast": -4, "sharpness": 0, "noise": -4}


def test_example():
    assert doctest.testmod(novelty).failed == 0


@pytest.mark.parametrize("size", [(3, 3), (40, 7), (3, 90), (61, 50)])
@pytest.mark.parametrize("band", [40, 400])
def test_a_large_picture_is_looked_at_in_bands(size, band, monkeypatch):
    """However it is divided, the four numbers are those of the whole."""
    image = np.random.default_rng(0).random(size, dtype=np.float32)
    whole = features(image)
    monkeypatch.setattr(novelty, "BAND", band)
    assert features(image) == pytest.approx(whole, abs=1e-12)
