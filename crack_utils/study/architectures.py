"""The families of networks side by side: short trainings of each, and the study of them in tables."""

import time

import numpy as np
import pandas as pd

from crack_utils import models
from crack_utils.study.cases import QUESTIONS, SCALES
from crack_utils.study.claims import variants
from crack_utils.study.tables import source
from crack_utils.study.verdicts import SHARE, interval, text
from crack_utils.training.experiment import Experiment

QUESTION = "families"
FIRST = "U-Net"  # what the others are compared with
MEASURES = {"mean_iou": "mean IoU", "crack_iou": "crack IoU", "f1_tolerance_2": "F1, 2 px", "cldice": "clDice"}

# What a page can wait for: two passes over the pictures, at three times the study's rates, as so short a training
# needs. At ten times, U-Nets without normalisation end with no crack at all.
SHORT = {"epochs": 2, "repeat": 1, "learning_rates": (3e-4, 3e-4, 3e-5), "loss": "dice+bce"}


def short_experiments(preset="quick"):
    """Return the study's networks, to be trained for a short time on the study's pictures.

    Parameters
    ----------
    preset : str
        "smoke" takes the few pictures and the single epoch of the study's scale of that name.

    Returns
    -------
    dict of Experiment
        By family.
    """
    base = SCALES["smoke"]["base"] if preset == "smoke" else SCALES[QUESTION]["base"] | SHORT
    return {family: Experiment(**base | changes) for family, changes in QUESTIONS[QUESTION].items()}


def table(tables):
    """Return the study of the families, one row each, as texts.

    Parameters
    ----------
    tables : Tables

    Returns
    -------
    DataFrame
        How many trainings there were and failed (`Tables.failures`); measures of the test set with their 95 % intervals
        over specimens and seeds, failed trainings included; how much the mean IoU is above the U-Net's with the
        same seeds and specimens, where a star marks an interval that leaves out zero.
    """
    failed = tables.failures(QUESTION)
    rows = {}
    for family in variants(tables, QUESTION):
        seeds = int((tables.runs.loc[tables.runs["question"] == QUESTION, "variant"] == family).sum())
        rows[family] = {"trainings (failed)": f"{seeds} ({failed[family]})"}
        for measure, name in MEASURES.items():
            (values,) = tables.values(QUESTION, measure, [family])
            rows[family][name] = text(interval(values, SHARE), signed=False)
        rows[family][f"above the {FIRST}"] = "–" if family == FIRST else _above(tables, family)
    return pd.DataFrame(rows).T


def cost_table(tables, networks):
    """Return what each family costs, one row each.

    Parameters
    ----------
    tables : Tables
    networks : dict of keras.Model
        By family; of the study's size, trained or not.

    Returns
    -------
    DataFrame
        Parameters, multiply–adds of one picture, receptive field [px], and medians over the study's trainings of their
        time [s] and peak memory [GiB]; time of a prediction here [ms].
    """
    size = SCALES[QUESTION]["base"]["size"]
    rows = {}
    for family, network in networks.items():
        work, field = _work_and_field(network, size)
        runs = tables.runs[(tables.runs["question"] == QUESTION) & (tables.runs["variant"] == family)]
        rows[family] = {
            "parameters": f"{network.count_params():,}",
            "multiply–adds, million": f"{work / 1e6:,.0f}",
            "receptive field [px]": "all" if np.isinf(field) else f"{field:.0f}",
            "training [s]": f"{runs['seconds'].median():.0f}",
            "memory [GiB]": f"{runs['peak_memory_gib'].median():.2f}",
            "prediction [ms]": f"{1000 * _seconds(network.predict_on_batch, np.zeros((1, *size, 1), np.float32)):.0f}",
        }
    return pd.DataFrame(rows).T


def shared_computation(network, image):
    """Return what it saves to predict a picture at once instead of crop by crop, and that both give the same.

    Parameters
    ----------
    network : SlidingWindow
    image : ndarray, float, shape (H, W), in [0, 1]

    Returns
    -------
    table : DataFrame
        Multiply–adds and time [s], one row each for crops, for all at once, and for how many times more crops take.
    difference : float
        The largest of any pixel's probability.
    """
    batch = np.float32(image)[None, ..., None]
    found, seconds = {}, {}
    for way, predict in {
        "crop by crop": lambda: models.predict_by_crops(network, image),
        "at once": lambda: network.predict_on_batch(batch)[0, ..., 0],
    }.items():
        found[way], seconds[way] = predict(), _seconds(predict)
    work = [models.crops_multiply_adds(network, image.shape)]
    work.append(models.layer_table(network, image.shape)["multiply_adds"].sum())
    rows = pd.DataFrame({"multiply–adds": work, "time [s]": seconds.values()}, index=list(seconds), dtype=float)
    rows.loc["times more"] = rows.iloc[0] / rows.iloc[1]
    return rows, float(np.abs(found["crop by crop"] - found["at once"]).max())


def numbers(tables, shared, difference):
    """Return what the page says in its prose."""
    return {
        "source": source(tables),
        "seeds": int(tables.runs.loc[tables.runs["question"] == QUESTION, "seed"].nunique()),
        "mean_iou": {
            family: interval(tables.values(QUESTION, "mean_iou", [family])[0], SHARE) for family in variants(tables, QUESTION)
        },
        "crops_work": float(shared.loc["times more", "multiply–adds"]),
        "crops_time": float(shared.loc["times more", "time [s]"]),
        "crops_difference": difference,
    }


def _above(tables, family):
    own, first = tables.values(QUESTION, "mean_iou", [family, FIRST])
    found = interval(own - first)
    return text(found) + (" *" if found["low"] > 0 or found["high"] < 0 else "")


def _work_and_field(network, size):
    """Return the multiply–adds of one picture, and from how far a pixel's answer may come [px]."""
    if hasattr(network, "multiply_adds"):  # Mask R-CNN, no plain graph of layers: boxes compete over the whole picture
        return network.multiply_adds(size), np.inf
    layers = models.layer_table(network, size)
    return layers["multiply_adds"].sum(), layers["receptive_field"].max()


def _seconds(work, *arguments, times=3):
    """Return how long work takes: the least of a few times, after one that is not counted."""
    taken = []
    for _ in range(times + 1):
        began = time.perf_counter()
        work(*arguments)
        taken.append(time.perf_counter() - began)
    return min(taken[1:])
