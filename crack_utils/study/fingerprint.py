"""The fingerprint of the cast: the same four networks, followed over their updates, as cast and at a threshold.

If the report's metric cast its probabilities, then some length of training must make the report's networks show its
four values as cast, and none of its differences at 0.5. `make study STUDY=fingerprint` follows narrower networks.
"""

import numpy as np
import pandas as pd

from crack_utils.losses.registry import REPORTED, title
from crack_utils.runtime.atomic import atomic_write
from crack_utils.runtime.typeset import joined
from crack_utils.study import tables as study_tables
from crack_utils.study.cases import SCALES
from crack_utils.study.published import TABLE_1, order
from crack_utils.study.thresholds import mean_iou
from crack_utils.study.verdicts import SHARE, by_seed, text

SCALE = "fingerprint"
GOOD = 0.98  # mean IoU at 0.5 of masks as good as the report's, on specimens never seen
NEAR = 0.02  # of mean IoU: a cast value that meets the report's


def read():
    """Return the tables of the fingerprint."""
    return study_tables.read(study_tables.folder_of(SCALE))


def curves(tables):
    """Return the validation mean IoU over the updates of each training that worked (`Tables.failed`).

    Returns
    -------
    DataFrame
        loss, seed, updates, cast, thresholded (at 0.5).
    """
    updates = SCALES[tables.provenance["scale"]]["base"]["updates"]
    rows = []
    for run in tables.working_runs("losses").itertuples():
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
        updates; distance, the largest of four differences between a mean over seeds and the report's value; worst, the
        title of its loss; and met, whether it is at most NEAR.
    """
    means = curves.pivot_table(index="updates", columns="loss", values="cast")
    by_loss = pd.DataFrame({loss: (means[loss] - TABLE_1[loss]["val_miou"]).abs() for loss in REPORTED})
    apart = by_loss.max(axis=1)
    at = apart.idxmin()
    worst = title(by_loss.loc[at].idxmax())
    return {"updates": int(at), "distance": float(apart[at]), "worst": worst, "met": bool(apart[at] <= NEAR)}


def table(tables):
    """Return the report's Table 1 beside the fingerprint's: one row per loss, by title, texts with 95 % intervals.

    Returns
    -------
    DataFrame
        Mean IoU as cast where the four together are nearest to the report's; of the finished trainings that worked,
        validation: mean IoU at 0.5, loss, both accuracies; and test: mean IoU at 0.5, with a remark where it is below
        GOOD.
    """
    followed, rows = curves(tables), {}
    at = nearest(followed)["updates"]
    runs = tables.working_runs("losses").set_index("variant")
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
    """Return what a page says of the fingerprint in its prose.

    Returns
    -------
    dict
        source; seeds, the least number of trainings of a loss that worked; trainings; failed, how many of them, and
        failed_losses, of which losses, in words; updates of a whole training; nearest, from the function of that name;
        losses: for each the mean IoU of validation at the end, "cast" and "half" (at 0.5), and the report's; spread:
        the largest difference between two losses of cast, half and report; order of cast; upper_gap, the larger
        distance of Dice and Tversky, as cast, from the report's; lower_gap, by how much BCE and focal loss are below it
        at least; worst_mean_iou at 0.5 on the test set, of the worst loss; and test_spread, best minus worst there.
    """
    followed = curves(tables)
    ends = followed[followed["updates"] == followed["updates"].max()].groupby("loss")[["cast", "thresholded"]].mean()
    losses = {
        loss: {
            "cast": float(ends.loc[loss, "cast"]),
            "half": float(ends.loc[loss, "thresholded"]),
            "report": TABLE_1[loss]["val_miou"],
        }
        for loss in REPORTED
    }
    by_kind = {kind: {loss: losses[loss][kind] for loss in REPORTED} for kind in ("cast", "half", "report")}
    below = {loss: values["report"] - values["cast"] for loss, values in losses.items()}
    unseen = tables.working_runs("losses").groupby("variant")["pooled_mean_iou"].mean()
    failed = tables.failures("losses")
    return {
        "source": study_tables.source(tables),
        "seeds": int(followed.groupby("loss")["seed"].nunique().min()),
        "trainings": len(tables.failed().loc["losses"]),
        "failed": int(failed.sum()),
        "failed_losses": joined(title(loss) for loss in REPORTED if failed[loss]),
        "updates": int(followed["updates"].max()),
        "nearest": nearest(followed),
        "losses": losses,
        "spread": {kind: max(values.values()) - min(values.values()) for kind, values in by_kind.items()},
        "order": order(by_kind["cast"], digits=2),
        "upper_gap": max(abs(below["dice"]), abs(below["tversky"])),
        "lower_gap": min(below["bce"], below["focal"]),
        "worst_mean_iou": float(unseen.min()),
        "test_spread": float(unseen.max() - unseen.min()),
    }


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


def networks(folder=None):
    """Return the networks that `keep_networks` kept, a dict of keras.Model by loss, in float32.

    Parameters
    ----------
    folder : pathlib.Path, optional
        By default that of the committed results.

    Raises
    ------
    ValueError
        If one is not there.
    """
    from crack_utils import models

    folder, found = folder or study_tables.folder_of(SCALE), {}
    for loss in REPORTED:
        file = folder / "networks" / f"{loss}.npz"
        if not file.is_file():
            raise ValueError(f"{file}: no network; `make study STUDY={SCALE}` keeps one of each loss")
        found[loss] = models.build("unet", **SCALES[SCALE]["base"]["model_options"])
        with np.load(file) as weights:
            found[loss].set_weights([weights[name].astype(np.float32) for name in weights.files])
    return found


def photograph():
    """Return a photograph for these networks, float32 in [0, 1]: of the first specimen after those of the study."""
    from crack_utils.data.synthetic import render

    base = SCALES[SCALE]["base"]
    shot = render(base["specimens"], base["frames"] - 1, base["frames"], base["size"], 0)
    return np.float32(shot.image) / 255


def by_threshold(tables):
    """Return the mean IoU of the kept networks by threshold, pooled over the test set: {loss: {threshold: value}}."""
    from crack_utils.evaluation.evaluate import THRESHOLDS

    rows = tables.thresholds
    rows = rows[(rows["set"] == "test") & (rows["question"] == "losses") & (rows["seed"] == rows["seed"].min())]
    rows = rows.sort_values("threshold")
    values = mean_iou(rows)
    # The thresholds themselves, because a file of decimals may have changed their last digit.
    return {loss: dict(zip(THRESHOLDS, values[own.index], strict=True)) for loss, own in rows.groupby("variant")}
