"""Splits that leak on purpose, to measure the effect of a leak on validation results (suspects S2 and S3).

The test set is not changed: its specimens are in no other set, so it is the reference for a leak.
"""

import numpy as np

from crack_utils.data.split import Split, split_pairs


def leak(split, how, validation=0.2, seed=0):
    """Draw new training and validation sets from the training and validation pairs of a split.

    Parameters
    ----------
    split : Split
    how : str
        "none": by specimen, as the reference for the others.
        "siblings": by image, so that frames of one specimen are in both sets (S3).
        "drawn once": training and validation drawn independently of each other, as when a data set that reshuffles at
        each iteration is split by `take` and `skip`, and both parts are cached (S2; tensorflow issue 59279).
        "drawn each epoch": the same without the caches: validation is one draw, training contains all pairs, and each
        epoch draws a share of them (`make_dataset`, argument `drawn`).
    validation : float in (0, 1)
        Share of the validation set.
    seed : int

    Returns
    -------
    Split
    """
    pool = sorted([*split.train, *split.validation], key=lambda pair: (pair.source, pair.name))
    if how == "none":
        drawn = split_pairs(pool, validation=validation, seed=seed, by="specimen")
        return Split(drawn.train, drawn.validation, split.test)
    generator, count = np.random.default_rng([seed, 59279]), round(len(pool) * validation)

    def draw():
        return [pool[place] for place in generator.permutation(len(pool))]

    order = draw()
    train = {"siblings": lambda: order[count:], "drawn once": lambda: draw()[count:], "drawn each epoch": lambda: pool}
    return Split(train[how](), order[:count], split.test)
