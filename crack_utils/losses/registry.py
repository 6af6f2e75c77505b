"""The losses by name. A new loss needs one file and one line here. This file is plain data and does not load Keras."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    """The place and the title of a loss.

    Attributes
    ----------
    module, class_name : str
        Module in this folder, and class in it.
    title : str
        For headings and tables.
    reported : bool
        Whether it is one of the report's four (R50–R53).
    """

    module: str
    class_name: str
    title: str
    reported: bool = False


LOSSES = {
    "bce": Entry("cross_entropy", "BinaryCrossEntropy", "BCE", reported=True),
    "dice": Entry("overlap", "Dice", "Dice", reported=True),
    "focal": Entry("cross_entropy", "Focal", "focal", reported=True),
    "tversky": Entry("overlap", "Tversky", "Tversky", reported=True),
    "edge": Entry("cross_entropy", "EdgeCrossEntropy", "BCE with edges"),
    "tip": Entry("tips", "GaussianTip", "Gaussian tip"),
    "tip_distance": Entry("tips", "TipDistance", "tip distance"),
    "cldice": Entry("thin", "CentrelineDice", "clDice"),
    "boundary": Entry("thin", "Boundary", "boundary"),
}

REPORTED = tuple(name for name, entry in LOSSES.items() if entry.reported)
TITLES = {name: entry.title for name, entry in LOSSES.items()}


def title(name):
    """Return the title of a loss, or of a sum of losses: ``"dice+bce"`` is ``"Dice + BCE"``."""
    return " + ".join(_term_title(term) for term in name.split("+"))


def terms(name):
    """Split the name of a loss or of a sum into weights and names.

    Parameters
    ----------
    name : str
        One of LOSSES, or a sum with optional weights such as ``"0.5*tversky+tip"``.

    Returns
    -------
    list of (float, str)

    Raises
    ------
    ValueError
        If a weight is not a number or a name is unknown; the message lists the valid names.

    Examples
    --------
    >>> terms("0.5*tversky+tip")
    [(0.5, 'tversky'), (1.0, 'tip')]
    """
    return [_weight_and_name(term, name) for term in name.split("+")]


def files(name):
    """Return the modules that a loss uses, as paths relative to the package; a run's id depends on them.

    >>> files("dice+bce")
    ['losses/cross_entropy.py', 'losses/overlap.py', 'losses/sums.py']
    """
    modules = {f"losses/{LOSSES[part].module}.py" for _, part in terms(name)}
    return sorted(modules | {"losses/sums.py"})


def _weight_and_name(term, whole_name):
    weight, star, name = (part.strip() for part in term.rpartition("*"))
    if name not in LOSSES:
        raise ValueError(f"unknown loss {whole_name!r}; valid are {', '.join(LOSSES)} and sums such as 'dice+bce'")
    try:
        value = float(weight) if star else 1.0
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise ValueError(f"the weight in {term.strip()!r} must be a number above 0, as in '0.5*tversky'")
    return value, name


def _term_title(term):
    weight, star, name = term.strip().rpartition("*")
    return f"{weight}{' · ' if star else ''}{TITLES.get(name.strip(), name)}"
