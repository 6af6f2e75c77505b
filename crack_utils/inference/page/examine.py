"""Compute the mask, the outlines and the measures of a photograph from its probability and a person's settings."""

import math
from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from skimage.measure import find_contours

from crack_utils.geometry import part_of
from crack_utils.geometry.skeleton import EIGHT
from crack_utils.inference.certainty import how_sure
from crack_utils.inference.measure import measure
from crack_utils.labelling.lines import polyline

MOST_CRACKS = 300  # cracks that are measured: with a threshold that is far too low, there are thousands of specks
MOST_EDGES = 200_000  # pixel edges along outlines; if there are more, outlines are coarser
EVERY = 3  # the browser draws every third point of a centreline


@dataclass(frozen=True)
class Findings:
    """What is found in a photograph with some settings.

    Attributes
    ----------
    cracks : list of geometry.Crack
        The primary crack first.
    primary : list of int
        Indices of the primary crack's outlines.
    sure : list of str
        Sentences on how far its measures may be off.
    left_out : int
        Number of small cracks that were not measured because there were too many.
    """

    cracks: list
    primary: list
    sure: list
    left_out: int


def corrected(image, probability, strokes):
    """Return a probability with a person's corrections: 1 where crack was drawn, 0 where it was erased.

    Parameters
    ----------
    image : ndarray, float, shape (H, W), in [0, 1]
        Lines that a person has drawn follow its cracks.
    probability : ndarray, float32, shape (H, W), in [0, 1]
    strokes : sequence of Stroke

    Returns
    -------
    ndarray, float32, shape (H, W)
        `probability` itself if there are no corrections.

    Raises
    ------
    ValueError
        If a line lies outside the photograph.
    """
    if not strokes:
        return probability
    field, nothing = probability.copy(), np.zeros(image.shape, bool)
    for stroke in strokes:
        field[polyline(image, nothing, stroke.points, [stroke.width], stroke.follow)] = stroke.mode == "add"
    return field


def outlines(field, threshold):
    """Return the outlines of the cracks in a probability, fast enough to follow a slider.

    Parameters
    ----------
    field : ndarray, float32, shape (H, W), in [0, 1]
    threshold : float in (0, 1)

    Returns
    -------
    list of ndarray, shape (n, 2)
        Closed lines of (row, column) [px], those of holes too.
    """
    mask = field >= threshold
    edges = sum(np.count_nonzero(np.diff(mask, axis=axis)) for axis in (0, 1))
    step = math.ceil(math.sqrt(max(edges / MOST_EDGES, 1)))
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not rows.size:
        return []
    low = np.maximum([rows[0] - 1, columns[0] - 1], 0)
    part = field[low[0] : rows[-1] + 2 : step, low[1] : columns[-1] + 2 : step]
    # A frame of zeros, so that outlines close at the photograph's border.
    lines = find_contours(np.pad(part, 1), threshold, fully_connected="high")
    return [step * (line - 1) + low for line in lines]


def examine(trained, image, field, settings, lines, unlike):
    """Measure the cracks of a photograph.

    Parameters
    ----------
    trained : Predictor
    image : ndarray, float, shape (H, W), in [0, 1]
    field : ndarray, float32, shape (H, W), in [0, 1]
        From `corrected`.
    settings : Settings
    lines : list of ndarray
        From `outlines`.
    unlike : list of str
        From `unlike_the_training`.

    Returns
    -------
    Findings
    """
    field, left_out = _largest(field, settings.threshold)
    native = trained if trained.scale(image.shape) < 1 and not settings.strokes else None
    by_person = bool(settings.strokes or settings.notch) or settings.threshold != trained.threshold
    cracks = measure(
        image, field, settings.threshold, settings.mm_per_px, native, settings.primary, settings.notch, by_person
    )
    sure, _ = how_sure(trained, image, cracks, settings.threshold, unlike=unlike, corrections=settings.corrections)
    return Findings(cracks, _of_primary(field >= settings.threshold, cracks, lines), sure, left_out)


def _largest(field, threshold):
    """Return the probability with only the largest cracks, and the number of cracks left out."""
    labels, count = ndimage.label(field >= threshold, EIGHT)
    if count <= MOST_CRACKS:
        return field, 0
    areas = np.bincount(labels.ravel())
    areas[0] = 0
    kept = np.zeros(count + 1, bool)
    kept[np.argsort(-areas, kind="stable")[:MOST_CRACKS]] = True
    kept[0] = True
    return np.where(kept[labels], field, 0), count - MOST_CRACKS


def _of_primary(mask, cracks, lines):
    """Return the indices of the outlines around the primary crack."""
    if not cracks:
        return []
    own, numbers = part_of(mask, cracks[0]), []
    for number, line in enumerate(lines):
        # A vertex is between a crack pixel and a background pixel.
        ends = np.clip([np.floor(line[0]), np.ceil(line[0])], 0, np.array(mask.shape) - 1).astype(int)
        if own[tuple(ends.T)].any():
            numbers.append(number)
    return numbers
