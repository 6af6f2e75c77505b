"""Bounds for the errors of a crack's length and tip position, from the errors on labelled pictures.

Split conformal prediction: the sorted errors of some specimens give a bound. The error on a picture of a *new* specimen
stays below it with the stated rate, whatever the distribution, if the new specimen comes from the same distribution.
Pictures of one specimen are not independent, so each specimen has the same weight. The new specimen has this weight
too, at infinity ([1]_).

A missed crack is an infinite error. A tip at the wrong end of the crack has a correspondingly large error. If misses
are too frequent for the level, there is no bound, and the value is `math.inf`. Predictions of flipped pictures, by
contrast, only show how much one network varies; their spread is not a confidence interval.

References
----------
.. [1] Lee, Barber, Willett (2023), "Distribution-free inference with hierarchical data", arXiv:2306.06342.
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from crack_utils.data.targets import tip_at
from crack_utils.geometry import find_tip, measure_cracks, tip_errors
from crack_utils.inference.measure import measure
from crack_utils.inference.predictor import calibrated

LEVEL = 0.8  # of `intervals`; a higher level needs more specimens: at least 9 for 0.9
REPEATS = 200


@dataclass(frozen=True)
class Errors:
    """Measurement errors of predicted cracks, one per picture with a true crack.

    Attributes
    ----------
    specimens : list of str
    tip : ndarray, shape (n,)
        Distance between the true and the predicted tip [px], the larger one if there are two; infinite if one was not
        found, NaN if there is no true tip.
    length : ndarray, shape (n,)
        Absolute difference between the predicted and the true length of the primary crack [px]; infinite if no crack
        was found.
    """

    specimens: list
    tip: np.ndarray
    length: np.ndarray


@dataclass(frozen=True)
class Coverage:
    """How often a bound from one half of the specimens covers the errors of the other half.

    Attributes
    ----------
    level : float
        The intended coverage.
    mean, low, high : float
        Share of pictures covered, with equal weight for every specimen: mean over repetitions, and the 5th and 95th
        percentile. They are far apart because half of a test set is small; the level applies on average.
    bound : float
        Median bound [px].
    """

    level: float
    mean: float
    low: float
    high: float
    bound: float


def bound(errors, specimens, level=LEVEL):
    """Return the bound for the error on a picture of a new specimen, with a coverage of at least `level`.

    Parameters
    ----------
    errors : array, float, shape (n,)
        At least 0 [px]; infinite for a miss; NaN is ignored.
    specimens : sequence of length n
        Specimen of each picture.
    level : float in (0, 1)

    Returns
    -------
    float
        In the unit of the errors; infinite if there are too few specimens for the level, or too many misses.

    Raises
    ------
    ValueError
        If the level is out of range, or lengths differ.

    Examples
    --------
    >>> bound([1, 2, 3, 4], ["a", "b", "c", "d"], level=0.8)
    4.0
    """
    errors, specimens = _checked(errors, specimens, level)
    if not len(errors):
        return math.inf
    names, index, counts = np.unique(specimens, return_inverse=True, return_counts=True)
    order = np.argsort(errors, kind="stable")
    share = np.cumsum(1 / counts[index[order]]) / (len(names) + 1)  # the new specimen has the remaining weight
    reached = np.flatnonzero(share >= level - 1e-9)
    return float(errors[order[reached[0]]]) if len(reached) else math.inf


def coverage(errors, specimens, level=LEVEL, repeats=REPEATS, seed=0):
    """Measure the coverage of the bound: fit it on a random half of the specimens and test it on the other half.

    Parameters
    ----------
    errors, specimens, level
        As for `bound`.
    repeats : int
        Number of random halves.
    seed : int
        Seed of the halves.

    Returns
    -------
    Coverage

    Raises
    ------
    ValueError
        As for `bound`, and if there are fewer than two specimens.
    """
    errors, specimens = _checked(errors, specimens, level)
    names, index = np.unique(specimens, return_inverse=True)
    if len(names) < 2:
        raise ValueError(f"coverage needs two specimens or more, got {len(names)}")
    generator = np.random.default_rng(seed)
    covered, bounds = [], []
    for _ in range(repeats):
        fitted = np.isin(index, generator.permutation(len(names))[: len(names) // 2])
        limit = bound(errors[fitted], specimens[fitted], level)
        weights = 1 / np.bincount(index)[index[~fitted]]
        covered.append(np.average(errors[~fitted] <= limit, weights=weights))
        bounds.append(limit)
    low, high = np.quantile(covered, [0.05, 0.95])
    median = float(np.quantile(bounds, 0.5, method="lower"))
    return Coverage(level, float(np.mean(covered)), float(low), float(high), median)


def measure_errors(pairs, true, probability, temperature=1.0, threshold=0.5, images=None):
    """Measure the errors of length and tip position of predicted cracks.

    Parameters
    ----------
    pairs : list of Pair
        The labelled tip is used if there is one, else the tip measured on the true mask. A picture without a named
        specimen counts as a separate specimen.
    true : sequence of ndarray of bool, shape (H, W)
    probability : sequence of ndarray of float in [0, 1], shape (H, W)
    temperature, threshold : float
        As in `Calibration`.
    images : sequence of ndarray of float in [0, 1], shape (H, W), optional
        The photographs; with them, cracks are measured as in `inference.measure`.

    Returns
    -------
    Errors
        In pixels of these arrays; pictures without a true crack are left out.
    """
    specimens, tips, lengths = [], [], []
    images = [None] * len(pairs) if images is None else images
    for pair, mask, values, image in zip(pairs, true, probability, images, strict=True):
        if not mask.any():
            continue
        after = calibrated(values, temperature)
        true_cracks = measure_cracks(mask)
        cracks = measure_cracks(after, threshold=threshold) if image is None else measure(image, after, threshold)
        specimens.append(f"{pair.source}/{pair.specimen or pair.name}")
        true_tips = _true_tips(pair, mask)
        tip = cracks[0].tip if cracks else None
        tips.append(tip_errors([true_tips], [tip]).distances.max() if true_tips else math.nan)
        lengths.append(abs(cracks[0].length - true_cracks[0].length) if cracks else math.inf)
    return Errors(specimens, np.array(tips), np.array(lengths))


def intervals(pairs, true, probability, temperature, threshold, images=None):
    """Return bounds at `LEVEL` for the errors of tip and length, and their measured coverage, as a dict for JSON.

    Parameters
    ----------
    pairs, true, probability, temperature, threshold, images
        As for `measure_errors`.

    Returns
    -------
    dict
        level, threshold (the bounds are valid for this one only; another threshold, another scale or flips give other
        errors), specimens (their number), pictures (their number) and missed (share of pictures with a tip that was not
        found). For "tip" and "length" also bound_px (None: there is no bound), coverage (mean over halves of the
        specimens), coverage_low and coverage_high (None without a bound). Empty with fewer than two specimens.
    """
    errors = measure_errors(pairs, true, probability, temperature, threshold, images)
    count = len(set(errors.specimens))
    if count < 2:
        return {}
    result = {"level": LEVEL, "threshold": threshold, "specimens": count, "pictures": len(errors.specimens)}
    result["missed"] = float(np.isinf(errors.tip).mean())
    for name in ("tip", "length"):
        values = getattr(errors, name)
        measurable = len(set(np.array(errors.specimens)[~np.isnan(values)])) >= 2  # not if no crack is found
        limit = bound(values, errors.specimens, LEVEL) if measurable else math.inf
        measured = coverage(values, errors.specimens, LEVEL) if measurable else None
        exists = math.isfinite(limit)  # the coverage of an infinite bound is always 1 and means nothing
        result[name] = {
            "bound_px": limit if exists else None,
            "coverage": measured.mean if exists else None,
            "coverage_low": measured.low if exists else None,
            "coverage_high": measured.high if exists else None,
        }
    return result


def _checked(errors, specimens, level):
    errors, specimens = np.asarray(errors, float), np.asarray(specimens)
    if not 0 < level < 1:
        raise ValueError(f"level must lie between 0 and 1, got {level}")
    if errors.shape != specimens.shape or errors.ndim != 1:
        raise ValueError(f"one specimen per error is needed, got shapes {specimens.shape} and {errors.shape}")
    exists = ~np.isnan(errors)
    if (errors[exists] < 0).any():
        raise ValueError("errors must not be negative")
    return errors[exists], specimens[exists]


def _true_tips(pair, mask):
    """Return the true tips (row, column) in pixels of the mask, none, one or two."""
    if pair.tip is None:
        return find_tip(mask).positions
    pairs = [pair] if pair.tip2 is None else [pair, replace(pair, tip=pair.tip2)]
    return [tip_at(labelled, mask.shape) for labelled in pairs]
