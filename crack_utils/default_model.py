"""The default model: trained on synthetic specimens as the book's Dice chapter is, so nothing is trained twice."""

import shutil

from crack_utils import paths
from crack_utils.calibration import NAME as CALIBRATION
from crack_utils.calibration import calibrate
from crack_utils.evaluation import evaluate
from crack_utils.experiment import Experiment
from crack_utils.files import whole
from crack_utils.training import train

FILES = ("experiment.json", CALIBRATION, "model.keras")  # the last one is what `predict` looks for


def make_default_model(preset="quick"):
    """Train, measure and calibrate the default model, and put it where `predict` finds it.

    Parameters
    ----------
    preset : str
        Its own is "quick"; "smoke" is for tests.

    Returns
    -------
    pathlib.Path
        `artifacts/model/`, with model.keras, calibration.json and experiment.json.
    """
    run = train(Experiment.preset(preset, loss="dice"))
    evaluate(run)
    calibrate(run)
    folder = paths.artifacts() / "model"
    folder.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        with whole(folder / name) as draft:
            shutil.copyfile(run.folder / name, draft)
    return folder
