"""Training, validation and test: drawn once from the list of pairs, before anything random, and written down."""

import csv
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from crack_utils.data.digests import image_content, sha256
from crack_utils.data.images import DataError
from crack_utils.data.pairs import Pair, refuse

# Of an experiment that says nothing else.
VALIDATION = 0.2  # share of what the test set leaves (R21)
TEST = 0.2  # share of all
SPLIT_BY = "specimen"

COLUMNS = ("set", "name", "source", "specimen", "image_sha256", "mask_sha256")


@dataclass(frozen=True)
class Split:
    """Three disjoint lists of pairs, decided before any dataset exists."""

    train: list[Pair]
    validation: list[Pair]
    test: list[Pair]

    @property
    def evaluated(self):
        """Return the name of the set that results are claimed on: "test" where there is one, else "validation"."""
        return "test" if self.test else "validation"

    def __getitem__(self, name):
        if name not in (valid := [field.name for field in fields(self)]):
            raise ValueError(f"a split has {', '.join(valid)}; got {name!r}")
        return getattr(self, name)


def split_pairs(pairs, validation=0.2, test=0.0, seed=0, by="image"):
    """Split pairs into training, validation and test, once and for all (R21, R27, suspects S2 and S3).

    Parameters
    ----------
    pairs : list of Pair
    validation : float in (0, 1)
        Share of what is left after the test set.
    test : float in [0, 1)
        Share of all.
    seed : int
    by : {"image", "specimen"}
        What is drawn: single images, or whole specimens so that siblings stay together, also over several sources.
        Pictures that show exactly the same always stay together. Each source gives its share.

    Returns
    -------
    Split

    Raises
    ------
    ValueError
        If a share is out of range, `by` is unknown, a specimen is missing, or too few groups are there to split.
    """
    if by not in ("image", "specimen"):
        raise ValueError(f"by must be 'image' or 'specimen', got {by!r}")
    if not 0 < validation < 1 or not 0 <= test < 1:
        raise ValueError(f"validation must lie in (0, 1) and test in [0, 1), got {validation} and {test}")
    if by == "specimen" and (unnamed := [pair.name for pair in pairs if not pair.specimen]):
        raise ValueError(f"by='specimen' needs the column specimen in metadata.csv; missing for {unnamed[:5]}")
    strata = {}
    for group in _groups(sorted(pairs, key=_place), by):
        strata.setdefault(tuple(sorted({pair.source for pair in group})), []).append(group)
    generator = np.random.default_rng([seed, 2024])
    sets = {"train": [], "validation": [], "test": []}
    for sources in sorted(strata):
        groups = [strata[sources][i] for i in generator.permutation(len(strata[sources]))]
        tests = _share(len(groups), test)
        validations = _share(len(groups) - tests, validation)
        for position, group in enumerate(groups):
            name = "test" if position < tests else "validation" if position < tests + validations else "train"
            sets[name] += group
    split = Split(**{name: sorted(chosen, key=_place) for name, chosen in sets.items()})
    if not split.train or not split.validation or (test and not split.test):
        raise ValueError(f"{len(pairs)} pairs are too few to split by {by} into the sets that were asked for")
    return split


def write_split(split, path):
    """Write a split as CSV: set, name, source, specimen, and the SHA-256 of image and mask."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
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
        The `split.csv` of a run, or a table of its columns made in another way.
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
        place = (row["source"], row["name"])
        if row["set"] not in sets:
            problems.append((path, f"line {line}: unknown set {row['set']!r}; valid are {', '.join(sets)}"))
        elif place in seen:
            problems.append((path, f"line {line}: {row['name']!r} of source {row['source']!r} stands there twice"))
        elif place not in known:
            why = f"line {line}: the data set has no {row['name']!r} of source {row['source']!r}"
            problems.append((path, why))
        else:
            sets[row["set"]].append(known[place])
            problems += _changes(known[place], row, path)
        seen.add(place)
    refuse(problems)
    split = Split(**{name: sorted(chosen, key=_place) for name, chosen in sets.items()})
    if not split.train or not split.validation:
        raise DataError(f"{path}: a split needs pairs for training and for validation")
    refuse(_straddling(split))
    return split


def _read_rows(path):
    """Return the rows of a split with the numbers of their lines."""
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
    """Return what is no longer as the row of a split says."""
    changed = []
    for part in ("image", "mask"):
        file = getattr(pair, part)
        if not Path(file).is_file():
            changed.append((file, "no such file"))
        elif sha256(file) != row[f"{part}_sha256"]:
            changed.append((file, f"changed since {path} was written"))
    return changed


def _straddling(split):
    """Return the pictures of a split that show the same as one of another set."""
    home = {_place(pair): field.name for field in fields(split) for pair in split[field.name]}
    problems = []
    for first, *others in _groups([pair for field in fields(split) for pair in split[field.name]], "image"):
        for pair in others:
            here, there = home[_place(pair)], home[_place(first)]
            if here != there:
                problems.append((pair.image, f"stands in {here}, but {first.image} in {there} shows the same"))
    return problems


def _groups(pairs, by):
    """Return the pairs in lists that must not be parted: of one picture and, by specimen, of one specimen.

    What a file holds is compared where there is one: a split can be planned before its pictures are at hand.
    """
    with ThreadPoolExecutor() as pool:
        pictures = list(pool.map(lambda p: image_content(p.image).digest if Path(p.image).exists() else None, pairs))
    leaders = list(range(len(pairs)))  # of each pair, one of its group that comes before it, or itself
    seen = {}

    def leader(index):
        while leaders[index] != index:
            index = leaders[index]
        return index

    for index, (pair, picture) in enumerate(zip(pairs, pictures, strict=True)):
        marks = [picture] if picture else []
        marks += [("specimen", pair.specimen)] if by == "specimen" else []
        for mark in marks:
            one, other = sorted((leader(seen.setdefault(mark, index)), leader(index)))
            leaders[other] = one
    groups = {}
    for index, pair in enumerate(pairs):
        groups.setdefault(leader(index), []).append(pair)
    return list(groups.values())


def _place(pair):
    return pair.source, pair.name


def _share(count, share):
    return max(1, round(count * share)) if share and count > 1 else 0
