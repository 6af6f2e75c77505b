"""The weights that a training starts from: those of a run, of a .keras file, or of the default model."""

from pathlib import Path

from crack_utils import models
from crack_utils.models import shipped
from crack_utils.runtime import paths
from crack_utils.training.run import load_run


def file_of(name):
    """Return the `.keras` file that `Experiment.start` names.

    Parameters
    ----------
    name : str
        "default", a `.keras` file, a run's folder, id or "latest", or a folder with `model.keras`.

    Returns
    -------
    pathlib.Path

    Raises
    ------
    ValueError
        If the file does not exist, or the default model's file was changed.
    """
    if name == shipped.DEFAULT:
        return shipped.folder() / shipped.NETWORK
    if name.endswith(".keras"):
        if (file := paths.find(name)) is None:
            raise ValueError(f"start: no file {name}; valid are a run, a .keras file or {shipped.DEFAULT!r}")
        return Path(file)
    folder = paths.find(name)
    if folder is not None and (Path(folder) / shipped.NETWORK).is_file():
        return Path(folder) / shipped.NETWORK
    return load_run(name).folder / shipped.NETWORK


def weights(name, model):
    """Return the weights of a trained network, for a model of the same architecture.

    Parameters
    ----------
    name : str
        As for `file_of`.
    model : keras.Model

    Returns
    -------
    list of ndarray

    Raises
    ------
    ValueError
        If the weights have other shapes than those of the model.
    """
    trained = models.load(file_of(name))
    values = trained.get_weights()
    if [value.shape for value in values] != [tuple(weight.shape) for weight in model.weights]:
        raise ValueError(f"start={name!r}: its network, {trained.name}, differs from the one to train, {model.name}")
    return values
