"""Losses for crack segmentation: the report's four (R50–R53), and more for tips (R71, R72) and thin structures.

Every loss takes `true` and `predicted` of shape (batch, height, width, 1): masks in {0, 1} (fractions are allowed, 255
is not) and probabilities in [0, 1], the output of a sigmoid. Losses that need more, such as the tip, take masks with
more channels; see `needs`. All sums and logarithms are computed in float32, whatever the precision of the input,
because a float16 sum overflows beyond 65,504 pixels.

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
    """Load a loss, and Keras with it, only when it is used; the list of names works without Keras."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def get(name, **options):
    """Return a loss by its name, ready for `model.compile` or a gradient tape.

    Parameters
    ----------
    name : str
        One of LOSSES, or a sum of them with optional weights: ``"dice+bce"``, ``"0.5*tversky+tip"``.
    **options
        Hyper-parameters of a single loss, e.g. ``get("focal", gamma=1.0)``. Sums take the defaults; a tip term weights
        the first of the report's losses in its sum.

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
        parts = [get(part, **({"base": _tip_base(names)} if part == "tip" else {})) for part in names]
        return weighted_sum(parts, weights, name="_".join(names))
    loss = __getattr__(LOSSES[name].class_name)
    valid = [key for key in inspect.signature(loss).parameters if key != "name"]
    if unknown := sorted(set(options) - set(valid)):
        raise ValueError(f"unknown option {', '.join(unknown)} of loss {name!r}; valid are {', '.join(valid)}")
    return loss(**options)


def _tip_base(names):
    return import_module(f"{__name__}.tips").base_in(names)


def needs(name, **options):
    """Return which channels a loss needs in addition to the mask, so that the pipeline can add them.

    Parameters
    ----------
    name : str
    **options
        As for `get`.

    Returns
    -------
    frozenset of str
        "tip", "distance", both, or empty; see `crack_utils.data.targets`.

    Raises
    ------
    ValueError
        As for `get`.

    Examples
    --------
    >>> sorted(needs("dice+tip"))
    ['tip']
    """
    from crack_utils.losses.sums import needs_of

    return needs_of(get(name, **options))
