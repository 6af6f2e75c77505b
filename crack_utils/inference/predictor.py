"""Load a trained network, with its calibration, from a run, a `.keras` file or the default model."""

import hashlib
import json
import math
from dataclasses import dataclass, field
from numbers import Real

import numpy as np

from crack_utils.inference.engine import EngineError, check_engine, compiled, trial_picture
from crack_utils.inference.model_file import load_network
from crack_utils.inference.tiles import predict
from crack_utils.models import shipped
from crack_utils.runtime import typed
from crack_utils.runtime.provenance import read_json
from crack_utils.training.run import model_file, read_experiment

DEFAULTS = {"temperature": 1.0, "threshold": 0.5}  # of a network without calibration
BAND = 2**20  # pixels that are calibrated at once
SUREST = 9.2  # limit of the absolute logits that are averaged over several scales (probability 0.9999)
NEAREST = 1e-7  # least distance of a probability from 0 and 1, so that its logit is finite (precision of float32)


@dataclass(frozen=True)
class Predictor:
    """A trained network, ready for photographs.

    Attributes
    ----------
    model : keras.Model
        (batch, height, width, 1) in [0, 1] → probability of crack, of the same shape.
    source : str
        A description: file, architecture, loss and data.
    temperature : float
        The logits are divided by it (Guo et al. 2017); 1.0 if the network was not calibrated.
    threshold : float
        In (0, 1). Pixels with at least this calibrated probability are crack; 0.5 if the network was not calibrated.
    size : (height, width) [px], or None
        Size to which whole photographs were resized for training; None if they were not resized, or if it is unknown.
    reduction : int
        Factor by which photographs were reduced for training, if `size` is None.
    largest : int [px], optional
        Longer side of the training pictures, for a network that predicts larger photographs at several scales, because
        their cracks may have any width.
    digest : str
        SHA-256 of the network's file and its calibration.
    calibration : dict
        The content of `calibration.json`; empty if the network was not calibrated.
    engine : Engine, optional
        What predicts, from `engine.compiled`; if None, Keras does.
    """

    model: object
    source: str
    temperature: float = 1.0
    threshold: float = 0.5
    size: tuple | None = None
    reduction: int = 1
    largest: int | None = None
    digest: str = ""
    calibration: dict = field(default_factory=dict)
    engine: object = None

    def scale(self, shape):
        """Return the factor that makes the cracks of a photograph about as wide as those of the training.

        It is the largest of the factors in `scales`.

        Parameters
        ----------
        shape : (height, width) [px]

        Returns
        -------
        float in (0, 1]
        """
        return min(1.0, max(self.size) / max(shape)) if self.size else 1 / self.reduction

    def scales(self, shape):
        """Return the scales at which a photograph is predicted: `scale(shape)` and, if `largest` is given, its halves.

        In a photograph of many megapixels, a crack may be one or fifty pixels wide, and the grain of the surface may
        look like cracks. At the smallest scale, the photograph is about as large as the training pictures.

        Parameters
        ----------
        shape : (height, width) [px]

        Returns
        -------
        list of float in (0, 1]
            The largest first.

        Examples
        --------
        >>> Predictor(None, "", largest=640).scales((2048, 2560))
        [1.0, 0.5, 0.25]
        >>> Predictor(None, "", largest=640).scales((512, 768)), Predictor(None, "").scales((2048, 2560))
        ([1.0], [1.0])
        """
        first = self.scale(shape)
        larger = max(1.0, max(shape) * first / self.largest) if self.largest else 1.0
        return [first / 2**number for number in range(round(math.log2(larger)) + 1)]

    def predict(self, image, scale=None, tile=None, flips=False):
        """Return the calibrated crack probability of each pixel of a photograph.

        Parameters
        ----------
        image : ndarray, float, shape (H, W), in [0, 1]
        scale : float in (0, 1], optional
            Height and width are multiplied by it before the prediction, and the probability is resized back. By
            default, logits at all of `self.scales(image.shape)` are averaged.
        tile, flips
            As for `crack_utils.predict`.

        Returns
        -------
        ndarray, float32, shape (H, W), in [0, 1]

        Raises
        ------
        ValueError
            If an argument has a wrong type or is out of range.
        """
        if scale is not None and not 0 < scale <= 1:
            raise ValueError(f"scale={scale}: valid is a number above 0 and at most 1")
        scales = self.scales(np.shape(image)) if scale is None else [scale]
        if len(scales) == 1:
            return self._seen_at(scales[0], image, tile, flips)
        mean = np.zeros(np.shape(image), np.float32)
        for each in scales:
            _add_logits(mean, self._seen_at(each, image, tile, flips), 1 / len(scales))
        return _from_logits(mean)

    def _seen_at(self, scale, image, tile, flips):
        from skimage.transform import resize

        from crack_utils.data.images import resize_image

        shape = np.shape(image)
        seen = tuple(max(1, round(side * scale)) for side in shape)
        probability = predict(
            self.engine or self.model, image if seen == shape else resize_image(image, seen), tile, flips
        )
        probability = calibrated(probability, self.temperature, out=probability)
        return probability if seen == shape else resize(probability, shape, order=1, mode="edge", anti_aliasing=False)


def calibrated(probability, temperature, out=None):
    """Return probabilities whose logits are divided by a temperature.

    Parameters
    ----------
    probability : ndarray, float, in [0, 1]
        0 and 1 count as 1e-7 and 1 − 1e-7. Otherwise a temperature would have no effect on saturated pixels, which are
        the most overconfident; networks trained with Dice have many of them.
    temperature : float above 0
        1 changes nothing.
    out : ndarray, float32, C-contiguous, optional
        Array for the result. It may be `probability` itself, which saves memory.

    Returns
    -------
    ndarray, float32, in [0, 1]
    """
    from scipy.special import expit

    values = np.asarray(probability)
    result = np.empty(values.shape, np.float32) if out is None else out
    flat, calibrated_flat = values.reshape(-1), result.reshape(-1)
    for start in range(0, flat.size, BAND):  # in bands, because logits take several times eight bytes per pixel
        band = flat[start : start + BAND]
        calibrated_flat[start : start + BAND] = band if temperature == 1 else expit(logits(band) / temperature)
    return result


def _add_logits(total, probability, weight):
    """Add the weighted logits of a probability, limited to ±`SUREST`, to a float32 picture, band by band."""
    sums, values = total.reshape(-1), np.ascontiguousarray(probability).reshape(-1)
    for start in range(0, sums.size, BAND):
        sums[start : start + BAND] += weight * np.clip(logits(values[start : start + BAND]), -SUREST, SUREST)


def _from_logits(values):
    """Turn logits into probabilities, in place."""
    from scipy.special import expit

    return expit(values, out=values)


def logits(probability):
    """Return the finite logits of probabilities, float64."""
    from scipy.special import logit

    return logit(np.clip(np.asarray(probability, np.float64), NEAREST, 1 - NEAREST))


def load_trained(name, engine=None):
    """Load a trained network, and its calibration and experiment if they are in the same folder.

    Parameters
    ----------
    name : path-like
        As for `training.run.model_file`; "default" is trained on drawn pictures (`shipped.folder`).
    engine : {"tensorflow", "openvino"}, optional
        The library that runs the network, see `engine.compiled`.

    Returns
    -------
    Predictor

    Raises
    ------
    ValueError
        If there is no such network, its files cannot be read, it is not a network for masks of gray pictures, or the
        engine is not installed.
    """
    check_engine(engine)
    file = model_file(name)
    settings = file.parent / "experiment.json"
    experiment = read_experiment(settings) if settings.exists() else None
    calibration = calibration_values(file.parent / "calibration.json")
    temperature, threshold = (float(calibration.get(name, default)) for name, default in DEFAULTS.items())
    model = load_network(file)
    ready = _ready(model, file, engine)
    return Predictor(
        model=model,
        source=_in_words(file, experiment, calibration),
        temperature=temperature,
        threshold=threshold,
        size=experiment.size if experiment and experiment.fit == "resize" else None,
        reduction=(experiment.reduction or 1) if experiment else 1,
        largest=shipped.LARGEST if (file.parent / shipped.SUMS).is_file() else None,
        digest=hashlib.sha256(file.read_bytes() + json.dumps([temperature, threshold]).encode()).hexdigest(),
        calibration=calibration,
        engine=ready,
    )


def calibration_values(file):
    """Return the content of a `calibration.json`, after a check of all values.

    Parameters
    ----------
    file : pathlib.Path

    Returns
    -------
    dict
        Empty if there is no such file.

    Raises
    ------
    ValueError
        If a value has a wrong type or is out of range; the message names the file.
    """
    values = read_json(file) if file.exists() else {}
    ranges, intervals = values.get("ranges", {}), values.get("intervals", {})
    bounds = [entry for entry in intervals.values() if isinstance(entry, dict)] if isinstance(intervals, dict) else []
    measured = values.get("measured", {})
    rules = {
        "temperature must be a number above 0": _is_number(values.get("temperature", 1))
        and values.get("temperature", 1) > 0,
        "threshold must be a number between 0 and 1": _is_number(values.get("threshold", 0.5))
        and 0 < values.get("threshold", 0.5) < 1,
        "ranges must have two numbers for each name": isinstance(ranges, dict)
        and all(typed.fits(pair, tuple[float, float]) for pair in ranges.values()),
        "intervals must have a number level, and a number or null as each bound_px": isinstance(intervals, dict)
        and all(typed.fits(entry.get("bound_px"), float | None) for entry in bounds)
        and (not intervals or _is_number(intervals.get("level"))),
        "measured must have an object of numbers for each set": isinstance(measured, dict)
        and all(
            isinstance(of_set, dict) and all(isinstance(number, Real | None) for number in of_set.values())
            for of_set in measured.values()
        ),
    }
    if broken := [rule for rule, holds in rules.items() if not holds]:
        raise ValueError(f"{file}: {'; '.join(broken)}; delete it and calibrate again")
    return values


def _is_number(value):
    return typed.fits(value, float)


def _ready(model, file, engine):
    """Return the engine of a network, after a test that it predicts a probability for each pixel of a gray picture."""
    wanted = "it must take gray pictures of any size (batch, height, width, 1), and return probabilities of this shape"
    picture = trial_picture()
    try:
        ready = compiled(model, engine)
        probability = ready.predict_on_batch(picture)
    except EngineError:
        raise
    except Exception as error:  # different networks raise different exceptions
        raise ValueError(
            f"{file}: not a network for masks ({type(error).__name__} on a gray picture); {wanted}"
        ) from error
    if probability.shape != picture.shape:
        raise ValueError(f"{file}: not a network for masks ({picture.shape} → {probability.shape}); {wanted}")
    low, high = probability.min(), probability.max()
    if not 0 <= low <= high <= 1:
        raise ValueError(f"{file}: not a network for masks (its output goes from {low:.3g} to {high:.3g}); {wanted}")
    return ready


def _in_words(file, experiment, calibration):
    """Return a description of a network: file, architecture, loss, data, and whether it is calibrated."""
    words = [f"{file.parent.name}/{file.name}"]
    if experiment:
        height, width = experiment.size or ("?", "?")
        words.append(f"{experiment.model}, loss {experiment.loss}, trained on {experiment.data} at {height}×{width}")
    words.append("calibrated" if calibration else "not calibrated")
    return "; ".join(words)
