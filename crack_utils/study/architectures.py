"""The architectures compared: short trainings for the page, and the tables of the study."""

import time

import numpy as np
import pandas as pd

from crack_utils import models
from crack_utils.evaluation.words import MEASURES
from crack_utils.study.cases import QUESTIONS, SCALES
from crack_utils.study.claims import variants
from crack_utils.study.tables import folder_of, read, source
from crack_utils.study.verdicts import SHARE, interval, text
from crack_utils.training.experiment import Experiment

QUESTION = "families"
FIRST = "U-Net"  # the others are compared with it
COMPARED = ("mean_iou", "crack_iou", "f1_tolerance_2", "cldice")  # the measures in the table

# Short enough for a page: two passes over the pictures, at three times the study's learning rates. At ten times, U-Nets
# without normalisation collapse to predicting no crack.
SHORT = {"epochs": 2, "repeat": 1, "learning_rates": (3e-4, 3e-4, 3e-5), "loss": "dice+bce"}


def short_experiments(preset="quick"):
    """Return experiments with the study's networks and pictures, but with a short training.

    Parameters
    ----------
    preset : str
        "smoke" uses the few pictures and the single epoch of the study's scale "smoke".

    Returns
    -------
    dict of Experiment
        By architecture.
    """
    base = SCALES["smoke"]["base"] if preset == "smoke" else SCALES[QUESTION]["base"] | SHORT
    return {family: Experiment(**base | changes) for family, changes in QUESTIONS[QUESTION].items()}


def table(tables):
    """Return the study of the architectures as a table of texts, one row per architecture.

    Parameters
    ----------
    tables : Tables

    Returns
    -------
    DataFrame
        Number of trainings, and of failed ones (`Tables.failures`); measures of the test set with 95 % intervals over
        specimens and seeds, of the trainings that worked; the difference in mean IoU from the U-Net with the seeds with
        which both worked, on the same specimens. A star marks an interval that excludes zero; "–": none worked.
    """
    failed = tables.failures(QUESTION)
    rows = {}
    for family in variants(tables, QUESTION):
        seeds = int((tables.runs.loc[tables.runs["question"] == QUESTION, "variant"] == family).sum())
        rows[family] = {"trainings (failed)": f"{seeds} ({failed[family]})"}
        for measure in COMPARED:
            (values,) = tables.values(QUESTION, measure, [family], worked=True)
            rows[family][MEASURES[measure]] = "–" if failed[family] == seeds else text(interval(values, SHARE), False)
        compared = family != FIRST and _both_worked(tables, family)
        rows[family][f"above the {FIRST}"] = _above(tables, family) if compared else "–"
    return pd.DataFrame(rows).T


def cost_table(tables, networks):
    """Return the cost of the architectures as a table of texts, one row per architecture.

    Parameters
    ----------
    tables : Tables
    networks : dict of keras.Model
        By architecture; of the study's size, trained or not.

    Returns
    -------
    DataFrame
        Parameters, multiply-adds for one picture, receptive field [px], median time [s] and peak memory [GiB] of the
        study's trainings, and the time of a prediction on this machine [ms].
    """
    size = SCALES[QUESTION]["base"]["size"]
    rows = {}
    for family, network in networks.items():
        work, field = _work_and_field(network, size)
        runs = tables.runs[(tables.runs["question"] == QUESTION) & (tables.runs["variant"] == family)]
        rows[family] = {
            "parameters": f"{network.count_params():,}",
            "multiply-adds, million": f"{work / 1e6:,.0f}",
            "receptive field [px]": "all" if np.isinf(field) else f"{field:.0f}",
            "training [s]": f"{runs['seconds'].median():.0f}",
            "memory [GiB]": f"{runs['peak_memory_gib'].median():.2f}",
            "prediction [ms]": f"{1000 * _seconds(network.predict_on_batch, np.zeros((1, *size, 1), np.float32)):.0f}",
        }
    return pd.DataFrame(rows).T


def tip_recall():
    """Return how much of the crack near its tip each architecture finds, by the study.

    Returns
    -------
    DataFrame
        One row per architecture: tip recall (share of the crack's pixels near the tip that are found, mean
        over seeds and specimens), low and high (95 %), seeds. Trainings that failed are left out. Empty without the
        study.
    """
    try:
        rows = read(folder_of(QUESTION)).working_specimens(QUESTION)
    except ValueError:
        return pd.DataFrame(columns=["tip recall", "low", "high", "seeds"])
    found = {}
    for family, runs in rows.groupby("variant", sort=False):
        values = runs.pivot(index="seed", columns="specimen", values="tip_recall").dropna(axis=1).to_numpy()
        limits = interval(values, SHARE)
        found[family] = {"tip recall": limits["value"], **{name: limits[name] for name in ("low", "high", "seeds")}}
    return pd.DataFrame(found, dtype=object).T.astype(float).astype({"seeds": int})


def shared_computation(network, image):
    """Compare the prediction of a whole picture at once with the prediction crop by crop: cost and results.

    Parameters
    ----------
    network : SlidingWindow
    image : ndarray, float, shape (H, W), in [0, 1]

    Returns
    -------
    table : DataFrame
        Multiply–adds and time [s], in rows "crop by crop", "at once" and "times more", their ratio.
    difference : float
        Largest difference between the two probabilities of a pixel.
    """
    batch = np.float32(image)[None, ..., None]
    predicted, seconds = {}, {}
    for way, predict in {
        "crop by crop": lambda: models.predict_by_crops(network, image),
        "at once": lambda: network.predict_on_batch(batch)[0, ..., 0],
    }.items():
        predicted[way], seconds[way] = predict(), _seconds(predict)
    work = [models.crops_multiply_adds(network, image.shape)]
    work.append(models.layer_table(network, image.shape)["multiply_adds"].sum())
    rows = pd.DataFrame({"multiply-adds": work, "time [s]": seconds.values()}, index=list(seconds), dtype=float)
    rows.loc["times more"] = rows.iloc[0] / rows.iloc[1]
    return rows, float(np.abs(predicted["crop by crop"] - predicted["at once"]).max())


def numbers(tables):
    """Return the values for the prose of the page.

    Parameters
    ----------
    tables : Tables
        Of the study.

    Returns
    -------
    dict
    """
    return {
        "source": source(tables),
        "seeds": int(tables.runs.loc[tables.runs["question"] == QUESTION, "seed"].nunique()),
        "mean_iou": {
            family: interval(tables.values(QUESTION, "mean_iou", [family], worked=True)[0], SHARE)
            for family in variants(tables, QUESTION)
        },
        "families": {
            family: {
                measure: interval(tables.values(QUESTION, measure, [family], worked=True)[0], SHARE)["value"]
                for measure in ("recall", "precision")
            }
            for family in variants(tables, QUESTION)
        },
    }


def _both_worked(tables, family):
    """Return whether there is a seed with which neither this architecture nor the first failed."""
    failed = tables.failed().loc[QUESTION].loc[[family, FIRST]].groupby("seed").any()
    return not failed.all()


def _above(tables, family):
    own, first = tables.values(QUESTION, "mean_iou", [family, FIRST], worked=True)
    found = interval(own - first)
    return text(found) + (" *" if found["low"] > 0 or found["high"] < 0 else "")


def _work_and_field(network, size):
    """Return the multiply-adds for one picture and the receptive field [px]."""
    if hasattr(network, "multiply_adds"):  # Mask R-CNN is not a graph of layers, and its boxes use the whole picture
        return network.multiply_adds(size), np.inf
    layers = models.layer_table(network, size)
    return layers["multiply_adds"].sum(), layers["receptive_field"].max()


def _seconds(work, *arguments):
    """Return the shortest time [s] of three calls, after one that is not counted."""
    taken = []
    for _ in range(4):
        began = time.perf_counter()
        work(*arguments)
        taken.append(time.perf_counter() - began)
    return min(taken[1:])
