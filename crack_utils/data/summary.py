"""What a person wants to know of a data set before training on it: sizes, cracks, look-alikes, and how it would split.

For data sets that `check_folders` found usable. NumPy only.
"""

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass

import numpy as np
from tqdm import tqdm

from crack_utils import metrics
from crack_utils.data import lookalikes, sources
from crack_utils.data.digests import image_content, mask_content
from crack_utils.data.masks import read_mask
from crack_utils.data.names import printable
from crack_utils.data.pairs import spread
from crack_utils.data.split import SPLIT_BY, TEST, VALIDATION, split_pairs, warnings_of
from crack_utils.data.widths import trimmed
from crack_utils.runtime.typeset import few, number

MEASURED = 200  # pictures whose crack is thinned for its width, which takes up to a second each; spread over the set

LARGE = 3e7  # [px] the width of a larger picture's crack is not measured: thinning needs many times its memory

LISTED = 10  # look-alikes in the text

THIN = 2  # [px] a crack that a reduction makes thinner than this is worth a note


@dataclass(frozen=True)
class Picture:
    """Facts of one picture: shares in [0, 1], lengths in its own pixels; None where not measured or not known."""

    source: str
    name: str
    specimen: str
    frame: int | None
    height: int
    width: int
    depth: str
    crack_share: float
    crack_width: float | None
    mm_per_px: float | None


@dataclass(frozen=True)
class Summary:
    """Facts of a data set.

    Attributes
    ----------
    pairs : list of Pair
    pictures : list of Picture
        In the order of `pairs`.
    alike : list of (str, str, float)
        Two pictures, as "source/name", and how much they correlate, the most alike first. Frames of one specimen are
        expected to look alike and left out.
    split_by : str
        "specimen" or "image", as a training on these folders would split them.
    split : dict of dict
        By set, its pictures, specimens and mean crack_share; empty if they are too few to be split.
    notes : list of str
    problems : list of (path, str)
        Files that cannot be used, and why. The facts are of the others.
    """

    pairs: list
    pictures: list
    alike: list
    split_by: str
    split: dict
    notes: list
    problems: list

    def by_source(self):
        """Return the pictures in a list for each source: dict."""
        found = {}
        for picture in self.pictures:
            found.setdefault(picture.source, []).append(picture)
        return found

    def to_dict(self):
        """Return all facts as what JSON can hold: the summary of each source, then each picture."""
        return {
            "pairs": len(self.pairs),
            "sources": {name: summarize(pictures) for name, pictures in self.by_source().items()},
            "alike": [{"first": a, "second": b, "correlation": round(value, 4)} for a, b, value in self.alike],
            "split_by": self.split_by,
            "split": self.split,
            "notes": self.notes,
            "problems": [{"file": printable(file), "why": why} for file, why in self.problems],
            "pictures": [asdict(picture) for picture in self.pictures],
        }

    def to_json(self):
        """Return `to_dict` as text."""
        return json.dumps(self.to_dict(), indent=1, ensure_ascii=False) + "\n"

    def text(self):
        """Return the facts in lines for a terminal, the single pictures left out."""
        lines = [f"- note: {note}" for note in self.notes]
        for name, pictures in self.by_source().items():
            lines += ["", f"{name}:", *(f"  {fact:<12}{value}" for fact, value in lines_of(summarize(pictures)))]
        lines += ["", *self.split_lines()]
        lines += ["", f"look-alikes: {len(self.alike) or 'none'}"]
        lines += [f"  {first} and {second}" for first, second, _ in self.alike[:LISTED]]
        return "\n".join(lines + ["  …"] * (len(self.alike) > LISTED))

    def split_lines(self):
        """Return how a training would split these folders, one line for each set."""
        if not self.split:
            return [f"split by {self.split_by}: too few pictures"]
        return [
            f"split by {self.split_by}:",
            *(
                f"  {name:<12}{each['pictures']} pictures"
                + (f" of {each['specimens']} specimens" if each["specimens"] else "")
                + f", {number(each['crack_share'], '.2%')} crack"
                for name, each in self.split.items()
            ),
        ]


def collect(found, longest_side):
    """Read the pictures of a data set that can be used, and return its facts.

    Parameters
    ----------
    found : Found
        From `check_folders`.
    longest_side : int [px]
        To which a training that reduces whole pictures would bring them; cracks that would become too thin are noted.

    Returns
    -------
    Summary
    """
    cracked = [pair for pair in found.pairs if mask_content(pair.mask).crack]
    small = [pair for pair in cracked if np.prod(mask_content(pair.mask).size) <= LARGE]
    measured = set(map(id, spread(small, MEASURED)))
    with ThreadPoolExecutor() as pool:
        results = pool.map(lambda pair: _read(pair, id(pair) in measured), found.pairs)
        pictures = list(tqdm(results, total=len(found.pairs), unit="pair", disable=None, leave=False))
    rule = sources.split_rule(found.pairs)
    split_by = rule.get("split_by", SPLIT_BY)
    split, warnings = _split(found.pairs, pictures, rule)
    notes = found.notes + _thin(pictures, longest_side) + warnings
    return Summary(found.pairs, pictures, _alike(pictures, found.pairs), split_by, split, notes, found.problems)


def summarize(pictures):
    """Return what a source's pictures have in common.

    Parameters
    ----------
    pictures : list of Picture

    Returns
    -------
    dict
        pictures, specimens, without_crack (counts); sizes and depths (counts by text); crack_share and crack_width
        [px] (least, median, most; of the pictures with a crack, None if there is none), mm_per_px (least, most; None
        if not known).
    """
    scales = [picture.mm_per_px for picture in pictures if picture.mm_per_px]
    return {
        "pictures": len(pictures),
        "specimens": len({picture.specimen for picture in pictures} - {""}),
        "sizes": dict(Counter(f"{picture.height}×{picture.width}" for picture in pictures).most_common()),
        "depths": dict(Counter(picture.depth for picture in pictures).most_common()),
        "without_crack": sum(not picture.crack_share for picture in pictures),
        "crack_share": _range([picture.crack_share for picture in pictures if picture.crack_share]),
        "crack_width": _range([picture.crack_width for picture in pictures if picture.crack_width]),
        "mm_per_px": {"least": min(scales), "most": max(scales)} if scales else None,
    }


def lines_of(found):
    """Return what `summarize` gives as (fact, value) in words."""

    def counts(values):
        return few([f"{text} ({count})" if len(values) > 1 else text for text, count in values.items()], most=4)

    share, width, scale = (found[name] for name in ("crack_share", "crack_width", "mm_per_px"))
    lines = [
        ("pictures", f"{found['pictures']}" + (f" of {found['specimens']} specimens" if found["specimens"] else "")),
        ("size", f"{counts(found['sizes'])} pixels (height×width)"),
        ("depth", counts(found["depths"])),
    ]
    if share:
        share = {name: number(value, ".2%") for name, value in share.items()}
        lines.append(("crack", "{least} to {most} of a picture, median {median}".format(**share)))
    if found["without_crack"]:
        lines.append(("no crack", f"{found['without_crack']} pictures"))
    if width:
        lines.append(("width", "{least:.1f} to {most:.1f} px, median {median:.1f} px".format(**width)))
    if scale:
        lines.append(("scale", "{least:.3g} to {most:.3g} mm/px".format(**scale)))
    return lines


def _read(pair, measured):
    """Return a pair's `Picture`; only for the width of its crack a file is read again."""
    image, mask = image_content(pair.image), mask_content(pair.mask)
    bits = pair.bits if image.bits and pair.bits and pair.bits < 16 else None
    return Picture(
        pair.source,
        pair.name,
        pair.specimen,
        pair.frame,
        *image.size,
        image.depth + (f", of which {bits} are used" if bits else ""),
        mask.crack / (mask.size[0] * mask.size[1]),
        metrics.mean_width(trimmed(read_mask(pair.mask))) if measured else None,
        pair.mm_per_px,
    )


def _alike(pictures, pairs):
    """Return which pictures of different specimens look alike; see `Summary.alike`."""
    contents = tuple(image_content(pair.image) for pair in pairs)
    names = [f"{picture.source}/{picture.name}" for picture in pictures]
    found = lookalikes.find(contents, tuple(picture.specimen for picture in pictures))
    return [(names[first], names[second], correlation) for first, second, correlation in found]


def _split(pairs, pictures, rule):
    by, test = rule.get("split_by", SPLIT_BY), rule.get("test", TEST)
    try:
        split = split_pairs(pairs, VALIDATION, test, by=by)
    except ValueError:  # too few
        return {}, []
    facts = {(picture.source, picture.name): picture for picture in pictures}
    sets = {}
    for name in ("train", "validation", "test"):
        if chosen := [facts[pair.source, pair.name] for pair in split[name]]:
            sets[name] = {
                "pictures": len(chosen),
                "specimens": len({picture.specimen for picture in chosen} - {""}),
                "crack_share": float(np.mean([picture.crack_share for picture in chosen])),
            }
    return sets, warnings_of(split)


def _thin(pictures, longest_side):
    """Note cracks that the reduction of `make book`'s preset would make too thin."""
    measured = [picture for picture in pictures if picture.crack_width]
    if not measured:
        return []
    factors = [-(-max(picture.height, picture.width) // longest_side) for picture in measured]
    widths = np.array([picture.crack_width for picture in measured])
    width, reduced = np.median(widths), np.median(widths / factors)
    if max(factors) == 1 or reduced >= THIN:
        return []
    return [
        f"cracks of {width:.1f} px (median) would become {reduced:.1f} px where a preset reduces the pictures, as "
        "quick does; the preset photo leaves them as they are"
    ]


def _range(values):
    if not values:
        return None
    return {"least": min(values), "median": float(np.median(values)), "most": max(values)}
