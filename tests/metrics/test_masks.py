import doctest
import subprocess
import sys

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from crack_utils import metrics
from crack_utils.metrics import masks
from crack_utils.metrics.masks import Confusion, confusion
from tests.helpers.arrays import random_masks

PROPERTIES = [
    "crack_iou",
    "background_iou",
    "mean_iou",
    "precision",
    "recall",
    "specificity",
    "f1",
    "accuracy",
    "mean_class_accuracy",
]


def pixels(*values):
    return np.array(values, dtype=bool)


@pytest.mark.parametrize(
    ("true", "predicted", "counts", "values"),
    [
        ([1, 1, 0, 0], [1, 1, 0, 0], (2, 0, 0, 2), [1, 1, 1, 1, 1, 1, 1, 1, 1]),
        ([1, 1, 0, 0], [1, 0, 1, 0], (1, 1, 1, 1), [1 / 3, 1 / 3, 1 / 3, 1 / 2, 1 / 2, 1 / 2, 1 / 2, 1 / 2, 1 / 2]),
        ([1, 1, 0, 0], [0, 0, 1, 1], (0, 2, 2, 0), [0] * 9),
        ([1, 0, 0, 0], [1, 1, 0, 0], (1, 1, 0, 2), [1 / 2, 2 / 3, 7 / 12, 1 / 2, 1, 2 / 3, 2 / 3, 3 / 4, 5 / 6]),
        ([1, 0, 0, 0], [0, 0, 0, 0], (0, 0, 1, 3), [0, 3 / 4, 3 / 8, 0, 0, 1, 0, 3 / 4, 1 / 2]),
        ([0, 0, 0, 0], [1, 0, 0, 0], (0, 1, 0, 3), [0, 3 / 4, 3 / 8, 0, 0, 3 / 4, 0, 3 / 4, 3 / 8]),
        ([0, 0, 0, 0], [0, 0, 0, 0], (0, 0, 0, 4), [1] * 9),
        ([1, 1, 1, 1], [1, 1, 1, 1], (4, 0, 0, 0), [1] * 9),
    ],
)
def test_confusion_by_hand(true, predicted, counts, values):
    result = confusion(pixels(*true), pixels(*predicted))
    assert result == Confusion(*counts)
    assert [getattr(result, name) for name in PROPERTIES] == pytest.approx(values)


def test_definitions_in_set_notation():
    true, predicted = random_masks()
    t, p = set(np.flatnonzero(true)), set(np.flatnonzero(predicted))
    counts = confusion(true, predicted)
    assert counts.crack_iou == len(t & p) / len(t | p)
    assert counts.f1 == 2 * len(t & p) / (len(t) + len(p))
    assert counts.accuracy == np.mean(true == predicted)
    assert counts.mean_class_accuracy == pytest.approx((predicted[true].mean() + (~predicted)[~true].mean()) / 2)


@pytest.mark.parametrize(
    "measure",
    [
        lambda t, p: confusion(t, p).mean_iou,
        lambda t, p: metrics.tolerant_f1(t, p, 1),
        metrics.cldice,
        lambda t, p: metrics.unthresholded_mean_iou(t, p.astype(float)),
    ],
)
def test_a_mask_agrees_with_itself_and_flips_do_not_matter(measure):
    true, predicted = random_masks()
    for mask in (true, ~true, np.zeros_like(true), np.ones_like(true)):
        assert measure(mask, mask) == 1
    assert 0 < measure(true, predicted) < 1
    # Thinning depends on direction by a pixel here and there, so the centreline measure moves a little. A prediction
    # that is shifted by one pixel has its centreline on the very edge of the true mask, so it is shifted back here.
    predicted = np.roll(predicted, -1, axis=0)
    assert measure(true[::-1], predicted[::-1]) == pytest.approx(measure(true, predicted), abs=0.05)


def test_pooled_adds_the_pixels_of_all_images():
    large = confusion(pixels(1, 1, 1, 0), pixels(1, 1, 1, 0))
    small = confusion(pixels(1, 0, 0, 0), pixels(0, 0, 0, 0))
    assert metrics.pooled([large, small]) == large + small == Confusion(3, 0, 1, 4)
    assert metrics.pooled([large, small]).crack_iou == 3 / 4
    assert metrics.pooled([]) == Confusion(0, 0, 0, 0)


@pytest.mark.parametrize(
    ("true", "predicted", "message"),
    [
        (pixels(1, 0), np.array([0.9, 0.1]), "predicted is float64: masks must be boolean, for example probab"),
        (np.array([0.0, 1.0]), pixels(1, 0), "true is float64"),
        (np.array([0, 255], np.uint8), pixels(0, 1), "true has values 0 … 255"),
        (pixels(1, 0), pixels(1, 0, 0), r"true \(2,\) and predicted \(3,\) differ"),
    ],
)
def test_what_is_no_mask_is_refused(true, predicted, message):
    with pytest.raises(ValueError, match=message):
        confusion(true, predicted)


def test_integer_masks_of_0_and_1_are_masks():
    assert confusion(np.array([0, 1], np.uint8), pixels(0, 1)) == Confusion(1, 0, 0, 1)


def test_one_hot_has_the_background_first():
    encoded = metrics.one_hot(pixels(1, 0).reshape(1, 2))
    assert encoded.dtype == np.float32
    assert encoded.tolist() == [[[0, 1], [1, 0]]]


@pytest.mark.parametrize("tolerance", [0, 1, 1.5, 2, 5])
def test_tolerance_by_all_distances(tolerance):
    true, predicted = random_masks(1)
    distance = cdist(np.argwhere(true), np.argwhere(predicted))
    precision, recall = metrics.tolerant_precision_recall(true, predicted, tolerance)
    assert precision == (distance.min(axis=0) <= tolerance).mean()
    assert recall == (distance.min(axis=1) <= tolerance).mean()
    assert metrics.tolerant_f1(true, predicted, tolerance) == pytest.approx(2 / (1 / precision + 1 / recall))


def test_tolerance_zero_is_plain_f1_and_more_never_hurts():
    true, predicted = random_masks(2)
    values = [metrics.tolerant_f1(true, predicted, tolerance) for tolerance in (0, 1, 2, 5, 50)]
    assert values[0] == pytest.approx(confusion(true, predicted).f1)
    assert values == sorted(values)
    assert values[-1] == 1


def test_tolerance_by_hand():
    true = pixels(1, 0, 0, 0, 0, 0).reshape(1, 6)
    predicted = pixels(0, 0, 1, 0, 0, 1).reshape(1, 6)
    assert metrics.tolerant_precision_recall(true, predicted, 1) == (0, 0)
    assert metrics.tolerant_f1(true, predicted, 1) == 0
    assert metrics.tolerant_precision_recall(true, predicted, 2) == (1 / 2, 1)
    with pytest.raises(ValueError, match="must not be negative"):
        metrics.tolerant_f1(true, predicted, -1)


@pytest.mark.parametrize("measure", [metrics.cldice, lambda t, p: metrics.tolerant_f1(t, p, 2)])
def test_one_empty_mask_scores_nothing(measure):
    crack, empty = random_masks()[0], np.zeros((24, 30), bool)
    assert measure(crack, empty) == measure(empty, crack) == 0


def test_cldice_asks_for_connection_more_than_for_width():
    true = np.zeros((9, 40), bool)
    true[3:6] = True
    thin = np.zeros_like(true)
    thin[4] = True
    broken = true.copy()
    broken[:, 15:25] = False
    assert metrics.cldice(true, thin) > 0.97 > metrics.cldice(true, broken)
    assert confusion(true, thin).f1 < confusion(true, broken).f1


def diagonal(length=60, size=80):
    """Return a diagonal line two pixels wide."""
    mask = np.zeros((size, size), bool)
    index = np.arange(10, 10 + length)
    mask[index, index] = mask[index, index + 1] = True
    return mask


def test_a_diagonal_of_two_pixels_keeps_its_skeleton():
    """Zhang's thinning leaves a single pixel of it: a mean width of 79 px, and a clDice of 1 for half of the line."""
    line = diagonal()
    assert 1 <= metrics.mean_width(line) <= 2.5
    half = line.copy()
    half[40:] = False
    assert metrics.cldice(line, line) == 1
    assert 0.55 < metrics.cldice(line, half) < 0.8  # half of the skeleton is found: 2 / 3


def test_measures_load_no_deep_learning():
    code = "import sys, crack_utils.metrics.masks, crack_utils.evaluation.baseline; "
    code += "print({'tensorflow', 'keras', 'matplotlib'} & {*sys.modules})"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"


def test_examples_in_the_documentation_run():
    assert doctest.testmod(masks).failed == 0
