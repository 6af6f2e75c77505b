"""From the name of a data set to its pairs: synthetic specimens, named data sets, folders."""

import math
import os

import numpy as np

from crack_utils import paths
from crack_utils.data import crackforest, synthetic
from crack_utils.data.content import image_content
from crack_utils.data.images import read_image
from crack_utils.data.leaks import leak
from crack_utils.data.pairs import find_pairs
from crack_utils.data.split import read_split, split_pairs

MULTIPLE = 8  # three poolings (R34)

NAMED = {crackforest.NAME: crackforest.folder}  # each returns its folder, or says how to fetch it


def load(experiment):
    """Return the pairs of an experiment's data set; synthetic specimens are made if they are not there yet.

    Returns
    -------
    list of Pair
    """
    if experiment.data == "synthetic":
        return find_pairs(*_synthetic_folders(experiment))
    return find_pairs(*folders(experiment.data))


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


def facts(data, longest_side, fit="resize"):
    """Return what the pictures themselves decide of an experiment: size, and how they can be split.

    Parameters
    ----------
    data : str
        As for `folders`.
    longest_side : int [px]
        The longer side is brought to at most this by a whole-number reduction, then both to multiples of 8.
    fit : {"resize", "crop"}
        Whether the first picture decides, as all become one size, or the smallest sides, which hold a crop.

    Returns
    -------
    dict with size, split_by, test
    """
    pairs = find_pairs(*folders(data))
    if fit == "crop":
        sides = np.min([image_content(pair.image).size for pair in pairs], axis=0).tolist()
    else:
        sides = read_image(pairs[0].image).shape
    factor = -(-max(sides) // longest_side)
    whole = math.floor if fit == "crop" else round
    size = tuple(max(MULTIPLE, whole(side / factor / MULTIPLE) * MULTIPLE) for side in sides)
    return {"size": size} | split_rule(pairs)


def split_rule(pairs):
    """Return how pictures can be split, as fields of an experiment: nothing where its defaults hold, by specimen."""
    specimens = {pair.specimen for pair in pairs}
    # Without named specimens a test set could not promise specimens that training has not seen.
    by_specimen = "" not in specimens and len(specimens) >= 5
    return {} if by_specimen else {"split_by": "image", "test": 0.0}


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
