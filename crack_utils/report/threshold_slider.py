"""One photograph, several networks, many thresholds: the data of the slider on the book's first page.

Every step is computed here, in float32: at "exactly 1", as a cast to whole numbers sees it, a probability of
0.99999994 is background, which a picture of eight bits could not show.
"""

import base64
import io

import numpy as np
from PIL import Image

from crack_utils.data import read_image, resize_image
from crack_utils.evaluation.evaluate import THRESHOLDS, threshold_scores
from crack_utils.inference.tiles import predict
from crack_utils.losses.registry import title
from crack_utils.runtime.typeset import joined

STEPS = 12  # from 0.5 upwards, the last one is exactly 1


def slider(runs, pair):
    """Return what the first page's slider shows.

    Parameters
    ----------
    runs : dict of Run
        By loss; evaluated.
    pair : Pair
        The photograph, of the set that results are claimed on.

    Returns
    -------
    dict
        labels: each step's threshold in words; photograph: a data URI; networks: for each loss title, masks (data
        URIs, one a step) and mean_iou (of the whole set, pooled over its images, one a step); best_at_half and
        best_as_cast: the title with the highest mean IoU at the first and the last step, or the titles of all that
        have it, to three digits as shown, such as "BCE, Dice and focal"; change: what the last step does to the
        winner of the first, in words; source: what it was made from.
    """
    thresholds = steps()
    networks = [_network(loss, run, pair, thresholds) for loss, run in runs.items()]
    first, last = _best(networks, 0), _best(networks, -1)
    size = next(iter(runs.values())).experiment.size
    return {
        "labels": [_label(threshold) for threshold in thresholds],
        "photograph": _uri(np.uint8(np.rint(255 * resize_image(read_image(pair.image, pair.bits), size)))),
        "networks": networks,
        "best_at_half": joined(first),
        "best_as_cast": joined(last),
        "change": _change(first, last, len(networks)),
        "source": ", ".join(run.id for run in runs.values()),
    }


def steps():
    """Return the thresholds of the slider's steps: from 0.5, evenly in the logit, to exactly 1.

    >>> steps()[0], steps()[-1], len(steps())
    (0.5, 1.0, 12)
    """
    upper = [threshold for threshold in THRESHOLDS if 0.5 <= threshold < 1]
    chosen = np.linspace(0, len(upper) - 1, STEPS - 1).round().astype(int)
    return [upper[index] for index in chosen] + [1.0]


def _best(networks, step):
    shown = {network["title"]: round(network["mean_iou"][step], 3) for network in networks}
    return [name for name, value in shown.items() if value == max(shown.values())]


def _change(first, last, count):
    """Return what became of the winners among so many networks, in words that are true where several are equal."""
    if len(last) == count:
        return "no winner"
    if first == last:
        return f"the same winner{'s' * (len(last) > 1)} but other distances"
    if set(first) & set(last):
        return "not the same winners"
    return "another winner" if len(last) == 1 else "other winners"


def _network(loss, run, pair, thresholds):
    size = run.experiment.size
    probability = predict(run.model(), resize_image(read_image(pair.image, pair.bits), size))
    scores = threshold_scores(run)[run.metrics["evaluated"]]
    return {
        "title": title(loss),
        "masks": [_uri(probability >= threshold) for threshold in thresholds],
        "mean_iou": [scores[threshold] for threshold in thresholds],
    }


def _label(threshold):
    if threshold == 1:
        return "exactly 1, as the metric casts"
    return f"{threshold:.2f}" if threshold < 0.99 else f"{threshold:.6f}".rstrip("0")


def _uri(picture):
    """Return a gray picture (uint8) or a mask (bool) as a PNG in a data URI; shape (H, W)."""
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "png", optimize=True)
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()
