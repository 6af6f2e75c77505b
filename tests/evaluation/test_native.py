"""Networks on photographs at full resolution, measured by hand."""

from types import SimpleNamespace

import numpy as np
import pytest

from crack_utils.data import find_pairs
from crack_utils.data.split import Split
from crack_utils.evaluation import native
from tests.helpers.folders import make_folder


class Dark:
    """A network for which all dark pixels are crack."""

    threshold = 0.5

    def predict(self, image):
        return np.where(image < 0.5, 0.9, 0.1).astype(np.float32)


def test_measures_by_hand(tmp_path):
    """In the first photograph ten of twenty pixels are found, in the second all ten, and ten too many far away."""
    images, masks = np.full((2, 20, 30), 255, np.uint8), np.zeros((2, 20, 30), np.uint8)
    masks[0, 5, :20], masks[1, 5, :10] = 255, 255
    images[0, 5, :10], images[1, 5, :10], images[1, 15, :10] = 0, 0, 0
    names = ("a", "b")
    folder = make_folder(tmp_path, dict(zip(names, images, strict=True)), dict(zip(names, masks, strict=True)))
    found = native.summary(native.measure_pairs(Dark(), find_pairs(folder)))
    # Within 2 px, two more pixels of the first crack are near enough.
    near = np.mean([2 / (1 + 20 / 12), 2 / (2 + 1)])
    expected = {"f1": 2 / (1 / (20 / 30) + 1 / (20 / 30)), "precision": 20 / 30, "recall": 20 / 30}
    assert found == pytest.approx({"photographs": 2, **expected, "f1_tolerance_2": near}, abs=1e-4)


@pytest.mark.parametrize(("start", "advice"), [(0.9, True), (0.7, False)])
def test_a_training_is_compared_with_its_start(monkeypatch, capsys, start, advice):
    from crack_utils.cli import train

    assert native.against_start(SimpleNamespace(experiment=SimpleNamespace(start=""))) is None
    run = SimpleNamespace(id="dice-1", experiment=SimpleNamespace(start="default"))
    found = {"trained": {"f1_tolerance_2": 0.8, "photographs": 5}, "start": {"f1_tolerance_2": start, "photographs": 5}}
    train._print_start(found, run)
    told = capsys.readouterr().out
    assert f"on 5 photographs of this set, each network at its own threshold: 0.800 trained, {start:.3f}" in told
    assert ("`crack-utils predict default` and `crack-utils predict dice-1`" in told) == advice


def test_both_networks_see_the_same_photographs(tmp_path, monkeypatch):
    masks = np.zeros((3, 20, 30), np.uint8)
    masks[:, 5, :20] = 255
    images = 255 - masks
    names = ("a", "b", "c")
    folder = make_folder(tmp_path, dict(zip(names, images, strict=True)), dict(zip(names, masks, strict=True)))
    pairs = find_pairs(folder)
    bright = SimpleNamespace(threshold=0.5, predict=lambda image: image.astype(np.float32))
    monkeypatch.setattr(native, "load_trained", lambda name: bright if name == tmp_path else Dark())
    monkeypatch.setattr(native, "split_of", lambda run: Split(pairs[:1], pairs[1:], []))
    run = SimpleNamespace(folder=tmp_path, experiment=SimpleNamespace(start="default"))
    found = native.against_start(run)
    assert found["start"]["f1"] == 1 and found["trained"]["f1"] == 0
    assert found["start"]["photographs"] == found["trained"]["photographs"] == 2
