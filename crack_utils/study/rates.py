"""Optimizers, each at the learning rate that is best for it on validation (R64, study "fairness").

An optimizer whose steps depend on the size of the gradient needs another rate than Adam. At one rate for all, a
comparison of optimizers is one of rates.
"""

from dataclasses import replace

import pandas as pd

from crack_utils.runtime.typeset import power
from crack_utils.study.verdicts import SHARE, by_seed, text

QUESTION = "optimizers, rates"
AT_BEST = "optimizers at their best rates"
OPTIMIZERS = {"adam": "Adam", "rmsprop": "RMSProp", "adagrad": "AdaGrad", "nesterov": "Nesterov", "sgd": "plain SGD"}


def best(tables):
    """Return the variant of each optimizer with the best rate: the largest mean IoU of validation, a mean over seeds.

    Failed trainings count: a rate at which trainings often fail is not the best.

    Parameters
    ----------
    tables : Tables

    Returns
    -------
    Series
        Such as "adam 0.0004" for "adam", in the order of the study; empty if the question was not asked.
    """
    runs = tables.runs[tables.runs["question"] == QUESTION]
    validation = runs.groupby("variant", sort=False)["validation_mean_iou"].mean()
    return validation.groupby(validation.index.str.split().str[0], sort=False).idxmax()


def rates_tried(tables):
    """Return the rates at which each optimizer was trained, a dict of lists, in the order of the study."""
    tried = {}
    for variant in tables.runs.loc[tables.runs["question"] == QUESTION, "variant"].unique():
        optimizer, rate = variant.split()
        tried.setdefault(optimizer, []).append(float(rate))
    return tried


def at_edge(tables):
    """Return the titles of the optimizers whose best rate is the lowest or the highest that was tried."""
    chosen, tried = best(tables), rates_tried(tables)
    return [
        OPTIMIZERS[optimizer]
        for optimizer, variant in chosen.items()
        if float(variant.split()[1]) in (min(tried[optimizer]), max(tried[optimizer]))
    ]


def with_best(tables):
    """Return the tables with one more question, `AT_BEST`: its variants are the optimizers, each at its best rate."""
    chosen = {variant: optimizer for optimizer, variant in best(tables).items()}

    def added(rows):
        own = rows[(rows["question"] == QUESTION) & rows["variant"].isin(chosen)]
        return pd.concat([rows, own.assign(question=AT_BEST, variant=own["variant"].map(chosen))], ignore_index=True)

    return replace(tables, specimens=added(tables.specimens), runs=added(tables.runs)) if chosen else tables


def table(tables):
    """Return the best rate of each optimizer, how many trainings failed, and the mean IoU of the test set.

    Returns
    -------
    DataFrame
        One row an optimizer, by title: the rates that were tried; best rate; how many trainings failed, at that rate
        and at all rates together; mean IoU at 0.5 at the best rate, failed trainings included, with its 95 % interval
        over seeds.
    """
    tried = rates_tried(tables)
    tested = tables.specimens.groupby(["question", "variant", "seed"])["mean_iou"].mean()
    failed, rows = tables.failed().loc[QUESTION], {}
    of_optimizer = failed.groupby(failed.index.get_level_values("variant").str.split().str[0])
    for optimizer, variant in best(tables).items():
        everywhere = of_optimizer.get_group(optimizer)
        rows[OPTIMIZERS[optimizer]] = {
            "rates": f"{len(tried[optimizer])} rates, {power(min(tried[optimizer]))} to {power(max(tried[optimizer]))}",
            "best rate": power(float(variant.split()[1])),
            "failed there": f"{failed.loc[variant].sum()} of {len(failed.loc[variant])}",
            "failed, all rates together": f"{everywhere.sum()} of {len(everywhere)}",
            "mean IoU at 0.5 [95\u00a0%]": text(by_seed(tested.loc[QUESTION, variant], SHARE), signed=False),
        }
    return pd.DataFrame(rows).T
