"""Contenders take turns, and the medians are compared: what else a machine does slows all of them alike."""

import contextlib
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

from crack_utils.runtime.workers import Workers


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


@dataclass(frozen=True)
class Apart:
    """A contender in a process of its own: PyTorch and TensorFlow do not get on in one.

    Parameters
    ----------
    name : str
    build : callable
        At the top level of a module; called there once, it returns a function without arguments and its work.
    options : tuple
        Its arguments.
    precision : str
        As for `Contender`.
    """

    name: str
    build: Callable
    options: tuple = ()
    precision: str = "float32"


def rates_apart(contenders, rounds):
    """Return the rates of each contender, as `rates` does, or why it failed.

    Parameters
    ----------
    contenders : list of Apart
    rounds : int

    Returns
    -------
    dict of str to list of float [work/s], or to str
    """
    found = {}
    with contextlib.ExitStack() as stack:
        processes = {contender.name: stack.enter_context(Workers(1)) for contender in contenders}

        def take(contender, function, *arguments):
            try:
                return processes[contender.name].call(function, *arguments)
            except Exception as error:  # a contender that fails, even by a crash, is a row that says so
                found[contender.name] = f"failed: {' '.join(str(error).split()) or type(error).__name__}"[:120]

        for contender in contenders:
            found[contender.name] = []
            take(contender, _prepare, contender.build, contender.options)
        for _ in range(rounds):
            for contender in contenders:
                if isinstance(found[contender.name], list) and (rate := take(contender, _turn)):
                    found[contender.name].append(rate)
    return found


_prepared = {}  # in a contender's process: what it runs, and the work of that


def _prepare(build, options):
    _prepared["run"], _prepared["work"] = build(*options)
    _prepared["run"]()


def _turn():
    began = time.perf_counter()
    _prepared["run"]()
    return _prepared["work"] / (time.perf_counter() - began)


def ratios(rates, reference):
    """Return how many times as fast as the reference each round was: neighbours in time are compared.

    Parameters
    ----------
    rates, reference : list of float [work/s]
        Of the same rounds.
    """
    return [rate / base for rate, base in zip(rates, reference, strict=True)]


def spread(values, form=None):
    """Lay out median, least and greatest: ``"2.0 (1.5–4.0)"``; by default with a decimal, or two digits below 1."""
    form = form or ("{:.1f}" if min(values) >= 1 else "{:.2g}")
    middle, least, most = (form.format(value) for value in (statistics.median(values), min(values), max(values)))
    return f"{middle} ({least}–{most})"
