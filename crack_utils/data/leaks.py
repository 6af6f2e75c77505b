"""Splits that leak on purpose, to measure what the report's validation may have gained by it (suspects S2 and S3).

The test set stays what it is, specimens that nothing else shows, so that a leak can be held against it.
"""

import numpy as np

from crack_utils.data.split import Split, split_pairs


def leak(split, how, validation=0.2, seed=0):
    """Draw training and validation anew from what the two of a split hold together.

    Parameters
    ----------
    split : Split
    how : str
        "none": by specimen again, what the others are compared with.
        "siblings": by image, so that frames of a specimen come to lie on both sides (S3).
        "drawn once": training and validation drawn independently of each other, as when a data set that reshuffles at
        each iteration is split by `take` and `skip`, and both parts are cached (S2; tensorflow issue 59279).
        "drawn each epoch": the same without the caches: validation is a draw, training is everything, and each epoch
        draws its share of it (`make_dataset`, argument `drawn`).
    validation : float in (0, 1)
        Share of validation in what is drawn.
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
