"""Several networks, one answer: the mean of their probabilities, and where they disagree."""

import numpy as np

from crack_utils.inference.tiles import predict


def predict_ensemble(models_or_runs, image):
    """Return the mean probability of several networks and its spread, pixel by pixel.

    Networks of other seeds differ where training has left a choice, so the spread shows where an answer is chance. It
    is not an interval: all of them can miss the same crack.

    Parameters
    ----------
    models_or_runs : sequence of keras.Model or Run
        At least two; trained on the same training set with other seeds.
    image : ndarray, float, shape (H, W), in [0, 1]

    Returns
    -------
    mean, spread : ndarray, float32, shape (H, W)
        Mean and sample standard deviation, of probabilities.

    Raises
    ------
    ValueError
        If there are fewer than two networks, or the picture is not valid.

    References
    ----------
    Lakshminarayanan, Pritzel, Blundell (2017), deep ensembles, arXiv:1612.01474.
    """
    if len(models_or_runs) < 2:
        raise ValueError(f"an ensemble has two networks or more, got {len(models_or_runs)}")
    found = np.stack([predict(each, image) for each in models_or_runs])
    return found.mean(axis=0), found.std(axis=0, ddof=1)
