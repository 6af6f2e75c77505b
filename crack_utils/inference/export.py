"""A trained network for use without Keras: SavedModel, ONNX and LiteRT, each compared with Keras before it is kept.

The exported network takes (batch, height, width, 1) in [0, 1], float32, and gives the probability of crack of each
pixel, not calibrated: ``calibration.json`` beside it has the temperature and the threshold.
"""

import importlib.util
import os
import shutil
import tempfile
import warnings
from pathlib import Path

import numpy as np

from crack_utils.data.digests import sha256
from crack_utils.runtime.atomic import check_writable, explain_full_disk

OPSET = 18  # of ONNX: the newest that tf2onnx writes; ONNX Runtime reads it since 1.14
TOLERANCE = 1e-4  # of a probability, between Keras and what was exported

# Format → Keras' own name of it, and the file or folder that is written.
FORMATS = {
    "savedmodel": ("tf_saved_model", "saved_model"),
    "onnx": ("onnx", "model.onnx"),
    "litert": ("litert", "model.tflite"),
}
BESIDE = ("card.md", "calibration.json", "experiment.json")  # what `crack-utils export` writes with the networks
TITLES = {"savedmodel": "SavedModel", "onnx": f"ONNX, opset {OPSET}", "litert": "LiteRT"}
NEEDS = {"savedmodel": (), "onnx": ("tf2onnx", "onnx", "onnxruntime"), "litert": ()}


class ExportError(ValueError):
    """An exported network gives other results than Keras; its files have been removed."""


def export_model(model, folder, images, formats=None):
    """Write a network in other formats; each is checked before it replaces an older one.

    Parameters
    ----------
    model : keras.Model
        In float32, as `Run.model` returns it.
    folder : path-like
        Made if it is not there. What an earlier export left there is replaced.
    images : list of ndarray, float32, shape (H, W), in [0, 1]
        Real pictures to check with, of one or several sizes.
    formats : sequence of str, optional
        Of "savedmodel", "onnx" and "litert"; by default those whose packages are there.

    Returns
    -------
    dict of (pathlib.Path, float)
        By format: what was written, and the largest difference from Keras.

    Raises
    ------
    ValueError
        If a format is unknown or its packages are missing; told before anything is written.
    ExportError
        If a format disagrees with Keras by more than 1e-4.
    """
    formats = [name for name in FORMATS if not missing(name)] if formats is None else list(formats)
    check_formats(formats)
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    written = {}
    with explain_full_disk(folder), tempfile.TemporaryDirectory(prefix=".draft-", dir=folder) as drafts:
        for name in formats:
            file = FORMATS[name][1]
            draft = Path(drafts) / file
            _write(model, name, draft)
            difference = check_export(model, draft, images)
            _replace(draft, folder / file)
            written[name] = folder / file, difference
    return written


def check_place(folder, network):
    """Refuse a folder that has files which an export would replace, unless they are from this network's earlier export.

    Parameters
    ----------
    folder : path-like
        It need not exist yet.
    network : path-like
        The `.keras` file of the network; a folder that holds a copy of it has an earlier export.

    Raises
    ------
    ValueError, NotADirectoryError, PermissionError
    """
    folder = Path(folder)
    check_writable(folder)
    copy = folder / Path(network).name
    if copy.is_file() and sha256(copy) == sha256(network):
        return
    for name in (copy.name, *(file for _, file in FORMATS.values()), *BESIDE):
        if (folder / name).exists():
            raise ValueError(f"{folder}: has {name}, which is not from an export of this network; give another folder")


def export_table(written):
    """Return a table of the files of `export_model`, one row per format: size, and largest difference from Keras.

    Parameters
    ----------
    written : dict of (pathlib.Path, float)

    Returns
    -------
    DataFrame
    """
    import pandas as pd

    rows = [
        {"format": TITLES[name], "file": path.name, "size [MB]": _size(path) / 1e6, "differs from Keras by": difference}
        for name, (path, difference) in written.items()
    ]
    return pd.DataFrame(rows)


def check_export(model, path, images):
    """Return the largest difference of an exported network's probabilities from Keras'.

    Parameters
    ----------
    model : keras.Model
    path : path-like
        A folder with a SavedModel, or a file that ends in .onnx or .tflite.
    images : list of ndarray, float32, shape (H, W), in [0, 1]

    Returns
    -------
    float

    Raises
    ------
    ExportError
        If it is more than `TOLERANCE`.
    """
    if not len(images):
        raise ValueError("check_export needs at least one picture")
    run = _runner(Path(path))
    largest = 0.0
    for image in images:
        batch = np.float32(image)[None, ..., None]
        expected = np.asarray(model(batch, training=False))
        found = np.asarray(run(batch))
        if found.shape != expected.shape:
            raise ExportError(f"{path}: gives {found.shape} for a picture of {image.shape}, Keras {expected.shape}")
        largest = max(largest, float(np.abs(found - expected).max()))
    if not largest <= TOLERANCE:
        raise ExportError(f"{path}: differs from Keras by {largest:.2g}, more than {TOLERANCE:g}")
    return largest


def missing(name):
    """Return the packages that a format needs and that are not installed."""
    return [package for package in NEEDS[name] if importlib.util.find_spec(package) is None]


def check_formats(formats):
    """Refuse formats that are unknown, or whose packages are missing."""
    for name in formats:
        if name not in FORMATS:
            raise ValueError(f"unknown format {name!r}; valid are {', '.join(FORMATS)}")
        if packages := missing(name):
            raise ValueError(f"format {name!r} needs packages that are not installed: pip install {' '.join(packages)}")


def _write(model, name, draft):
    if name != "onnx":
        model.export(str(draft), format=FORMATS[name][0], verbose=False)
        return
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "In the future `np.object`", FutureWarning)  # Keras 3.15, for tf2onnx
        _padded(model).export(str(draft), format=FORMATS[name][0], verbose=False, opset_version=OPSET)


def _padded(model):
    """Return a network that pads pictures to whole strides itself before `AnySizeModel` does.

    That one rounds up by dividing a negative length, which ONNX, unlike Python, rounds towards zero: a picture of 70
    rows would be cut to 64.
    """
    import keras
    from keras import ops

    from crack_utils.models.graph import total_stride

    stride = total_stride(model)

    class Padded(keras.Model):
        def call(self, images):
            padded = images
            for axis in (1, 2):
                length = ops.shape(images)[axis]
                places = ops.arange((length + stride - 1) // stride * stride)
                padded = ops.take(padded, ops.minimum(places, length - 1), axis=axis)
            height, width = ops.shape(images)[1:3]
            return model(padded, training=False)[:, :height, :width]

    wrapped = Padded(name=model.name)
    wrapped.network = model  # or its weights are not found
    wrapped(keras.Input((None, None, 1), name="image"))
    return wrapped


def _runner(path):
    """Return a function from a batch to probabilities."""
    if path.suffix == ".onnx":
        import onnxruntime

        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        (given,) = session.get_inputs()
        return lambda batch: session.run(None, {given.name: batch})[0]
    if path.suffix == ".tflite":
        return _interpreted(path)
    import tensorflow as tf

    loaded = tf.saved_model.load(str(path))
    # It must be kept: the function alone does not hold the weights.
    return lambda batch: loaded.serve(batch).numpy()


def _interpreted(path):
    import tensorflow as tf

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"\s*Warning: tf.lite.Interpreter is deprecated", UserWarning)
        interpreter = tf.lite.Interpreter(model_path=str(path))
    (given,), (result,) = interpreter.get_input_details(), interpreter.get_output_details()

    def run(batch):
        interpreter.resize_tensor_input(given["index"], batch.shape)
        interpreter.allocate_tensors()
        interpreter.set_tensor(given["index"], batch)
        interpreter.invoke()
        return interpreter.get_tensor(result["index"])

    return run


def _size(path):
    """Return the bytes of a file, or of all files in a folder."""
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())


def _replace(draft, place):
    """Put a file or a folder in the place of an older one."""
    if place.is_dir():
        shutil.rmtree(place)  # a folder cannot be replaced by renaming alone
    os.replace(draft, place)
