"""Does training help on photographs? Every photograph is a test photograph once.

    python -m crack_utils.study.folds 300 1000 3000

divides CrackForest into five parts, keeps each in turn for testing, trains on the others from the default model with
these numbers of updates, and writes `results/photographs/folds.csv`: one row per photograph. A single test set of two
dozen photographs can be unusual, as that of `study.photographs` is. Trainings in the table are not repeated.
"""

import sys

import numpy as np
import pandas as pd

from crack_utils.data import find_pairs, sources
from crack_utils.data.split import Split, split_pairs
from crack_utils.data.split_file import write_split
from crack_utils.evaluation import native
from crack_utils.evaluation.train import train
from crack_utils.models import shipped
from crack_utils.runtime import paths, provenance
from crack_utils.runtime.atomic import atomic_write
from crack_utils.runtime.typeset import number
from crack_utils.study.photographs import DATA, VALIDATION
from crack_utils.study.table_file import write_table
from crack_utils.study.verdicts import by_seed
from crack_utils.training.experiment import Experiment

TABLE = "results/photographs/folds.csv"
FOLDS = 5
SEED = 0


def split_of_fold(pairs, fold):
    """Return the split in which a fifth of the photographs is the test set.

    Parameters
    ----------
    pairs : list of Pair
    fold : int
        From 0 to `FOLDS` - 1.

    Returns
    -------
    Split
    """
    order = np.random.default_rng(SEED).permutation(len(pairs))
    kept = set(order[fold::FOLDS].tolist())
    rest = split_pairs([pair for place, pair in enumerate(pairs) if place not in kept], VALIDATION, seed=SEED)
    return Split(rest.train, rest.validation, [pairs[place] for place in sorted(kept)])


def measure(fold, updates):
    """Train with a fold kept for testing, and measure its photographs with and without this training.

    Parameters
    ----------
    fold, updates : int

    Returns
    -------
    list of dict
        photograph, fold, updates; trained and without: F1 within 2 px, each network at its own threshold; commit;
        default_model: `shipped.digest` of the one that the training started from.
    """
    from crack_utils.inference.predictor import load_trained

    split = split_of_fold(find_pairs(*sources.folders(DATA)), fold)
    place = paths.artifacts() / "photographs" / "splits" / f"fold-{fold}.csv"
    place.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(place) as draft:
        write_split(split, draft)
    run = train(Experiment.preset("photo", data=DATA, seed=SEED, split_by=str(place), updates=updates))
    by_network = (native.measure_pairs(load_trained(which), split.test) for which in (run.folder, "default"))
    return [
        {"photograph": after["name"], "fold": fold, "updates": updates, "trained": after["f1"], "without": before["f1"]}
        | {"commit": provenance.commit(), "default_model": shipped.digest()}
        for after, before in zip(*by_network, strict=True)
    ]


def read(file=None):
    """Return the committed table, a DataFrame; without rows if it does not exist yet.

    Parameters
    ----------
    file : path-like, optional
        Another table.
    """
    file = paths.root() / TABLE if file is None else file
    if not file.is_file():
        return pd.DataFrame(columns=["photograph", "fold", "updates", "trained", "without", "commit", "default_model"])
    return pd.read_csv(file, dtype={"photograph": str, "default_model": str})


def gains(table):
    """Return what training changes, by the number of updates.

    Parameters
    ----------
    table : DataFrame
        From `read`.

    Returns
    -------
    DataFrame
        One row per number of updates: photographs; F1 within 2 px "without training" and "trained" (means over
        photographs); difference (mean over the folds), with low and high as in `verdicts.by_seed`, with folds instead
        of seeds; folds.
    """
    rows = []
    for updates, tested in table.groupby("updates"):
        changes = (tested["trained"] - tested["without"]).groupby(tested["fold"]).mean()
        found = by_seed(changes)
        rows.append(
            {"updates": updates, "photographs": len(tested), "without training": tested["without"].mean()}
            | {"trained": tested["trained"].mean(), "difference": found["value"]}
            | {"low": found["low"], "high": found["high"], "folds": found["seeds"]}
        )
    names = ["updates", "photographs", "without training", "trained", "difference", "low", "high", "folds"]
    return pd.DataFrame(rows, columns=names)


def describe_gains(table):
    """Return text on what training changes on photographs, one sentence for each number of updates."""
    sentences = []
    for row in gains(table).to_dict("records"):
        before, after = (number(row[name], ".3f") for name in ("without training", "trained"))
        change, low, high = (number(row[name], "+.3f") for name in ("difference", "low", "high"))
        sentences.append(
            f"With {row['updates']:,} updates F1 within 2 px is {after} instead of {before} without training, over "
            f"{row['photographs']} photographs ({change}, 95\xa0% interval over {row['folds']} parts {low} to {high})."
        )
    return " ".join(sentences) or "This has not been measured yet."


def main(arguments):
    """Run the trainings that are not in the table yet, and write the table after each."""
    for updates in map(int, arguments):
        for fold in range(FOLDS):
            table = read()
            if ((table["fold"] == fold) & (table["updates"] == updates)).any():
                continue
            table = pd.concat([table, pd.DataFrame(measure(fold, updates))]).round(4)
            write_table(paths.root() / TABLE, table, {"data": DATA})
    print(gains(read()).to_string())


if __name__ == "__main__":
    main(sys.argv[1:])
