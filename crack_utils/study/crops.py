"""Are thin cracks found better in crops of photographs at their own size than in reduced photographs?

    python -m crack_utils.study.crops results/thin_cracks.csv

trains both ways on CrackForest, whose cracks are a few pixels wide: the same photographs, losses, network, size of
picture and number of steps, so that a training takes as long. One row a photograph of the test set, training and
threshold, all at the photographs' own size; where it comes from is written beside it. What was trained is not trained
again, so that more seeds continue.
"""

import argparse
from pathlib import Path

import pandas as pd
from skimage.transform import resize

from crack_utils.data import read_mask, resize_mask
from crack_utils.data.options import FITS
from crack_utils.evaluation.calibration import calibrate
from crack_utils.evaluation.evaluate import THRESHOLD, evaluate, split_of
from crack_utils.evaluation.train import train
from crack_utils.runtime import provenance
from crack_utils.runtime.atomic import atomic_write
from crack_utils.study import native
from crack_utils.training.experiment import Experiment

DATA = "crackforest"
TEST = 0.2  # of the photographs; thresholds are chosen on validation
LOSSES = ("bce",)  # overlap losses sometimes collapse on so few photographs, which would be another question
THRESHOLDS = {"0.5": THRESHOLD, "chosen": None}


def check(seeds=1, data=DATA, preset="quick", **overrides):
    """Train and measure both fits.

    Parameters
    ----------
    seeds : int
    data, preset, **overrides
        As for `Experiment.preset`.

    Returns
    -------
    DataFrame
        loss, fit, seed, seconds (of the training), threshold ("0.5", or "chosen" on validation after calibration),
        limit (its value), name, precision, recall, f1 (with 2 px), tp, fp, fn, tn. Rows whose fit is "ceiling" have no
        loss: true masks reduced as the pictures are and enlarged again.
    """
    rows = []
    for seed in range(seeds):
        for loss in LOSSES:
            runs = {}
            for fit in FITS:
                runs[fit] = train(
                    Experiment.preset(preset, data=data, loss=loss, fit=fit, seed=seed, test=TEST, **overrides)
                )
                rows += [{"loss": loss, "fit": fit, "seed": seed} | each for each in _measured(runs[fit])]
    return pd.DataFrame(rows + _ceiling(runs["resize"]))


def _measured(run):
    evaluate(run)
    chosen = calibrate(run).threshold
    seconds = round(run.provenance["seconds"], 1)
    return [
        {"seconds": seconds, "threshold": name, "limit": limit or chosen} | row
        for name, limit in THRESHOLDS.items()
        for row in native.measure(run, threshold=limit)
    ]


def _ceiling(run):
    rows = []
    split = split_of(run)
    for pair in split[split.evaluated]:
        true = read_mask(pair.mask)
        reduced = resize_mask(true, run.experiment.size).astype(float)
        enlarged = resize(reduced, true.shape, order=1, mode="edge", anti_aliasing=False) >= THRESHOLD
        rows.append({"loss": "", "fit": "ceiling", "threshold": "0.5", "name": pair.name} | native.row(true, enlarged))
    return rows


def main(arguments=None):
    """Write the table, and its provenance beside it."""
    parser = argparse.ArgumentParser(prog="python -m crack_utils.study.crops", description=__doc__.split("\n")[0])
    parser.add_argument("table", type=Path, help="a CSV file, as results/thin_cracks.csv")
    parser.add_argument("--seeds", type=int, default=1)
    options = parser.parse_args(arguments)
    table = check(options.seeds)
    options.table.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(options.table) as draft:
        table.round(5).to_csv(draft, index=False)
    facts = {"data": DATA, "seeds": options.seeds, "photographs": int(table["name"].nunique())}
    provenance.write_json(options.table.with_suffix(".json"), facts | provenance.describe())


if __name__ == "__main__":
    main()
