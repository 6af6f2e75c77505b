"""Lists of trainings, losses × seeds, for the workflow's target `trainings`.

Only the standard library and `experiment` are used, because the workflow imports this at every start.
"""

import re

from crack_utils.training.experiment import Experiment


def trainings(losses, seeds):
    """List the trainings of a grid: each loss with each seed.

    Parameters
    ----------
    losses : str
        Names of losses or of sums of them, separated by commas, such as ``"bce,dice+bce"``.
    seeds : str or int
        See `whole_numbers`, such as ``"0-9"``.

    Returns
    -------
    list of dict
        `loss` and `seed` of each training, the losses in the given order.

    Raises
    ------
    ValueError
        If a loss is unknown or the seeds are not whole numbers; the message lists what is valid.

    Examples
    --------
    >>> trainings("bce,dice", "0-1")[1:3]
    [{'loss': 'bce', 'seed': 1}, {'loss': 'dice', 'seed': 0}]
    """
    names = [name.strip() for name in str(losses).split(",")]
    return [{"loss": Experiment(loss=name).loss, "seed": seed} for name in names for seed in whole_numbers(seeds)]


def whole_numbers(text):
    """Read numbers and ranges, separated by commas; a range includes both ends.

    Parameters
    ----------
    text : str or int
        Such as ``"0-9"``, ``"1,4,8-10"`` or ``3``.

    Returns
    -------
    list of int
        In rising order, without duplicates.

    Raises
    ------
    ValueError
        If a part is neither a number nor a rising range.

    Examples
    --------
    >>> whole_numbers("8-10, 1")
    [1, 8, 9, 10]
    """
    numbers = set()
    for part in str(text).split(","):
        ends = re.fullmatch(r"(\d+)(?:-(\d+))?", part.strip())
        first, last = (int(ends[1]), int(ends[2] or ends[1])) if ends else (1, 0)
        if first > last:
            raise ValueError(
                f"seeds={text}: {part.strip()!r} is neither a number nor a rising range; valid is 0-9 or 1,4,8"
            )
        numbers.update(range(first, last + 1))
    return sorted(numbers)
