"""Read `metadata.csv`, a table with specimen, tip, scale and more of each picture of a folder, and list its faults."""

import csv
import io
import math
from dataclasses import dataclass

from crack_utils.data.decoding import is_regular
from crack_utils.data.names import normal, printable
from crack_utils.runtime.csv_files import as_csv
from crack_utils.runtime.typeset import joined

METADATA = ("name", "source", "specimen", "frame", "tip_row", "tip_column", "mm_per_px", "tip2_row", "tip2_column")
GROWTH = ("cycles", "load_n", "cmod_mm")  # of a growth test: readings of the machine when the photograph was taken
KNOWN = (*METADATA, *GROWTH)

LARGEST_SCALE = 1e6  # [mm/px] a kilometre, as in geometry
NAMED = 5  # of the rows without a picture, how many a note names


@dataclass(frozen=True)
class Table:
    """A table as it is in its file, with all fields as text.

    Attributes
    ----------
    columns : list of str
    rows : dict of str to dict
        The rows by name (as `normal` spells it), in the order of the file; each row is a dict of text by column.
    lines : dict of str to int
        The line of each row.
    problems : list of str
        Why the table cannot be used, each with its line. A row with a problem is not in `rows`.
    """

    columns: list
    rows: dict
    lines: dict
    problems: list


def read_table(path, key="name", known=KNOWN):
    """Read a table whose rows have names, with all fields as text; every reader of `metadata.csv` uses this function.

    Parameters
    ----------
    path : pathlib.Path
        If it does not exist, the table is empty.
    key : str
        The column of the names.
    known : tuple of str
        The columns that an error message lists.

    Returns
    -------
    Table
    """
    if not path.exists() and not path.is_symlink():
        return Table([], {}, {}, [])
    if not is_regular(path):
        return Table([], {}, {}, ["not a regular file"])
    try:
        lines = _lines(path)
    except UnicodeDecodeError as error:
        return Table([], {}, {}, [f"not in UTF-8 (byte {error.start}); save it as CSV in UTF-8"])
    except (csv.Error, OSError) as error:
        return Table([], {}, {}, [f"cannot be read as a table ({error})"])
    columns = lines[0][1] if lines else []
    if problem := _problem_of(columns, key, known):
        return Table(columns, {}, {}, [problem])
    table = Table(columns, {}, {}, [])
    for line, fields in lines[1:]:
        row = dict(zip(columns, fields, strict=False))
        name = normal(row.get(key, ""))
        if any(fields[len(columns) :]):
            hint = "; decimals need a point, and a text with a comma needs quotes"
            why = f"{len(fields)} fields, but there are {len(columns)} columns{hint}"
        elif not name:
            why = "no name"
        elif name in table.rows:
            why = f"{row[key]!r} occurs twice (first in line {table.lines[name]})"
        else:
            table.rows[name], table.lines[name] = row, line
            continue
        table.problems.append(f"line {line}: {why}")
    return table


def with_row(columns, rows, name, values):
    """Return the text of a table in which some fields of one row are set, and all others are unchanged.

    Parameters
    ----------
    columns : list of str
    rows : dict of str to dict
        By name, as of a `Table`.
    name : str
        A row that does not exist is added.
    values : dict of str to str
        By column. A column that does not exist is added if its value is not empty.

    Returns
    -------
    str
        CSV, its rows sorted by name.
    """
    values = {column: value for column, value in values.items() if value or column in columns}
    rows = rows | {name: {"name": name} | rows.get(name, {}) | values}
    return as_csv([rows[key] for key in sorted(rows)], [*columns, *values])


def read_metadata(path, names):
    """Read what a table says of each picture.

    Parameters
    ----------
    path : pathlib.Path
        `metadata.csv`; if it does not exist, nothing is known.
    names : collection of str
        The names of the pictures in the folder, as `normal` spells them.

    Returns
    -------
    known : dict of str to dict
        By name, the fields of `Pair` that are filled in: source, specimen, frame, tip, tip2, mm_per_px,
        cycles, load_n, cmod_mm.
    problems : list of str
        Why the table cannot be used, each with its line.
    notes : list of str
        What was ignored: columns that are not known, and rows without a picture.
    """
    table = read_table(path)
    known, problems = {}, list(table.problems)
    for name, row in table.rows.items():
        if name not in names:
            continue
        try:
            known[name] = _parse(row)
        except ValueError as error:
            problems.append(f"line {table.lines[name]}: {error}")
    strange = [column for column in table.columns if column and column not in KNOWN]
    notes = [f"column(s) {printable(', '.join(strange))} passed over; known are {', '.join(KNOWN)}"] if strange else []
    if absent := [row["name"] for name, row in table.rows.items() if name not in names]:
        shown = ", ".join(map(repr, absent[:NAMED])) + (", …" if len(absent) > NAMED else "")
        notes.append(f"{len(absent)} row(s) passed over: no image is named {shown} (write names without their ending)")
    return known, problems, notes


def _lines(path):
    """Return the rows that are not empty, each with the number of its (last) line."""
    content = path.read_bytes()
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise csv.Error("it is in UTF-16; save it as CSV in UTF-8")
    reader = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True)
    rows = [(reader.line_num, [field.strip() for field in row]) for row in reader]
    return [(line, fields) for line, fields in rows if any(fields)]


def _problem_of(columns, key, known):
    if key not in columns:
        found = printable(", ".join(columns)) or "none"
        return f"no column {key!r} (found: {found}); known columns are {', '.join(known)}, separated by commas"
    twice = sorted({column for column in columns if column and columns.count(column) > 1})
    return f"column(s) {printable(', '.join(twice))} occur twice" if twice else None


def _parse(row):
    parsed = {key: row[key] for key in ("source", "specimen") if row.get(key)}
    for key, text in parsed.items():
        if printable(text) != text:
            raise ValueError(f"{key} {text!r} has a line break or another control character")
    if row.get("frame"):
        frame = finite_number(row, "frame")
        if frame != int(frame) or abs(frame) >= 2**53:
            raise ValueError(f"frame {row['frame']!r} is not a whole number")
        parsed["frame"] = int(frame)
    for tip in ("tip", "tip2"):
        columns = f"{tip}_row", f"{tip}_column"
        if any(row.get(column) for column in columns):
            if not all(row.get(column) for column in columns):
                raise ValueError(f"a tip needs both {joined(columns)}")
            parsed[tip] = tuple(finite_number(row, column) for column in columns)
    if "tip2" in parsed and "tip" not in parsed:
        raise ValueError("tip2_row and tip2_column are for a second tip, but tip_row and tip_column are empty")
    if row.get("mm_per_px"):
        parsed["mm_per_px"] = finite_number(row, "mm_per_px")
        if not 0 < parsed["mm_per_px"] <= LARGEST_SCALE:
            raise ValueError(f"mm_per_px {row['mm_per_px']!r} is not a number above 0 and at most {LARGEST_SCALE:g}")
    for column in GROWTH:
        if row.get(column):
            parsed[column] = finite_number(row, column)
            if parsed[column] < 0 and column != "cmod_mm":  # the zero of a clip gauge may drift
                raise ValueError(f"{column} {row[column]!r} is below 0")
    return parsed


def finite_number(row, column):
    """Return the number in a column of a row; ValueError names the column and the text if it is not a finite number."""
    try:
        number = float(row[column])
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        point = "; a decimal has a point" if "," in row[column] else ""
        raise ValueError(f"{column} {row[column]!r} is not a number{point}")
    return number
