"""Find image–mask pairs in folders, and compute a hash of their content."""

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from crack_utils.data.digests import common_bits, sha256
from crack_utils.data.images import SUFFIXES
from crack_utils.data.metadata import read_metadata
from crack_utils.data.names import normal, printable, problem_of, without_mark
from crack_utils.data.stored import DataError

# Names of the two folders in other programs and public data sets, in small letters.
OTHER_NAMES = {
    "images": ("image", "img", "imgs", "photos", "photographs", "pictures", "jpegimages"),
    "masks": ("mask", "label", "labels", "gt", "groundtruth", "ground_truth", "annotations", "segmentationclass"),
}


@dataclass(frozen=True)
class Pair:
    """A photograph, its mask, and what is known of them.

    `tip` is (row, column) [px] in the photograph's own pixels, origin at the top left pixel's centre; `tip2` is the
    other one of a crack with two tips, as in the wall of a pipe or in the middle of a plate. `bits` says how many bits
    the photographs of its folder use, for `read_image`; None where none has more than 8. In a growth test `cycles`,
    `load_n` and `cmod_mm` are what the machine read: N, the load [N], the opening of the mouth [mm].
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
    tip2: tuple[float, float] | None = None
    bits: int | None = None
    cycles: float | None = None
    load_n: float | None = None
    cmod_mm: float | None = None


@dataclass(frozen=True)
class Found:
    """The content of folders: the complete pairs, every problem as (file, why), and notes on what is not a problem.

    `unlabelled` are notes too: a folder that is being labelled with this package (it has `recipes/`) may contain
    photographs without a mask, which are left out. In any other folder a missing mask is a problem.
    """

    pairs: list[Pair]
    problems: list[tuple[Path, str]]
    notes: list[str]
    unlabelled: list[str]


def find_pairs(*folders):
    """Find the image–mask pairs of one or several folders, each a source.

    Parameters
    ----------
    *folders : path-like
        Each holds `images/` and `masks/` with equal stems, optionally `parts/` and `metadata.csv`; or was drawn by
        `crack-utils synth`.

    Returns
    -------
    list of Pair
        In the order of the folders and, within one, of the names.

    Raises
    ------
    DataError
        One message that lists everything at fault: a folder without `images/` or `masks/` or without pictures, files
        that lack their partner (but see `Found`) or share a name, and wrong lines of `metadata.csv`. `check_pairs`
        reads the pictures.
    """
    found = scan(*folders)
    refuse(found.problems)
    return found.pairs


def scan(*folders):
    """Find pairs as `find_pairs` does, and return all problems instead of raising an error.

    Returns
    -------
    Found

    Raises
    ------
    ValueError
        If no folder is given.
    """
    if not folders:
        raise ValueError("find_pairs needs at least one folder with images/ and masks/")
    found = Found([], [], [], [])
    seen = set()
    for folder in (part for given in folders for part in drawn_parts(given)):
        if folder.resolve() in seen:
            found.problems.append((folder, "given twice"))
            continue
        seen.add(folder.resolve())
        _scan(folder, found)
    found.problems.extend(_name_clashes(found.pairs))
    return found


def drawn_parts(folder):
    """Return the two data sets of a folder that `crack-utils synth` has drawn; of any other folder, the folder itself.

    Parameters
    ----------
    folder : path-like

    Returns
    -------
    list of pathlib.Path
    """
    folder = Path(folder)
    parts = [folder / part for part in ("old", "new")]
    drawn = (folder / "synthetic.json").is_file() and all((part / "images").is_dir() for part in parts)
    return parts if drawn else [folder]


def refuse(problems):
    """Raise a `DataError` that lists all problems, file by file; nothing happens if the list is empty.

    Parameters
    ----------
    problems : list of (path, str)
        A file, and why it cannot be used.
    """
    if problems:
        raise DataError(in_words(problems))


def in_words(problems):
    """Return the text in which `refuse` lists problems."""
    by_file = {}
    for file, why in problems:
        by_file.setdefault(printable(file), []).append(why)
    lines = [f"- {file}: {'; '.join(reasons)}" for file, reasons in sorted(by_file.items())]
    return f"{len(problems)} problem(s) in {len(by_file)} file(s):\n" + "\n".join(lines)


def manifest_hash(pairs):
    """Return the hash of a data set's content: names, specimens, tips, and the bytes of every image and mask."""
    with ThreadPoolExecutor() as pool:
        digests = list(pool.map(lambda pair: (sha256(pair.image), sha256(pair.mask)), pairs))
    lines = [
        [pair.name, pair.source, pair.specimen, pair.tip, *digest, *([pair.tip2] if pair.tip2 else [])]
        for pair, digest in zip(pairs, digests, strict=True)
    ]
    return hashlib.sha256(json.dumps(sorted(lines, key=str)).encode()).hexdigest()


def spread(pairs, count):
    """Return `count` pairs taken evenly from the list, or all if there are fewer."""
    places = np.linspace(0, len(pairs) - 1, min(count, len(pairs))).round().astype(int)
    return [pairs[place] for place in places]


def longest_series(pairs):
    """Return the pictures of the specimen with the most pictures, sorted by frame; all if no specimen is named."""
    by_specimen = {}
    for pair in pairs:
        by_specimen.setdefault(pair.specimen, []).append(pair)
    return sorted(max(by_specimen.values(), key=len), key=lambda pair: (pair.frame or 0, pair.name))


def _scan(folder, found):
    """Add to `found` what one folder holds."""
    if not folder.is_dir():
        found.problems.append((folder, "no such folder"))
        return
    if printable(folder.name) != folder.name:
        found.problems.append((folder, "its name is not UTF-8 or has a control character; rename it"))
        return
    missing = [part for part in ("images", "masks") if not (folder / part).is_dir()]
    if missing:
        why = f"no folder {'/ and no folder '.join(missing)}/; a data set holds images/ and masks/ with equal names"
        found.problems.append((folder, why + (_drafts_hint(folder) or _layout_hint(folder))))
        return
    images, masks, parts = (_by_stem(folder / part, found) for part in ("images", "masks", "parts"))
    lonely = sorted(masks.keys() - images.keys(), reverse=True)
    by_image = {without_mark(stem).casefold(): masks[stem] for stem in lonely}
    refused = {normal(path.stem) for path, _ in found.problems if path.parent.parent == folder}  # already listed
    without = sorted(images.keys() - masks.keys() - refused)
    if masks and not masks.keys() - images.keys() and (folder / "recipes").is_dir():
        found.unlabelled.extend(_left_out(folder, [images[stem].name for stem in without], len(images)))
        without = []
    for stem in without:
        other = by_image.get(stem.casefold()) or by_image.get(without_mark(stem).casefold())
        hint = f"; {other.name} seems to be it: rename it to {images[stem].stem}{other.suffix}" if other else ""
        found.problems.append((images[stem], f"no mask of this name{hint}"))
    for others in (masks, parts):
        lonely = sorted(others.keys() - images.keys() - refused)
        found.problems.extend((others[stem], "no image of this name") for stem in lonely)
    if not (images or masks or refused):
        found.problems.append((folder / "images", f"no picture ({', '.join(SUFFIXES)}){_below_hint(folder)}"))
    table = folder / "metadata.csv"
    known, problems, notes = read_metadata(table, images)
    found.problems.extend((table, problem) for problem in problems)
    found.notes.extend(f"{table}: {note}" for note in notes)
    pairs = [
        Pair(stem, images[stem], masks[stem], parts=parts.get(stem), **{"source": folder.name, **known.get(stem, {})})
        for stem in sorted(images.keys() & masks.keys())
    ]
    found.problems.extend((table, problem) for problem in _frame_clashes(pairs))
    if bits := common_bits(pair.image for pair in pairs):
        pairs = [replace(pair, bits=bits) for pair in pairs]
    found.pairs.extend(pairs)


def _left_out(folder, names, count):
    """Yield a line on the photographs of a folder that have no mask yet; nothing if all have a mask."""
    if names:
        some = ", ".join(printable(name) for name in names[:3]) + (", …" if len(names) > 3 else "")
        yield f"{folder}: {len(names)} of {count} photographs have no mask yet and are left out ({some})"


def _drafts_hint(folder):
    """Return a hint if a network has drafted masks that nobody has checked."""
    drafts = len(list((folder / "recipes").glob("*.json"))) if (folder / "images").is_dir() else 0
    return f"; there are {drafts} draft(s) in recipes/: look at them in the editor first" if drafts else ""


def _layout_hint(folder):
    """Return a hint if a folder contains data sets, such as train/ and val/, or if its folders have other names."""
    others = {
        part: [child.name for child in _folders_in(folder) if child.name.lower() in (part, *OTHER_NAMES[part])]
        for part in OTHER_NAMES
        if not (folder / part).is_dir()
    }
    if all(others.values()):
        return "".join(f"; rename {names[0]}/ to {part}/" for part, names in others.items())
    below = [child.name for child in _folders_in(folder) if (child / "images").is_dir() and (child / "masks").is_dir()]
    return f"; give its folders instead: {', '.join(f'{name}/' for name in below[:4])}" if below else ""


def _below_hint(folder):
    """Return a hint if pictures are one folder deeper, as in images/train/."""
    below = [child.name for child in _folders_in(folder / "images")]
    if not below:
        return ""
    first = below[0]
    return (
        f" in it, but it has folders ({', '.join(f'{name}/' for name in below[:4])}); a data set's pictures lie in "
        f"images/ itself: make one of each, such as {first}/images/ and {first}/masks/"
    )


def _folders_in(folder):
    try:
        return sorted(child for child in folder.iterdir() if child.is_dir() and printable(child.name) == child.name)
    except OSError:
        return []


def _by_stem(folder, found):
    """Return the pictures of a folder by name, as `normal` spells it, without ending; empty if there is no folder."""
    pictures = {}
    try:
        files = sorted(folder.iterdir()) if folder.is_dir() else []
    except OSError as error:
        found.problems.append((folder, f"cannot be read ({error.strerror})"))
        return pictures
    for path in files:
        if path.name.startswith("."):
            continue
        stem = normal(path.stem)
        if path.suffix.lower() not in SUFFIXES:
            found.notes.append(f"{printable(path)}: passed over; pictures end in {', '.join(SUFFIXES)}")
        elif problem := problem_of(path):
            found.problems.append((path, problem))
        elif stem in pictures:
            found.problems.append((path, f"{pictures[stem].name} has the same name"))
        else:
            pictures[stem] = path
    return pictures


def _name_clashes(pairs):
    """Yield the pairs with the same source and name as another pair, as (file, why)."""
    first = {}
    for pair in pairs:
        other = first.setdefault((pair.source, pair.name), pair)
        if other is not pair:
            why = f"{other.image} has the same name in the same source {pair.source!r}; rename a folder, or a source"
            yield pair.image, why


def _frame_clashes(pairs):
    """Yield a message for every two pairs that are the same frame of a specimen in one source."""
    first = {}
    for pair in pairs:
        if pair.specimen and pair.frame is not None:
            other = first.setdefault((pair.source, pair.specimen, pair.frame), pair)
            if other is not pair:
                yield f"{other.name!r} and {pair.name!r} are both frame {pair.frame} of specimen {pair.specimen!r}"
