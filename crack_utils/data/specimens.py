"""`specimens.csv`: what was tested in a growth test, read row by row, with all that is wrong in it."""

import math
import re

from crack_utils.data.metadata import finite_number, read_table
from crack_utils.geometry.growth import KINDS, Specimen
from crack_utils.runtime.typeset import joined

# Column, and the attribute of `Specimen` that it fills.
COLUMNS = {
    "kind": "kind",
    "W_mm": "W",
    "B_mm": "B",
    "a_n_mm": "a_n",
    "diameter_mm": "diameter",
    "wall_mm": "wall",
    "load_ratio": "load_ratio",
}
# Those that a table may lack.
MORE = {
    "yield_mpa": "yield_strength",
    "moment_arm_mm": "moment_arm",
    "curvature_mm": "curvature",
    "direction_degrees": "direction",
}
NOTCH = ("notch_row", "notch_column")


def read_specimens(path):
    """Read what was tested.

    Parameters
    ----------
    path : pathlib.Path
        `specimens.csv`: one row per specimen, columns `specimen` and `COLUMNS`; `MORE` and `NOTCH` if known. A cell
        that does not apply stays empty, such as the diameter of a plate.

    Returns
    -------
    specimens : dict of str to Specimen
        By name, those that are in order.
    problems : list of str
        Why the table cannot be used, each with its line.
    """
    known = ("specimen", *COLUMNS, *MORE, *NOTCH)
    table = read_table(path, "specimen", known)
    strange = [column for column in table.columns if column and column not in known]
    missing = [column for column in ("kind", "a_n_mm") if column not in table.columns] if table.rows else []
    if missing or strange:
        wrong = [f"no column {', '.join(missing)}"] if missing else []
        wrong += [f"column(s) {', '.join(strange)} are not known"] if strange else []
        return {}, [*table.problems, f"{joined(wrong)}; known are {', '.join(known)}"]
    specimens, problems = {}, list(table.problems)
    for name, row in table.rows.items():
        specimen, wrong = _parse(row)
        wrong = wrong or list(map(_by_column, specimen.problems()))
        problems += [f"line {table.lines[name]}: {why}" for why in wrong]
        if not wrong:
            specimens[name] = specimen
    return specimens, problems


def _by_column(problem):
    """Return what `Specimen.problems` says with the columns of the table for the attributes that they fill."""
    names = {field: column for column, field in {**COLUMNS, **MORE}.items()}
    return re.sub(r"\b(" + "|".join(names) + r")\b(?!\))", lambda found: names[found[0]], problem)


def _parse(row):
    """Return the specimen of a row, or None and why not."""
    kind = row.get("kind", "")
    values, wrong = {}, [] if kind in KINDS else [f"kind {kind!r} is not known; known are {', '.join(KINDS)}"]
    for column in (*COLUMNS, *MORE, *NOTCH):
        if column == "kind" or not row.get(column):
            continue
        try:
            values[column] = finite_number(row, column)
        except ValueError as problem:
            values[column] = math.nan
            wrong.append(str(problem))
    if "a_n_mm" not in values:
        wrong.append("no a_n_mm")
    if sum(column in values for column in NOTCH) == 1:
        wrong.append("a notch needs both notch_row and notch_column")
    if wrong:
        return None, wrong
    notch = tuple(values[column] for column in NOTCH) if NOTCH[0] in values else None
    fields = {field: values[column] for column, field in {**COLUMNS, **MORE}.items() if column in values}
    return Specimen(row["specimen"], kind, notch=notch, **fields), []
