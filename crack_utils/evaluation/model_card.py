"""Run → a model card: what the network is, what it was trained on, how good it is, and what it is not for."""

import csv
import os
from pathlib import Path

import numpy as np

from crack_utils.evaluation.calibration import NAME as CALIBRATION
from crack_utils.evaluation.calibration import read_calibration
from crack_utils.evaluation.evaluate import THRESHOLD
from crack_utils.metrics.masks import Confusion
from crack_utils.runtime.atomic import atomic_write
from crack_utils.training.experiment import SYNTHETIC

NAME = "card.md"
LEVEL = 0.95
RESAMPLES = 2000
COUNTS = ("tp", "fp", "fn", "tn")

# Pooled over all pixels: what is said of a measure, and its name.
POOLED = {"crack_iou": "crack IoU", "mean_iou": "mean IoU", "precision": "precision", "recall": "recall"}
# Means over pictures, by columns of measures.csv.
AVERAGED = {"f1_tolerance_2": "F1 within 2 px", "cldice": "clDice", "expected_calibration_error": "calibration error"}


def write_card(run, path):
    """Write a run's model card, as a whole or not at all; parameters as for `model_card`."""
    text = model_card(run)
    with atomic_write(path) as draft:
        draft.write_text(text, encoding="utf-8")


def model_card(run):
    """Return a model card in Markdown, after Mitchell et al. (2019), arXiv:1810.03993.

    Parameters
    ----------
    run : Run
        Predictor and evaluated; what is known of its certainty is told if it is calibrated.

    Returns
    -------
    str
    """
    calibration = read_calibration(run.folder) if (run.folder / CALIBRATION).exists() else None
    parts = [
        _head(run),
        _use(run, calibration),
        _data(run),
        _measures(run),
        _certainty(calibration),
        _limits(run, calibration),
        _origin(run),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def intervals(rows, level=LEVEL, resamples=RESAMPLES, seed=0):
    """Return each measure of a set with an interval that resamples its specimens.

    One network is judged, so only the specimens are drawn by chance; what another seed would give is not in it
    (`crack_utils.metrics.intervals` counts both, for several seeds).

    Parameters
    ----------
    rows : list of dict
        Of `measures.csv`: source, specimen, name, counts and measures, one a picture. A picture without a specimen
        counts as one.
    level : float in (0, 1)
    resamples, seed : int

    Returns
    -------
    dict of (value, low, high)
        By name of the measure. Percentiles of the bootstrap; NaN limits with fewer than two specimens.
    """
    names, index = np.unique(_owners(rows), return_inverse=True)
    generator = np.random.default_rng(seed)
    drawn = generator.multinomial(len(names), np.full(len(names), 1 / len(names)), resamples)
    drawn = np.vstack([np.ones(len(names), int), drawn])  # the first: everything once
    pictures = np.bincount(index)
    counts = np.array([[int(row[name]) for name in COUNTS] for row in rows])
    summed = np.stack([np.bincount(index, each) for each in counts.T], axis=1)
    pooled = [Confusion(*each) for each in (drawn @ summed.astype(int)).tolist()]
    values = {name: np.array([getattr(each, name) for each in pooled]) for name in POOLED}
    for name in AVERAGED:
        sums = np.bincount(index, [float(row[name]) for row in rows])
        values[name] = drawn @ sums / (drawn @ pictures)
    found = {}
    for name, each in values.items():
        limits = np.quantile(each[1:], [(1 - level) / 2, (1 + level) / 2]) if len(names) > 1 else (np.nan, np.nan)
        found[name] = tuple(map(float, (each[0], *limits)))
    return found


def _owners(rows):
    return [f"{row['source']}/{row['specimen'] or row['name']}" for row in rows]


def _head(run):
    e = run.experiment
    return (
        f"# Model card: {run.id}\n\n"
        f"A {e.model} that gives, for each pixel of a gray photograph, the probability that it shows a crack. "
        f"Loss {e.loss}, seed {e.seed}, {e.epochs} epochs at {e.size[0]}×{e.size[1]} px."
    )


def _use(run, calibration):
    call = "crack-utils predict FOLDER IMAGES… --out RESULTS"
    at = f"{calibration.threshold:g} after the temperature" if calibration else f"{THRESHOLD:g}"
    return (
        "## Intended use\n\n"
        "To find and measure cracks in photographs like those it was trained on, with a person who looks at the "
        f"overlay. `{call}`, with this card's folder as FOLDER. A pixel is crack from a probability of {at} on."
    )


def _data(run):
    names = run.names()
    words = {"train": "training"}
    counts = ", ".join(f"{len(names[name])} {words.get(name, name)}" for name in names if names[name])
    what = (
        "Synthetic photographs of specimens in a test rig, rendered by this project (`crack_utils.data.synthetic`); "
        "**no real photograph was used**."
        if run.experiment.data == SYNTHETIC
        else f"`{_base_names(run.experiment.data)}`."
    )
    by = {"specimen": "No specimen is in two of the sets.", "image": "Split by image: siblings may be in several sets."}
    split = by.get(run.experiment.split_by, "Split as in a given file.")
    return f"## Data\n\n{what} {counts} pictures. {split} Manifest {run.provenance['data_hash'][:16]}."


def _measures(run):
    with open(run.folder / "measures.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    found, name = intervals(rows), run.metrics["evaluated"]
    specimens = len(set(_owners(rows)))
    table = ["| measure | value | 95 % interval |", "|---|---|---|"]
    for key, (value, low, high) in found.items():
        table.append(f"| {(POOLED | AVERAGED)[key]} | {value:.3f} | {low:.3f} to {high:.3f} |")
    chosen = (
        "" if name == "test" else " **Choices were made on this set too, so these are better than on new pictures.**"
    )
    return (
        f"## Measures\n\nOn the {name} set: {len(rows)} pictures of {specimens} specimens, at threshold "
        f"{THRESHOLD:g} and before the temperature.{chosen} The first four count all pixels together, the others are "
        "means over pictures. The intervals resample specimens; another seed is not in them.\n\n" + "\n".join(table)
    )


def _certainty(calibration):
    if calibration is None:
        return "## Certainty\n\nNot calibrated: its probabilities order pixels, and are no shares."
    lines = [
        f"## Certainty\n\nTemperature {calibration.temperature:.2f} and threshold {calibration.threshold:g}, fitted on "
        "validation.\n"
    ]
    for name, found in calibration.measured.items():
        before, after = (found[f"expected_calibration_error_{when}"] for when in ("before", "after"))
        lines.append(
            f"- Expected calibration error, {name}: {before:.4f} before the temperature, {after:.4f} after it; crack "
            f"IoU {found['crack_iou']:.3f} at 0.5, {found['crack_iou_at_threshold']:.3f} at the threshold."
        )
    lines += [_bound(name, calibration.intervals) for name in ("tip", "length") if calibration.intervals]
    return "\n".join(lines)


def _bound(name, found):
    each, level = found[name], _percent(found["level"])
    what = {"tip": "The tip lies within", "length": "The length of the primary crack is right to"}[name]
    if each["bound_px"] is None:
        return f"- {what} … : no bound can be stated at {level}, too many cracks are missed."
    return (
        f"- {what} {each['bound_px']:.1f} px in {level} of pictures of new specimens (conformal, "
        f"{found['specimens']} specimens; measured on held-out halves {_percent(each['coverage'])}, from "
        f"{_percent(each['coverage_low'])} to {_percent(each['coverage_high'])})."
    )


def _percent(share):
    return f"{share:.0%}".replace("%", " %")


def _limits(run, calibration):
    height, width = run.experiment.size
    seen = (
        "It sees photographs in their own pixels: cracks must be about as wide there as in the training's."
        if run.experiment.fit == "crop"
        else f"It sees photographs reduced to {height}×{width} px or so: finer cracks are lost."
    )
    lines = [
        f"- {seen}",
        "- Scratches, joints, edges and shadows can be taken for cracks, and fine cracks missed. It is no proof that "
        "there is none, and no substitute for an inspection.",
        "- All that is said here holds for pictures drawn like those of the data above.",
    ]
    if run.experiment.data == SYNTHETIC:
        lines.append("- Trained on synthetic pictures alone: on photographs, measure it before it is trusted.")
    if calibration and calibration.ranges:
        shown = ", ".join(calibration.ranges)
        lines.append(f"- Pictures outside the training pictures' {shown} bring a warning; others may be unlike too.")
    return "## Limits\n\n" + "\n".join(lines)


def _origin(run):
    facts = run.provenance
    versions = ", ".join(f"{name} {version}" for name, version in facts["packages"].items())
    return f"## Origin\n\nCommit {facts['commit']}, {facts['finished']}, {facts['precision']}; {versions}."


def _base_names(data):
    """Return the names of folders, not where they are on somebody's machine."""
    return os.pathsep.join(Path(part).name for part in data.split(os.pathsep))
