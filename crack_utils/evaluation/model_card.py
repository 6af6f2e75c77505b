"""The model card of a run: what the network is, its training data, its quality, and what it must not be used for."""

import csv
import os
from pathlib import Path

import numpy as np

from crack_utils.data.options import SYNTHETIC
from crack_utils.evaluation.calibration import NAME as CALIBRATION
from crack_utils.evaluation.calibration import read_calibration
from crack_utils.evaluation.tally import THRESHOLD
from crack_utils.evaluation.words import MEASURES
from crack_utils.inference.certainty import why_no_bound
from crack_utils.metrics.counts import COUNTS
from crack_utils.metrics.intervals import bootstrap
from crack_utils.metrics.masks import Confusion
from crack_utils.models.registry import MODELS
from crack_utils.runtime.atomic import atomic_write
from crack_utils.runtime.typeset import number

NAME = "card.md"
LEVEL = 0.95
RESAMPLES = 2000

POOLED = ("crack_iou", "mean_iou", "precision", "recall")  # over all pixels: properties of `Confusion`
AVERAGED = ("f1_tolerance_2", "cldice", "expected_calibration_error")  # means over pictures: columns of measures.csv


def write_card(run, path):
    """Write the model card of an evaluated run to the file `path`, atomically; see `model_card`."""
    text = model_card(run)
    with atomic_write(path) as draft:
        draft.write_text(text, encoding="utf-8")


def model_card(run):
    """Return a model card in Markdown, after Mitchell et al. (2019), arXiv:1810.03993.

    Parameters
    ----------
    run : Run
        An evaluated run; the card includes the calibration if there is one.

    Returns
    -------
    str

    Raises
    ------
    ValueError
        If the run's calibration is damaged.
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


def intervals(rows):
    """Return the measures of a set with confidence intervals over its specimens.

    There is one network, so only the specimens are treated as a random sample. The variation between seeds is not
    included (`crack_utils.metrics.intervals.interval` includes both, for several seeds).

    Parameters
    ----------
    rows : list of dict
        Rows of `measures.csv`, one per picture: source, specimen, name, counts and measures. A picture without a named
        specimen counts as a separate specimen.

    Returns
    -------
    dict of (value, low, high)
        By name of the measure. Percentiles of the bootstrap, at `LEVEL`; NaN limits with fewer than two specimens.
    """
    names, index, pictures = np.unique(_owners(rows), return_inverse=True, return_counts=True)
    columns = (*COUNTS, *AVERAGED)
    sums = np.stack([np.bincount(index, [float(row[name]) for row in rows]) for name in columns], axis=1)

    def measures(specimens):
        counts, totals = np.split(sums[specimens].sum(axis=0), [len(COUNTS)])
        pooled = Confusion(*counts.astype(int).tolist())
        return np.array([*(getattr(pooled, name) for name in POOLED), *totals / pictures[specimens].sum()])

    limits = bootstrap(measures, len(names), level=LEVEL, resamples=RESAMPLES)
    return dict(zip((*POOLED, *AVERAGED), zip(*(values.tolist() for values in limits), strict=True), strict=True))


def _owners(rows):
    return [f"{row['source']}/{row['specimen'] or row['name']}" for row in rows]


def _head(run):
    e = run.experiment
    return (
        f"# Model card: {run.id}\n\n"
        f"Network: {MODELS[e.model].title}. "
        "It gives, for each pixel of a gray photograph, the probability that it shows a crack. "
        f"Loss {e.loss}, seed {e.seed}, {e.epochs} epochs at {e.size[0]}×{e.size[1]} px."
    )


def _use(run, calibration):
    call = "crack-utils predict FOLDER IMAGES… --out RESULTS"
    at = f"{calibration.threshold:g} after the temperature" if calibration else f"{THRESHOLD:g}"
    return (
        "## Intended use\n\n"
        "To find and measure cracks in photographs similar to the training data, with a person who checks the "
        f"overlay. `{call}`, with this card's folder as FOLDER. A pixel is crack if its probability is at least {at}."
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
    by = {
        "specimen": "No named specimen is in two of the sets.",
        "image": "Split by image: frames of one specimen may be in several sets.",
    }
    split = by.get(run.experiment.split_by, "Split as in a given file.")
    return f"## Data\n\n{what} {counts} pictures. {split} Manifest {run.provenance['data_hash'][:16]}."


def _measures(run):
    with open(run.folder / "measures.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    measures, name = intervals(rows), run.metrics["evaluated"]
    if not any(int(row["tp"]) + int(row["fn"]) for row in rows):
        return f"## Measures\n\nNone: the {name} set shows no crack, so nobody knows how well this network finds them."
    specimens = len(set(_owners(rows)))
    table = ["| measure | value | 95 % interval |", "|---|---|---|"]
    for key, (value, low, high) in measures.items():
        table.append(f"| {MEASURES[key]} | {value:.3f} | {low:.3f} to {high:.3f} |")
    chosen = (
        ""
        if name == "test"
        else " **Choices were also made on this set, so the values are better than on new pictures.**"
    )
    return (
        f"## Measures\n\nOn the {name} set: {len(rows)} pictures of {specimens} specimens, at threshold "
        f"{THRESHOLD:g} and before the temperature.{chosen} The first four are pooled over all pixels, the others are "
        "means over pictures. The intervals resample specimens; they do not include the variation between seeds.\n\n"
        + "\n".join(table)
    )


def _certainty(calibration):
    if calibration is None:
        return "## Certainty\n\nNot calibrated: its probabilities rank pixels but do not agree with frequencies."
    lines = [
        f"## Certainty\n\nTemperature {calibration.temperature:.2f} and threshold {calibration.threshold:g}, fitted on "
        "validation.\n"
    ]
    for name, measured in calibration.measured.items():
        before, after = (measured[f"expected_calibration_error_{when}"] for when in ("before", "after"))
        lines.append(
            f"- Expected calibration error over all pixels, {name}: {before:.4f} before the temperature, {after:.4f} "
            f"after it; crack IoU {measured['crack_iou']:.3f} at 0.5, {measured['crack_iou_at_threshold']:.3f} at the "
            "threshold."
        )
    lines += [_bound(name, calibration.intervals) for name in ("tip", "length") if calibration.intervals]
    return "\n".join(lines)


def _bound(name, intervals):
    bound, level = intervals[name], _percent(intervals["level"])
    quantity = {"tip": "the tip", "length": "the length of the primary crack"}[name]
    if bound["bound_px"] is None:
        return f"- Error of {quantity}: no bound at {level}: {why_no_bound(intervals)}."
    return (
        f"- Error of {quantity}: at most {bound['bound_px']:.1f} px in {level} of pictures of new specimens "
        f"(conformal, {intervals['specimens']} specimens; measured coverage on held-out halves "
        f"{_percent(bound['coverage'])}, from {_percent(bound['coverage_low'])} to {_percent(bound['coverage_high'])})."
    )


def _percent(share):
    return number(share, ".0%")


def _limits(run, calibration):
    height, width = run.experiment.size
    scale = (
        "It predicts photographs at full resolution: cracks must be about as wide in pixels as in the training data."
        if run.experiment.fit == "crop"
        else f"It predicts photographs resized to about {height}×{width} px: finer cracks are lost."
    )
    lines = [
        f"- {scale}",
        "- Scratches, joints, edges, shadows, cables, weld seams and pen writing can be mistaken for cracks. Fine "
        "cracks can be missed. An empty result does not prove that there is no crack, and the network does not replace "
        "an inspection.",
        "- All values are valid only for pictures from the same distribution as the data above.",
    ]
    if run.experiment.data == SYNTHETIC:
        lines.append("- Trained on synthetic pictures only: measure its quality on photographs before you trust it.")
    if calibration and calibration.ranges:
        properties = ", ".join(calibration.ranges)
        lines.append(
            f"- A picture outside the range of the training pictures in {properties} gives a warning. Other "
            "differences are not detected."
        )
    return "## Limits\n\n" + "\n".join(lines)


def _origin(run):
    origin = run.provenance
    versions = ", ".join(f"{name} {version}" for name, version in origin["packages"].items())
    return f"## Origin\n\nCommit {origin['commit']}, {origin['finished']}, {origin['precision']}; {versions}."


def _base_names(data):
    """Return the names of folders without their paths on this machine."""
    return os.pathsep.join(Path(part).name for part in data.split(os.pathsep))
