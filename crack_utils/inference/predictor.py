"""A trained network with all that its use needs: from a run, a `.keras` file or the default model."""

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

DEFAULTS = {"temperature": 1.0, "threshold": 0.5}  # of a network that was never calibrated
BAND = 2**20  # [px] of a picture that are calibrated together
SUREST = 9.2  # largest logit, up or down, that one of several scales adds to the mean (a probability of 0.9999)
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
    largest : int [px], optional
        Longer side of the pictures of the training, where a larger photograph may show its cracks at any size: it is
        seen at several scales.
    digest : str
        SHA-256 of the network's file and its calibration.
    calibration : dict
        All that `calibration.json` says; empty if the network was never calibrated.
    engine : Engine, optional
        The network as `engine.compiled` has made it ready, which then predicts; without one, Keras does.
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
        """Return by how much to reduce a photograph so that its cracks are as wide as those of the training.

        Of the scales at which it is seen, this is the largest, see `scales`.

        Parameters
        ----------
        shape : (height, width) [px]

        Returns
        -------
        float in (0, 1]
        """
        return min(1.0, max(self.size) / max(shape)) if self.size else 1 / self.reduction

    def scales(self, shape):
        """Return at which scales a photograph is seen: at `scale(shape)`, and where `largest` says so at halves of it.

        In a photograph of many megapixels a crack may be a hairline or fifty pixels wide, and the surface's grain may
        look like cracks. The smallest scale makes it about as large as the pictures of the training.

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
            The network sees the photograph reduced by this, and its probability is interpolated back. By default it
            sees it at `self.scales(image.shape)`, and the probability is that of the logits' mean.
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
        0 and 1 count as 1e-7 and 1 − 1e-7: of networks that saturate, Dice's most of all, the temperature would
        otherwise leave out the very pixels that are too certain.
    temperature : float above 0
        1 leaves everything as it is.
    out : ndarray, float32, C-contiguous, optional
        Where the result goes; may be `probability` itself, which saves memory.

    Returns
    -------
    ndarray, float32, in [0, 1]
    """
    from scipy.special import expit

    values = np.asarray(probability)
    result = np.empty(values.shape, np.float32) if out is None else out
    flat, calibrated_flat = values.reshape(-1), result.reshape(-1)
    for start in range(0, flat.size, BAND):  # logits take eight bytes a pixel, several times
        band = flat[start : start + BAND]
        calibrated_flat[start : start + BAND] = band if temperature == 1 else expit(logits(band) / temperature)
    return result


def _add_logits(total, probability, weight):
    """Add the weighted logits of a probability to a float32 picture, band by band; none says more than `SUREST`."""
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
    """Load a trained network and, where they are beside it, its calibration and its experiment.

    Parameters
    ----------
    name : path-like
        As for `training.run.model_file`; "default" is trained on drawn pictures (`shipped.folder`).
    engine : {"tensorflow", "openvino"}, optional
        What runs the network, see `engine.compiled`.

    Returns
    -------
    Predictor

    Raises
    ------
    ValueError
        If there is none, its files cannot be read, it is a network of another kind, or the engine is not there.
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
    """Return what a `calibration.json` says; each value is checked once, here.

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
        If a value is of a wrong type or out of range; the message names the file.
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
        "ranges must give two numbers a name": isinstance(ranges, dict)
        and all(typed.fits(pair, tuple[float, float]) for pair in ranges.values()),
        "intervals must give names their bounds": isinstance(intervals, dict)
        and all(typed.fits(entry.get("bound_px"), float | None) for entry in bounds)
        and (not intervals or _is_number(intervals.get("level"))),
        "measured must give each set its numbers": isinstance(measured, dict)
        and all(
            isinstance(of_set, dict) and all(isinstance(number, Real | None) for number in of_set.values())
            for of_set in measured.values()
        ),
    }
    if broken := [rule for rule, holds in rules.items() if not holds]:
        raise ValueError(f"{file}: {'; '.join(broken)}; delete it and calibrate anew")
    return values


def _is_number(value):
    return typed.fits(value, float)


def _ready(model, file, engine):
    """Return the engine of a network that gives a probability for each pixel of a gray picture; try it on one."""
    wanted = "needed is one of gray pictures of any size (batch, height, width, 1) → probabilities of the same shape"
    picture = trial_picture()
    try:
        ready = compiled(model, engine)
        probability = ready.predict_on_batch(picture)
    except EngineError:
        raise
    except Exception as error:  # each kind fails in its own way
        raise ValueError(
            f"{file}: a model of another kind ({type(error).__name__} on a gray picture); {wanted}"
        ) from error
    if probability.shape != picture.shape:
        raise ValueError(f"{file}: a model of another kind ({picture.shape} → {probability.shape}); {wanted}")
    low, high = probability.min(), probability.max()
    if not 0 <= low <= high <= 1:
        raise ValueError(f"{file}: a model of another kind (its output goes from {low:.3g} to {high:.3g}); {wanted}")
    return ready


def _in_words(file, experiment, calibration):
    """Say what a network is."""
    words = [f"{file.parent.name}/{file.name}"]
    if experiment:
        height, width = experiment.size or ("?", "?")
        words.append(f"{experiment.model}, loss {experiment.loss}, trained on {experiment.data} at {height}×{width}")
    words.append("calibrated" if calibration else "not calibrated")
    return "; ".join(words)
