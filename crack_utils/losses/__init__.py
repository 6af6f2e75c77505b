"""Losses for crack segmentation: the report's four (R50–R53), and more for tips (R71, R72) and thin structures.

Every loss takes `true` and `predicted` of shape (batch, height, width, 1): masks in {0, 1} (fractions between are
allowed, 255 is not) and probabilities in [0, 1], as a sigmoid gives them. Losses that need to know more are given
masks with further channels, see `needs`. All sums and logarithms are taken in float32, whatever the precision of the
input: a float16 sum overflows beyond 65,504 pixels.

>>> get("tversky", alpha=0.4, beta=0.6).get_config()["alpha"]
0.4
>>> get("dice+bce").name
'dice_bce'
"""

import inspect
from importlib import import_module

from crack_utils.losses.registry import LOSSES, REPORTED, TITLES, files, terms, title

_HOMES = {entry.class_name: entry.module for entry in LOSSES.values()} | {
    "WeightedSum": "sums",
    "soft_skeleton": "thin",
    "tversky_index": "overlap",
}

__all__ = [*sorted(_HOMES), "LOSSES", "REPORTED", "TITLES", "files", "get", "needs", "title"]


def __getattr__(name):
    """Load Keras with the first loss that is used: the names are needed without it."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def get(name, **options):
    """Return a loss by its name.

    Parameters
    ----------
    name : str
        One of LOSSES, or a sum of them with optional weights: ``"dice+bce"``, ``"0.5*tversky+tip"``.
    **options
        Hyper-parameters of a single loss, e.g. ``get("focal", gamma=1.0)``. Sums take the defaults.

    Returns
    -------
    keras.losses.Loss
        Of masks and probabilities, both (batch, height, width, 1); the mean over the batch, a float32 scalar.

    Raises
    ------
    ValueError
        If the name, a weight or an option is unknown; the message lists the valid ones.
    """
    weights, names = zip(*terms(name), strict=True)
    if "+" in name or "*" in name:
        if options:
            raise ValueError(f"loss {name!r} is a sum, which takes no options; got {sorted(options)}")
        weighted_sum = __getattr__("WeightedSum")
        return weighted_sum([get(part) for part in names], weights, name="_".join(names))
    loss = __getattr__(LOSSES[name].class_name)
    valid = [key for key in inspect.signature(loss).parameters if key != "name"]
    if unknown := sorted(set(options) - set(valid)):
        raise ValueError(f"unknown option {', '.join(unknown)} of loss {name!r}; valid are {', '.join(valid)}")
    return loss(**options)


def needs(name, **options):
    """Return what a loss of that name asks of the targets beside the mask, see `crack_utils.data.targets`.

    Returns
    -------
    frozenset of str
        "tip", "distance", both, or none.

    Examples
    --------
    >>> sorted(needs("dice+tip"))
    ['tip']
    """
    from crack_utils.losses.sums import needs_of

    return needs_of(get(name, **options))
