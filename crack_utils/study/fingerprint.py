"""The fingerprint of the cast: the same four networks, followed over their updates, as cast and at a threshold.

If the report's metric cast its probabilities, then some length of training must make one set of networks show its four
values as cast, and none of its differences at 0.5. `make study STUDY=fingerprint` trains them.
"""

import numpy as np
import pandas as pd

from crack_utils.losses.registry import REPORTED, title
from crack_utils.runtime.atomic import atomic_write
from crack_utils.study import tables as study_tables
from crack_utils.study.cases import SCALES
from crack_utils.study.published import TABLE_1
from crack_utils.study.verdicts import SHARE, by_seed, text

SCALE = "fingerprint"
GOOD = 0.98  # mean IoU at 0.5 of masks as good as the report's, on specimens never seen
NEAR = 0.02  # of mean IoU: a cast value that meets the report's


def read():
    """Return the tables of the fingerprint; None where nobody has trained it."""
    try:
        return study_tables.read(study_tables.folder_of(SCALE))
    except ValueError:
        return None


def curves(tables):
    """Return the validation mean IoU over the updates of each training.

    Returns
    -------
    DataFrame
        loss, seed, updates, cast, thresholded (at 0.5).
    """
    updates = SCALES[tables.provenance["scale"]]["base"]["updates"]
    rows = []
    for run in tables.runs[tables.runs["question"] == "losses"].itertuples():
        cast, thresholded = ([float(value) for value in text.split()] for text in (run.cast_curve, run.curve))
        for part, values in enumerate(zip(cast, thresholded, strict=True), start=1):
            place = {"loss": run.variant, "seed": run.seed, "updates": part * updates // len(cast)}
            rows.append(place | dict(zip(("cast", "thresholded"), values, strict=True)))
    return pd.DataFrame(rows)


def nearest(curves):
    """Return how near the four cast values come to the report's at one length of training, the same for all four.

    Parameters
    ----------
    curves : DataFrame
        From the function of that name.

    Returns
    -------
    dict
        updates; distance, the largest of four differences between a mean over seeds and the report's value; and met,
        whether it is at most NEAR.
    """
    means = curves.pivot_table(index="updates", columns="loss", values="cast")
    apart = pd.concat([(means[loss] - TABLE_1[loss]["val_miou"]).abs() for loss in REPORTED], axis=1).max(axis=1)
    return {"updates": int(apart.idxmin()), "distance": float(apart.min()), "met": bool(apart.min() <= NEAR)}


def table(tables):
    """Return the report's Table 1 beside the fingerprint's: one row a loss, by title, texts with 95 % intervals.

    Returns
    -------
    DataFrame
        Mean IoU as cast where the four together are nearest to the report's; of the finished networks, validation: mean
        IoU at 0.5, loss, both accuracies; and test: mean IoU at 0.5, with a remark where it is below GOOD.
    """
    followed, rows = curves(tables), {}
    at = nearest(followed)["updates"]
    runs = tables.runs[tables.runs["question"] == "losses"].set_index("variant")
    for loss in REPORTED:
        reported, own = TABLE_1[loss], runs.loc[[loss]]
        cast = followed[(followed["loss"] == loss) & (followed["updates"] == at)]["cast"]
        tested = by_seed(own["pooled_mean_iou"], SHARE)
        rows[title(loss)] = {
            "report: mean IoU": f"{reported['val_miou']:.3f}",
            f"as cast, {at:,} updates": text(by_seed(cast, SHARE), signed=False),
            "at 0.5": text(by_seed(own["validation_mean_iou"], SHARE), signed=False),
            "at 0.5, test": text(tested, signed=False) + ("" if tested["value"] >= GOOD else f", below {GOOD}"),
            "report: loss": f"{reported['val_loss']:.5f}",
            "loss": f"{own['validation_loss'].mean():.5f}",
            "report: accuracy": f"{reported['val_accuracy']:.4f}",
            "accuracy": f"{own['validation_accuracy'].mean():.4f}",
            "mean class accuracy": f"{own['validation_mean_class_accuracy'].mean():.4f}",
        }
    return pd.DataFrame(rows).T


def numbers(tables):
    """Return what a page says of the fingerprint in its prose; known is False where it was not trained."""
    if tables is None:
        return {"known": False}
    found = nearest(curves(tables))
    worst = tables.runs.loc[tables.runs["question"] == "losses"].groupby("variant")["pooled_mean_iou"].mean().min()
    source = study_tables.source(tables)
    return {"known": True, "source": source, "worst_mean_iou": float(worst), "good": bool(worst >= GOOD)} | found


def keep_networks(runs, folder):
    """Write the weights of the first network of each loss, in 16 bit, to `networks/<loss>.npz`."""
    (folder / "networks").mkdir(parents=True, exist_ok=True)
    for loss in REPORTED:
        run = next((run for run in runs if run.experiment.loss == loss), None)
        if run is None:
            continue
        weights = run.model().get_weights()
        with atomic_write(folder / "networks" / f"{loss}.npz") as draft:
            np.savez_compressed(draft, *(values.astype(np.float16) for values in weights))


def network(loss, folder=None):
    """Return a network that `keep_networks` kept.

    Parameters
    ----------
    loss : str
        One of `REPORTED`.
    folder : pathlib.Path, optional
        By default that of the committed results.

    Returns
    -------
    keras.Model
        float32.

    Raises
    ------
    ValueError
        If it is not there.
    """
    from crack_utils import models

    folder = folder or study_tables.folder_of(SCALE)
    file = folder / "networks" / f"{loss}.npz"
    if not file.is_file():
        raise ValueError(f"{file}: no network; `make study STUDY={SCALE}` keeps one of each loss")
    base = SCALES[SCALE]["base"]
    made = models.build("unet", **base["model_options"])
    with np.load(file) as weights:
        made.set_weights([weights[name].astype(np.float32) for name in weights.files])
    return made
