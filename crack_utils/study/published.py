"""The results that the source report published (R54). Plain data."""

from itertools import pairwise

from crack_utils.losses.registry import title

# Table 1 of the source report (R54), as printed there.
COLUMNS = ("train_miou", "val_miou", "train_loss", "val_loss", "train_accuracy", "val_accuracy")
HEADINGS = ("train mIoU", "val. mIoU", "train loss", "val. loss", "train acc.", "val. acc.")
TABLE_1 = {
    loss: dict(zip(COLUMNS, row, strict=True))
    for loss, row in {
        "bce": (0.80943, 0.81339, 0.00071, 0.00144, 0.98991, 0.98821),
        "dice": (0.99024, 0.988796, 0.00954, 0.01109, 0.99719, 0.99689),
        "focal": (0.59103, 0.59285, 0.00015, 0.00046, 0.99883, 0.99775),
        "tversky": (0.98945, 0.98721, 0.00787, 0.00948, 0.99544, 0.99371),
    }.items()
}


def order(values, digits=3):
    """Return the titles of losses in the order of their values, highest first; equal ones have no order.

    Parameters
    ----------
    values : dict of float
        By loss.
    digits : int
        Number of digits to which values are rounded before they are compared, as in the printed table.

    Returns
    -------
    str

    Examples
    --------
    >>> order({"bce": 0.8134, "dice": 0.9888, "tversky": 0.9872}, digits=2)
    'Dice = Tversky > BCE'
    """
    rounded = {name: round(value, digits) for name, value in values.items()}
    ranked = sorted(rounded, key=rounded.get, reverse=True)
    signs = [" = " if rounded[first] == rounded[second] else " > " for first, second in pairwise(ranked)]
    return "".join(title(name) + sign for name, sign in zip(ranked, [*signs, ""], strict=True))
