"""Exported networks against Keras', at sizes that the poolings divide and at others."""

import keras
import numpy as np
import pytest

from crack_utils import models
from crack_utils.inference import export
from crack_utils.inference.export import ExportError, check_export, export_model


@pytest.fixture(scope="module")
def model():
    return models.build("unet", filters=2, seed=1)


@pytest.fixture(scope="module")
def images():
    generator = np.random.default_rng(0)
    return [generator.random(size, np.float32) for size in ((16, 24), (21, 30), (8, 8))]


@pytest.fixture(scope="module")
def exported(model, images, tmp_path_factory):
    folder = tmp_path_factory.mktemp("exported") / "new"
    return export_model(model, folder, images, ["savedmodel"])


def test_saved_model_agrees_with_keras(exported):
    path, difference = exported["savedmodel"]
    assert path.is_dir() and path.name == "saved_model"
    assert difference <= 1e-5


def test_the_table_of_what_was_written(exported):
    (row,) = export.export_table(exported).to_dict("records")
    path, difference = exported["savedmodel"]
    size = sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
    assert row == {
        "format": "SavedModel",
        "file": "saved_model",
        "size [MB]": size / 1e6,
        "differs from Keras by": difference,
    }


@pytest.mark.acceptance
def test_litert_agrees_with_keras(model, images, tmp_path):
    ((path, difference),) = export_model(model, tmp_path, images, ["litert"]).values()
    assert [each.name for each in tmp_path.iterdir()] == ["model.tflite"] == [path.name]
    assert difference <= 1e-5


# tf2onnx, which needs packages that are not locked, uses what NumPy 2 warns about.
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_onnx_agrees_with_keras(model, images, tmp_path):
    for package in export.NEEDS["onnx"]:
        pytest.importorskip(package)
    ((path, difference),) = export_model(model, tmp_path, images, ["onnx"]).values()
    import onnx

    assert difference <= 1e-5
    assert [each.version for each in onnx.load(path).opset_import if not each.domain] == [export.OPSET]


def test_another_network_is_told(exported, images):
    other = models.build("unet", filters=2, seed=2)
    for path, _ in exported.values():
        with pytest.raises(ExportError, match=r"differs from Keras by .*, more than 0\.0001"):
            check_export(other, path, images)


def test_nothing_is_left_of_what_disagrees(model, images, tmp_path, monkeypatch):
    (tmp_path / "model.tflite").write_text("older")
    monkeypatch.setattr(export, "_write", lambda model, name, draft: draft.write_text("newer"))
    monkeypatch.setattr(export, "_interpreted", lambda path: lambda batch: np.zeros_like(batch) + 2)
    with pytest.raises(ExportError, match="differs from Keras"):
        export_model(model, tmp_path, images, ["litert"])
    assert [path.name for path in tmp_path.iterdir()] == ["model.tflite"]
    assert (tmp_path / "model.tflite").read_text() == "older"
    monkeypatch.setattr(export, "_interpreted", lambda path: lambda batch: batch[:, :-1])
    with pytest.raises(ExportError, match="gives"):
        export_model(model, tmp_path, images, ["litert"])


def test_an_older_export_is_replaced(exported, model, images):
    path, _ = exported["savedmodel"]
    (path / "of the older one").touch()
    again = export_model(model, path.parent, images[:1], ["savedmodel"])
    assert again["savedmodel"][0] == path and not (path / "of the older one").exists()


def test_bad_input_is_told_first(model, images, tmp_path, monkeypatch):
    with pytest.raises(ValueError, match="unknown format 'caffe'; valid are savedmodel, onnx, litert"):
        export_model(model, tmp_path / "x", images, ["caffe"])
    monkeypatch.setitem(export.NEEDS, "onnx", ("no_such_package",))
    with pytest.raises(ValueError, match="pip install no_such_package"):
        export_model(model, tmp_path / "x", images, ["onnx"])
    assert not (tmp_path / "x").exists()
    with pytest.raises(ValueError, match="at least one picture"):
        check_export(model, tmp_path, [])


def test_a_network_of_another_kind_can_be_checked(tmp_path, images):
    image = keras.Input((None, None, 1))
    plain = keras.Model(image, keras.layers.Conv2D(1, 3, padding="same", activation="sigmoid")(image))
    assert export_model(plain, tmp_path, images, ["savedmodel"])["savedmodel"][1] <= 1e-5
