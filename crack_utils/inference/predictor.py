"""A trained network with all that its use needs: from a run, a `.keras` file or the default model."""

import hashlib
import json
import math
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from crack_utils.inference.tiles import TILE, predict
from crack_utils.models import shipped
from crack_utils.runtime import paths
from crack_utils.training.run import LATEST, load_run

NEAREST = 1e-7  # to 0 and 1 that a probability counts as: float32 tells no nearer, and a logit must be finite


@dataclass(frozen=True)
class Predictor:
    """A trained network, ready for photographs.

    Attributes
    ----------
    model : keras.Model
        (batch, height, width, 1) in [0, 1] → probability of crack, of the same shape.
    source : str
        What it is, in words.
    temperature : float
        Its logits are divided by this (Guo et al. 2017); 1.0 if it was never calibrated.
    threshold : float
        In (0, 1): a calibrated probability at least as large is crack; 0.5 if none was chosen.
    size : (height, width) [px], or None
        What whole photographs were brought to for training. None: they were seen in their own pixels, or nobody knows.
    reduction : int
        By which photographs were reduced for training, where `size` is None.
    digest : str
        SHA-256 of the network's file and its calibration.
    calibration : dict
        All that `calibration.json` says; empty if the network was never calibrated.
    """

    model: object
    source: str
    temperature: float = 1.0
    threshold: float = 0.5
    size: tuple | None = None
    reduction: int = 1
    digest: str = ""
    calibration: dict = field(default_factory=dict)

    def scale(self, shape):
        """Return by how much to reduce a photograph so that its cracks are as wide as those of the training.

        Parameters
        ----------
        shape : (height, width) [px]

        Returns
        -------
        float in (0, 1]
        """
        return min(1.0, max(self.size) / max(shape)) if self.size else 1 / self.reduction

    def predict(self, image, scale=None, tile=TILE, flips=False):
        """Return the calibrated crack probability of each pixel of a photograph.

        Parameters
        ----------
        image : ndarray, float, shape (H, W), in [0, 1]
        scale : float in (0, 1], optional
            The network sees the photograph reduced by this, and its probability is interpolated back; by default
            `self.scale(image.shape)`.
        tile, flips
            As for `crack_utils.predict`.

        Returns
        -------
        ndarray, float32, shape (H, W), in [0, 1]

        Raises
        ------
        ValueError
            If an argument is of the wrong kind or out of range.
        """
        from skimage.transform import resize

        from crack_utils.data.images import resize_image

        shape = np.shape(image)
        scale = self.scale(shape) if scale is None else scale
        if not 0 < scale <= 1:
            raise ValueError(f"scale={scale}: valid is a number above 0 and at most 1")
        seen = tuple(max(1, round(side * scale)) for side in shape)
        probability = predict(self.model, image if seen == shape else resize_image(image, seen), tile, flips)
        probability = calibrated(probability, self.temperature)
        return probability if seen == shape else resize(probability, shape, order=1, mode="edge", anti_aliasing=False)


def calibrated(probability, temperature):
    """Return probabilities whose logits are divided by a temperature.

    Parameters
    ----------
    probability : ndarray, float, in [0, 1]
        0 and 1 count as 1e-7 and 1 − 1e-7: of networks that saturate, Dice's most of all, the temperature would
        otherwise leave out the very pixels that are too certain.
    temperature : float above 0
        1 leaves everything as it is.

    Returns
    -------
    ndarray, float32, in [0, 1]
    """
    from scipy.special import expit

    return np.float32(probability) if temperature == 1 else np.float32(expit(logits(probability) / temperature))


def logits(probability):
    """Return the finite logits of probabilities, float64."""
    from scipy.special import logit

    return logit(np.clip(np.asarray(probability, np.float64), NEAREST, 1 - NEAREST))


def load_trained(name):
    """Load a trained network and, where they are beside it, its calibration and its experiment.

    Parameters
    ----------
    name : path-like
        A run's folder or id, "latest": the training that ended last, a `.keras` file, a folder with `model.keras`, or
        "default": the one that comes with the package, trained on drawn pictures (`shipped.folder`).

    Returns
    -------
    Predictor

    Raises
    ------
    ValueError
        If there is none, its files cannot be read, or it is a network of another kind.
    """
    file = _file(name)
    experiment = _json(file.parent / "experiment.json")
    calibration = file.parent / "calibration.json"
    found = _json(calibration)
    temperature, threshold = found.get("temperature", 1.0), found.get("threshold", 0.5)
    if not (_is_number(temperature) and temperature > 0):
        raise ValueError(f"{calibration}: temperature is {temperature!r}; valid is a number above 0")
    if not (_is_number(threshold) and 0 < threshold < 1):
        raise ValueError(f"{calibration}: threshold is {threshold!r}; valid is a number between 0 and 1")
    whole = "size" in experiment and experiment.get("fit", "resize") == "resize"
    return Predictor(
        model=_network(file),
        source=_in_words(file, experiment, found),
        temperature=float(temperature),
        threshold=float(threshold),
        size=tuple(experiment["size"]) if whole else None,
        reduction=experiment.get("reduction", 1),
        digest=hashlib.sha256(file.read_bytes() + json.dumps([temperature, threshold]).encode()).hexdigest(),
        calibration=found,
    )


def _file(name):
    """Return the `.keras` file that a name stands for."""
    if str(name) == shipped.DEFAULT:
        return shipped.folder() / shipped.NETWORK
    if str(name) == LATEST:
        name = load_run(LATEST).folder
    for place in (Path(name).expanduser(), paths.runs() / name):
        if place.is_file():
            if place.suffix != ".keras":
                raise ValueError(f"{place}: not a model; valid are a run, a .keras file, or '{shipped.DEFAULT}'")
            return place
        if (place / "model.keras").is_file():
            return place / "model.keras"
        if place.is_dir():
            raise ValueError(f"{place}: no model.keras in this folder; is its training finished?")
    raise ValueError(
        f"{name}: no such model; valid are a run's folder or id, '{LATEST}', a .keras file, or '{shipped.DEFAULT}'"
    )


def _json(file):
    """Return what a JSON file says, an empty dict if it is not there."""
    if not file.exists():
        return {}
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise ValueError(f"{file}: cannot be read as JSON ({error})") from None
    if not isinstance(found, dict):
        raise ValueError(f'{file}: names with values are needed, as in {{"threshold": 0.5}}')
    return found


def _is_number(value):
    return isinstance(value, int | float) and math.isfinite(value)


def _network(file):
    """Return the network of a `.keras` file, if it is one that finds cracks."""
    import zipfile

    import keras

    try:
        model = keras.models.load_model(file, compile=False)
    except (ValueError, TypeError, KeyError, AttributeError, OSError, zipfile.BadZipFile) as error:
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise ValueError(f"{file}: cannot be read as a Keras model ({reason[0]})") from None
    _check_kind(model, file)
    return model


def _check_kind(model, file):
    """Refuse a network that does not give a probability for each pixel of a gray picture: by trying it on one."""
    wanted = "needed is one of gray pictures of any size (batch, height, width, 1) → probabilities of the same shape"
    picture = np.linspace(0, 1, 48 * 64, dtype=np.float32).reshape(1, 48, 64, 1)
    model.jit_compile = False
    try:
        probability = np.asarray(model.predict_on_batch(picture))
    except Exception as error:  # each kind fails in its own way
        raise ValueError(
            f"{file}: a model of another kind ({type(error).__name__} on a gray picture); {wanted}"
        ) from error
    if probability.shape != picture.shape:
        raise ValueError(f"{file}: a model of another kind ({picture.shape} → {probability.shape}); {wanted}")
    low, high = probability.min(), probability.max()
    if not 0 <= low <= high <= 1:
        raise ValueError(f"{file}: a model of another kind (its output goes from {low:.3g} to {high:.3g}); {wanted}")


def _in_words(file, experiment, calibration):
    """Say what a network is."""
    words = [f"{file.parent.name}/{file.name}"]
    if {"size", "model", "loss", "data"} <= experiment.keys():
        height, width = experiment["size"]
        words.append(
            f"{experiment['model']}, loss {experiment['loss']}, trained on {experiment['data']} at {height}×{width}"
        )
    words.append("calibrated" if calibration else "not calibrated")
    return "; ".join(words)
