"""`metadata.csv`: what is known of the pictures of a folder, read row by row, with all that is wrong in it."""

import csv
import io
import math

METADATA = ("name", "source", "specimen", "frame", "tip_row", "tip_column", "mm_per_px")
GROWTH = ("cycles", "load_n", "cmod_mm")  # of a growth test: what the machine read when the photograph was taken


def read_metadata(path, names=None):
    """Read what a table says of each picture.

    Parameters
    ----------
    path : pathlib.Path
        `metadata.csv`; a file that is not there says nothing.
    names : collection of str, optional
        The pictures that the table may speak of; by default any.

    Returns
    -------
    known : dict of str to dict
        By name, the fields of `Pair` that are filled in: source, specimen, frame, tip, mm_per_px,
        cycles, load_n, cmod_mm.
    problems : list of str
        Why the table cannot be used, each with its line.
    notes : list of str
        What was passed over.
    """
    if not path.exists():
        return {}, [], []
    try:
        rows = table_rows(path)
    except UnicodeDecodeError as error:
        return {}, [f"not in UTF-8 (byte {error.start}); save it as CSV in UTF-8"], []
    except (csv.Error, OSError) as error:
        return {}, [f"cannot be read as a table ({error})"], []
    columns = rows[0][1] if rows else []
    if problem := _problem_of(columns):
        return {}, [problem], []
    known, problems = {}, []
    for line, fields in rows[1:]:
        row = dict(zip(columns, fields, strict=False))
        try:
            if any(fields[len(columns) :]):
                raise ValueError(f"{len(fields)} fields, but there are {len(columns)} columns")
            if names is not None and row.get("name") not in names:
                raise ValueError(f"no image is named {row.get('name', '')!r} (names go without their ending)")
            if row["name"] in known:
                raise ValueError(f"{row['name']!r} stands there twice")
            known[row["name"]] = {}
            known[row["name"]] = _parse(row)
        except ValueError as error:
            problems.append(f"line {line}: {error}")
    strange = [column for column in columns if column and column not in (*METADATA, *GROWTH)]
    known_ones = ", ".join((*METADATA, *GROWTH))
    notes = [f"column(s) {', '.join(strange)} passed over; known are {known_ones}"] if strange else []
    return known, problems, notes


def table_rows(path):
    """Return the rows of a CSV file that hold anything, each with the number of its (last) line."""
    reader = csv.reader(io.StringIO(path.read_text(encoding="utf-8-sig"), newline=""), strict=True)
    rows = [(reader.line_num, [field.strip() for field in row]) for row in reader]
    return [(line, fields) for line, fields in rows if any(fields)]


def _problem_of(columns):
    if "name" not in columns:
        found = ", ".join(columns) or "none"
        return f"no column 'name' (found: {found}); known columns are {', '.join(METADATA)}, divided by commas"
    twice = sorted({column for column in columns if column in (*METADATA, *GROWTH) and columns.count(column) > 1})
    return f"column(s) {', '.join(twice)} stand there twice" if twice else None


def _parse(row):
    parsed = {key: row[key] for key in ("source", "specimen") if row.get(key)}
    if row.get("frame"):
        frame = _number(row, "frame")
        if frame != int(frame):
            raise ValueError(f"frame {row['frame']!r} is no whole number")
        parsed["frame"] = int(frame)
    if row.get("tip_row") or row.get("tip_column"):
        if not (row.get("tip_row") and row.get("tip_column")):
            raise ValueError("a tip needs both tip_row and tip_column")
        parsed["tip"] = (_number(row, "tip_row"), _number(row, "tip_column"))
    if row.get("mm_per_px"):
        parsed["mm_per_px"] = _number(row, "mm_per_px")
        if parsed["mm_per_px"] <= 0:
            raise ValueError(f"mm_per_px {row['mm_per_px']!r} is not above 0")
    for column in GROWTH:
        if row.get(column):
            parsed[column] = _number(row, column)
            if parsed[column] < 0:
                raise ValueError(f"{column} {row[column]!r} is below 0")
    return parsed


def _number(row, column):
    try:
        number = float(row[column])
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(f"{column} {row[column]!r} is no number")
    return number
