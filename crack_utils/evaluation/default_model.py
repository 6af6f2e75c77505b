"""Train the default model on drawn pictures only, for use on photographs before any of them is labelled.

Pictures of surfaces (`render_surface`) show cracks of every width on many textures. Pictures of specimens in a test rig
(`render_specimen`) show notches, edges and clamps, which are not cracks. No photograph is used.
"""

import os
import shutil
from pathlib import Path

from crack_utils.data import synthetic
from crack_utils.data.synthetic.surfaces import VERSION as SURFACES_VERSION
from crack_utils.data.synthetic.surfaces import generate_surfaces
from crack_utils.data.synthetic.wide import WIDE_VERSION
from crack_utils.evaluation.calibration import NAME as CALIBRATION
from crack_utils.evaluation.model_card import NAME as CARD
from crack_utils.evaluation.model_card import write_card
from crack_utils.evaluation.train import train
from crack_utils.models import shipped
from crack_utils.runtime import paths
from crack_utils.runtime.atomic import atomic_write
from crack_utils.training.experiment import Experiment

FILES = (shipped.NETWORK, "experiment.json", CALIBRATION)
SURFACES, SPECIMENS = 1600, 400  # numbers of pictures; surfaces have more kinds of cracks
# From random weights, because the shipped weights may be missing or are to be replaced: an hour on one core.
FRESH = {"start": "", "updates": 12_000, "batch": 4}


def make_default_model(folder=shipped.PLACE, surfaces=SURFACES, specimens=SPECIMENS, **overrides):
    """Draw the pictures, train the model, and write it with its card and checksums into a folder.

    Parameters
    ----------
    folder : path-like
        By default the folder of the package that `predict default` uses.
    surfaces, specimens : int
        Number of pictures of each kind.
    **overrides
        Fields of the experiment, such as ``updates``.

    Returns
    -------
    pathlib.Path
        The folder, with model.keras, calibration.json, experiment.json, card.md and SHA256SUMS.
    """
    folder = Path(folder)
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"{folder}: not a folder; give another one for the model")
    # Made first, so that wrong settings are refused before the work starts.
    experiment = Experiment.preset("photo", **{"data": "drawn"} | FRESH | overrides)
    run = train(experiment.replace(data=os.pathsep.join(draw_pictures(surfaces, specimens))))
    copy_model(run, folder)
    shipped.seal(folder)
    return folder


def draw_pictures(surfaces=SURFACES, specimens=SPECIMENS):
    """Draw the training pictures of the default model into `artifacts/data`, unless they exist already.

    Parameters
    ----------
    surfaces, specimens : int
        Number of pictures of each kind.

    Returns
    -------
    list of str
        Their folders, relative to the project if they are inside it.
    """
    names = (f"surfaces-v{SURFACES_VERSION}-{surfaces}", f"specimens-wide-v{WIDE_VERSION}-{specimens}")
    on_surfaces, in_rigs = (paths.data() / name for name in names)
    generate_surfaces(on_surfaces, surfaces, progress=True)
    synthetic.generate(in_rigs, specimens, frames=1, size=(512, 640), looks="wide", progress=True)
    folders = [on_surfaces, in_rigs / "old", in_rigs / "new"]
    return [_relative(folder) for folder in folders if folder.is_dir()]


def copy_model(run, folder):
    """Copy the network of a run with its experiment and calibration, and write its model card to the same folder.

    Parameters
    ----------
    run : Run
        Evaluated and calibrated.
    folder : pathlib.Path
        Made if it does not exist.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        with atomic_write(folder / name) as draft:
            shutil.copyfile(run.folder / name, draft)
    write_card(run, folder / CARD)


def _relative(folder):
    root = paths.root()
    return str(folder.relative_to(root) if folder.is_relative_to(root) else folder)
