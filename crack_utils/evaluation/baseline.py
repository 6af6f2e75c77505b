"""A classical baseline without learning: a black-hat filter for dark, thin structures, and Otsu's threshold.

A network should be better than it, and synthetic data that it solves are too easy.
"""

from typing import NamedTuple

import numpy as np
from skimage.filters import threshold_otsu
from skimage.morphology import closing, disk

from crack_utils.metrics.masks import Confusion, confusion, pooled

RADII = (1, 2, 3, 4, 6, 8, 12)  # [px]; a disk must be wider than the crack to close it
FACTORS = (0.5, 0.7, 1.0, 1.4, 2.0, 2.8, 4.0)  # Otsu suits classes of similar size; cracks are a few per cent


class Tuned(NamedTuple):
    """The best setting of the baseline, and its pixel counts on the images that it was tuned on."""

    radius: int
    factor: float
    confusion: Confusion


def black_hat_otsu(image, radius, factor=1.0):
    """Return the pixels that are darker than their surroundings by more than Otsu's threshold.

    Parameters
    ----------
    image : (height, width) array of float
        Gray image in [0, 1].
    radius : int
        Radius of the closing's disk [px]: dark structures narrower than the disk are kept.
    factor : float
        Multiplies Otsu's threshold; above 1 keeps less.

    Returns
    -------
    (height, width) array of bool
    """
    response = _black_hat(image, radius)
    return response > factor * threshold_otsu(response)


def tune_black_hat(images, masks, radii=RADII, factors=FACTORS):
    """Find the radius and factor of the highest pooled mean IoU; a tie keeps the smaller radius, then factor.

    Parameters
    ----------
    images : sequence of (height, width) arrays of float
        Gray images in [0, 1]; not those on which the baseline is reported.
    masks : sequence of (height, width) arrays of bool
    radii, factors : sequences
        The settings to try.

    Returns
    -------
    Tuned

    Raises
    ------
    ValueError
        If there are no images, or not as many masks as images.
    """
    if len(images) == 0 or len(images) != len(masks):
        raise ValueError(f"one mask per image, and at least one image, is needed; got {len(masks)} for {len(images)}")
    tried = []
    for radius in radii:
        responses = [_black_hat(image, radius) for image in images]
        cuts = [threshold_otsu(response) for response in responses]
        for factor in factors:
            counts = pooled(
                confusion(mask, response > factor * cut)
                for mask, response, cut in zip(masks, responses, cuts, strict=True)
            )
            tried.append(Tuned(radius, factor, counts))
    return max(tried, key=lambda setting: setting.confusion.mean_iou)


def evaluate_baseline(split, size):
    """Tune the classical baseline on validation and measure it on the same set as the losses.

    Parameters
    ----------
    split : Split
    size : (height, width) [px], or int
        As for `arrays`.

    Returns
    -------
    dict
        radius [px], factor, and mean_iou and crack_iou of the evaluated set, pooled over its images.
    """
    from crack_utils.evaluation.predictions import arrays  # TensorFlow

    tuned = tune_black_hat(*arrays(split.validation, size))
    images, true = arrays(split[split.evaluated], size)
    predicted = [black_hat_otsu(image, tuned.radius, tuned.factor) for image in images]
    counts = pooled(map(confusion, true, predicted))
    return {
        "radius": tuned.radius,
        "factor": tuned.factor,
        "mean_iou": counts.mean_iou,
        "crack_iou": counts.crack_iou,
    }


def _black_hat(image, radius):
    """Return closing − image: large where a pixel is darker than its surroundings within the disk."""
    image = np.asarray(image)
    if image.ndim != 2:
        raise ValueError(f"image must have shape (height, width), got {image.shape}")
    if radius < 1:
        raise ValueError(f"radius must be at least 1 px, got {radius}")
    return closing(image, disk(radius)) - image
