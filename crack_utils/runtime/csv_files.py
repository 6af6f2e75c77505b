"""Write tables as CSV; the first line has the names of the columns, and missing values are empty fields."""

import csv
import io

from crack_utils.runtime.atomic import atomic_write


def as_csv(rows, columns=()):
    """Return rows as the text of a CSV file.

    Parameters
    ----------
    rows : list of dict
        Values by column; None and missing values become empty fields.
    columns : sequence of str, optional
        The first columns, also if there is no row. Other columns of the rows follow in the order in which they appear.

    Returns
    -------
    str
        Lines end with a line feed.
    """
    text = io.StringIO(newline="")
    names = dict.fromkeys([*columns, *(name for row in rows for name in row)])
    writer = csv.DictWriter(text, list(names), restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def write_csv(path, rows, columns=()):
    """Write rows as a CSV file (UTF-8), atomically.

    Parameters
    ----------
    path : path-like
    rows, columns
        As for `as_csv`.

    Raises
    ------
    OSError
        If the file cannot be written; an older one is then unchanged.
    """
    with atomic_write(path) as draft:
        draft.write_text(as_csv(rows, columns), encoding="utf-8", newline="")
