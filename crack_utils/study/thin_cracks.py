"""Compare training on crops at full resolution with training on resized photographs, for thin cracks.

`make study STUDY=thin_cracks` trains both ways on CrackForest, whose cracks are a few pixels wide, and writes
`results/thin_cracks.csv`. Photographs, losses, network, picture size and number of steps are the same, so trainings
take equally long. The table has one row per photograph of the test set, training and threshold, measured at full
resolution. Its provenance is written next to it. Finished trainings are not repeated, so a call with more seeds
continues.
"""

import argparse
from pathlib import Path

import pandas as pd
from skimage.transform import resize

from crack_utils.data import read_mask, resize_mask
from crack_utils.data.options import FITS
from crack_utils.evaluation import native
from crack_utils.evaluation.calibration import calibrate
from crack_utils.evaluation.sets import split_of
from crack_utils.evaluation.tally import THRESHOLD
from crack_utils.evaluation.train import train
from crack_utils.study.table_file import write_table
from crack_utils.training.experiment import Experiment

DATA = "crackforest"
TEST = 0.2  # of the photographs; thresholds are chosen on validation
LOSS = "bce"  # overlap losses sometimes collapse on so few photographs; that is another question
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
        limit (its value), name, precision, recall, f1 (with 2 px), tp, fp, fn, tn. Rows with the fit "ceiling" have no
        loss: they are true masks, resized like the pictures and enlarged again.
    """
    rows = []
    for seed in range(seeds):
        runs = {}
        for fit in FITS:
            runs[fit] = train(
                Experiment.preset(preset, data=data, loss=LOSS, fit=fit, seed=seed, test=TEST, **overrides)
            )
            rows += [{"loss": LOSS, "fit": fit, "seed": seed} | row for row in _measured(runs[fit])]
    return pd.DataFrame(rows + _ceiling(runs["resize"]))


def _measured(run):
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
    """Write the table and its provenance."""
    parser = argparse.ArgumentParser(prog="python -m crack_utils.study.thin_cracks", description=__doc__.split("\n")[0])
    parser.add_argument("table", type=Path, nargs="?", default=Path("results/thin_cracks.csv"), help="a CSV file")
    parser.add_argument("--seeds", type=int, default=1)
    options = parser.parse_args(arguments)
    table = check(options.seeds)
    facts = {"data": DATA, "seeds": options.seeds, "photographs": int(table["name"].nunique())}
    write_table(options.table, table.round(5), facts)


if __name__ == "__main__":
    main()
