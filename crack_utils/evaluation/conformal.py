"""How far a crack's measured length and its tip may be off, from the errors on pictures whose truth is known.

Split conformal prediction: the errors of some specimens, sorted, give a bound that the error on a picture of a *new*
specimen keeps with the stated rate, whatever their distribution, as long as the new specimen is drawn as those were.
Pictures of one specimen are siblings, so each specimen counts as one, and the new one too, at infinity ([1]_).

A missed crack is an infinite error, and a tip that was sought at the wrong end is as far off as it is. Where misses are
more frequent than the level leaves room for, there is no bound, and `math.inf` says so. Predictions of flipped
pictures, by contrast, show how one network differs from itself; their spread is no interval, and no rate can be stated
for it.

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

LEVEL = 0.8  # of `intervals`; a dozen specimens cannot bear much more: 9 are the fewest for 0.9
REPEATS = 200


@dataclass(frozen=True)
class Errors:
    """What measuring predicted cracks got wrong, picture by picture; those without a true crack are left out.

    Attributes
    ----------
    specimens : list of str
    tip : ndarray, shape (n,)
        Distance between true and found tip [px], the larger one where there are two; infinite where one was not found,
        NaN where there is no true one.
    length : ndarray, shape (n,)
        Found less true length of the primary crack, without its sign [px]; infinite where no crack was found.
    """

    specimens: list
    tip: np.ndarray
    length: np.ndarray


@dataclass(frozen=True)
class Coverage:
    """How often bounds from one half of the specimens held on the other half.

    Attributes
    ----------
    level : float
        What was promised.
    mean, low, high : float
        Share of pictures, each specimen counting the same: mean over repetitions, and their 5th and 95th percentile.
        Those spread because half a test set is small, and the promise is one on average.
    bound : float
        Median bound [px].
    """

    level: float
    mean: float
    low: float
    high: float
    bound: float


def bound(errors, specimens, level=LEVEL):
    """Return what the error on a picture of a new specimen stays below, at the level's rate or more.

    Parameters
    ----------
    errors : array, float, shape (n,)
        Not negative; infinite for a miss; NaN is left out.
    specimens : sequence of length n
        Whom each picture shows.
    level : float in (0, 1)

    Returns
    -------
    float
        Infinite if there are too few specimens for the level, or too many misses.

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
    share = np.cumsum(1 / counts[index[order]]) / (len(names) + 1)  # the new specimen has the rest
    reached = np.flatnonzero(share >= level - 1e-9)
    return float(errors[order[reached[0]]]) if len(reached) else math.inf


def coverage(errors, specimens, level=LEVEL, repeats=REPEATS, seed=0):
    """Measure how often the bound holds: fitted on a random half of the specimens, looked at on the other half.

    Parameters
    ----------
    errors, specimens, level
        As for `bound`.
    repeats : int
    seed : int
        Of the halves.

    Returns
    -------
    Coverage

    Raises
    ------
    ValueError
        As `bound`, and if there are fewer than two specimens.
    """
    errors, specimens = _checked(errors, specimens, level)
    names, index = np.unique(specimens, return_inverse=True)
    if len(names) < 2:
        raise ValueError(f"coverage needs two specimens or more, got {len(names)}")
    generator = np.random.default_rng(seed)
    held, bounds = [], []
    for _ in range(repeats):
        fitted = np.isin(index, generator.permutation(len(names))[: len(names) // 2])
        limit = bound(errors[fitted], specimens[fitted], level)
        weights = 1 / np.bincount(index)[index[~fitted]]
        held.append(np.average(errors[~fitted] <= limit, weights=weights))
        bounds.append(limit)
    low, high = np.quantile(held, [0.05, 0.95])
    return Coverage(
        level, float(np.mean(held)), float(low), float(high), float(np.quantile(bounds, 0.5, method="lower"))
    )


def measure_errors(pairs, true, probability, temperature=1.0, threshold=0.5, images=None):
    """Measure each predicted crack against the true one.

    Parameters
    ----------
    pairs : list of Pair
        Their tip counts where it is known, else that of the true mask. Pictures without a specimen count as one each.
    true : sequence of ndarray of bool, shape (H, W)
    probability : sequence of ndarray of float in [0, 1], shape (H, W)
    temperature, threshold : float
        As in `Calibration`.
    images : sequence of ndarray of float in [0, 1], shape (H, W), optional
        The photographs: with them cracks are measured as `inference.measure` does it.

    Returns
    -------
    Errors
        In pixels of these arrays.
    """
    specimens, tips, lengths = [], [], []
    images = [None] * len(pairs) if images is None else images
    for pair, mask, values, image in zip(pairs, true, probability, images, strict=True):
        if not mask.any():
            continue
        after = calibrated(values, temperature)
        there = measure_cracks(mask)
        found = measure_cracks(after, threshold=threshold) if image is None else measure(image, after, threshold)
        specimens.append(f"{pair.source}/{pair.specimen or pair.name}")
        known = _true_tips(pair, mask)
        tips.append(tip_errors([known], [found[0].tip if found else None]).distances.max() if known else math.nan)
        lengths.append(abs(found[0].length - there[0].length) if found else math.inf)
    return Errors(specimens, np.array(tips), np.array(lengths))


def intervals(pairs, true, probability, temperature, threshold, level=LEVEL, images=None):
    """Return bounds and their measured coverage, ready for JSON; parameters as for `measure_errors`.

    Returns
    -------
    dict
        level, threshold (that it holds for; at any other one, at another scale or with flips, other errors are made),
        specimens (their number), pictures, missed (share of pictures whose tip was not found) and, for "tip" and
        "length", bound_px (None: there is no bound), coverage (mean over halves of the specimens), coverage_low and
        coverage_high (None with it). Empty with one specimen or none.
    """
    errors = measure_errors(pairs, true, probability, temperature, threshold, images)
    count = len(set(errors.specimens))
    if count < 2:
        return {}
    missed = float(np.isinf(errors.tip).mean())
    found = {"level": level, "threshold": threshold, "specimens": count, "pictures": len(errors.specimens)}
    found["missed"] = missed
    for name in ("tip", "length"):
        limit = bound(getattr(errors, name), errors.specimens, level)
        held = coverage(getattr(errors, name), errors.specimens, level)
        stated = math.isfinite(limit)  # an infinite bound holds always, which says nothing
        found[name] = {
            "bound_px": limit if stated else None,
            "coverage": held.mean if stated else None,
            "coverage_low": held.low if stated else None,
            "coverage_high": held.high if stated else None,
        }
    return found


def _checked(errors, specimens, level):
    errors, specimens = np.asarray(errors, float), np.asarray(specimens)
    if not 0 < level < 1:
        raise ValueError(f"level must lie between 0 and 1, got {level}")
    if errors.shape != specimens.shape or errors.ndim != 1:
        raise ValueError(f"one specimen for each error is needed, got shapes {specimens.shape} and {errors.shape}")
    known = ~np.isnan(errors)
    if (errors[known] < 0).any():
        raise ValueError("errors must not be negative")
    return errors[known], specimens[known]


def _true_tips(pair, mask):
    """Return the true tips [(row, column), …] in pixels of the mask, none, one or two."""
    if pair.tip is None:
        return find_tip(mask).positions
    pairs = [pair] if pair.tip2 is None else [pair, replace(pair, tip=pair.tip2)]
    return [tip_at(each, mask.shape) for each in pairs]
