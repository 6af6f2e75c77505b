"""The default model: trained on synthetic specimens as the book's Dice chapter is, so nothing is trained twice."""

import shutil

from crack_utils.evaluation.calibration import NAME as CALIBRATION
from crack_utils.evaluation.model_card import NAME as CARD
from crack_utils.evaluation.model_card import write_card
from crack_utils.evaluation.train import train
from crack_utils.runtime import paths
from crack_utils.runtime.atomic import atomic_write
from crack_utils.training.experiment import Experiment

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
        `artifacts/model/`, with model.keras, calibration.json, experiment.json and card.md.
    """
    run = train(Experiment.preset(preset, loss="dice"))
    folder = paths.artifacts() / "model"
    copy_model(run, folder)
    return folder


def copy_model(run, folder):
    """Copy a run's network with its experiment and calibration, and write its card beside them.

    Parameters
    ----------
    run : Run
        Evaluated and calibrated.
    folder : pathlib.Path
        Made if it is not there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    write_card(run, folder / CARD)
    for name in FILES:
        with atomic_write(folder / name) as draft:
            shutil.copyfile(run.folder / name, draft)
