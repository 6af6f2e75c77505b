"""Several devices train as one would: two logical CPUs, in a process of their own, held against one."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from crack_utils.runtime import devices
from tests.helpers.folders import dark_cracks

# Logical devices can be made only before TensorFlow has started, hence the process. Six validation images in
# batches of four would leave the second device without a part of the last batch.
PROGRAM = """
import json, os, sys
import tensorflow as tf
from crack_utils import Experiment
from crack_utils.runtime import hardware, devices
from crack_utils.training import fit

artifacts, folder, loss, precision = sys.argv[1:]
(cpu,) = tf.config.list_physical_devices("CPU")
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
hardware.resolve = lambda *_: (precision, False)
experiment = Experiment.preset(
    "smoke", data=folder, loss=loss, model_options={"filters": 2}, validation=6 / 14, learning_rates=(0.01,) * 3
)
found = []
for names in (["CPU:0"], ["CPU:0", "CPU:1"]):
    os.environ["CRACK_UTILS_ARTIFACTS"] = os.path.join(artifacts, str(len(names)))
    devices.gpus = lambda: names
    run = fit.fit(experiment)
    assert run.provenance["devices"] == len(names)
    found.append({name: values.tolist() for name, values in run.history.items()})
    found[-1]["weights"] = [value for array in run.model().get_weights() for value in array.ravel().tolist()]
json.dump(found, open(os.path.join(artifacts, "found.json"), "w"))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Fourteen pictures of 16×24, cracks of all widths: the Dice of a batch is then not the mean of its parts'."""
    masks = np.zeros((14, 16, 24), np.uint8)
    for number, mask in enumerate(masks):
        mask[:, 4 : 5 + number] = 255
    return dark_cracks(tmp_path_factory.mktemp("lines"), masks)


@pytest.mark.acceptance
@pytest.mark.parametrize("loss", ["bce", "dice", "0.5*tversky+focal"])
def test_two_devices_equal_one(folder, tmp_path, loss):
    one, two = trained(folder, tmp_path, loss, "float32")
    assert one.keys() == two.keys()
    # The Dice of validation is taken batch by batch, and its batches are smaller on two devices (`even_batch`).
    for name in one.keys() - ({"val_loss"} if loss != "bce" else set()):
        np.testing.assert_allclose(two[name], one[name], rtol=0, atol=1e-6, err_msg=name)


@pytest.mark.acceptance
def test_two_devices_learn_in_the_precision_of_gpus(folder, tmp_path):
    one, two = trained(folder, tmp_path, "dice", "mixed_float16")
    np.testing.assert_allclose(two["loss"], one["loss"], atol=2e-2)


def trained(folder, artifacts, loss, precision):
    environment = os.environ | {"CRACK_UTILS_ARTIFACTS": str(artifacts)}
    command = [sys.executable, "-c", PROGRAM, str(artifacts), str(folder), loss, precision]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads((artifacts / "found.json").read_text())


@pytest.mark.parametrize(
    ("number", "batch", "validation", "expected"),
    [(0, 4, 6, 0), (1, 4, 5, 1), (2, 4, 6, 2), (3, 4, 6, 2), (8, 4, 12, 4), (2, 5, 6, 1), (2, 4, 5, 1)],
)
def test_devices_share_batches_evenly(number, batch, validation, expected):
    names = [f"GPU:{n}" for n in range(number)]
    assert devices.sharing(names, batch, validation) == names[:expected]


@pytest.mark.parametrize(
    ("batch", "images", "number", "expected"), [(4, 5, 1, 4), (4, 6, 2, 2), (4, 8, 2, 4), (16, 36, 4, 12)]
)
def test_no_replica_goes_without_images(batch, images, number, expected):
    assert devices.even_batch(batch, images, number) == expected


def test_one_device_needs_no_strategy(monkeypatch):
    monkeypatch.setattr(devices, "gpus", lambda: ["GPU:0"])
    assert devices.strategy(4, 6).num_replicas_in_sync == 1
    assert devices.sum_over_replicas([1.0, 2.0]) == [1.0, 2.0]
