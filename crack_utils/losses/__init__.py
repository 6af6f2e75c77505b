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

from crack_utils.losses.cross_entropy import BinaryCrossEntropy, Focal
from crack_utils.losses.overlap import Dice, Tversky, tversky_index
from crack_utils.losses.sums import WeightedSum, needs_of
from crack_utils.losses.thin import Boundary, CentrelineDice, soft_skeleton
from crack_utils.losses.tips import GaussianTip, TipDistance

__all__ = [
    "TITLES",
    "BinaryCrossEntropy",
    "Boundary",
    "CentrelineDice",
    "Dice",
    "Focal",
    "GaussianTip",
    "TipDistance",
    "Tversky",
    "WeightedSum",
    "get",
    "more_names",
    "names",
    "needs",
    "soft_skeleton",
    "tversky_index",
]

_LOSSES = {"bce": BinaryCrossEntropy, "dice": Dice, "focal": Focal, "tversky": Tversky}
_MORE_LOSSES = {"tip": GaussianTip, "tip_distance": TipDistance, "cldice": CentrelineDice, "boundary": Boundary}
TITLES = {
    "bce": "BCE",
    "dice": "Dice",
    "focal": "Focal",
    "tversky": "Tversky",
    "tip": "Gaussian tip",
    "tip_distance": "Tip distance",
    "cldice": "clDice",
    "boundary": "Boundary",
}


def names():
    """Return the names of the report's losses, in the order of its table."""
    return list(_LOSSES)


def more_names():
    """Return the names of the other losses: those for tips, and the field's references for thin structures."""
    return list(_MORE_LOSSES)


def get(name, **options):
    """Return a loss by its name.

    Parameters
    ----------
    name : str
        One of `names()` or `more_names()`, or a sum of them with optional weights: ``"dice+bce"``,
        ``"0.5*tversky+tip"``.
    **options
        Hyper-parameters of a single loss, e.g. ``get("focal", gamma=1.0)``. Sums take the defaults.

    Raises
    ------
    ValueError
        If the name, a weight or an option is unknown; the message lists the valid ones.
    """
    if "+" in name or "*" in name:
        if options:
            raise ValueError(f"loss {name!r} is a sum, which takes no options; got {sorted(options)}")
        weights, parts = zip(*[_weight_and_name(term) for term in name.split("+")], strict=True)
        return WeightedSum([get(part) for part in parts], weights, name="_".join(parts))
    known = _LOSSES | _MORE_LOSSES
    if name not in known:
        raise ValueError(f"unknown loss {name!r}; valid are {', '.join(known)} and sums such as 'dice+bce'")
    valid = [key for key in inspect.signature(known[name]).parameters if key != "name"]
    unknown = sorted(set(options) - set(valid))
    if unknown:
        raise ValueError(f"unknown option {', '.join(unknown)} of loss {name!r}; valid are {', '.join(valid)}")
    return known[name](**options)


def needs(name, **options):
    """Return what a loss of that name asks of the truth beside the mask, see `crack_utils.data.truth`.

    Returns
    -------
    frozenset of str
        "tip", "distance", both, or none.

    Examples
    --------
    >>> sorted(needs("dice+tip"))
    ['tip']
    """
    return needs_of(get(name, **options))


def _weight_and_name(term):
    """Split ``"0.5*tversky"`` into (0.5, "tversky"); a bare name weighs 1."""
    weight, star, name = term.strip().rpartition("*")
    if not star:
        return 1.0, name
    try:
        return float(weight), name.strip()
    except ValueError:
        raise ValueError(f"the weight in {term!r} must be a number, as in '0.5*tversky'") from None
