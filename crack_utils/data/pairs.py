"""Image–mask pairs in folders: find them, check them, split them, write the split down. NumPy only."""

import csv
import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from crack_utils.data.images import SUFFIXES, DataError, read_image, read_mask

METADATA = ("name", "source", "specimen", "frame", "tip_row", "tip_column", "mm_per_px")


@dataclass(frozen=True)
class Pair:
    """A photograph, its mask, and what is known of them.

    `tip` is (row, column) [px] in the photograph's own pixels, origin at the top left pixel's centre.
    """

    name: str
    image: Path
    mask: Path
    source: str = ""
    specimen: str = ""
    frame: int | None = None
    tip: tuple[float, float] | None = None
    mm_per_px: float | None = None
    parts: Path | None = None


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


def find_pairs(*folders):
    """Find the image–mask pairs of one or several folders, each a source.

    Parameters
    ----------
    *folders : path-like
        Each holds `images/` and `masks/` with equal stems, optionally `parts/` and `metadata.csv`.

    Returns
    -------
    list of Pair
        In the order of the folders and, within one, of the names.

    Raises
    ------
    DataError
        If a folder has no `images/` or `masks/`, is empty, or a file lacks its partner.
    """
    if not folders:
        raise ValueError("find_pairs needs at least one folder with images/ and masks/")
    return [pair for folder in folders for pair in _pairs_of(Path(folder))]


def check_pairs(pairs):
    """Read every file once and refuse the data set if any pair cannot be used.

    Raises
    ------
    DataError
        One message that lists every file at fault: unreadable, not binary, or of unequal size.
    """
    if not pairs:
        raise DataError("the data set holds no pair")
    with ThreadPoolExecutor() as pool:
        problems = [problem for found in pool.map(_problems, pairs) for problem in found]
    if problems:
        raise DataError(f"{len(problems)} problem(s) in {len(pairs)} pairs:\n" + "\n".join(f"- {p}" for p in problems))


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
        What is drawn: single images, or whole specimens so that siblings stay together. Each source gives its share.

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
    groups = {}
    for pair in pairs:
        key = pair.specimen if by == "specimen" else str(pair.image)
        groups.setdefault(pair.source, {}).setdefault(key, []).append(pair)
    generator = np.random.default_rng([seed, 2024])
    sets = {"train": [], "validation": [], "test": []}
    for source in sorted(groups):
        keys = sorted(groups[source])
        keys = [keys[i] for i in generator.permutation(len(keys))]
        tests = _share(len(keys), test)
        validations = _share(len(keys) - tests, validation)
        for position, key in enumerate(keys):
            name = "test" if position < tests else "validation" if position < tests + validations else "train"
            sets[name] += groups[source][key]
    split = Split(**{name: sorted(chosen, key=lambda p: (p.source, p.name)) for name, chosen in sets.items()})
    if not split.train or not split.validation or (test and not split.test):
        raise ValueError(f"{len(pairs)} pairs are too few to split by {by} into the sets that were asked for")
    return split


def write_split(split, path):
    """Write a split as CSV: set, name, source, specimen, and the SHA-256 of image and mask."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["set", "name", "source", "specimen", "image_sha256", "mask_sha256"])
        for name in ("train", "validation", "test"):
            writer.writerows(
                [name, pair.name, pair.source, pair.specimen, sha256(pair.image), sha256(pair.mask)]
                for pair in split[name]
            )


def manifest_hash(pairs):
    """Return the hash of a data set's content: names, specimens, tips, and the bytes of every image and mask."""
    with ThreadPoolExecutor() as pool:
        digests = list(pool.map(lambda pair: (sha256(pair.image), sha256(pair.mask)), pairs))
    lines = [
        [pair.name, pair.source, pair.specimen, pair.tip, *digest] for pair, digest in zip(pairs, digests, strict=True)
    ]
    return hashlib.sha256(json.dumps(sorted(lines, key=str)).encode()).hexdigest()


def sha256(path):
    """Return the SHA-256 of a file's bytes as hexadecimal text."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def spread(pairs, count):
    """Return `count` pairs taken evenly from the list, or all if there are fewer."""
    places = np.linspace(0, len(pairs) - 1, min(count, len(pairs))).round().astype(int)
    return [pairs[place] for place in places]


def longest_series(pairs):
    """Return the pictures of the specimen that has most of them, in the order of their frames; all, if none is named."""
    by_specimen = {}
    for pair in pairs:
        by_specimen.setdefault(pair.specimen, []).append(pair)
    return sorted(max(by_specimen.values(), key=len), key=lambda pair: (pair.frame or 0, pair.name))


def _share(count, share):
    return max(1, round(count * share)) if share and count > 1 else 0


def _pairs_of(folder):
    pictures = {}
    for part in ("images", "masks"):
        if not (folder / part).is_dir():
            raise DataError(f"{folder}: no folder {part}/; a data set holds images/ and masks/ with equal names")
        pictures[part] = _by_stem(folder / part)
    images, masks = pictures["images"], pictures["masks"]
    lonely = [f"{images[stem]}: no mask of this name" for stem in sorted(images.keys() - masks.keys())]
    lonely += [f"{masks[stem]}: no image of this name" for stem in sorted(masks.keys() - images.keys())]
    if lonely:
        raise DataError(f"{len(lonely)} file(s) without a partner:\n" + "\n".join(f"- {line}" for line in lonely))
    if not images:
        raise DataError(f"{folder}/images: no picture ({', '.join(SUFFIXES)})")
    parts = _by_stem(folder / "parts") if (folder / "parts").is_dir() else {}
    known = _metadata(folder / "metadata.csv", images)
    return [
        Pair(stem, images[stem], masks[stem], parts=parts.get(stem), **{"source": folder.name, **known.get(stem, {})})
        for stem in sorted(images)
    ]


def _by_stem(folder):
    found = {}
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() in SUFFIXES and not path.name.startswith("."):
            if path.stem in found:
                raise DataError(f"{path}: {found[path.stem].name} has the same name")
            found[path.stem] = path
    return found


def _metadata(path, images):
    """Return what `metadata.csv` says of each name; an absent file says nothing."""
    if not path.exists():
        return {}
    with open(path, newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file)
        if "name" not in (reader.fieldnames or []):
            raise DataError(f"{path}: no column 'name'; known columns are {', '.join(METADATA)}")
        rows = list(reader)
    known = {}
    for line, row in enumerate(rows, start=2):
        if row["name"] not in images:
            raise DataError(f"{path}, line {line}: no image is named {row['name']!r}")
        if row["name"] in known:
            raise DataError(f"{path}, line {line}: {row['name']!r} stands there twice")
        try:
            known[row["name"]] = _parse(row)
        except ValueError as error:
            raise DataError(f"{path}, line {line}: {error}") from None
    return known


def _parse(row):
    parsed = {key: row[key] for key in ("source", "specimen") if row.get(key)}
    if row.get("frame"):
        parsed["frame"] = int(row["frame"])
    if row.get("tip_row") and row.get("tip_column"):
        parsed["tip"] = (float(row["tip_row"]), float(row["tip_column"]))
    if row.get("mm_per_px"):
        parsed["mm_per_px"] = float(row["mm_per_px"])
    return parsed


def _problems(pair):
    problems, shapes = [], {}
    for part, read in (("image", read_image), ("mask", read_mask)):
        try:
            shapes[part] = read(getattr(pair, part)).shape
        except DataError as error:
            problems.append(str(error))
    if len(shapes) == 2 and shapes["image"] != shapes["mask"]:
        image, mask = ("×".join(map(str, shapes[part])) for part in ("image", "mask"))
        problems.append(f"{pair.mask}: {mask} pixels, but {pair.image.name} has {image}")
    return problems
