"""The weights that a training starts from: those of a run, of a .keras file, or of the default model."""

import json
import zipfile

from crack_utils import models
from crack_utils.training.run import model_file

MOST_CONFIG = 2**24  # [bytes] of a network's description; a larger one is not read to compare architectures


def file(name):
    """Return the `.keras` file of the network that a training starts from.

    Parameters
    ----------
    name : str
        As for `model_file`.

    Returns
    -------
    pathlib.Path

    Raises
    ------
    ValueError
        If there is no such file. The message begins with the name of the setting, because many settings name a file.
    """
    try:
        return model_file(name)
    except ValueError as error:
        raise ValueError(f"start: {error}") from error


def check(name, architecture):
    """Refuse a start network that does not exist or has another architecture; no network is loaded.

    Parameters
    ----------
    name : str
        As for `model_file`.
    architecture : str
        Architecture of the network to train, one of `models.MODELS`.

    Raises
    ------
    ValueError
    """
    network = file(name)
    try:
        with zipfile.ZipFile(network) as parts:
            small = parts.getinfo("config.json").file_size <= MOST_CONFIG
            described = json.loads(parts.read("config.json"))["config"]["name"] if small else None
    except Exception:  # a damaged file can raise any error; loading it will report what is wrong
        return
    if described in (known for known in models.MODELS if known != architecture):
        raise ValueError(_other(name, described, architecture))


def _other(name, trained, wanted):
    return f"start={name!r}: its network, {trained}, differs from the one to train, {wanted}"


def weights(name, model):
    """Return the weights of a trained network, for a model of the same architecture.

    Parameters
    ----------
    name : str
        As for `model_file`.
    model : keras.Model

    Returns
    -------
    list of ndarray

    Raises
    ------
    ValueError
        If the weights have other shapes than those of the model.
    """
    trained = models.load(file(name))
    values = trained.get_weights()
    if [value.shape for value in values] != [tuple(weight.shape) for weight in model.weights]:
        raise ValueError(_other(name, trained.name, model.name))
    return values
