"""A run, whatever it was trained on, measured on the photographs at their own size: reduction and crops compared.

A network that saw reduced pictures is given reduced ones; its probabilities are enlarged to the photograph before they
become a mask. So both kinds of run answer the same question about the same pixels.
"""

import numpy as np
from skimage.transform import resize

from crack_utils import measures
from crack_utils.data import read_image, read_mask, resize_image
from crack_utils.evaluation import THRESHOLD, split_of
from crack_utils.prediction import predict


def predict_native(model, image, size=None):
    """Return the crack probability of each pixel of a photograph.

    Parameters
    ----------
    model : keras.Model
    image : ndarray, float, shape (H, W), in [0, 1]
    size : (height, width) [px], optional
        That the network sees the picture at (`Experiment.picture_size`); the result is enlarged, bilinearly.

    Returns
    -------
    ndarray, float32, shape (H, W), in [0, 1]
    """
    if size is None:
        return predict(model, image)
    # Area means of float32 can leave [0, 1] by a rounding.
    probability = predict(model, np.clip(resize_image(image, size), 0, 1))
    return np.float32(resize(probability, image.shape, order=1, mode="edge", anti_aliasing=False))


def measure(run, tolerance=2):
    """Measure a run on its evaluated set at the photographs' own size.

    Parameters
    ----------
    run : Run
    tolerance : float [px of the photographs]

    Returns
    -------
    dict
        names (list of str), f1 (ndarray, shape (N,): of each photograph, with the tolerance), mean_f1, and crack_iou,
        pooled over the photographs.
    """
    model, split = run.model(), split_of(run)
    pairs = split[split.evaluated]
    scores, counts = [], []
    for pair in pairs:
        true = read_mask(pair.mask)
        predicted = predict_native(model, read_image(pair.image), run.experiment.picture_size) >= THRESHOLD
        scores.append(measures.tolerant_f1(true, predicted, tolerance))
        counts.append(measures.confusion(true, predicted))
    return {
        "names": [pair.name for pair in pairs],
        "f1": np.array(scores),
        "mean_f1": float(np.mean(scores)),
        "crack_iou": measures.pooled(counts).crack_iou,
    }
