"""Checks whether a data set can be used: reads every file once and lists all problems together. NumPy only.

It refuses files that cannot be read or paired, files that are not masks, tables that contradict each other, and a
picture that occurs twice: it would count twice or, with two masks, teach both. For what can be used but may be a
mistake, there is a note.
"""

import shlex
import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
from tqdm import tqdm

from crack_utils.data.digests import image_content, mask_content, parts_content
from crack_utils.data.pairs import refuse, scan
from crack_utils.data.stored import DataError
from crack_utils.runtime.typeset import number

READERS = {"image": image_content, "mask": mask_content, "parts": parts_content}

# A mask that is nearly all crack has background and crack exchanged: in real masks less than a tenth is crack. The same
# holds for a folder in which most masks have more crack than background. A single such mask may be a close-up: a note.
ALL_CRACK = 0.9
MUCH_CRACK = 0.5
SMALL = 128  # [px] shorter side: smaller crops show little of what is around a crack

ALL_MENDED = "`crack-utils import {} --crack black --out DATA` writes all masks with the two changed over"
ONE_MENDED = (
    "If so, invert this mask alone, because the others are right, or draw it again in JupyterLab with labelling.edit"
)
LISTED = 5  # masks with gray edges that the notes name


def check_pairs(pairs):
    """Read every file once and refuse the data set if any pair cannot be used.

    Parameters
    ----------
    pairs : list of Pair

    Returns
    -------
    list of str
        What is not an error but worth a look.

    Raises
    ------
    DataError
        One message that lists every file at fault and why: empty, unreadable or cut off, not binary, of unequal size,
        nearly all crack, the same picture as another; a tip outside its picture or without a crack; no crack in the
        whole data set.
    """
    if not pairs:
        raise DataError("the data set holds no pair")
    contents, problems = _read(pairs)
    refuse(problems + _inverted(pairs, contents) + _contradictions(pairs, contents))
    return _notes(pairs, contents)


def check_folders(*folders):
    """Find the pairs of folders and check them, all in one pass.

    Parameters
    ----------
    *folders : path-like
        As for `find_pairs`.

    Returns
    -------
    Found
        The pairs, and in its notes what is not an error but worth a look.

    Raises
    ------
    DataError
        One message that lists what `find_pairs` and `check_pairs` would refuse, together.
    """
    found = survey_folders(*folders)
    refuse(found.problems)
    return found


def survey_folders(*folders):
    """Find the pairs of folders and check them; a bad file excludes only its own pair.

    Parameters
    ----------
    *folders : path-like
        As for `find_pairs`.

    Returns
    -------
    Found
        The pairs that can be used, all problems as (file, why), and in its notes what is not an error but worth a look.
    """
    found = scan(*folders)
    contents, problems = _read(found.pairs)
    problems += _inverted(found.pairs, contents) + _contradictions(found.pairs, contents)
    wrong = {path for path, _ in problems}
    usable = [
        (pair, content)
        for pair, content in zip(found.pairs, contents, strict=True)
        if wrong.isdisjoint((pair.image, pair.mask, pair.parts, pair.mask.parent))
        and not list(_mismatches(pair, content))
    ]
    pairs, contents = [pair for pair, _ in usable], [content for _, content in usable]
    return replace(
        found,
        pairs=pairs,
        problems=found.problems + problems,
        notes=[*found.notes, *found.unlabelled, *_notes(pairs, contents)],
    )


def problems_of(pairs):
    """Return what is wrong with the files of pairs, each pair alone.

    Parameters
    ----------
    pairs : list of Pair

    Returns
    -------
    list of (path, str)
        The file and why it cannot be used: it cannot be read, or does not fit the photograph.
    """
    return _read(pairs)[1]


def _read(pairs):
    """Return each pair's contents by part, as far as they can be read, and what is wrong with single pairs."""
    with warnings.catch_warnings(), ThreadPoolExecutor() as pool:
        warnings.filterwarnings("ignore", module=r"PIL\.")  # Pillow warns of a damaged file, which is listed anyway
        # The bar shows at a terminal only.
        results = list(tqdm(pool.map(_read_pair, pairs), total=len(pairs), unit="pair", disable=None, leave=False))
    return [contents for contents, _ in results], [problem for _, problems in results for problem in problems]


def _read_pair(pair):
    contents, problems = {}, []
    for part, read in READERS.items():
        path = getattr(pair, part)
        if path is None:
            continue
        try:
            contents[part] = read(path)
        except DataError as error:
            problems.append((path, str(error).removeprefix(f"{path}: ")))
        except (OSError, MemoryError) as error:
            problems.append((path, f"cannot be read ({error or type(error).__name__})"))
    return contents, problems + list(_mismatches(pair, contents))


def _mismatches(pair, contents):
    """Compare the files of one pair with each other, and its tip with them."""
    image, mask, parts = (contents.get(part) for part in READERS)
    for part, other in (("mask", mask), ("parts", parts)):
        if image and other and other.size != image.size:
            why = f"{_text(other.size)} pixels, but {pair.image.name} has {_text(image.size)}"
            if other.size == image.size[::-1] and image.orientation > 4 and other.orientation == 1:
                why += ", as its EXIF orientation turns it; turn this file too, so that it lies on what viewers show"
            yield getattr(pair, part), why
    if mask and parts and parts.size == mask.size and parts.digest != mask.digest:
        yield pair.parts, f"primary and secondary crack together are not the mask {pair.mask.name}"
    table = pair.image.parent.parent / "metadata.csv"
    for which, tip in (("tip", pair.tip), ("second tip", pair.tip2)):
        if tip and image and not all(-0.5 <= at <= side - 0.5 for at, side in zip(tip, image.size, strict=True)):
            yield table, f"the {which} of {pair.name!r} at {tip} lies outside its picture of {_text(image.size)} pixels"
    if pair.tip and mask and not mask.crack:
        yield table, f"{pair.name!r} has a tip, but no crack in its mask {pair.mask.name}"


def _inverted(pairs, contents):
    """Return the masks in which background and crack must have been exchanged."""
    shares, folders = {}, {}
    for pair, content in zip(pairs, contents, strict=True):
        if "mask" in content and content["mask"].crack:
            shares[pair.mask] = content["mask"].crack / np.prod(content["mask"].size)
            folders.setdefault(pair.mask.parent, []).append(shares[pair.mask])
    problems = []
    for mask, share in shares.items():
        whole = np.mean(np.array(folders[mask.parent]) > MUCH_CRACK) > 0.5
        if share > ALL_CRACK or (share > MUCH_CRACK and whole):
            why = f"{number(share, '.0%')} of it is crack; are background and crack exchanged?"
            mended = ALL_MENDED.format(shlex.quote(str(mask.parent.parent))) if whole else ONE_MENDED
            problems.append((mask, f"{why} {mended}"))
    return problems


def _contradictions(pairs, contents):
    """Compare the pairs with each other: pictures that occur twice, and a data set without any crack."""
    problems, first = [], {}
    for pair, content in zip(pairs, contents, strict=True):
        if "image" not in content:
            continue
        other, others = first.setdefault(content["image"].digest, (pair, content))
        if other is pair:
            continue
        why = f"the same picture as {other.image}"
        if other.source != pair.source:
            why += f" in another source ({other.source!r}, here {pair.source!r})"
        if {"mask"} <= content.keys() & others.keys() and content["mask"].digest != others["mask"].digest:
            why += ", but with another mask"
        problems.append((pair.image, why))
    masks = [content["mask"] for content in contents if "mask" in content]
    if masks and len(masks) == len(pairs) and not any(mask.crack for mask in masks):
        folders = sorted({pair.mask.parent for pair in pairs})
        problems += [(folder, "no mask of the data set shows a crack: nothing can be learnt") for folder in folders]
    return problems


def _notes(pairs, contents):
    """Return notes on what can be used but may be a mistake."""
    return [
        *_notes_on_masks(pairs, contents),
        *_notes_on_turns(contents),
        *_notes_on_bits(pairs),
        *_notes_on_sizes(pairs, contents),
        *_notes_on_specimens(pairs),
    ]


def _notes_on_masks(pairs, contents):
    masks = [content["mask"] for content in contents]
    if empty := sum(not mask.crack for mask in masks):
        yield f"{empty} of {len(pairs)} masks show no crack"
    for pair, mask in zip(pairs, masks, strict=True):
        share = mask.crack / (mask.size[0] * mask.size[1])
        if share > MUCH_CRACK:
            yield f"{pair.mask}: {number(share, '.0%')} of it is crack; are background and crack exchanged?"
    if grays := [(pair.mask, mask.gray) for pair, mask in zip(pairs, masks, strict=True) if mask.gray]:
        shown = ", ".join(f"{path.name}: {count}" for path, count in grays[:LISTED]) + ", …" * (len(grays) > LISTED)
        yield (
            f"{len(grays)} of {len(pairs)} masks have pixels between black and white, as JPEG and smoothing leave them "
            f"({shown}); those brighter than the middle are crack"
        )


def _notes_on_turns(contents):
    turned = sum(content["image"].orientation > 1 == content["mask"].orientation for content in contents)
    if turned:
        yield (
            f"{turned} photograph(s) are turned by their EXIF orientation, and their masks are not: this is right "
            "where the masks lie on the photographs as viewers show them"
        )


def _notes_on_bits(pairs):
    for folder, bits in sorted({(str(pair.image.parent), pair.bits) for pair in pairs if pair.bits}):
        if bits < 16:
            yield f"{folder}: photographs of 16 bit, of which {bits} are used"


def _notes_on_sizes(pairs, contents):
    sides = [content["image"].size for content in contents]
    sizes = sorted(set(sides))
    if len(sizes) < 2:
        return
    yield (
        f"pictures of {len(sizes)} sizes, from {_text(sizes[0])} to {_text(sizes[-1])}; "
        "the preset photo trains on crops, for which sizes may differ"
    )
    shorter = [min(size) for size in sides]
    side = min(shorter)
    if side < SMALL <= sorted(shorter)[len(shorter) // 2]:
        smallest = pairs[shorter.index(side)].image
        yield f"{smallest}: its {side} px limit the crops of all pictures; leave it out"


def _notes_on_specimens(pairs):
    sources = {}
    for pair in pairs:
        if pair.specimen:
            sources.setdefault(pair.specimen, set()).add(pair.source)
    for specimen in sorted(name for name, of in sources.items() if len(of) > 1):
        yield f"specimen {specimen!r} is named in several sources: a split by specimen counts it as one specimen"


def _text(size):
    return "×".join(map(str, size))
