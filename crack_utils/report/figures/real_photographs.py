"""Figures of the study of photographs: ingredients, labels, minutes."""

import matplotlib.pyplot as plt
import numpy as np

from crack_utils.report.figures.style import CRACK, QUIET, SECONDARY

NEAR = "F1 within 2 px"


def ingredients(table):
    """Show what each change of the preset does to F1 within 2 px, with intervals over seeds.

    Parameters
    ----------
    table : DataFrame
        From `report.photograph_trainings.ingredient_table`; one row at least.

    Returns
    -------
    matplotlib.figure.Figure
    """
    table = table.iloc[::-1]
    figure, axes = plt.subplots(figsize=(8, 0.42 * len(table) + 1.3))
    places = np.arange(len(table))
    half = np.stack([table["difference"] - table["low"], table["high"] - table["difference"]])
    axes.errorbar(table["difference"], places, xerr=np.nan_to_num(half), fmt="o", color=CRACK, capsize=3)
    axes.axvline(0, color=QUIET, lw=1, ls="--")
    axes.set_yticks(places, table["case"])
    axes.set(xlabel="difference of F1 within 2 px to the short training")
    axes.grid(axis="x", alpha=0.3)
    return figure


def label_curves(table):
    """Show F1 within 2 px over the number of labelled photographs, a curve a start.

    Parameters
    ----------
    table : DataFrame
        From `report.photograph_trainings.case_table` of the question "labels".

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axes = plt.subplots(figsize=(7, 4))
    labels = sorted(table["labels"].unique(), key=lambda count: float("inf") if count == "all" else int(count))
    places = np.arange(len(labels))
    for number, (case, rows) in enumerate(table.groupby("case", sort=False)):
        rows = rows.set_index("labels").reindex(labels)
        half = np.stack([rows[NEAR] - rows["low"], rows["high"] - rows[NEAR]])
        beside = places + 0.08 * number  # so that intervals do not cover each other
        colour = (CRACK, SECONDARY)[number % 2]
        axes.errorbar(beside, rows[NEAR], np.nan_to_num(half), fmt="o-", color=colour, capsize=3, label=case)
    axes.set_xticks(places, labels)
    axes.set(xlabel="labelled photographs, training and validation", ylabel=NEAR)
    axes.grid(axis="y", alpha=0.3)
    figure.legend(title="start", loc="outside upper left", ncols=2)
    return figure


def f1_over_minutes(trainings):
    """Show F1 within 2 px over the minutes of each training of the recipe and of the losses, a colour for each case.

    Parameters
    ----------
    trainings : DataFrame
        From `report.photograph_trainings.read_trainings`.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axes = plt.subplots(figsize=(8, 4))
    full = trainings[(trainings["labels"] == "all") & (trainings["failed"] == 0)]
    short = full[full["question"] == "losses"]
    if len(short):
        axes.plot(short["minutes"], short["f1_tolerance_2"], "o", color=QUIET, alpha=0.4, label="short trainings")
    for case, rows in full[full["question"] == "recipe"].groupby("case", sort=False):
        axes.plot(rows["minutes"], rows["f1_tolerance_2"], "o", ms=8, label=case)
    axes.set(xlabel="minutes of training", ylabel=NEAR)
    axes.grid(alpha=0.3)
    axes.legend()
    return figure
