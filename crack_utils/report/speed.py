"""How the cost of training, prediction and measuring grows: read from the benchmark's table."""

import re

import pandas as pd

from crack_utils.runtime import paths

TABLE = "results/benchmark.csv"
_WORK = re.compile(
    r"(training in batches of (?P<batch>\d+)|prediction), (?P<rows>\d+)×(?P<columns>\d+), (?P<program>.+)"
)
_FOLDER = re.compile(r"folder of (?P<photographs>\d+) photographs, \d+×\d+, (?P<program>.+)")
_RATE = re.compile(r"([\d.]+) \(([\d.]+)–([\d.]+)\)")


def cost_growth(table=None):
    """Return how long a megapixel takes, by the size of the picture or of the batch.

    Parameters
    ----------
    table : DataFrame, optional
        As `make benchmark` writes it; by default the stored one. What failed is left out.

    Returns
    -------
    DataFrame
        One row per program and size: work ("training" or "prediction"), program, batch, megapixels (of a picture), and
        seconds, low, high (for a megapixel: of the median, the fastest and the slowest round).

    Examples
    --------
    >>> row = ["training in batches of 8, 500×1000, ours (float32)", "4.0 (2.0–8.0)"]
    >>> cost_growth(pd.DataFrame([row])).loc[0, ["program", "batch", "megapixels", "seconds", "low", "high"]].to_list()
    ['ours (float32)', 8, 0.5, 0.5, 0.25, 1.0]
    """
    table = pd.read_csv(paths.root() / TABLE) if table is None else table
    rows = []
    for name, rate in zip(table.iloc[:, 0], table.iloc[:, 1], strict=True):
        work, rates = _WORK.fullmatch(str(name)), _RATE.fullmatch(str(rate))
        if not (work and rates) or float(rates[2]) == 0:
            continue
        pixels = int(work["rows"]) * int(work["columns"]) / 1e6
        seconds, high, low = (1 / (float(each) * pixels) for each in rates.groups())
        kind = {"work": name.split()[0].rstrip(","), "program": work["program"], "batch": int(work["batch"] or 1)}
        rows.append(kind | {"megapixels": pixels, "seconds": seconds, "low": low, "high": high})
    return pd.DataFrame(rows, columns=["work", "program", "batch", "megapixels", "seconds", "low", "high"])


def folder_growth(table=None):
    """Return how long a folder takes, by the number of its photographs, without the start of the program.

    Parameters
    ----------
    table : DataFrame, optional
        As for `cost_growth`.

    Returns
    -------
    DataFrame
        One row per folder: program, photographs, and seconds, low, high (of the whole folder: of the median, the
        fastest and the slowest round).

    Examples
    --------
    >>> row = ["folder of 8 photographs, 400×600, all cores", "4.0 (2.0–8.0)"]
    >>> folder_growth(pd.DataFrame([row])).loc[0].to_list()
    ['all cores', 8, 2.0, 1.0, 4.0]
    """
    table = pd.read_csv(paths.root() / TABLE) if table is None else table
    rows = []
    for name, rate in zip(table.iloc[:, 0], table.iloc[:, 1], strict=True):
        folder, rates = _FOLDER.fullmatch(str(name)), _RATE.fullmatch(str(rate))
        if folder and rates:
            count = int(folder["photographs"])
            seconds, high, low = (count / float(each) for each in rates.groups())
            rows.append([folder["program"], count, seconds, low, high])
    return pd.DataFrame(rows, columns=["program", "photographs", "seconds", "low", "high"])
