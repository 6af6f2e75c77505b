"""Calibrate a run: probabilities that agree with frequencies, and the best threshold; both fitted on validation.

**The temperature** divides every logit. It is fitted by maximum likelihood. It makes a network more or less confident
and does not change the order of pixels. A probability of 0.5 stays 0.5.

**The threshold** is then the one with the best mean IoU over the pixels of all validation pictures together.

Both are chosen on validation; the test set shows their effect. Probabilities are those that `crack-utils predict` gives
on this machine, in its precision. They are stored on the disk; only one picture at a time is in memory.
"""

import hashlib
import tempfile
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
from scipy.optimize import minimize_scalar

from crack_utils import metrics
from crack_utils.data import cache
from crack_utils.evaluation.predictions import predicted
from crack_utils.evaluation.sets import split_of
from crack_utils.evaluation.tally import THRESHOLD, Sweep
from crack_utils.inference.engine import compiled
from crack_utils.inference.predictor import calibrated, calibration_values, logits
from crack_utils.metrics.probabilities import BINS, calibration_error
from crack_utils.runtime import provenance

NAME = "calibration.json"
COLDEST, HOTTEST = 0.05, 20.0  # limits of the search for the best temperature
THRESHOLDS = np.round(np.arange(0.01, 1.0, 0.01), 2)
LIMIT = 16.2  # of a logit: a probability nearer than 1e-7 to 0 or 1 counts as 1e-7 away
STEPS = 2**14  # of the histogram of logits: the relative error of a temperature is then at most 1e-3

# The modules that determine a calibration: if their code changes, it is computed again.
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


def logit_counts(true, probability):
    """Count the pixels of crack and of background by the logit of crack, to fit a temperature; counts can be added.

    Parameters
    ----------
    true : array of bool
    probability : array of float in [0, 1], of the same shape

    Returns
    -------
    ndarray of int, shape (2, STEPS)
        Pixels of the crack, and of the background, by their logit in [-LIMIT, LIMIT].
    """
    true, values = np.asarray(true, bool).ravel(), logits(probability).ravel()
    places = np.minimum(((values + LIMIT) * (STEPS / (2 * LIMIT))).astype(int), STEPS - 1)
    return np.stack([np.bincount(places[part], minlength=STEPS) for part in (true, ~true)])


def temperature_of(counts):
    """Return the temperature that minimises the binary cross-entropy with the true masks (Guo et al. 2017).

    Parameters
    ----------
    counts : (ndarray, ndarray), each of shape (STEPS,)
        From `logit_counts`: crack and background pixels in each interval of the logit.

    Returns
    -------
    float, between COLDEST and HOTTEST

    Raises
    ------
    ValueError
        If all pixels are crack, or none is: the best temperature would be infinite.
    """
    cracks, background = counts
    if not cracks.any() or not background.any():
        raise ValueError("true has no crack, or nothing but crack: a temperature needs both")
    values = (np.arange(STEPS) + 0.5) * (2 * LIMIT / STEPS) - LIMIT
    weights = cracks + background[::-1]  # a background pixel with logit x counts like a crack pixel with logit −x

    def cross_entropy(log_temperature):
        return np.average(np.logaddexp(0, -values * np.exp(-log_temperature)), weights=weights)

    limits = np.log([COLDEST, HOTTEST])
    minimum = minimize_scalar(cross_entropy, bounds=limits, method="bounded", options={"xatol": 1e-3})
    return float(np.exp(minimum.x))


class _Stored:
    """The pictures of a set and the probabilities that a network gives them, read from the disk one by one."""

    def __init__(self, folder, network, pairs, size):
        self.folder, self.pairs = folder, pairs
        folder.mkdir()
        for number, (*_, probability) in enumerate(predicted(network, pairs, size)):
            np.save(folder / f"{number}.npy", probability)
        self.pictures = cache.load(pairs, size)

    def __iter__(self):
        """Yield image, mask and probability of each picture, as `predictions.predicted` does."""
        for number in range(len(self.pairs)):
            image, mask = self.pictures[number]
            yield image.astype(np.float32) / 255, mask > 0, np.load(self.folder / f"{number}.npy")

    def column(self, number):
        """Yield the images (0), the masks (1) or the probabilities (2)."""
        return (picture[number] for picture in self)


def _write(run, fingerprint):
    from crack_utils.data import novelty

    split, size = split_of(run), run.experiment.picture_size
    network = compiled(run.model())
    with tempfile.TemporaryDirectory(prefix=".draft-", dir=run.folder) as folder:
        names = [name for name in ("validation", "test") if split[name]]
        sets = {name: _Stored(Path(folder) / name, network, split[name], size) for name in names}
        temperature, threshold = _fitted(sets["validation"])
        measured = {name: _measured(stored, temperature, threshold) for name, stored in sets.items()}
        intervals = {}
        if "test" in sets:  # on validation, where the threshold was chosen, errors are too small
            intervals = _intervals(sets["test"], temperature, threshold)
    pictures = cache.load(split.train, size)
    ranges = novelty.ranges(pictures[number][0].astype(np.float32) / 255 for number in range(len(pictures)))
    calibration = Calibration(temperature, threshold, measured, intervals, ranges, fingerprint)
    provenance.write_json(run.folder / NAME, asdict(calibration))


def _fitted(stored):
    """Return temperature and threshold: 1 and 0.5 if no picture shows a crack, because then nothing can be fitted."""
    counts = sum(logit_counts(true, probability) for _, true, probability in stored)
    if not counts[0].any():
        return 1.0, 0.5
    temperature, sweep = temperature_of(counts), Sweep(THRESHOLDS)
    for _, true, probability in stored:
        sweep.add(true, calibrated(probability, temperature))
    return temperature, metrics.best_threshold(THRESHOLDS, [counts.mean_iou for counts in sweep.counts])


def _intervals(stored, temperature, threshold):
    from crack_utils.evaluation import conformal

    images, true, probability = (stored.column(number) for number in range(3))
    return conformal.intervals(stored.pairs, true, probability, temperature, threshold, images=images)


def _measured(stored, temperature, threshold):
    plain = chosen = metrics.pooled([])
    before, after = np.zeros((3, BINS)), np.zeros((3, BINS))
    for _, true, probability in stored:
        warmer = calibrated(probability, temperature)
        plain += metrics.confusion(true, probability >= THRESHOLD)
        chosen += metrics.confusion(true, warmer >= threshold)
        before += metrics.reliability_sums(true, probability)
        after += metrics.reliability_sums(true, warmer)
    return {
        "expected_calibration_error_before": calibration_error(before),
        "expected_calibration_error_after": calibration_error(after),
        "mean_iou": plain.mean_iou,
        "crack_iou": plain.crack_iou,
        "mean_iou_at_threshold": chosen.mean_iou,
        "crack_iou_at_threshold": chosen.crack_iou,
    }


def _fingerprint(run):
    model = hashlib.sha256((run.folder / "model.keras").read_bytes()).hexdigest()
    return hashlib.sha256((provenance.fingerprint(*DECISIVE) + model).encode()).hexdigest()


def _is_up_to_date(run, fingerprint):
    try:
        return read_calibration(run.folder).fingerprint == fingerprint
    except ValueError:
        return False
