"""Photographs that no training has seen."""

from crack_utils.data import find_pairs, spread, synthetic
from crack_utils.data.options import SYNTHETIC
from crack_utils.runtime import paths


def unseen_photographs(run, frames=12):
    """Return photographs that were not used to train a run.

    Parameters
    ----------
    run : Run
    frames : int
        Number of photographs. For a run on synthetic data: of each of two new specimens, one per source. For folders:
        at most this number, spread over the evaluated set.

    Returns
    -------
    list of Pair
    """
    experiment = run.experiment
    if experiment.data != SYNTHETIC:
        from crack_utils.evaluation.sets import split_of

        split = split_of(run)
        return spread(split[split.evaluated], frames)
    height, width = experiment.size
    seed = experiment.data_seed + 1
    folder = paths.data() / f"unseen-v{synthetic.VERSION}-2x{frames}-{height}x{width}-{seed}"
    synthetic.generate(folder, specimens=2, frames=frames, size=experiment.size, seed=seed)
    return find_pairs(folder / "old", folder / "new")
