"""Trainings with losses that need to know the tip."""

import json

import numpy as np
import pytest

from crack_utils import Experiment, evaluate
from crack_utils.data import DataError
from crack_utils.training import fit
from tests.helpers.folders import make_folder
from tests.helpers.short_cracks import crack, folder_with_tips

pytestmark = pytest.mark.usefixtures("own_artifacts")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return folder_with_tips(tmp_path_factory.mktemp("tips"))


@pytest.mark.usefixtures("untraced")
def test_smoke_training(folder):
    """All four in one sum, which needs both the tip and the distance."""
    loss = "dice+tip+tip_distance+0.1*cldice+boundary"
    options = {"data": str(folder), "model_options": {"filters": 2, "depth": 1}, "repeat": 1, "epochs": 1}
    run = fit.fit(Experiment.preset("smoke", loss=loss, **options))
    assert np.isfinite(run.history["loss"]).all()
    measures = evaluate(run)  # whole pictures after the training, as the last validation saw them
    assert measures["validation"]["loss"] == pytest.approx(run.history["val_loss"][-1], rel=1e-3)
    assert json.loads((run.folder / "experiment.json").read_text())["loss"] == loss


def test_data_without_tips_is_refused_before_training(tmp_path):
    masks = {name: (255 * crack(8)).astype(np.uint8) for name in "abcd"}
    images = {name: np.full((16, 24), 90 + ord(name), np.uint8) for name in masks}
    experiment = Experiment.preset("smoke", data=str(make_folder(tmp_path, images, masks)), loss="dice+tip")
    with pytest.raises(DataError, match=r"metadata\.csv.*'dice\+tip' needs them; .* tip_row and tip_column"):
        fit.fit(experiment)
