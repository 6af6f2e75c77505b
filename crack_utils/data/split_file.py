"""A split in a file, `split.csv`: with the digest of each image and mask, to be repeated on the same bytes."""

import csv
from dataclasses import fields
from pathlib import Path

from crack_utils.data.decoding import is_regular
from crack_utils.data.digests import sha256
from crack_utils.data.pairs import refuse
from crack_utils.data.split import Split, place, straddling
from crack_utils.data.stored import DataError

COLUMNS = ("set", "name", "source", "specimen", "image_sha256", "mask_sha256")


def write_split(split, path):
    """Write a split as CSV: set, name, source, specimen, and the SHA-256 of image and mask.

    Parameters
    ----------
    split : Split
    path : path-like
        Overwritten.

    Raises
    ------
    OSError
        If a picture cannot be read, or the file cannot be written.
    """
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for name in ("train", "validation", "test"):
            writer.writerows(
                [name, pair.name, pair.source, pair.specimen, sha256(pair.image), sha256(pair.mask)]
                for pair in split[name]
            )


def read_split(path, pairs):
    """Read back what `write_split` wrote, to repeat a split on the same files.

    Parameters
    ----------
    path : path-like
        The `split.csv` of a run, or a table of its columns made in another way, whose digests may be empty.
    pairs : list of Pair
        The data set. Pairs that the table does not name belong to no set.

    Returns
    -------
    Split

    Raises
    ------
    DataError
        One message that lists every file that is missing or no longer holds the bytes that were split, every wrong
        line, and pictures that show the same on both sides; or says that training or validation is empty.
    """
    rows = _read_rows(path)
    known = {(pair.source, pair.name): pair for pair in pairs}
    sets = {field.name: [] for field in fields(Split)}
    problems, seen = [], set()
    for line, row in rows:
        named = (row["source"], row["name"])
        if row["set"] not in sets:
            problems.append((path, f"line {line}: unknown set {row['set']!r}; valid are {', '.join(sets)}"))
        elif named in seen:
            problems.append((path, f"line {line}: {row['name']!r} of source {row['source']!r} occurs twice"))
        elif named not in known:
            why = f"line {line}: the data set has no {row['name']!r} of source {row['source']!r}"
            problems.append((path, why))
        else:
            sets[row["set"]].append(known[named])
            problems += _changes(known[named], row, path)
        seen.add(named)
    refuse(problems)
    split = Split(**{name: sorted(chosen, key=place) for name, chosen in sets.items()})
    if not split.train or not split.validation:
        raise DataError(f"{path}: a split needs pairs for training and for validation")
    refuse(straddling(split))
    return split


def refuse_changed(path, pairs):
    """Raise a `DataError` if files of a data set have changed since a split was written, such as a redrawn mask.

    Parameters
    ----------
    path : path-like
        The `split.csv` of a run.
    pairs : list of Pair

    Raises
    ------
    DataError
        One message that lists every file that is missing or holds other bytes.
    """
    known, problems = {(pair.source, pair.name): pair for pair in pairs}, []
    for line, row in _read_rows(path):
        pair = known.get((row["source"], row["name"]))
        if pair is None:
            problems.append((path, f"line {line}: the data set has no {row['name']!r} of source {row['source']!r}"))
        else:
            problems += _changes(pair, row, path)
    refuse(problems)


def _read_rows(path):
    """Return the rows of a split with the numbers of their lines."""
    if Path(path).exists() and not is_regular(path):
        raise DataError(f"{path}: not a regular file")
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, strict=True)
            rows = [(reader.line_num, row) for row in reader]
    except FileNotFoundError:
        raise DataError(f"{path}: no such file") from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: cannot be read as a table ({error})") from error
    if missing := [column for column in COLUMNS if column not in (reader.fieldnames or [])]:
        raise DataError(f"{path}: no column {', '.join(missing)}; a split has {', '.join(COLUMNS)}")
    return rows


def _changes(pair, row, path):
    """Return the files that differ from the row of a split, as (file, why)."""
    changed = []
    for part in ("image", "mask"):
        file = getattr(pair, part)
        if not Path(file).is_file():
            changed.append((file, "no such file"))
        elif (digest := row[f"{part}_sha256"]) != "" and sha256(file) != digest:  # a table made by hand may not say
            changed.append((file, f"changed since {path} was written"))
    return changed
