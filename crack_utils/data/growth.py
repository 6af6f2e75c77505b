"""The photographs of growth tests with what the machine read beside them: found, ordered and checked."""

import csv
import itertools
import json
import math
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from crack_utils.data.check import problems_of
from crack_utils.data.digests import sha256
from crack_utils.data.metadata import read_metadata
from crack_utils.data.names import normal
from crack_utils.data.pairs import Pair, refuse, scan
from crack_utils.data.specimens import read_specimens
from crack_utils.data.stored import DataError
from crack_utils.geometry.growth import Specimen
from crack_utils.geometry.growth.lengths import both_halves
from crack_utils.runtime.typeset import few

TABLES = ("metadata.csv", "specimens.csv")
NEEDED = ("photograph", "crack", "tip_row", "tip_column")  # of measures.csv
ENDS = ("tip", "other_end")  # of a crack that is not the primary one
FOR_SCALE = ("length_px", "length_mm")  # both or neither
ROUNDED = 0.01  # relative: two scales that differ less are one
ALIKE = 1.05  # times the least scale of a test: what measuring it again may give


@dataclass(frozen=True)
class Frame:
    """A photograph of a growth test.

    Attributes
    ----------
    name : str
    mask : pathlib.Path
    load : float
        Largest load of the cycles that led to it; where none are counted, the load at which it was taken [N].
    mm_per_px : float
    cycles, cmod : float, optional
        N, and the opening of the crack's mouth [mm].
    tip, other : (row, column), optional
        The primary crack's tip and its other end, a second tip where there are two [px]; None is to be measured.
    uncertainty : float
        Of a tip [px].
    probability : float
        That the tip is the right end of the primary crack, in [0, 1].
    photograph : pathlib.Path, optional
        It shows how the camera moved.
    """

    name: str
    mask: Path
    load: float
    mm_per_px: float
    cycles: float | None = None
    cmod: float | None = None
    tip: tuple | None = None
    other: tuple | None = None
    uncertainty: float = 0.5
    probability: float = 1.0
    photograph: Path | None = None


@dataclass(frozen=True)
class PhotographedTest:
    """A specimen and its photographs, in the order of the test.

    `measured` says that a frame without a tip shows no crack; else it is to be looked for in the mask.
    """

    specimen: Specimen
    frames: list[Frame]
    measured: bool


def find_tests(folder, tables=None):
    """Find the growth tests of a folder.

    Parameters
    ----------
    folder : path-like
        What ``crack-utils predict`` wrote, with `measures.csv` and `masks/`; or a data set, whose true masks and tips
        are then measured.
    tables : path-like, optional
        The folder of `metadata.csv` (columns `name`, `specimen`, `load_n`, `mm_per_px`, for fatigue `cycles`, and
        `frame` and `cmod_mm` if known) and `specimens.csv`; the photographs of a prediction are looked for there, too.
        By default the folder itself or, without them, the one above.

    Returns
    -------
    tests : list of PhotographedTest
    notes : list of str
        What was passed over.

    Raises
    ------
    DataError
        One message that lists all that is wrong: tables that are missing or cannot be read, unknown kinds,
        sizes that do not fit, two specimens of one name, photographs without load, scale or cycles, or changed
        since they were predicted, copies of a photograph, cycles that fall, scales that contradict each other, frames
        that are given for some photographs only; masks that cannot be read or have another size than their photograph;
        or a prediction that has not ended.
    """
    folder = Path(folder)
    if not folder.is_dir():
        refuse([(folder, "no such folder")])
    places = [Path(tables)] if tables is not None else [folder, folder.parent]
    place = next((place for place in places if any((place / name).is_file() for name in TABLES)), places[0])
    missing = [place / name for name in TABLES if not (place / name).is_file()]
    refuse([(path, "no such file; a growth test needs it") for path in missing])
    metadata, specimens_file = (place / name for name in TABLES)
    problems = []
    predicted = (folder / "measures.csv").is_file()
    if not predicted and (folder / "measures").is_dir() and not (folder / "images").is_dir():
        refuse([(folder, "predict has not ended there: no measures.csv; run the same crack-utils predict again")])
    masks, found, earlier, photographs = _predicted(folder, place, problems) if predicted else _true(folder, problems)
    rows, wrong, notes = read_metadata(metadata, masks)
    specimens, wrong_specimens = read_specimens(specimens_file)
    problems += [(metadata, why) for why in wrong] + [(specimens_file, why) for why in wrong_specimens]
    notes = [f"{metadata}: {note}" for note in notes]
    if earlier:
        notes.append(f"{folder}: measured by an earlier predict, not by the last one, passed over: {few(earlier)}")
    by_specimen = {}
    for name, row in rows.items():
        if row.get("specimen"):
            by_specimen.setdefault(row["specimen"], []).append((name, row))
    if not wrong_specimens:
        unknown = [name for name in by_specimen if name not in specimens]
        problems += [(specimens_file, f"no specimen {name!r}, which {metadata.name} names") for name in unknown]
    if not wrong and (unnamed := sorted(name for name in masks if not rows.get(name, {}).get("specimen"))):
        notes.append(f"{metadata}: no specimen, passed over: {few(unnamed)}")
    if not by_specimen and not problems:
        problems.append((metadata, "; ".join([f"names no specimen of a photograph in {folder}", *notes])))
    tests = []
    for name, taken in by_specimen.items():
        if name in specimens:
            taken = _ordered(taken)
            digests = {name: _digest(folder, masks[name], photographs.get(name)) for name, _ in taken}
            contradictions = itertools.chain(_wrong(specimens[name], taken, found), _twice(digests))
            problems += [(metadata, f"specimen {name!r}: {why}") for why in contradictions]
            tests.append((specimens[name], taken))
    if not predicted:
        problems += _wrong_masks(
            [Pair(name, photographs[name], masks[name]) for _, taken in tests for name, _ in taken]
        )
    try:
        refuse(problems)
    except DataError as error:  # a column that was passed over may be the reason
        told = [f"note: {note}" for note in notes if note not in str(error)]
        raise DataError("\n".join([str(error), *told])) from None
    return [_test(specimen, taken, masks, found, photographs) for specimen, taken in tests], notes


def _ordered(photographs):
    """By frame where each has one, else by name, in which numbers count by their value: 2 comes before 10."""
    if all("frame" in row for _, row in photographs):
        return sorted(photographs, key=lambda photograph: photograph[1]["frame"])
    return sorted(photographs, key=lambda photograph: _natural(photograph[0]))


def _natural(name):
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", name)]


def _wrong(specimen, photographs, found):
    """Yield what is wrong with the photographs of one specimen."""
    # Before the first cycle there was no load.
    if lack := [name for name, row in photographs if "load_n" not in row and row.get("cycles") != 0]:
        yield f"no load, load_n is needed: {few(lack)}"
    if lack := [name for name, row in photographs if "mm_per_px" not in {**row, **found.get(name, {})}]:
        yield f"no scale, mm_per_px is needed: {few(lack)}"
    yield from _wrong_scales(photographs, found)
    if 0 < sum("frame" in row for _, row in photographs) < len(photographs):
        yield f"no frame: {few([name for name, row in photographs if 'frame' not in row])}; give all a frame, or none"
    frames = [row["frame"] for _, row in photographs if "frame" in row]
    twice = sorted({frame for frame in frames if frames.count(frame) > 1})
    if twice:
        yield f"frame {twice[0]} is there twice: are these two specimens under one name?"
    counted = [(name, row["cycles"]) for name, row in photographs if "cycles" in row]
    lack = [name for name, row in photographs if "cycles" not in row]
    if lack and (counted or specimen.kind != "pipe"):
        yield f"no cycles: {few(lack)}"
    idle = [name for name, row in photographs if row.get("cycles") and row.get("load_n") == 0]
    if idle:
        yield f"cycles without load, load_n is 0: {few(idle)}"
    for (before, more), (name, fewer) in itertools.pairwise(counted):
        if fewer < more:
            by_name = "" if frames else "; they are ordered by name, a column frame gives another order"
            yield f"cycles fall from {more:g} at {before!r} to {fewer:g} at {name!r}{by_name}"


def _twice(digests):
    """Yield which photographs of a specimen are copies of each other: a copy is no second reading."""
    first = {}
    for name, digest in digests.items():
        if digest and (earlier := first.setdefault(digest, name)) != name:
            yield f"{name!r} is the same photograph as {earlier!r}: leave one of them out"


def _digest(folder, mask, photograph):
    """Return the SHA-256 of a photograph, or of the one that predict made the mask of; None where it is not known."""
    return sha256(photograph) if photograph else _seen(folder, mask)


def _wrong_masks(pairs):
    """Return which masks cannot be read or have another size; a damaged photograph costs its movement alone."""
    masks = {pair.mask for pair in pairs}
    return [(path, why) for path, why in problems_of(pairs) if path in masks]


def _wrong_scales(photographs, found):
    """Yield where the scales of a specimen's photographs contradict each other."""
    other = [
        (name, row["mm_per_px"], found[name]["mm_per_px"])
        for name, row in photographs
        if "mm_per_px" in row and found.get(name, {}).get("mm_per_px")
    ]
    for name, in_table, measured_with in other:
        if abs(in_table / measured_with - 1) > ROUNDED:
            yield (
                f"{name!r} has {in_table:g} mm_per_px, but was measured with {measured_with:g}; predict it again, or "
                "correct it"
            )
            break
    scales = {name: row.get("mm_per_px", found.get(name, {}).get("mm_per_px")) for name, row in photographs}
    known = {name: scale for name, scale in scales.items() if scale}
    if known and max(known.values()) > ALIKE * min(known.values()):
        least, most = min(known, key=known.get), max(known, key=known.get)
        yield (
            f"mm_per_px from {known[least]:g} at {least!r} to {known[most]:g} at {most!r}; a test is photographed at "
            "one scale, so that the notch stays where it is"
        )


def _test(specimen, taken, masks, found, photographs):
    frames, halves = [], _are_halves(specimen, taken, found)
    for name, row in taken:
        true = {} if found else {"tip": row.get("tip"), "other": row.get("tip2") if specimen.two_tips else None}
        values = {**true, **found.get(name, {})}
        values["mm_per_px"] = row.get("mm_per_px", values.get("mm_per_px"))
        second, lines = values.pop("tip2", None), values.pop("lines", [])
        if second and (specimen.two_tips or not values.get("other")):
            values["other"] = second
        if specimen.two_tips and found and (halves or not second):
            ends = values.get("tip"), values.get("other")
            values["tip"], values["other"] = both_halves(specimen, *ends, lines, values["mm_per_px"])
        values |= {"cycles": row.get("cycles"), "cmod": row.get("cmod_mm"), "photograph": photographs.get(name)}
        frames.append(Frame(name, masks[name], row.get("load_n", 0.0), **values))
    return PhotographedTest(specimen, frames, bool(found))


def _are_halves(specimen, taken, found):
    """Return whether predicted pairs of tips are the ends of a half beside the notch, not the tips of the whole crack.

    A whole crack contains its notch. The place of the notch, if it is given, is that in the first photograph, and the
    camera may move, so most photographs decide.
    """
    outside = []
    for name, row in taken if specimen.two_tips and specimen.notch is not None else ():
        values = found.get(name, {})  # not what a person has labelled
        if values.get("tip") and values.get("tip2"):
            tip, way = np.array(values["tip"]), np.subtract(values["tip2"], values["tip"])
            span = np.hypot(*way)
            along = (specimen.notch - tip) @ way / max(span, 1.0)
            inside = 0.5 * specimen.a_n / row.get("mm_per_px", values.get("mm_per_px"))
            outside.append(not inside <= along <= span - inside)
    return sum(outside) > len(outside) / 2


def _true(folder, problems):
    """Return the masks and photographs of a data set by name; what is in the masks is to be measured."""
    found = scan(folder)
    if not (folder / "masks").is_dir():
        why = "neither measures.csv, as crack-utils predict writes it, nor images/ and masks/"
        problems.append((folder, why))
        return {}, {}, [], {}
    # Wrong lines of the table are told already.
    problems.extend(problem for problem in found.problems if problem[0] != folder / TABLES[0])
    masks, photographs = ({pair.name: getattr(pair, part) for pair in found.pairs} for part in ("mask", "image"))
    return masks, {}, [], photographs


def _predicted(folder, place, problems):
    """Return the masks that a prediction wrote, what is known of each, the names of an earlier one's, and photographs.

    All but the third by name. The photographs are those beside the tables of the test, or in `images/` there.
    """
    table = folder / "measures.csv"
    try:
        with open(table, newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, strict=True)
            columns, rows = reader.fieldnames or [], list(reader)
    except (UnicodeDecodeError, csv.Error, OSError) as error:
        problems.append((table, f"cannot be read as a table ({error})"))
        return {}, {}, [], {}
    needed = NEEDED + (FOR_SCALE if "length_mm" in columns else ())
    missing = [column for column in needed if column not in columns] if rows else []
    if missing:
        problems.append((table, f"no column {', '.join(missing)}; crack-utils predict writes it"))
        return {}, {}, [], {}
    pictures = sorted((folder / "masks").glob("*.png"))
    masks = {normal(path.stem): path for path in pictures if not path.name.startswith(".")}
    found, files = _last(folder, masks)
    earlier = sorted(masks.keys() - found.keys() - {normal(row["photograph"]) for row in rows})
    masks = {name: path for name, path in masks.items() if name not in earlier}
    for row in rows:
        name = normal(row["photograph"])
        if name not in masks:
            problems.append((table, f"{name!r} has no mask masks/{name}.png"))
            continue
        try:
            if row["crack"] == "1":
                found[name] = _crack(row) | found.get(name, {})
            elif ends := list(filter(None, (_place(row, prefix) for prefix in ENDS))):
                found.setdefault(name, {}).setdefault("lines", []).append(ends)
        except ValueError as error:
            problems.append((table, f"{name!r}: {error}"))
    places = {name: [place / file, place / "images" / file] for name, file in files.items()}
    photographs = {name: path for name, paths in places.items() for path in paths if path.is_file()}
    problems += [
        (path, "not the photograph that predict saw; predict it again, or keep the tables in another folder")
        for name, path in photographs.items()
        if name in masks and _seen(folder, masks[name]) not in (None, sha256(path))
    ]
    return masks, found, earlier, photographs


def _seen(folder, mask):
    """Return the SHA-256 of the photograph that predict made a mask of; None where it is not known."""
    try:
        record = json.loads((folder / "measures" / f"{mask.stem}.json").read_text(encoding="utf-8"))
        return record["made_of"]["photograph"]
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _last(folder, masks):
    """Return the scale and the file name of each photograph of the last predict; measures.csv has only the cracked."""
    try:
        summary = json.loads((folder / "measures.json").read_text(encoding="utf-8"))
        records = {normal(record["name"]): record for record in summary["photographs"]}
        files = {name: record["file"] for name, record in records.items() if "file" in record}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):  # a table of another program
        return {name: {} for name in masks}, {}
    scales = {name: records[name].get("mm_per_px") for name in masks if name in records}
    return {name: {"mm_per_px": scale} if scale else {} for name, scale in scales.items()}, files


def _crack(row):
    tip, second, other = (_place(row, prefix) for prefix in ("tip", "tip2", "other_end"))
    crack = {"tip": tip, "tip2": second, "other": other}
    crack["uncertainty"] = float(row.get("tip_uncertainty_px") or 0.5)
    crack["probability"] = float(row.get("right_end_probability") or 1.0)
    if not (0 <= crack["uncertainty"] < math.inf and 0 <= crack["probability"] <= 1):
        raise ValueError("tip_uncertainty_px has to be 0 or more, and right_end_probability between 0 and 1")
    if row.get("length_mm") and float(row["length_px"]) > 0:
        crack["mm_per_px"] = float(row["length_mm"]) / float(row["length_px"])
    return crack


def _place(row, prefix):
    if not row.get(f"{prefix}_row") or not row.get(f"{prefix}_column"):
        return None
    return float(row[f"{prefix}_row"]), float(row[f"{prefix}_column"])
