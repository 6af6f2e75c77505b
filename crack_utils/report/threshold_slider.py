"""One photograph, several networks, many thresholds: the data of the slider on the book's first page.

Every step is computed here, in float32: at "exactly 1", as a cast to whole numbers sees it, a probability of
0.99999994 is background, which a picture of eight bits could not show.
"""

import base64

import numpy as np
from PIL import Image

from crack_utils.data.encoding import as_file
from crack_utils.evaluation.evaluate import THRESHOLDS
from crack_utils.inference.tiles import predict
from crack_utils.losses.registry import title

STEPS = 12  # from 0.5 upwards, the last one is exactly 1


def slider(networks, photograph, mean_iou, source):
    """Return what the first page's slider shows.

    Parameters
    ----------
    networks : dict of keras.Model
        By loss.
    photograph : ndarray, float, shape (H, W), in [0, 1]
        Not of their training.
    mean_iou : dict of dict
        By loss and threshold, of one set of pictures; with the thresholds of `steps`.
    source : str
        What the networks are from.

    Returns
    -------
    dict
        labels: each step's threshold in words; photograph: a data URI; networks: for each loss title, masks (data
        URIs, one a step) and mean_iou (one a step); count of the networks, in words if they are four; spread_at_half
        and spread_as_cast: the largest difference between two networks at the first and the last step; source.
    """
    thresholds = steps()
    shown = [
        {
            "title": title(loss),
            "masks": [_uri(probability >= threshold) for threshold in thresholds],
            "mean_iou": [mean_iou[loss][threshold] for threshold in thresholds],
        }
        for loss, probability in ((loss, predict(network, photograph)) for loss, network in networks.items())
    ]
    spreads = [np.ptp([network["mean_iou"][step] for network in shown]) for step in (0, -1)]
    return {
        "labels": [_label(threshold) for threshold in thresholds],
        "photograph": _uri(np.uint8(np.rint(255 * photograph))),
        "networks": shown,
        "count": {4: "four"}.get(len(shown), str(len(shown))),
        "spread_at_half": float(spreads[0]),
        "spread_as_cast": float(spreads[1]),
        "source": source,
    }


def steps():
    """Return the thresholds of the slider's steps: from 0.5, evenly in the logit, to exactly 1.

    >>> steps()[0], steps()[-1], len(steps())
    (0.5, 1.0, 12)
    """
    upper = [threshold for threshold in THRESHOLDS if 0.5 <= threshold < 1]
    chosen = np.linspace(0, len(upper) - 1, STEPS - 1).round().astype(int)
    return [upper[index] for index in chosen] + [1.0]


def _label(threshold):
    if threshold == 1:
        return "exactly 1, as the metric casts"
    return f"{threshold:.2f}" if threshold < 0.99 else f"{threshold:.6f}".rstrip("0")


def _uri(picture):
    """Return a gray picture (uint8) or a mask (bool) as a PNG in a data URI; shape (H, W)."""
    return "data:image/png;base64," + base64.b64encode(as_file(Image.fromarray(picture), optimize=True)).decode()
