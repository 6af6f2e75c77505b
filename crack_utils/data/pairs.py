"""Image–mask pairs in folders: find them, check them, know them by their content. NumPy only."""

import csv
import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
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
    """Return the pictures of the specimen that has most of them, in the order of their frames; all if none is named."""
    by_specimen = {}
    for pair in pairs:
        by_specimen.setdefault(pair.specimen, []).append(pair)
    return sorted(max(by_specimen.values(), key=len), key=lambda pair: (pair.frame or 0, pair.name))


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
