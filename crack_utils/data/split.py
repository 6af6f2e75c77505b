"""Training, validation and test: drawn once from the list of pairs, before anything random, and written down."""

import csv
from dataclasses import dataclass, fields

import numpy as np

from crack_utils.data.pairs import Pair, sha256


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


def _share(count, share):
    return max(1, round(count * share)) if share and count > 1 else 0
