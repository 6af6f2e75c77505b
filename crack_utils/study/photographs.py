"""Does the preset `photo` learn real photographs, what is each ingredient worth, and how many labels does it take?

`make study STUDY=photographs` trains on CrackForest. A fifth of the photographs is a test set, on which nothing is
chosen. The table `results/photographs/trainings.csv` has one row per training and is written again after each of them,
so an interrupted call, or a call with more seeds, continues. Measures are those of the test set at full resolution, at
the threshold that was chosen on the run's validation set.
"""

import argparse
import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd

from crack_utils.data import find_pairs, sources
from crack_utils.data.split import Split, split_pairs
from crack_utils.data.split_file import write_split
from crack_utils.data.synthetic import generate
from crack_utils.evaluation import native
from crack_utils.evaluation.calibration import calibrate
from crack_utils.evaluation.train import train
from crack_utils.losses.registry import REPORTED
from crack_utils.models import shipped
from crack_utils.runtime import paths, provenance
from crack_utils.runtime.atomic import atomic_write
from crack_utils.study.table_file import write_table
from crack_utils.training.callbacks import NothingLearntError
from crack_utils.training.experiment import Experiment

DATA = "crackforest"
SPECIMENS = "specimens"  # a folder of drawn ones, 512×640, as `crack-utils synth --size 512 640` makes it
TEST = 0.2  # of the photographs
VALIDATION = 0.2  # of the labels that a training is given
LABELS = (5, 10, 20, 40)  # and all
QUESTIONS = ("recipe", "ingredients", "losses", "losses on specimens", "labels")
SHORT = {"updates": 500}  # of trainings from scratch that are compared with each other: some minutes
SHORTEST = {"updates": 300}  # of those from the default model: two minutes of one core, also without AMX


@dataclasses.dataclass(frozen=True)
class Case:
    """The settings of one training of the study.

    Attributes
    ----------
    question : str
        One of `QUESTIONS`.
    name : str
        A short description.
    preset : str
    labels : int or None
        Training and validation photographs together; None: all except the test set.
    options : dict
        Fields of the experiment.
    data : str or None
        None: the data set of the study.
    """

    question: str
    name: str
    preset: str = "photo"
    labels: int | None = None
    options: dict = dataclasses.field(default_factory=dict)
    data: str | None = None


def cases():
    """Return all cases, the most informative first."""
    recipe = [
        Case("recipe", "photo"),
        Case("recipe", "photo, from scratch", options={"start": ""}),
        Case("recipe", "report's scheme, reduced", "quick", options={"loss": "dice"}),
        Case("recipe", "report's scheme, crops", "quick", options={"loss": "dice+bce", "fit": "crop"}),
    ]
    without = {
        "all": {},
        "no weight on outlines": {"loss": "dice+bce"},
        "no cross-entropy": {"loss": "dice"},
        "no moving average": {"ema": None},
        "flips alone": {"augmentation": "flips"},
        "four crops a batch, half the updates": {"batch": 4, "updates": SHORT["updates"] // 2},
        "no normalisation": {"model_options": {"normalise_from": 9}},
        "Adam at a constant rate": {"optimizer": "adam", "schedule": "steps", "weight_decay": 0.0,
                                    "learning_rates": (1e-3, 1e-3, 1e-3)},
        "from default": {"start": "default"},
    }  # fmt: skip
    ingredients = [
        Case("ingredients", name, options=SHORT | {"start": ""} | options) for name, options in without.items()
    ]
    by_loss = [
        Case(question, loss, options=SHORTEST | {"loss": loss}, data=data)
        for question, data in (("losses", None), ("losses on specimens", SPECIMENS))
        for loss in REPORTED
    ]
    labels = [
        Case("labels", name, labels=count, options=options)
        for count in (*LABELS, None)
        for name, options in (("default", SHORTEST), ("from scratch", SHORT | {"start": ""}))
    ]
    return [*recipe, *ingredients, *by_loss, *labels]


def split_of_labels(pairs, labels, seed, folder):
    """Write a split whose test set is the same for all, and whose training and validation sets are few photographs.

    Parameters
    ----------
    pairs : list of Pair
    labels : int or None
        Training and validation photographs together; None takes all.
    seed : int
        Which photographs.
    folder : pathlib.Path

    Returns
    -------
    pathlib.Path
        The table, see `write_split`.
    """
    by = "specimen" if all(pair.specimen for pair in pairs) else "image"
    base = split_pairs(pairs, VALIDATION, TEST, seed=0, by=by)
    rest = [*base.train, *base.validation]
    if labels is not None:
        rest = [rest[place] for place in np.random.default_rng([seed, labels]).permutation(len(rest))[:labels]]
    drawn = split_pairs(rest, VALIDATION, 0.0, seed=seed, by=by)
    place = folder / f"{'all' if labels is None else labels}-{seed}.csv"
    place.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(place) as draft:
        write_split(Split(drawn.train, drawn.validation, base.test), draft)
    return place


def measure(case, seed, data=DATA):
    """Train a case and measure it.

    Parameters
    ----------
    case : Case
    seed : int
        Of weights, order and of which photographs are labelled.
    data : str

    Returns
    -------
    dict
        question, case, labels, seed, commit, default_model (`shipped.digest` of the one that the training started from;
        empty from scratch), failed (0 or 1), attempts, number_type (a Keras dtype policy), minutes, threshold, and on
        the test set f1, precision, recall (pooled over all pixels) and f1_tolerance_2 (mean over photographs).
    """
    row = {"question": case.question, "case": case.name, "labels": case.labels or "all", "seed": seed}
    row["commit"] = provenance.commit()
    data = data if case.data is None else _drawn()
    pairs = find_pairs(*sources.folders(data))
    split = split_of_labels(pairs, case.labels, seed, paths.artifacts() / "photographs" / "splits")
    options = case.options | {"data": data, "seed": seed, "split_by": str(split)}
    experiment = Experiment.preset(case.preset, **options)
    row["default_model"] = shipped.digest() if experiment.start == shipped.DEFAULT else ""
    try:
        run = train(experiment)
    except NothingLearntError:
        return row | {"failed": 1}
    measured = native.summary(native.measure(run, threshold=None))
    trained = run.provenance
    return row | {
        "failed": int(measured["f1"] < 0.01),
        "attempts": 1 + len(trained.get("restarted_after", [])),
        "number_type": trained["precision"],
        "minutes": trained["seconds"] / 60,
        "threshold": calibrate(run).threshold,
        **{name: measured[name] for name in ("f1", "precision", "recall", "f1_tolerance_2")},
    }


def _drawn():
    folder = paths.artifacts() / "photographs" / SPECIMENS
    generate(folder, size=(512, 640))
    return str(folder)


def study(folder, seeds=3, questions=(), data=DATA):
    """Train and measure the cases that are not in the table yet: all cases with the first seed, then the next seed.

    Parameters
    ----------
    folder : path-like
        Folder for `trainings.csv`, and for `trainings.json` with its provenance.
    seeds : int
    questions : sequence of str
        Only these; by default all.
    data : str

    Returns
    -------
    DataFrame
    """
    table = Path(folder) / "trainings.csv"
    # A digest may look like a number, such as 12e4567890123456.
    rows = pd.read_csv(table, dtype={"default_model": str}).to_dict("records") if table.exists() else []
    done = {(row["question"], row["case"], str(row["labels"]), row["seed"]) for row in rows}
    for seed in range(seeds):
        for case in cases():
            place = (case.question, case.name, str(case.labels or "all"), seed)
            if place in done or (questions and case.question not in questions):
                continue
            rows.append(measure(case, seed, data))
            write_table(table, pd.DataFrame(rows).round(4), {"data": data})
    return pd.DataFrame(rows)


def main(arguments=None):
    """Run the study."""
    parser = argparse.ArgumentParser(prog="python -m crack_utils.study.photographs", description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path, nargs="?", default=Path("results/photographs"), help="of the tables")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--questions", nargs="*", default=(), choices=QUESTIONS, help="default: all")
    parser.add_argument("--data", default=DATA)
    options = parser.parse_args(arguments)
    study(options.folder, options.seeds, options.questions, options.data)


if __name__ == "__main__":
    main()
