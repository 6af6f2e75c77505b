"""What a person wants to know of a data set before training on it: sizes, cracks, look-alikes, and how it would split.

For data sets that `check_folders` found usable. NumPy only.
"""

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter
from tqdm import tqdm

from crack_utils import metrics
from crack_utils.data import sources
from crack_utils.data.digests import mask_content
from crack_utils.data.images import read_image, read_mask, resize_image
from crack_utils.data.pairs import spread
from crack_utils.data.split import SPLIT_BY, TEST, VALIDATION, split_pairs

MEASURED = 200  # pictures whose crack is thinned for its width, which takes up to a second each; spread over the set

# Two pictures look alike if they correlate so much when they are reduced and freed of the light's course. A darker copy
# of half the size, saved as JPEG, reaches 0.95 on CrackForest, where two photographs reach 0.35 at most; two specimens
# in the same (synthetic) rig reach 0.85.
ALIKE = 0.9
FINGERPRINT = 32  # [px] height and width of the reduced picture
LIGHT = 4  # [px] of it: standard deviation of the blur that counts as light

LISTED = 10  # look-alikes in the text

THIN = 2  # [px] a crack that a reduction makes thinner than this is worth a note

DEPTHS = {"1": "1 bit", "L": "8 bit gray", "P": "8 bit palette", "I": "16 bit gray", "F": "floating-point gray"}


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
    """

    pairs: list
    pictures: list
    alike: list
    split_by: str
    split: dict
    notes: list

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
        """Return how a training would split these folders, one line a set."""
        if not self.split:
            return [f"split by {self.split_by}: too few pictures"]
        return [
            f"split by {self.split_by}:",
            *(
                f"  {name:<12}{each['pictures']} pictures"
                + (f" of {each['specimens']} specimens" if each["specimens"] else "")
                + f", {each['crack_share']:.2%} crack"
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
    measured = set(map(id, spread([pair for pair in found.pairs if mask_content(pair.mask).crack], MEASURED)))
    with ThreadPoolExecutor() as pool:
        results = pool.map(lambda pair: _read(pair, id(pair) in measured), found.pairs)
        read = list(tqdm(results, total=len(found.pairs), unit="pair", disable=None, leave=False))
    pictures = [picture for picture, _ in read]
    rule = sources.split_rule(found.pairs)
    split_by, split = rule.get("split_by", SPLIT_BY), _split(found.pairs, pictures, rule)
    alike = _alike(pictures, np.array([fingerprint for _, fingerprint in read]))
    return Summary(found.pairs, pictures, alike, split_by, split, found.notes + _thin(pictures, longest_side))


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
        shown = [f"{text} ({count})" if len(values) > 1 else text for text, count in list(values.items())[:4]]
        return ", ".join(shown) + (f" and {len(values) - 4} more" if len(values) > 4 else "")

    share, width, scale = (found[name] for name in ("crack_share", "crack_width", "mm_per_px"))
    lines = [
        ("pictures", f"{found['pictures']}" + (f" of {found['specimens']} specimens" if found["specimens"] else "")),
        ("size", f"{counts(found['sizes'])} pixels (height×width)"),
        ("depth", counts(found["depths"])),
    ]
    if share:
        lines.append(("crack", "{least:.2%} to {most:.2%} of a picture, median {median:.2%}".format(**share)))
    if found["without_crack"]:
        lines.append(("no crack", f"{found['without_crack']} pictures"))
    if width:
        lines.append(("width", "{least:.1f} to {most:.1f} px, median {median:.1f} px".format(**width)))
    if scale:
        lines.append(("scale", "{least:g} to {most:g} mm/px".format(**scale)))
    return lines


def _read(pair, measured):
    """Return a pair's `Picture` and what it is recognized by, shape (FINGERPRINT²,)."""
    image, mask = read_image(pair.image), read_mask(pair.mask)
    picture = Picture(
        pair.source,
        pair.name,
        pair.specimen,
        pair.frame,
        *image.shape,
        _depth(pair.image),
        float(mask.mean()),
        metrics.mean_width(_trimmed(mask)) if measured else None,
        pair.mm_per_px,
    )
    return picture, _fingerprint(image)


def _depth(path):
    with Image.open(path) as picture:
        mode = picture.mode
    return "16 bit gray" if mode.startswith("I;16") else DEPTHS.get(mode, f"8 bit {mode}")


def _trimmed(mask):
    """Return the part of a mask that holds its crack: thinning takes as long as the picture is large."""
    rows, columns = (np.flatnonzero(mask.any(axis)) for axis in (1, 0))
    margin = 1  # a border of the picture that the crack does not reach stays one
    return mask[
        max(rows[0] - margin, 0) : rows[-1] + margin + 1, max(columns[0] - margin, 0) : columns[-1] + margin + 1
    ]


def _fingerprint(image):
    reduced = resize_image(image, (FINGERPRINT, FINGERPRINT))
    texture = (reduced - gaussian_filter(reduced, LIGHT)).ravel()
    texture -= texture.mean()
    return texture / max(np.linalg.norm(texture), 1e-6)


def _alike(pictures, fingerprints):
    """Return which pictures of different specimens look alike; see `Summary.alike`."""
    found = []
    for index, picture in enumerate(pictures):
        correlations = fingerprints[:index] @ fingerprints[index]
        for other in np.flatnonzero(correlations >= ALIKE):
            if not picture.specimen or picture.specimen != pictures[other].specimen:
                first, second = (f"{each.source}/{each.name}" for each in (pictures[other], picture))
                found.append((first, second, float(correlations[other])))
    return sorted(found, key=lambda each: -each[2])


def _split(pairs, pictures, rule):
    by, test = rule.get("split_by", SPLIT_BY), rule.get("test", TEST)
    try:
        split = split_pairs(pairs, VALIDATION, test, by=by)
    except ValueError:  # too few
        return {}
    facts = {(picture.source, picture.name): picture for picture in pictures}
    sets = {}
    for name in ("train", "validation", "test"):
        if chosen := [facts[pair.source, pair.name] for pair in split[name]]:
            sets[name] = {
                "pictures": len(chosen),
                "specimens": len({picture.specimen for picture in chosen} - {""}),
                "crack_share": float(np.mean([picture.crack_share for picture in chosen])),
            }
    return sets


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
        f"cracks of {width:.1f} px (median) become {reduced:.1f} px where the preset quick reduces the pictures; "
        "`crack-utils train … --fit crop` leaves them as they are"
    ]


def _range(values):
    if not values:
        return None
    return {"least": min(values), "median": float(np.median(values)), "most": max(values)}
