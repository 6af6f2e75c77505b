"""Contenders take turns, and the medians are compared: what else a machine does slows all of them alike."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Contender:
    """Something that is timed against others.

    Parameters
    ----------
    name : str
    run : callable without arguments
    work : float
        What one call gets done, in the unit that the rate is told in (images, TFLOP).
    precision : str, optional
        "float32" or "bfloat16": which matrix product its work is held against.
    """

    name: str
    run: Callable
    work: float
    precision: str = "float32"


def rates(contenders, rounds):
    """Return the rates of each contender [work/s], one a round.

    Every contender is called once before, untimed: it may have to compile. Then all take turns, A B C A B C …

    Parameters
    ----------
    contenders : list of Contender
    rounds : int

    Returns
    -------
    dict of str to list of float
    """
    found = {contender.name: [] for contender in contenders}
    for contender in contenders:
        contender.run()
    for _ in range(rounds):
        for contender in contenders:
            began = time.perf_counter()
            contender.run()
            found[contender.name].append(contender.work / (time.perf_counter() - began))
    return found


def ratios(rates, reference):
    """Return how many times as fast as the reference each round was: neighbours in time are compared.

    Parameters
    ----------
    rates, reference : list of float [work/s]
        Of the same rounds.
    """
    return [rate / base for rate, base in zip(rates, reference, strict=True)]


def spread(values, form="{:.1f}"):
    """Lay out median, least and greatest: ``"2.0 (1.5–4.0)"``."""
    middle, least, most = (form.format(value) for value in (statistics.median(values), min(values), max(values)))
    return f"{middle} ({least}–{most})"
