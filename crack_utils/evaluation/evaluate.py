"""Evaluate a run: measures of its three sets, and predictions of the set on which claims are made."""

import csv
import dataclasses
import json
import math

import keras
import numpy as np
from PIL import Image

from crack_utils import losses, metrics
from crack_utils.data import cache, sources, targets
from crack_utils.data.split import Split, refuse_changed
from crack_utils.evaluation.baseline import black_hat_otsu, tune_black_hat
from crack_utils.geometry import find_tip, tip_errors
from crack_utils.inference.tiles import predict
from crack_utils.runtime import paths, provenance
from crack_utils.runtime.atomic import atomic_write

THRESHOLD = 0.5  # on float32 probabilities: the reference of the whole book
TOLERANCES = (1, 2)  # [px] of the F1 that ignores small shifts of a hand-drawn boundary
NEAR_TIP = 0.1  # radius of the surroundings of a tip, as a share of the picture's height

# Equal steps of the logit, because thresholds near 0 and 1 are of interest too.
THRESHOLDS = tuple(
    sorted({1 / (1 + math.exp(-step / 2)) for step in range(-16, 33)} | set(metrics.ROUNDS_TO_ONE.values()))
)

# The modules that determine an evaluation: after a change of their code it is made again.
DECISIVE = ("evaluation/evaluate.py", "losses")


def evaluate(run):
    """Measure a finished run, unless its `metrics.json` is up to date.

    It writes `metrics.json`, `measures.csv` (one row per image of the evaluated set), `thresholds.csv` (pooled counts
    of the validation and the evaluated set at each of THRESHOLDS, for all pixels and for crack near labelled tips) and
    `predictions/` (16-bit PNG).

    Parameters
    ----------
    run : Run

    Returns
    -------
    dict
        evaluated ("test" or "validation"), images (count by set) and, by set, crack_share, mean_iou,
        unthresholded_mean_iou, crack_iou, precision, recall, f1, f1_tolerance_1, f1_tolerance_2, cldice, accuracy,
        mean_class_accuracy, expected_calibration_error, crack_at_one, loss. Confusion counts are pooled over a set's
        images; the F1 with tolerance and clDice are means over images.
    """
    fingerprint = provenance.fingerprint(*DECISIVE)
    if not _is_measured(run, fingerprint):
        with run.lock("evaluates"):
            if not _is_measured(run, fingerprint):  # another process may have done it meanwhile
                _measure(run, fingerprint)
    return run.metrics


def split_of(run):
    """Return the split that was saved with a run, with its pairs.

    The folders of the data are saved when this is first called, right after the training. Later the data set is found
    from any working directory.

    Parameters
    ----------
    run : Run

    Returns
    -------
    Split

    Raises
    ------
    DataError
        If a photograph or a mask is missing or has changed since the split; the message names each.
    """
    saved_folders = run.folder / "data_folders.json"
    earlier = json.loads(saved_folders.read_text(encoding="utf-8")) if saved_folders.is_file() else []
    pairs = sources.load(run.experiment, earlier)
    refuse_changed(run.folder / "split.csv", pairs)
    if not saved_folders.is_file():
        provenance.write_json(saved_folders, sources.found_in(run.experiment))
    by_name = {(pair.source, pair.name): pair for pair in pairs}
    return Split(**{key: [by_name[name] for name in chosen] for key, chosen in run.names().items()})


def arrays(pairs, size):
    """Return pictures (float32 in [0, 1]) and masks (bool), as the network receives them.

    Parameters
    ----------
    pairs : list of Pair
    size : (height, width) [px], or int
        As `Experiment.picture_size`; a number divides the size of each picture, 1 leaves it unchanged.

    Returns
    -------
    images, masks : ndarray, shape (N, H, W); with a number, list of ndarray, shape (H, W)
    """
    images, masks = cache.load(pairs, size).arrays()
    if isinstance(size, int):
        return [image.astype(np.float32) / 255 for image in images], [mask > 0 for mask in masks]
    return images.astype(np.float32) / 255, masks > 0


def probabilities(model, images, batch=8):
    """Return the crack probability of each pixel.

    Parameters
    ----------
    model : keras.Model
    images : ndarray, float32, shape (N, H, W), in [0, 1]; or list of ndarray, shape (H, W)
        Pictures in a list may have different sizes and are predicted one by one.
    batch : int
        Pictures per call.

    Returns
    -------
    ndarray, float32, shape (N, H, W), in [0, 1]; or list of ndarray, shape (H, W)
    """
    if isinstance(images, list):
        return [predict(model, image) for image in images]
    model.jit_compile = False  # one pass takes less time than compiling
    return model.predict(images[..., None], batch_size=batch, verbose=0)[..., 0]


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
    tuned = tune_black_hat(*arrays(split.validation, size))
    images, true = arrays(split[split.evaluated], size)
    predicted = [black_hat_otsu(image, tuned.radius, tuned.factor) for image in images]
    counts = metrics.pooled(map(metrics.confusion, true, predicted))
    return {
        "radius": tuned.radius,
        "factor": tuned.factor,
        "mean_iou": counts.mean_iou,
        "crack_iou": counts.crack_iou,
    }


def best_threshold(run):
    """Return the threshold with the best mean IoU on validation, and its mean IoU on the evaluated set.

    Parameters
    ----------
    run : Run
        An evaluated run.

    Returns
    -------
    dict
        threshold, and mean_iou of the evaluated set, pooled over its images.
    """
    scores = {}
    with open(run.folder / "thresholds.csv", newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            counts = metrics.Confusion(*(int(row[name]) for name in ("tp", "fp", "fn", "tn")))
            scores.setdefault(row["set"], {})[float(row["threshold"])] = counts.mean_iou
    best = metrics.best_threshold(list(scores["validation"]), list(scores["validation"].values()))
    return {"threshold": best, "mean_iou": scores[run.metrics["evaluated"]][best]}


def read_prediction(run, pair):
    """Return the stored prediction of an evaluated run for a pair: float32, shape (H, W), in [0, 1]."""
    with Image.open(_prediction_path(run, pair)) as picture:
        return np.asarray(picture, np.float32) / 65535


def _is_measured(run, fingerprint):
    return (run.folder / "metrics.json").exists() and run.metrics.get("fingerprint") == fingerprint


def _measure(run, fingerprint):
    split, model = split_of(run), run.model()
    measures, swept = {"fingerprint": fingerprint, "evaluated": split.evaluated, "images": {}}, []
    for name in ("train", "validation", "test"):
        if not split[name]:
            continue
        images, true = arrays(split[name], run.experiment.picture_size)
        probability = probabilities(model, images)
        measures["images"][name] = len(split[name])
        measures[name] = _summary(true, probability) | {"loss": _loss(run.experiment, split[name], true, probability)}
        if name in ("validation", split.evaluated):
            swept += _sweep(name, split[name], true, probability)
        if name == split.evaluated:
            _write_predictions(run, split[name], probability)
            rows = list(map(_row, split[name], true, probability))
            _write_rows(run.folder / "measures.csv", rows)
    _write_rows(run.folder / "thresholds.csv", swept)
    provenance.write_json(run.folder / "metrics.json", measures)  # last: its presence means that all files are complete


def _summary(true, probability):
    """Return the measures of a set of pictures of any sizes: sequences of masks and of probabilities."""
    predicted = [values >= THRESHOLD for values in probability]
    pixels = _pixels(true), _pixels(probability)
    pooled = metrics.confusion(pixels[0], pixels[1] >= THRESHOLD)
    return {
        "crack_share": (pooled.tp + pooled.fn) / max(len(pixels[0]), 1),
        "mean_iou": pooled.mean_iou,
        "unthresholded_mean_iou": metrics.unthresholded_mean_iou(*pixels),
        "crack_iou": pooled.crack_iou,
        "precision": pooled.precision,
        "recall": pooled.recall,
        "f1": pooled.f1,
        **{f"f1_tolerance_{t}": _mean(metrics.tolerant_f1, true, predicted, t) for t in TOLERANCES},
        "cldice": _mean(metrics.cldice, true, predicted),
        "accuracy": pooled.accuracy,
        "mean_class_accuracy": pooled.mean_class_accuracy,
        "expected_calibration_error": metrics.expected_calibration_error(*pixels),
        "crack_at_one": metrics.share_at_one(*pixels),
    }


def _pixels(pictures):
    """Return the pixels of all pictures as one array of one axis, for pooled measures."""
    return np.concatenate([picture.ravel() for picture in pictures])


def _mean(measure, true, predicted, *options):
    """Return the mean over images of a measure of two masks."""
    return float(np.mean([measure(t, p, *options) for t, p in zip(true, predicted, strict=True)]))


def _row(pair, true, probability):
    """Return the row of one image in `measures.csv`: names, counts and measures; measures of the tip may be None."""
    predicted = probability >= THRESHOLD
    counts = metrics.confusion(true, predicted)
    return {
        **{"source": pair.source, "specimen": pair.specimen, "frame": pair.frame, "name": pair.name},
        **dataclasses.asdict(counts),
        **_summary(true[None], probability[None]),
        "recall_tolerance_2": metrics.tolerant_precision_recall(true, predicted, 2)[1],
        "tip_recall": _tip_recall(pair, true, predicted),
        "tip_error": _tip_error(pair, probability),
        "crack_width": metrics.mean_width(true),
    }


def _tip_recall(pair, true, predicted):
    """Return the share of crack pixels near the tip that are predicted (R52); None without a labelled tip."""
    near = _near_tip(pair, true)
    return float(predicted[near].mean()) if near.any() else None


def _near_tip(pair, true):
    """Return the crack pixels near the tip as a mask; empty without a labelled tip."""
    if pair.tip is None:
        return np.zeros_like(true)
    height, width = true.shape
    row, column = targets.tip_at(pair, true.shape)
    rows, columns = np.ogrid[:height, :width]
    return true & (np.hypot(rows - row, columns - column) <= NEAR_TIP * height)


def _tip_error(pair, probability):
    """Return the distance of the predicted from the true tip [px]: infinite for a miss, None without a labelled tip."""
    if pair.tip is None:
        return None
    true = targets.tip_at(pair, probability.shape)
    return float(tip_errors([true], [find_tip(probability, THRESHOLD)]).distances[0])


def _sweep(name, pairs, true, probability):
    """Return rows of `thresholds.csv`: a set's pooled counts at each threshold, and those of crack near the tips."""
    probability = _pixels(probability)
    near = _pixels([_near_tip(pair, mask) for pair, mask in zip(pairs, true, strict=True)])
    counts = metrics.confusions_by_threshold(_pixels(true), probability, THRESHOLDS)
    tips = metrics.confusions_by_threshold(near[near], probability[near], THRESHOLDS)
    return [
        {"set": name, "threshold": threshold, **dataclasses.asdict(pixels), "tip_tp": tip.tp, "tip_fn": tip.fn}
        for threshold, pixels, tip in zip(THRESHOLDS, counts, tips, strict=True)
    ]


def _loss(experiment, pairs, true, probability):
    """Return the mean loss over batches, as `fit` reports it: batches of the training's size, or single pictures."""
    loss = losses.get(experiment.loss, **experiment.loss_options)
    if needs := losses.needs(experiment.loss, **experiment.loss_options):
        tips = [targets.tip_at(pair, mask.shape) for pair, mask in zip(pairs, true, strict=True)]
        true = [targets.stack(mask, tip, "distance" in needs) for mask, tip in zip(true, tips, strict=True)]
    else:
        true = [mask[..., None] for mask in true]
    probability = [values[..., None] for values in probability]
    size = 1 if experiment.fit == "crop" else experiment.batch
    values, weights = [], []
    for start in range(0, len(true), size):
        part = slice(start, start + size)
        batch = [np.stack(pictures[part], dtype=np.float32) for pictures in (true, probability)]
        values.append(float(keras.ops.convert_to_numpy(loss(*batch))))
        weights.append(len(batch[0]))
    return float(np.average(values, weights=weights))


def _write_predictions(run, pairs, probability):
    (run.folder / "predictions").mkdir(exist_ok=True)
    for pair, values in zip(pairs, probability, strict=True):
        with atomic_write(_prediction_path(run, pair)) as draft:
            Image.fromarray(np.rint(values * 65535).astype(np.uint16)).save(draft)


def _prediction_path(run, pair):
    return run.folder / "predictions" / f"{paths.file_name(pair.source, pair.name)}.png"


def _write_rows(path, rows):
    with atomic_write(path) as draft, open(draft, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
