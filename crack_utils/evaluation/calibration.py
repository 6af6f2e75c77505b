"""Calibrate a run: probabilities that agree with frequencies, and the best threshold; both fitted on validation.

**The temperature** divides every logit. It is fitted by maximum likelihood. It makes a network more or less confident
and does not change the order of pixels. A probability of 0.5 stays 0.5.

**The threshold** is then the one with the best mean IoU over the pixels of all validation pictures together.

Both are chosen on validation; the test set shows their effect.
"""

import hashlib
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
from scipy.optimize import minimize_scalar

from crack_utils import metrics
from crack_utils.evaluation.evaluate import arrays, probabilities, split_of
from crack_utils.inference.predictor import calibrated, calibration_values, logits
from crack_utils.runtime import provenance

NAME = "calibration.json"
COLDEST, HOTTEST = 0.05, 20.0  # limits of the search for the best temperature
THRESHOLDS = np.round(np.arange(0.01, 1.0, 0.01), 2)

# The modules that determine a calibration: after a change of their code it is made again.
DECISIVE = ("evaluation/calibration.py",)


@dataclass(frozen=True)
class Calibration:
    """The calibration of a network: temperature, threshold, error bounds and the ranges of the training pictures.

    Attributes
    ----------
    temperature : float
        Above 1: the network was overconfident.
    threshold : float
        For calibrated probabilities: ``calibrated(probability, temperature) >= threshold``.
    measured : dict of dict
        By set: expected_calibration_error_before and _after the temperature; mean_iou and crack_iou pooled over its
        pixels, at 0.5 and at the threshold (mean_iou_at_threshold, …).
    intervals : dict
        From `conformal.intervals`; empty if there is no test set.
    ranges : dict of (low, high)
        From `data.novelty.ranges`, for the training pictures.
    fingerprint : str
        Hash of the code and of the model.
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
    """Calibrate a finished run and write `calibration.json`, unless it is up to date.

    Parameters
    ----------
    run : Run

    Returns
    -------
    Calibration
        With temperature 1 and threshold 0.5, which change nothing, if no validation picture shows a crack.
    """
    fingerprint = _fingerprint(run)
    if not _is_up_to_date(run, fingerprint):
        with run.lock("calibrates"):
            if not _is_up_to_date(run, fingerprint):  # another process may have done it meanwhile
                _write(run, fingerprint)
    return read_calibration(run.folder)


def read_calibration(folder):
    """Read the calibration in the folder of a run or of a model.

    Parameters
    ----------
    folder : path-like

    Returns
    -------
    Calibration

    Raises
    ------
    ValueError
        If the file is missing or damaged.
    """
    file = Path(folder) / NAME
    if not file.exists():
        raise ValueError(f"{folder}: not calibrated yet; run crack-utils calibrate {folder}")
    try:
        return Calibration(**calibration_values(file))
    except (ValueError, TypeError) as error:
        why = str(error).removeprefix(f"{file}: ")
        raise ValueError(f"{file}: not a calibration ({why}); delete it and calibrate again") from error


def fit_temperature(true, probability):
    """Return the temperature that minimises the binary cross-entropy with the true masks (Guo et al. 2017).

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
        If all pixels are crack, or none is: the best temperature would be infinite.
    """
    true, values = np.asarray(true, bool).ravel(), logits(probability).ravel()
    if true.all() or not true.any():
        raise ValueError("true has no crack, or nothing but crack: a temperature needs both")
    signed = np.where(true, values, -values)  # logit of the true class

    def cross_entropy(log_temperature):
        return np.logaddexp(0, -signed * np.exp(-log_temperature)).mean()

    limits = np.log([COLDEST, HOTTEST])
    minimum = minimize_scalar(cross_entropy, bounds=limits, method="bounded", options={"xatol": 1e-3})
    return float(np.exp(minimum.x))


def _write(run, fingerprint):
    from crack_utils.data import novelty
    from crack_utils.evaluation import conformal

    split, model = split_of(run), run.model()
    images, true, predicted = {}, {}, {}
    for name in ("validation", "test"):
        if split[name]:
            images[name], true[name] = arrays(split[name], run.experiment.picture_size)
            predicted[name] = probabilities(model, images[name])
    pixels = {name: (_pixels(true[name]), _pixels(predicted[name])) for name in true}
    temperature, threshold = 1.0, 0.5
    if pixels["validation"][0].any():  # without a crack there is nothing to fit
        temperature = fit_temperature(*pixels["validation"])
        after = calibrated(pixels["validation"][1], temperature)
        scores = metrics.threshold_sweep(pixels["validation"][0], after, THRESHOLDS)
        threshold = metrics.best_threshold(THRESHOLDS, scores)
    intervals = {}
    if "test" in true:  # on validation, where the threshold was chosen, errors are too small
        intervals = conformal.intervals(
            split.test, true["test"], predicted["test"], temperature, threshold, images=images["test"]
        )
    calibration = Calibration(
        temperature,
        threshold,
        {name: _measured(*pixels[name], temperature, threshold) for name in pixels},
        intervals,
        novelty.ranges(arrays(split.train, run.experiment.picture_size)[0]),
        fingerprint,
    )
    provenance.write_json(run.folder / NAME, asdict(calibration))


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
    """Return the pixels of all pictures, of one size or of several, as one array of one axis."""
    return np.concatenate([picture.ravel() for picture in pictures])


def _fingerprint(run):
    model = hashlib.sha256((run.folder / "model.keras").read_bytes()).hexdigest()
    return hashlib.sha256((provenance.fingerprint(*DECISIVE) + model).encode()).hexdigest()


def _is_up_to_date(run, fingerprint):
    try:
        return read_calibration(run.folder).fingerprint == fingerprint
    except ValueError:
        return False
