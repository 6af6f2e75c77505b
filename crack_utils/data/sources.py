"""From the name of a data set to its pairs: synthetic specimens, named data sets, folders."""

import math
import os
from pathlib import Path

import numpy as np

from crack_utils.data import cache, crackforest, synthetic, widths
from crack_utils.data.digests import image_content
from crack_utils.data.leaks import leak
from crack_utils.data.options import SYNTHETIC
from crack_utils.data.pairs import refuse, scan
from crack_utils.data.split import SPLIT_BY, TEST, is_cracked, split_pairs
from crack_utils.data.split_file import read_split
from crack_utils.runtime import paths

MULTIPLE = 8  # three poolings (R34)
WITH_TEST = 5  # specimens: of fewer, one set would have to do without

NAMED = {
    crackforest.NAME: crackforest.folder
}  # functions that return the folder, or raise an error with the command to fetch it


def public_folder(name):
    """Return the folder of a public data set if it is present on this machine, else None.

    It is searched for among the data that `crack-utils fetch` has downloaded, in `CRACK_UTILS_DATA`, and in
    `../shared/data` beside the project. A folder without `images/` is an unfinished copy and is ignored.
    """
    fetched = crackforest.local() if name == crackforest.NAME else None
    beside = paths.root().parent / "shared" / "data" / name
    candidates = [folder for folder in (fetched, paths.named_data(name), beside) if folder]
    return next((folder for folder in candidates if (folder / "images").is_dir()), None)


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
        Photographs that are not labelled yet are left out; see `pairs.Found`.
    """
    return _scan(experiment, found_in).pairs


def load_and_tell(experiment):
    """Return the pairs as `load` does, and print a line on the photographs that are left out."""
    found = _scan(experiment)
    for line in found.unlabelled:
        print(line)
    return found.pairs


def _scan(experiment, found_in=()):
    if experiment.data == "synthetic":
        found = scan(*_synthetic_folders(experiment))
    else:
        earlier = [Path(folder) for folder in found_in]
        there = earlier and all(folder.is_dir() for folder in earlier)
        found = scan(*(earlier if there else folders(experiment.data)))
    refuse(found.problems)
    return found


def split(experiment, pairs):
    """Return the experiment's split of its pairs: a random split, or the one in `experiment.split_file`.

    Parameters
    ----------
    experiment : Experiment
    pairs : list of Pair

    Returns
    -------
    Split

    Raises
    ------
    ValueError
        If the file does not fit the pairs (`DataError`), or there are too few groups to divide.
    """
    if (file := experiment.split_file) is not None:
        return read_split(file, pairs)
    drawn = split_pairs(
        pairs,
        validation=experiment.validation,
        test=experiment.test,
        seed=experiment.data_seed,
        by=experiment.split_by,
    )
    return leak(drawn, experiment.leak, experiment.validation, experiment.seed) if experiment.leak else drawn


def folders(data):
    """Return the folders of a data set, from its name or path.

    Parameters
    ----------
    data : str
        A named data set, a name below `CRACK_UTILS_DATA`, or a folder (several: joined by `os.pathsep`), relative to
        the working directory or to the project's root.

    Raises
    ------
    ValueError
        If it does not exist. Nothing is downloaded.
    """
    return [_folder(part) for part in data.split(os.pathsep)]


def found_in(experiment):
    """Return the folders of an experiment's data set as absolute texts, for `load`; none of synthetic specimens."""
    return [] if experiment.data == "synthetic" else [str(Path(part).resolve()) for part in folders(experiment.data)]


def decide(experiment, pairs):
    """Return the experiment with values for the size, reduction and split that it leaves open, chosen for the pictures.

    Parameters
    ----------
    experiment : Experiment
    pairs : list of Pair

    Returns
    -------
    Experiment
        The size (height, width) [px] is that of the picture divided by a whole number, so that the longer side is at
        most `experiment.longest_side`, in multiples of 8. With whole pictures the first one is used, because all get
        the same size. With crops the smallest sides are used, so that a crop fits; with `crop_side` crops are squares
        of this side, or as large as the smallest picture allows. The reduction is that of `widths.reduction`. How the
        pictures are split follows from the specimens that are named, see `split_rule`.
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
    """Return the fields of an experiment for the possible split.

    Parameters
    ----------
    pairs : list of Pair

    Returns
    -------
    dict
        Empty for the default, a split by specimen with a test set: for five specimens or more, if all are named.
        Without a test set if fewer are named, or not all: it could then show specimens of the training. By image if
        fewer than two of the named specimens have a crack.
    """
    specimens = {pair.specimen for pair in pairs}
    if "" not in specimens and len(specimens) >= WITH_TEST:
        return {}
    cracked = {pair.specimen for pair in pairs if pair.specimen and is_cracked(pair)}
    return {"test": 0.0} if len(cracked) > 1 else {"split_by": "image", "test": 0.0}


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
    folder = paths.find(part)
    if folder is None or not folder.is_dir():
        folder = paths.named_data(part)
    if folder is None and part == SYNTHETIC:
        raise ValueError(f"{SYNTHETIC!r} cannot be joined with other data; draw specimens with crack-utils synth")
    if folder is None:
        raise ValueError(
            f"unknown data set {part!r}; valid are 'synthetic', {', '.join(map(repr, NAMED))} "
            "or a folder with images/ and masks/"
        )
    return folder


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
