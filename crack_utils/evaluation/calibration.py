"""Run → probabilities that mean what they say, and the threshold that suits them; both fitted on validation.

**The temperature** divides every logit. It is fitted by maximum likelihood, and is the one number that makes a
network more or less certain without any change of order: the same pixels pass a suitably moved threshold. A
probability of 0.5 stays 0.5.

**The threshold** is the one whose mean IoU, over the pixels of all validation pictures together, is best after that.

Choices are made on validation; what they are worth is measured on the test set.
"""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
from scipy.optimize import minimize_scalar

from crack_utils import metrics
from crack_utils.evaluation.evaluate import arrays, probabilities, split_of
from crack_utils.inference.predictor import calibrated, logits
from crack_utils.runtime import provenance

NAME = "calibration.json"
COLDEST, HOTTEST = 0.05, 20.0  # temperatures between which the best one is looked for
THRESHOLDS = np.round(np.arange(0.01, 1.0, 0.01), 2)

# The modules that decide what a calibration says: a change of their code makes it anew.
DECISIVE = ("evaluation/calibration.py",)


@dataclass(frozen=True)
class Calibration:
    """What is known of a network's certainty.

    Attributes
    ----------
    temperature : float
        Above 1: the network was too certain.
    threshold : float
        For calibrated probabilities: ``calibrated(probability, temperature) >= threshold``.
    measured : dict of dict
        By set, expected_calibration_error_before and _after the temperature, and mean_iou and crack_iou pooled over
        its pixels, at 0.5 and at the threshold (mean_iou_at_threshold, …).
    intervals : dict
        As `conformal.intervals` returns it; empty where pictures were not measured.
    ranges : dict of (low, high)
        As `data.unlike.ranges` returns it for the training pictures.
    fingerprint : str
        Of the code and the model that it was made from.
    """

    temperature: float
    threshold: float
    measured: dict = field(default_factory=dict)
    intervals: dict = field(default_factory=dict)
    ranges: dict = field(default_factory=dict)
    fingerprint: str = ""

    def __call__(self, probability):
        """Return calibrated probabilities, as `calibrated` does."""
        return calibrated(probability, self.temperature)


def calibrate(run):
    """Calibrate a finished run, unless its `calibration.json` is up to date.

    Parameters
    ----------
    run : Run

    Returns
    -------
    Calibration

        Of temperature 1 and threshold 0.5, as the network was, if no validation picture shows a crack.
    """
    fingerprint = _fingerprint(run)
    if not _is_up_to_date(run, fingerprint):
        with run.lock("calibrates"):
            if not _is_up_to_date(run, fingerprint):  # by the process that was waited for
                _write(run, fingerprint)
    return read_calibration(run.folder)


def read_calibration(folder):
    """Return the calibration in the folder of a run or of a model.

    Parameters
    ----------
    folder : path-like

    Returns
    -------
    Calibration

    Raises
    ------
    ValueError
        If there is none, or it is damaged.
    """
    file = Path(folder) / NAME
    try:
        return Calibration(**json.loads(file.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise ValueError(f"{folder}: not calibrated yet; crack-utils calibrate {folder} does it") from None
    except (ValueError, TypeError, RecursionError) as error:
        raise ValueError(f"{file}: no calibration ({error}); delete it and calibrate anew") from error


def fit_temperature(true, probability):
    """Return the temperature whose probabilities make the true masks most likely (least binary cross-entropy).

    Parameters
    ----------
    true : array of bool
    probability : array of float in [0, 1], of the same shape

    Returns
    -------
    float, between 0.05 and 20

    Raises
    ------
    ValueError
        If all pixels are crack, or none is: the best temperature would have no bound.
    """
    true, said = np.asarray(true, bool).ravel(), logits(probability).ravel()
    if true.all() or not true.any():
        raise ValueError("true has no crack, or nothing but crack: a temperature needs both")
    signed = np.where(true, said, -said)  # how certain of what is right

    def cross_entropy(log_temperature):
        return np.logaddexp(0, -signed * np.exp(-log_temperature)).mean()

    found = minimize_scalar(cross_entropy, bounds=np.log([COLDEST, HOTTEST]), method="bounded", options={"xatol": 1e-3})
    return float(np.exp(found.x))


def fit_threshold(true, probability, thresholds=THRESHOLDS):
    """Return the threshold of best mean IoU over all pixels together; the middle one where several are best.

    Parameters
    ----------
    true : array of bool
    probability : array of float in [0, 1], of the same shape
        Calibrated, if the threshold is to be one of calibrated probabilities.
    thresholds : sequence of float, rising
    """
    found = metrics.threshold_sweep(true, probability, thresholds)
    best = np.flatnonzero(found == found.max())
    return float(np.asarray(thresholds)[best[len(best) // 2]])


def _write(run, fingerprint):
    from crack_utils.data import novelty
    from crack_utils.evaluation import conformal

    split, model = split_of(run), run.model()
    images, true, found = {}, {}, {}
    for name in ("validation", "test"):
        if split[name]:
            images[name], true[name] = arrays(split[name], run.experiment.picture_size)
            found[name] = probabilities(model, images[name])
    pixels = {name: (_pixels(true[name]), _pixels(found[name])) for name in true}
    temperature, threshold = 1.0, 0.5
    if pixels["validation"][0].any():  # without a crack there is nothing to fit
        temperature = fit_temperature(*pixels["validation"])
        threshold = fit_threshold(pixels["validation"][0], calibrated(pixels["validation"][1], temperature))
    intervals = {}
    if "test" in true:  # on validation, where the threshold was chosen, errors are too small
        intervals = conformal.intervals(
            split.test, true["test"], found["test"], temperature, threshold, images=images["test"]
        )
    made = Calibration(
        temperature,
        threshold,
        {name: _measured(*pixels[name], temperature, threshold) for name in pixels},
        intervals,
        novelty.ranges(arrays(split.train, run.experiment.picture_size)[0]),
        fingerprint,
    )
    provenance.write_json(run.folder / NAME, asdict(made))


def _measured(true, probability, temperature, threshold):
    after = calibrated(probability, temperature)
    plain = metrics.confusion(true, probability >= 0.5)
    chosen = metrics.confusion(true, after >= threshold)
    return {
        "expected_calibration_error_before": metrics.expected_calibration_error(true, probability),
        "expected_calibration_error_after": metrics.expected_calibration_error(true, after),
        "mean_iou": plain.mean_iou,
        "crack_iou": plain.crack_iou,
        "mean_iou_at_threshold": chosen.mean_iou,
        "crack_iou_at_threshold": chosen.crack_iou,
    }


def _pixels(pictures):
    """Return the values of all pictures, of one size or of several, in one row."""
    return np.concatenate([picture.ravel() for picture in pictures])


def _fingerprint(run):
    model = hashlib.sha256((run.folder / "model.keras").read_bytes()).hexdigest()
    return hashlib.sha256((provenance.fingerprint(*DECISIVE) + model).encode()).hexdigest()


def _is_up_to_date(run, fingerprint):
    try:
        return read_calibration(run.folder).fingerprint == fingerprint
    except ValueError:
        return False
