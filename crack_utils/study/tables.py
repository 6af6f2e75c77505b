"""The tables of a study: collect them from the runs' folders, write them as CSV with their provenance, read them.

A row of the tables is
- `specimens`: a question, variant, seed and test specimen; measures are means over the specimen's pictures;
- `runs`: a question, variant and seed; with cost, curves, and measures of the validation set;
- `thresholds`: a loss, seed, set and threshold; with pooled counts;
- `tips` (only for the question "tips"): a variant, seed and test picture; with the error of the tip.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from crack_utils.metrics.counts import COUNTS
from crack_utils.runtime import paths, provenance
from crack_utils.study.cases import KEPT, SCALES
from crack_utils.study.table_file import write_table
from crack_utils.study.thresholds import mean_iou

TABLES = ("specimens", "runs", "thresholds")
TIPS = "tips"  # a table that only the question of this name has
DIGITS = 6  # significant digits in the files: much finer than the width of any interval
MEASURES = (
    "mean_iou",
    "unthresholded_mean_iou",
    "crack_iou",
    "precision",
    "recall",
    "f1",
    "f1_tolerance_1",
    "f1_tolerance_2",
    "cldice",
    "accuracy",
    "mean_class_accuracy",
    "expected_calibration_error",
    "crack_at_one",
    "recall_tolerance_2",
    "tip_recall",
    "crack_width",
)
SWEPT = ("losses", "families", TIPS)  # the questions whose counts are kept by threshold
VALIDATION = ("mean_iou", "unthresholded_mean_iou", "accuracy", "mean_class_accuracy", "loss")  # kept of each training


@dataclass(frozen=True)
class Tables:
    """A study's tables and their provenance.

    Attributes
    ----------
    specimens, runs, thresholds : DataFrame
    provenance : dict
        scale, commit, machine, versions and number of trainings.
    tips : DataFrame, optional
        question, variant, seed, specimen, frame, name, tip_error [px]; infinite where no tip was found.
    """

    specimens: pd.DataFrame
    runs: pd.DataFrame
    thresholds: pd.DataFrame
    provenance: dict
    tips: pd.DataFrame | None = None

    def failed(self):
        """Return which trainings failed: a Series of bool by (question, variant, seed).

        A training has failed if its mean IoU at 0.5, pooled over the test set, is no better than the best mask that
        needs no network: all background, or all crack. Overlap losses can jump to "no crack" and stay there; others
        call half of a picture crack. Either is a separate outcome: a mean over it and trainings that worked would
        describe neither.
        """
        counts = self.specimens.groupby(["question", "variant", "seed"], sort=False)[list(COUNTS)].sum()
        crack, pixels = counts["tp"] + counts["fn"], counts.sum(axis=1)
        return mean_iou(counts) <= np.maximum(crack, pixels - crack) / pixels / 2

    def failures(self, question):
        """Return how many trainings of each variant failed (see `failed`): a Series by variant."""
        return self.failed().loc[question].groupby("variant", sort=False).sum()

    def working_runs(self, question):
        """Return the rows of `runs` of a question without trainings that failed."""
        return self._working(self.runs, question)

    def working_specimens(self, question):
        """Return the rows of `specimens` of a question without trainings that failed."""
        return self._working(self.specimens, question)

    def _working(self, rows, question):
        failed = self.failed().loc[question]
        rows = rows[rows["question"] == question]
        return rows[pd.MultiIndex.from_frame(rows[["variant", "seed"]]).isin(failed.index[~failed])]

    def swept(self, part):
        """Return the rows of `thresholds` of one set, "validation" or "test", without failed trainings.

        If all trainings of a variant failed, its rows are kept.
        """
        failed = self.failed().loc["losses"]
        kept = failed.index[~failed | failed.groupby("variant").transform("all")]
        chosen = self.thresholds[self.thresholds["set"] == part]
        return chosen[pd.MultiIndex.from_frame(chosen[["variant", "seed"]]).isin(kept)]

    def values(self, question, measure, variants=None, worked=False):
        """Return a measure as an array of shape (variants, seeds, specimens).

        Parameters
        ----------
        question : str
        measure : str
            A column of `specimens`.
        variants : sequence of str, optional
            In the order of the result; by default all, as in the table.
        worked : bool
            Leave out the seeds with which any of these variants failed (see `failed`); if none is left, keep all.

        Returns
        -------
        ndarray of float

        Raises
        ------
        ValueError
            If the question or a variant is not in the table.
        """
        rows = self.specimens[self.specimens["question"] == question]
        valid = list(dict.fromkeys(rows["variant"]))
        variants = valid if variants is None else list(variants)
        if not variants or (missing := [name for name in variants if name not in valid]):
            raise ValueError(f"{question}: no variant {missing if variants else ''}; valid are {', '.join(valid)}")
        if worked:
            failed = self.failed().loc[question].loc[variants]
            kept = rows[~rows["seed"].isin(failed.index[failed].get_level_values("seed"))]
            rows = kept if len(kept) else rows
        cube = rows.pivot(index=["variant", "seed"], columns="specimen", values=measure)
        return np.stack([cube.loc[variant].to_numpy(float) for variant in variants])


def gather(cases, runs):
    """Collect the tables of finished trainings.

    Parameters
    ----------
    cases : list of Case
    runs : list of Run
        Evaluated runs, in the order of the cases.

    Returns
    -------
    dict of DataFrame
        By name of the table; `tips` only if a case answers that question.
    """
    rows_of = {name: [] for name in (*TABLES, TIPS)}
    for case, run in zip(cases, runs, strict=True):
        by_specimen, of_run, swept = _by_specimen(run), about(run), _thresholds(run)
        for question, variant in case.answers:
            key = {"question": question, "variant": variant, "seed": case.experiment.seed}
            rows_of["specimens"] += [key | row for row in by_specimen]
            rows_of["runs"].append(key | of_run)
            if question in SWEPT:
                rows_of["thresholds"] += [key | row for row in swept]
            if question == TIPS:
                rows_of[TIPS] += [key | row for row in _tips(run)]
    tables = {name: pd.DataFrame(rows) for name, rows in rows_of.items() if rows or name != TIPS}
    if tables["thresholds"].empty:
        tables["thresholds"] = pd.DataFrame(columns=["question", "variant", "seed", "set", "threshold", *COUNTS])
    return tables


def write(folder, tables, scale):
    """Write the tables of a scale as CSV, with their provenance as JSON.

    Parameters
    ----------
    folder : path-like
        Created if it does not exist.
    tables : dict of DataFrame
        From `gather`.
    scale : str
        One of `SCALES`.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in tables.items():
        digits = None if name == "thresholds" else f"%.{DIGITS}g"  # thresholds near 1 differ only in the last digits
        write_table(folder / f"{name}.csv", table, float_format=digits)
    extent = {"scale": scale, "trainings": int(tables["runs"]["run"].nunique())}
    provenance.write_json(folder / "provenance.json", extent | provenance.describe())


def read(folder):
    """Read a study's tables from a folder.

    Returns
    -------
    Tables

    Raises
    ------
    ValueError
        If a table is missing.
    """
    folder = Path(folder)
    if missing := [name for name in TABLES if not (folder / f"{name}.csv").is_file()]:
        raise ValueError(f"{folder}: no table {', '.join(missing)}; run `make study`")
    names = {"variant": str, "specimen": str}
    tables = {name: pd.read_csv(folder / f"{name}.csv", dtype=names) for name in TABLES}
    if (folder / f"{TIPS}.csv").is_file():
        tables[TIPS] = pd.read_csv(folder / f"{TIPS}.csv", dtype=names)
    return Tables(**tables, provenance=json.loads((folder / "provenance.json").read_text(encoding="utf-8")))


def read_live(scale):
    """Read the tables of the study trained by a build on this machine; without one, those of the full study."""
    if (folder_of(scale) / "specimens.csv").is_file():
        return read(folder_of(scale))
    print("There is no live study on this machine yet (`make book` trains it): the full study is shown instead.")
    return read(folder_of("full"))


def overview(tables):
    """Return the size and provenance of a study: trainings, seeds, specimens, hours, commit, machine, finished."""
    origin, runs = tables.provenance, tables.runs
    return {
        "trainings": origin["trainings"],
        "seeds": int(runs.loc[runs["question"] == "losses", "seed"].nunique()),
        "specimens": int(tables.specimens.loc[tables.specimens["question"] == "losses", "specimen"].nunique()),
        "hours": round(runs.drop_duplicates("run")["seconds"].sum() / 3600, 2),
        "commit": origin["commit"],
        "machine": origin["machine"]["cpu"],
        "finished": origin["finished"],
    }


def repeated(full, live):
    """Compare the trainings of the full study that a live study repeated, to check that results are reproducible.

    Parameters
    ----------
    full, live : Tables

    Returns
    -------
    dict
        trainings (their number), largest_difference of the mean IoU of a specimen, and both in a sentence, in_words.
    """
    scale = live.provenance["scale"]
    if scale == "full" or SCALES[scale]["base"] != SCALES["full"]["base"]:
        said = "No training of this build repeats one of the full study."
        return {"trainings": 0, "largest_difference": 0.0, "in_words": said}
    keys = ["question", "variant", "seed", "specimen"]
    both = full.specimens.merge(live.specimens, on=keys, suffixes=("_full", "_live"))
    count = int(both.groupby(keys[:3]).ngroups)
    difference = float((both["mean_iou_full"] - both["mean_iou_live"]).abs().max())
    said = f"{count} trainings of this build repeat one of the full study. "
    said += f"The largest difference of a specimen's mean IoU between such a pair is {difference:.1g}."
    return {"trainings": count, "largest_difference": difference, "in_words": said}


def source(tables):
    """Return the source of a study's numbers as a text for captions."""
    origin = tables.provenance
    return f"{origin['scale']} study, {origin['trainings']} trainings, commit {origin['commit']}"


def folder_of(scale):
    """Return the folder of a scale's tables: in results/ for large studies, in artifacts/ for those of a build."""
    return paths.root() / "results" / KEPT[scale] if scale in KEPT else paths.artifacts() / "study" / scale


def _by_specimen(run):
    rows = pd.read_csv(run.folder / "measures.csv")
    grouped = rows.groupby("specimen", sort=True)
    table = pd.concat([grouped[list(COUNTS)].sum(), grouped[list(MEASURES)].mean()], axis=1)
    return table.reset_index().to_dict("records")


def about(run):
    """Return facts about a trained and evaluated run as a dict, a row of `runs`."""
    history, origin, measures = run.history, run.provenance, run.metrics
    names = run.names()
    training = set(names["train"])
    return {
        "run": run.id,
        "precision_policy": origin["precision"],
        "seconds": origin["seconds"],
        "peak_memory_gib": origin["peak_memory_gib"],
        "validation_seen": float(np.mean([name in training for name in names["validation"]])),
        **{f"validation_{key}": measures["validation"][key] for key in VALIDATION},
        **{f"pooled_{key}": measures["test"][key] for key in ("mean_iou", "unthresholded_mean_iou", "accuracy")},
        "final_loss": float(history["loss"][-1]),
        "curve": " ".join(f"{value:.4f}" for value in history["val_miou"]),
        "cast_curve": " ".join(f"{value:.4f}" for value in history["val_unthresholded_miou"]),
    }


def _thresholds(run):
    return pd.read_csv(run.folder / "thresholds.csv").to_dict("records")


def _tips(run):
    rows = pd.read_csv(run.folder / "measures.csv", dtype={"name": str, "specimen": str})
    return rows[["specimen", "frame", "name", "tip_error"]].to_dict("records")
