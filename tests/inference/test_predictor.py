"""Predictor networks with their calibration: from runs, files, the default; and networks of another kind."""

import json
import os
import shutil

import keras
import numpy as np
import pytest

from crack_utils import models, predict
from crack_utils.cli import main
from crack_utils.inference import predictor
from crack_utils.inference.predictor import Predictor, calibrated, load_trained
from crack_utils.models import shipped


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    file = tmp_path_factory.mktemp("unet") / "model.keras"
    models.build(filters=2, seed=0).save(file)
    return file


@pytest.fixture
def run(file, tmp_path, monkeypatch):
    """A run's folder, as far as prediction needs it."""
    monkeypatch.setenv("CRACK_UTILS_ARTIFACTS", str(tmp_path / "artifacts"))
    folder = tmp_path / "artifacts" / "runs" / "unet-dice-1"
    folder.mkdir(parents=True)
    os.link(file, folder / "model.keras")
    experiment = {"model": "unet", "loss": "dice", "data": "synthetic", "size": [32, 40]}
    (folder / "experiment.json").write_text(json.dumps(experiment))
    return folder


def test_without_a_calibration(file):
    found = load_trained(file)
    assert (found.temperature, found.threshold, found.size) == (1.0, 0.5, None)
    image = np.random.default_rng(0).random((30, 50), np.float32)
    np.testing.assert_array_equal(found.predict(image), predict(found.engine, image))
    assert "not calibrated" in found.source


def test_a_run_by_folder_or_id_with_its_calibration_and_size(run):
    plain = load_trained(run)
    (run / "calibration.json").write_text('{"temperature": 2, "threshold": 0.3, "more": "words"}')
    found = load_trained(run.name)
    assert (found.temperature, found.threshold, found.size) == (2.0, 0.3, (32, 40))
    assert "loss dice, trained on synthetic at 32×40; calibrated" in found.source
    assert found.digest != plain.digest
    assert [found.scale(shape) for shape in ((64, 80), (160, 64), (20, 20))] == [0.5, 0.25, 1.0]
    image = np.full((64, 80), 0.5, np.float32)
    assert found.predict(image).shape == (64, 80)
    inside = found.predict(image)[20:44, 20:60]
    np.testing.assert_allclose(inside, calibrated(plain.predict(image), 2)[20:44, 20:60], atol=1e-6)


def test_probabilities_can_be_calibrated_in_place(monkeypatch):
    probability = np.random.default_rng(0).random((30, 50), np.float32)
    for temperature in (1, 2):
        expected, given = calibrated(probability, temperature), probability.copy()
        monkeypatch.setattr(predictor, "BAND", 7)
        assert calibrated(given, temperature, out=given) is given
        np.testing.assert_array_equal(given, expected)
        monkeypatch.undo()


def test_crops_are_trained_in_their_own_pixels(run):
    experiment = json.loads((run / "experiment.json").read_text()) | {"fit": "crop", "data": "photographs"}
    (run / "experiment.json").write_text(json.dumps(experiment))
    assert load_trained(run).scale((2048, 2560)) == 1


def test_a_temperature_divides_logits():
    found = calibrated(np.float32([0, 0.2, 0.5, 0.8, 1]), 2.0)
    # Odds of 4 become 2. 0 and 1 count as odds of 1e-7 and 1e7, which become 3.2e-4 and 3162.
    np.testing.assert_allclose(found, [10**-3.5, 1 / 3, 0.5, 2 / 3, 1 - 10**-3.5], atol=1e-6)
    assert found.dtype == np.float32


@pytest.mark.parametrize("text", ['{"threshold": 1}', '{"temperature": 0}', '{"threshold": "low"}', "[]", "{"])
def test_a_calibration_that_is_none(run, text):
    (run / "calibration.json").write_text(text)
    with pytest.raises(ValueError, match=r"calibration\.json: "):
        load_trained(run)


def of_another_kind(name):
    """Return a model that does not find cracks."""
    layers = keras.layers
    colour, gray = (keras.Input((None, None, channels)) for channels in (3, 1))
    return {
        "colour": lambda: keras.Model(colour, layers.Conv2D(1, 1)(colour)),
        "classes": lambda: keras.Model(gray, layers.Dense(2)(layers.GlobalAveragePooling2D()(gray))),
        "two inputs": lambda: keras.Model([gray, colour], layers.Concatenate()([gray, colour])),
        "smaller": lambda: keras.Model(gray, layers.Conv2D(1, 3, activation="sigmoid")(gray)),
        "logits": lambda: keras.Model(gray, layers.Rescaling(4.0, -2.0)(gray)),
    }[name]()


@pytest.mark.parametrize("name", ["colour", "classes", "two inputs", "smaller", "logits"])
def test_a_model_of_another_kind(name, tmp_path):
    of_another_kind(name).save(tmp_path / "other.keras")
    with pytest.raises(ValueError, match=r"other\.keras: not a network for masks .* it must take gray pictures"):
        load_trained(tmp_path / "other.keras")


def test_a_network_of_convolutions_made_for_one_size_predicts_any(tmp_path):
    fixed, free = (keras.Input((side, side, 1)) for side in (8, None))
    convolution = keras.layers.Conv2D(1, 3, padding="same", activation="sigmoid")
    keras.Model(fixed, convolution(fixed)).save(tmp_path / "fixed.keras")
    image = np.random.default_rng(0).random((16, 24), np.float32)
    expected = np.asarray(keras.Model(free, convolution(free))(image[None, ..., None]))[0, ..., 0]
    np.testing.assert_allclose(load_trained(tmp_path / "fixed.keras").predict(image), expected, atol=1e-5)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("nowhere", None, "nowhere: no such model"),
        ("weights.h5", b"", r"weights\.h5: not a model"),
        ("broken.keras", b"no archive", r"broken\.keras: cannot be read as a Keras model"),
        ("folder", "folder", r"folder: no model\.keras in this folder"),
    ],
)
def test_what_is_no_model(name, content, message, tmp_path):
    if content == "folder":
        (tmp_path / name).mkdir()
    elif content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=message):
        load_trained(tmp_path / name)


def test_scale_is_checked():
    with pytest.raises(ValueError, match=r"scale=2: valid is a number above 0 and at most 1"):
        Predictor(None, "").predict(np.zeros((4, 4), np.float32), scale=2)


def test_the_command_with_a_real_network(file, tmp_path, capsys):
    from PIL import Image

    Image.fromarray(np.uint8(np.random.default_rng(0).integers(0, 255, (40, 60)))).save(tmp_path / "photo.png")
    assert main.main(["predict", str(file), str(tmp_path / "photo.png"), "--out", str(tmp_path / "out")]) == 0
    said = capsys.readouterr().out
    assert "not calibrated" in said and "1 of 1 photographs done" in said
    assert (tmp_path / "out" / "masks" / "photo.png").exists()


def test_calibrated_in_bands(monkeypatch):
    probability = np.random.default_rng(0).random((7, 11), dtype=np.float32)
    whole = predictor.calibrated(probability, 1.7)
    monkeypatch.setattr(predictor, "BAND", 10)
    np.testing.assert_array_equal(predictor.calibrated(probability, 1.7), whole)
    assert whole.dtype == np.float32 and whole.shape == probability.shape


class Sided:
    """Stands for a network whose probability depends on how large it sees a picture, by the longer side."""

    def __init__(self, by_side):
        self.by_side, self.seen = by_side, []

    def predict_on_batch(self, images):
        self.seen.append(images.shape[1:3])
        return np.full(images.shape, self.by_side[max(images.shape[1:3])], np.float32)


def test_a_large_photograph_is_seen_at_several_scales():
    network = Sided({160: 0.9, 80: 0.5, 40: 1.0})
    trained = Predictor(network, "", largest=40)
    image = np.full((120, 160), 0.4, np.float32)
    found = trained.predict(image)
    assert network.seen == [(120, 160), (60, 80), (30, 40)]
    expected = 1 / (1 + np.exp(-(np.log(9) + 0 + predictor.SUREST) / 3))  # a probability of 1 does not decide alone
    assert found.shape == image.shape and found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    np.testing.assert_allclose(trained.predict(image, scale=0.5), 0.5, rtol=1e-6)
    network.seen.clear()
    Predictor(network, "").predict(image)
    trained.predict(np.full((30, 40), 0.4, np.float32))
    assert network.seen == [(120, 160), (30, 40)]


def test_the_default_model_alone_is_known_to_have_seen_small_pictures(run, tmp_path):
    assert load_trained("default").largest == 640
    copy = shutil.copytree(shipped.PLACE, tmp_path / "copy")
    assert load_trained(copy).largest == 640
    assert load_trained(run).largest is None
