"""The study's tidy tables: gathered from the runs' folders, written as CSV with their provenance, read back.

Tables, one row each for
- `specimens`: question, variant, seed and test specimen; measures are means over the specimen's pictures;
- `runs`: question, variant, seed; what a training cost, its curves, and measures of its validation set;
- `thresholds`: loss, seed, set and threshold; pooled counts;
- `tips`, of the question "tips" alone: variant, seed and test picture; how far its tip was found from the true one.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from crack_utils.runtime import paths, provenance
from crack_utils.study.cases import KEPT, SCALES

TABLES = ("specimens", "runs", "thresholds")
TIPS = "tips"  # a table that only the question of that name has
DIGITS = 6  # significant ones that are kept: far more than any interval is narrow
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
COUNTS = ("tp", "fp", "fn", "tn")
VALIDATION = ("mean_iou", "unthresholded_mean_iou", "accuracy", "mean_class_accuracy", "loss")  # kept of each training


@dataclass(frozen=True)
class Tables:
    """A study's tables, and where they come from.

    Attributes
    ----------
    specimens, runs, thresholds : DataFrame
    provenance : dict
        scale, commit, machine, versions, how many trainings.
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
        call half of a picture crack. Either is an outcome of its own: a mean over it and trainings that worked would
        describe neither.
        """
        counts = self.specimens.groupby(["question", "variant", "seed"], sort=False)[list(COUNTS)].sum()
        crack, pixels = counts["tp"] + counts["fn"], counts.sum(axis=1)
        wrong = counts["fp"] + counts["fn"]
        mean_iou = (counts["tp"] / (counts["tp"] + wrong) + counts["tn"] / (counts["tn"] + wrong)) / 2
        return mean_iou <= np.maximum(crack, pixels - crack) / pixels / 2

    def failures(self, question):
        """Return how many trainings of each variant failed (see `failed`): a Series by variant."""
        return self.failed().loc[question].groupby("variant", sort=False).sum()

    def working_runs(self, question):
        """Return the rows of `runs` of a question without trainings that failed."""
        failed = self.failed().loc[question]
        runs = self.runs[self.runs["question"] == question]
        return runs[pd.MultiIndex.from_frame(runs[["variant", "seed"]]).isin(failed.index[~failed])]

    def swept(self, part):
        """Return the rows of `thresholds` of one set, "validation" or "test", without trainings that failed.

        A variant that never worked is kept as it is.
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
            In the order wanted; by default as in the table.
        worked : bool
            Leave out the seeds with which any of these variants failed (see `failed`); if none is left, keep all.

        Raises
        ------
        ValueError
            If the question or a variant is not in the table.
        """
        rows = self.specimens[self.specimens["question"] == question]
        known = list(dict.fromkeys(rows["variant"]))
        variants = known if variants is None else list(variants)
        if not variants or (missing := [name for name in variants if name not in known]):
            raise ValueError(f"{question}: no variant {missing if variants else ''}; known are {', '.join(known)}")
        if worked:
            failed = self.failed().loc[question].loc[variants]
            kept = rows[~rows["seed"].isin(failed.index[failed].get_level_values("seed"))]
            rows = kept if len(kept) else rows
        cube = rows.pivot(index=["variant", "seed"], columns="specimen", values=measure)
        return np.stack([cube.loc[variant].to_numpy(float) for variant in variants])


def gather(cases, runs):
    """Return the tables of finished trainings.

    Parameters
    ----------
    cases : list of Case
    runs : list of Run
        In the order of the cases; each has been evaluated.

    Returns
    -------
    dict of DataFrame
        `tips` only if a case answers that question.
    """
    found = {name: [] for name in (*TABLES, TIPS)}
    for case, run in zip(cases, runs, strict=True):
        by_specimen, about, swept = _by_specimen(run), _about(run), _thresholds(run)
        for question, variant in case.answers:
            key = {"question": question, "variant": variant, "seed": case.experiment.seed}
            found["specimens"] += [key | row for row in by_specimen]
            found["runs"].append(key | about)
            if question == "losses":
                found["thresholds"] += [key | row for row in swept]
            if question == TIPS:
                found[TIPS] += [key | row for row in _tips(run)]
    made = {name: pd.DataFrame(rows) for name, rows in found.items() if rows or name != TIPS}
    if made["thresholds"].empty:
        made["thresholds"] = pd.DataFrame(columns=["question", "variant", "seed", "set", "threshold", *COUNTS])
    return made


def write(folder, tables, scale):
    """Write tables as CSV, and beside them where they come from."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in tables.items():
        digits = None if name == "thresholds" else f"%.{DIGITS}g"  # those near 1 differ in the last digits alone
        table.to_csv(folder / f"{name}.csv", index=False, float_format=digits, lineterminator="\n")
    facts = {"scale": scale, "trainings": int(tables["runs"]["run"].nunique())}
    provenance.write_json(folder / "provenance.json", facts | provenance.describe())


def read(folder):
    """Return a study's tables.

    Raises
    ------
    ValueError
        If they are not there.
    """
    folder = Path(folder)
    if missing := [name for name in TABLES if not (folder / f"{name}.csv").is_file()]:
        raise ValueError(f"{folder}: no table {', '.join(missing)}; `make study` makes them")
    names = {"variant": str, "specimen": str}
    tables = {name: pd.read_csv(folder / f"{name}.csv", dtype=names) for name in TABLES}
    if (folder / f"{TIPS}.csv").is_file():
        tables[TIPS] = pd.read_csv(folder / f"{TIPS}.csv", dtype=names)
    return Tables(**tables, provenance=json.loads((folder / "provenance.json").read_text(encoding="utf-8")))


def read_live(scale):
    """Return the tables of the study that a build trained here; the full study's where none did, and say so."""
    if (folder_of(scale) / "specimens.csv").is_file():
        return read(folder_of(scale))
    print("No build has trained a study here yet (`make book` does): the full study stands in for it.")
    return read(folder_of("full"))


def facts(tables):
    """Return what was trained, where and when, by name."""
    where, runs = tables.provenance, tables.runs
    return {
        "trainings": where["trainings"],
        "seeds": int(runs.loc[runs["question"] == "losses", "seed"].nunique()),
        "specimens": int(tables.specimens.loc[tables.specimens["question"] == "losses", "specimen"].nunique()),
        "hours": round(runs.drop_duplicates("run")["seconds"].sum() / 3600, 2),
        "commit": where["commit"],
        "machine": where["machine"]["cpu"],
        "finished": where["finished"],
    }


def repeated(full, live):
    """Return how many trainings of the full study a live one has done again, and how far their results are apart.

    Returns
    -------
    dict
        trainings, and largest_difference of the mean IoU of a specimen.
    """
    scale = live.provenance["scale"]
    if scale == "full" or SCALES[scale]["base"] != SCALES["full"]["base"]:
        return {"trainings": 0, "largest_difference": 0.0}
    keys = ["question", "variant", "seed", "specimen"]
    both = full.specimens.merge(live.specimens, on=keys, suffixes=("_full", "_live"))
    return {
        "trainings": int(both.groupby(keys[:3]).ngroups),
        "largest_difference": float((both["mean_iou_full"] - both["mean_iou_live"]).abs().max()),
    }


def source(tables):
    """Return in words which study numbers come from."""
    where = tables.provenance
    return f"{where['scale']} study, {where['trainings']} trainings, commit {where['commit']}"


def folder_of(scale):
    """Return where a scale's tables lie: large studies' are committed, the others are made by each build."""
    return paths.root() / "results" / KEPT[scale] if scale in KEPT else paths.artifacts() / "study" / scale


def _by_specimen(run):
    rows = pd.read_csv(run.folder / "measures.csv")
    grouped = rows.groupby("specimen", sort=True)
    table = pd.concat([grouped[list(COUNTS)].sum(), grouped[list(MEASURES)].mean()], axis=1)
    return table.reset_index().to_dict("records")


def _about(run):
    history, facts, found = run.history, run.provenance, run.metrics
    names = run.names()
    seen = set(names["train"])
    return {
        "run": run.id,
        "precision_policy": facts["precision"],
        "seconds": facts["seconds"],
        "peak_memory_gib": facts["peak_memory_gib"],
        "validation_seen": float(np.mean([name in seen for name in names["validation"]])),
        **{f"validation_{key}": found["validation"][key] for key in VALIDATION},
        **{f"pooled_{key}": found["test"][key] for key in ("mean_iou", "unthresholded_mean_iou", "accuracy")},
        "final_loss": float(history["loss"][-1]),
        "curve": " ".join(f"{value:.4f}" for value in history["val_miou"]),
        "cast_curve": " ".join(f"{value:.4f}" for value in history["val_unthresholded_miou"]),
    }


def _thresholds(run):
    return pd.read_csv(run.folder / "thresholds.csv").to_dict("records")


def _tips(run):
    rows = pd.read_csv(run.folder / "measures.csv", dtype={"name": str, "specimen": str})
    return rows[["specimen", "frame", "name", "tip_error"]].to_dict("records")
