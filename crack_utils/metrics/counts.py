"""Counts of pixels in tables: a row per picture, with the columns of `Confusion`."""

from dataclasses import fields

import numpy as np

from crack_utils.metrics.masks import Confusion

COUNTS = tuple(field.name for field in fields(Confusion))


def pooled_rows(rows):
    """Return one Confusion with the pixels of all rows of a table together (micro average).

    Parameters
    ----------
    rows : DataFrame, or dict of sequences of int
        With the columns `COUNTS`; others are ignored.

    Returns
    -------
    Confusion
        All zero for a table without rows.

    Examples
    --------
    >>> pooled_rows({"tp": [1, 2], "fp": [0, 1], "fn": [3, 0], "tn": [6, 7]})
    Confusion(tp=3, fp=1, fn=3, tn=13)
    """
    return Confusion(*(int(np.sum(rows[name])) for name in COUNTS))
