"""Training, validation and test: drawn once from the list of pairs, before anything random."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from crack_utils.data import lookalikes
from crack_utils.data.digests import image_content, mask_content
from crack_utils.data.pairs import Pair

# Default values of an experiment.
VALIDATION = 0.2  # share of what the test set leaves (R21)
TEST = 0.2  # share of all
SPLIT_BY = "specimen"

HALF = 0.5  # share of its requested size that a set may lack
FEW, DRAWS = 20, 20  # with at most FEW groups, up to DRAWS draws are tried if the first has a fault

NAMES = {"train": "training", "validation": "validation", "test": "test"}  # of the sets, in words
NO_CRACK = {
    "train": "nothing can be learnt",
    "validation": "nothing can be measured there or calibrated, and the threshold stays at 0.5; label more cracked "
    "pictures, or name a split with --split",
    "test": "nothing can be measured there",
}


@dataclass(frozen=True)
class Split:
    """Three lists of pairs, decided before any dataset exists; disjoint, unless `leaks.leak` has made them."""

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
        What is drawn: single images, or whole specimens, so that all images of a specimen stay together, also over
        several sources. An image without a specimen then counts as a separate specimen. Pictures that show exactly the
        same always stay together. Look-alikes do, unless a set would then lack more than half of its size (see
        `warnings_of`). Each source contributes its share to each set, and so do its pictures with and without crack,
        unless a set would stay empty. With few groups, if the first draw has a fault, the best of several is taken:
        one specimen may have most of the images.

    Returns
    -------
    Split

    Raises
    ------
    ValueError
        If a share is out of range, `by` is unknown, no specimen is named, or too few groups are there to split.
    """
    if by not in ("image", "specimen"):
        raise ValueError(f"by must be 'image' or 'specimen', got {by!r}")
    if not 0 < validation < 1 or not 0 <= test < 1:
        raise ValueError(f"validation must lie in (0, 1) and test in [0, 1), got {validation} and {test}")
    if by == "specimen" and not any(pair.specimen for pair in pairs):
        raise ValueError("by='specimen' needs the column specimen in metadata.csv, which names none")
    pairs = sorted(pairs, key=place)
    split = Split([], [], [])
    for alike in (_alike(pairs), []) if pairs else ():
        split = _divided(_groups(pairs, by, alike), validation, test, seed)
        if not alike or _shortage(split, validation, test) <= HALF:
            break
    if _is_empty(split, test):
        sets = "training, validation and test" if test else "training and validation"
        what = "pair(s)" if by == "image" else f"pair(s) of {len({pair.specimen for pair in pairs})} specimen(s)"
        raise ValueError(f"{len(pairs)} {what} are too few to split by {by} into {sets}; each set needs one")
    return split


def _divided(groups, validation, test, seed):
    """Return the first draw; with few groups, if the draw has a fault, return the best of several."""
    best = _first(groups, validation, test, seed)
    if len(groups) > FEW:
        return best
    failure = _failure(best, validation, test)
    for draw in range(1, DRAWS):
        if failure <= (False, False, False, HALF):
            break
        other = _first(groups, validation, test, seed, draw)
        if (new := _failure(other, validation, test)) < failure:
            best, failure = other, new
    return best


def _first(groups, validation, test, seed, draw=0):
    """Return a draw from the finest strata with which no set is empty."""
    for kind in (_source_and_crack, _source, _together):
        split = _drawn(_strata(groups, kind), validation, test, seed, draw)
        if not _is_empty(split, test):
            break
    return split


def _failure(split, validation, test):
    """Return the faults of a draw as a tuple to compare draws, worst first: empty set, no crack, too small a set."""
    without_crack = [not any(map(is_cracked, pairs)) for pairs in (split.train, split.validation)]
    return _is_empty(split, test), *without_crack, max(_shortage(split, validation, test), HALF)


def _is_empty(split, test):
    return not split.train or not split.validation or bool(test and not split.test)


def is_cracked(pair):
    """Return whether a pair's mask shows any crack; True if the file of its mask does not exist."""
    return not Path(pair.mask).exists() or mask_content(pair.mask).crack > 0


def _source(group):
    return tuple(sorted({pair.source for pair in group}))


def _source_and_crack(group):
    return _source(group), not any(map(is_cracked, group))


def _together(group):
    return ()


def _strata(groups, kind):
    """Return the groups of each kind, in the order of the kinds."""
    strata = {}
    for group in groups:
        strata.setdefault(kind(group), []).append(group)
    return [strata[name] for name in sorted(strata)]


def _drawn(strata, validation, test, seed, draw=0):
    generator = np.random.default_rng([seed, 2024 + draw])
    sets = {"train": [], "validation": [], "test": []}
    for stratum in strata:
        groups = [stratum[i] for i in generator.permutation(len(stratum))]
        tests = _share(len(groups), test)
        validations = _share(len(groups) - tests, validation)
        for position, group in enumerate(groups):
            name = "test" if position < tests else "validation" if position < tests + validations else "train"
            sets[name] += group
    return Split(**{name: sorted(chosen, key=place) for name, chosen in sets.items()})


def warnings_of(split):
    """Return warnings about a split: look-alikes in two sets, sets without a crack, pictures without a specimen.

    Parameters
    ----------
    split : Split

    Returns
    -------
    list of str
    """
    warnings = []
    for name in NO_CRACK:
        if split[name] and not any(map(is_cracked, split[name])):
            warnings.append(f"no crack in {NAMES[name]}: {NO_CRACK[name]}")
    pairs = sorted([*split.train, *split.validation, *split.test], key=place)
    unnamed = [pair for pair in pairs if not pair.specimen]
    if unnamed and len(unnamed) < len(pairs):
        warnings.append(
            f"{len(unnamed)} of {len(pairs)} pictures have no specimen in metadata.csv: "
            "each counts as a separate specimen"
        )
    home = {place(pair): name for name in ("train", "validation", "test") for pair in split[name]}
    crossing = {"validation": set(), "test": set()}
    for one, other, _ in _alike(pairs):
        first, second = sorted((pairs[one], pairs[other]), key=lambda pair: home[place(pair)] != "train")
        if home[place(first)] == "train" != home[place(second)]:
            crossing[home[place(second)]].add(place(second))
    for name, places in crossing.items():
        if places:
            warnings.append(f"{len(places)} of {len(split[name])} {name} pictures have a look-alike in training")
    return warnings


def straddling(split):
    """Return the pictures of a split that show the same as a picture of another set, as (file, why)."""
    home = {place(pair): field.name for field in fields(split) for pair in split[field.name]}
    problems = []
    for first, *others in _groups([pair for field in fields(split) for pair in split[field.name]], "image"):
        for pair in others:
            here, there = home[place(pair)], home[place(first)]
            if here != there:
                problems.append((pair.image, f"is in {here}, but {first.image} in {there} shows the same"))
    return problems


def _shortage(split, validation, test):
    """Return how much the set that is farthest below its requested size lacks, as a share of that size."""
    wanted = {"train": (1 - test) * (1 - validation), "validation": (1 - test) * validation, "test": test}
    count = sum(len(split[name]) for name in wanted)
    return max(1 - len(split[name]) / (count * share) for name, share in wanted.items() if share)


def _contents(pairs):
    """Return the contents of the photographs; None for a missing file, as a split can be made before files exist."""
    with ThreadPoolExecutor() as pool:
        return list(pool.map(lambda pair: image_content(pair.image) if Path(pair.image).exists() else None, pairs))


def _alike(pairs):
    return lookalikes.find(tuple(_contents(pairs)), tuple(pair.specimen for pair in pairs))


def _groups(pairs, by, alike=()):
    """Return lists of pairs that must stay in one set: same picture, look-alikes and, by specimen, same specimen."""
    leaders = list(range(len(pairs)))  # for each pair, the index of an earlier pair of its group, or its own
    seen = {}

    def leader(index):
        while leaders[index] != index:
            leaders[index] = leaders[leaders[index]]
            index = leaders[index]
        return index

    def bind(one, other):
        first, second = sorted((leader(one), leader(other)))
        leaders[second] = first

    for index, (pair, content) in enumerate(zip(pairs, _contents(pairs), strict=True)):
        marks = [content.digest] if content else []
        marks += [("specimen", pair.specimen)] if by == "specimen" and pair.specimen else []
        for mark in marks:
            bind(seen.setdefault(mark, index), index)
    for one, other, _ in alike:
        bind(one, other)
    groups = {}
    for index, pair in enumerate(pairs):
        groups.setdefault(leader(index), []).append(pair)
    return list(groups.values())


def place(pair):
    """Return what identifies a pair in a data set: (source, name)."""
    return pair.source, pair.name


def _share(count, share):
    return max(1, round(count * share)) if share and count > 1 else 0
