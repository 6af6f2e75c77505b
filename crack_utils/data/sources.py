"""From the name of a data set to its pairs: synthetic specimens, named data sets, folders."""

import math
import os
from pathlib import Path

import numpy as np

from crack_utils.data import cache, crackforest, synthetic, widths
from crack_utils.data.digests import image_content
from crack_utils.data.leaks import leak
from crack_utils.data.pairs import find_pairs
from crack_utils.data.split import SPLIT_BY, TEST, read_split, split_pairs
from crack_utils.runtime import paths

MULTIPLE = 8  # three poolings (R34)

NAMED = {crackforest.NAME: crackforest.folder}  # each returns its folder, or says how to fetch it


def load(experiment, found_in=()):
    """Return the pairs of an experiment's data set; synthetic specimens are made if they are not there yet.

    Parameters
    ----------
    experiment : Experiment
    found_in : sequence of path-like
        The folders that its data stood for when it was trained; taken if all are still there, whatever the working
        directory is now.

    Returns
    -------
    list of Pair
    """
    if experiment.data == "synthetic":
        return find_pairs(*_synthetic_folders(experiment))
    earlier = [Path(folder) for folder in found_in]
    there = earlier and all(folder.is_dir() for folder in earlier)
    return find_pairs(*(earlier if there else folders(experiment.data)))


def split(experiment, pairs):
    """Return the experiment's split of its pairs: drawn, or read from the file that it names."""
    if (file := experiment.split_file) is not None:
        return read_split(file, pairs)
    made = split_pairs(
        pairs,
        validation=experiment.validation,
        test=experiment.test,
        seed=experiment.data_seed,
        by=experiment.split_by,
    )
    return leak(made, experiment.leak, experiment.validation, experiment.seed) if experiment.leak else made


def folders(data):
    """Return the folders that a data set's name or path stands for.

    Parameters
    ----------
    data : str
        A named data set, a name below `CRACK_UTILS_DATA`, or a folder (several: joined by `os.pathsep`), relative to
        the working directory or to the project's root.

    Raises
    ------
    ValueError
        If nothing of that name is there. Nothing is fetched.
    """
    return [_folder(part) for part in data.split(os.pathsep)]


def found_in(experiment):
    """Return the folders of an experiment's data set as absolute texts, for `load`; none of synthetic specimens."""
    return [] if experiment.data == "synthetic" else [str(Path(part).resolve()) for part in folders(experiment.data)]


def decide(experiment, pairs):
    """Return an experiment whose size and split, where they are left open, follow the pictures.

    Parameters
    ----------
    experiment : Experiment
    pairs : list of Pair

    Returns
    -------
    Experiment
        Of size (height, width) [px]: the whole-number reduction that brings the longer side to at most
        `experiment.longest_side`, in multiples of 8. Whole pictures follow the first one, as all become one size;
        crops follow the smallest sides, which hold a crop; with `crop_side` they are squares of it, or as large as
        the smallest picture allows. Reduced by `widths.reduction`, if that is left open. Split by specimen, with a
        test set, where specimens are named; else by image, without one.
    """
    changes = {}
    if experiment.reduction is None:
        changes["reduction"] = widths.reduction(pairs)
    if experiment.size is None:
        reduced_by = changes.get("reduction", experiment.reduction)
        crop = experiment.crop_side and _crop_size(pairs, experiment.crop_side, reduced_by)
        changes["size"] = crop or _size(pairs, experiment.longest_side, experiment.fit)
    if experiment.split_by is None:
        changes["split_by"] = split_rule(pairs).get("split_by", SPLIT_BY)
    if experiment.test is None:
        changes["test"] = split_rule(pairs).get("test", TEST)
    return experiment.replace(**changes) if changes else experiment


def split_rule(pairs):
    """Return how pictures can be split, as fields of an experiment: nothing where its defaults hold, by specimen."""
    specimens = {pair.specimen for pair in pairs}
    # Without named specimens a test set could not promise specimens that training has not seen.
    by_specimen = "" not in specimens and len(specimens) >= 5
    return {} if by_specimen else {"split_by": "image", "test": 0.0}


def _crop_size(pairs, side, reduction):
    smallest = min(min(cache.reduced(image_content(pair.image).size, reduction)) for pair in pairs)
    return (max(MULTIPLE, min(side, smallest // MULTIPLE * MULTIPLE)),) * 2


def _size(pairs, longest_side, fit):
    if fit == "crop":
        sides = np.min([image_content(pair.image).size for pair in pairs], axis=0).tolist()
    else:
        sides = image_content(pairs[0].image).size
    factor = -(-max(sides) // longest_side)
    to_whole = math.floor if fit == "crop" else round
    return tuple(max(MULTIPLE, to_whole(side / factor / MULTIPLE) * MULTIPLE) for side in sides)


def _folder(part):
    if part in NAMED:
        return NAMED[part]()
    found = paths.find(part)
    if found is None or not found.is_dir():
        found = paths.named_data(part)
    if found is None:
        raise ValueError(
            f"unknown data set {part!r}; valid are 'synthetic', {', '.join(map(repr, NAMED))} "
            "or a folder with images/ and masks/"
        )
    return found


def _synthetic_folders(experiment):
    e = experiment
    height, width = e.size
    name = f"synthetic-v{synthetic.VERSION}-{e.specimens}x{e.frames}-{height}x{width}-{e.data_seed}"
    if e.patterns != synthetic.GROWING:
        name += "-" + "+".join(e.patterns)
    folder = paths.data() / name
    chosen = {"specimens": e.specimens, "frames": e.frames, "size": e.size, "seed": e.data_seed, "patterns": e.patterns}
    synthetic.generate(folder, **chosen, progress=True)
    return [folder / "old", folder / "new"]
