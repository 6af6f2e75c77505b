"""Are the stored studies reproducible? Two seeds of each are trained again and compared with the stored results.

    python -m crack_utils.study.repeats

writes `results/repeats.csv` and takes an hour on two cores. The same training on the same machine, with the same number
of cores, gives the same weights (a test checks this). Another machine, or another number of cores, computes in another
order; then only the size of the difference can be measured.
"""

import sys

import pandas as pd

from crack_utils.runtime import hardware, paths
from crack_utils.study import cases, tables
from crack_utils.study.cases import KEPT
from crack_utils.study.table_file import write_table

TABLE = "results/repeats.csv"
SEEDS = (0, 1)
CHOSEN = (  # scale, question, variant
    ("full", "losses", "bce"),
    ("full", "losses", "dice"),
    ("families", "families", "Attention U-Net"),
    ("tips", "tips", "dice+tip"),
    ("augmentation", "augmentation", "rich"),
    ("fairness", "optimizers, rates", "adam 0.0004"),
    ("fingerprint", "losses", "dice"),
)
PLACE = ["study", "question", "variant", "seed"]
MEASURES = ("validation_mean_iou", "pooled_mean_iou", "pooled_unthresholded_mean_iou")


def again(scale, question, variant, seed):
    """Train a case of a kept study once more, with its number type, and compare.

    Parameters
    ----------
    scale : str
        A key of `cases.KEPT`.
    question, variant : str
    seed : int

    Returns
    -------
    list of dict
        For each of `MEASURES`: study, question, variant, seed, number_type, measure, kept, again, and the machine's
        processor.
    """
    from crack_utils.evaluation.evaluate import evaluate
    from crack_utils.training.fit import fit

    runs = tables.read(tables.folder_of(scale)).runs.set_index(["question", "variant", "seed"])
    kept = runs.loc[(question, variant, seed)]
    asked = (case.experiment for case in cases.cases(scale) if (question, variant) in case.answers)
    experiment = next(each for each in asked if each.seed == seed)
    run = fit(experiment.replace(precision=kept["precision_policy"]))
    evaluate(run)
    return rows_of(run, kept, {"study": KEPT[scale], "question": question, "variant": variant, "seed": seed})


def rows_of(run, kept, place):
    """Return the rows of `again` for a trained and evaluated run.

    Parameters
    ----------
    run : Run
    kept : Series or dict
        The kept row of the same training.
    place : dict
        study, question, variant and seed of both.
    """
    found = tables.about(run)
    place = place | {"number_type": kept["precision_policy"]}
    machine = hardware.describe()["cpu"]
    return [
        place | {"measure": measure, "kept": kept[measure], "again": round(found[measure], 6), "processor": machine}
        for measure in MEASURES
    ]


def numbers(table):
    """Return what a page says: trainings, and the largest difference of each number type.

    Parameters
    ----------
    table : DataFrame
        From `TABLE`.

    Examples
    --------
    >>> row = {"study": "tips", "question": "tips", "variant": "dice", "seed": 0, "number_type": "float32"}
    >>> found = numbers(pd.DataFrame([row | {"kept": 0.85, "again": 0.8501}]))
    >>> found["trainings"], round(found["float32"]["largest"], 6), found["float32"]["equal"]
    (1, 0.0001, 0)
    """
    apart = (table["again"] - table["kept"]).abs()
    found = {"trainings": len(table.groupby(PLACE))}
    for number_type, own in table.assign(apart=apart).groupby("number_type"):
        by_training = own.groupby(PLACE)["apart"].max()
        found[number_type] = {
            "largest": float(by_training.max()),
            "trainings": len(by_training),
            "equal": int((by_training < 5e-7).sum()),  # in the six digits that were kept
        }
    return found


def read():
    """Return the table of trainings that were repeated, a DataFrame."""
    return pd.read_csv(paths.root() / TABLE)


def main():
    """Train what is not in the table yet."""
    file = paths.root() / TABLE
    rows = read().to_dict("records") if file.exists() else []
    done = {tuple(row[name] for name in PLACE) for row in rows}
    for scale, question, variant in CHOSEN:
        for seed in SEEDS:
            if (KEPT[scale], question, variant, seed) not in done:
                rows += again(scale, question, variant, seed)
                write_table(file, pd.DataFrame(rows))


if __name__ == "__main__":
    sys.exit(main())
