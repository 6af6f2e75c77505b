"""How many photographs a second `crack-utils predict` does with the default model: from files to files."""

import shutil
import tempfile
from contextlib import ExitStack
from pathlib import Path

from benchmarks.timing import Apart, rates_apart, ratios, spread

ALONE = "one process"
FRAMES = 4  # of a specimen


def rows(size, specimens, rounds):
    """Measure folders of drawn photographs, small and large ones.

    Parameters
    ----------
    size : (height, width) [px]
    specimens : sequence of int
        Of each folder; a specimen gives four photographs. `predict` uses one process for up to eight.
    rounds : int

    Returns
    -------
    list of list of str
        Name, photographs/s, times one process, two empty cells.
    """
    return [row for count in specimens for row in _rows(size, count, rounds)]


def _rows(size, specimens, rounds):
    names = {ALONE: False, "all cores": True}
    found = rates_apart([Apart(name, inspecting, (size, specimens, shared)) for name, shared in names.items()], rounds)
    failed = any(isinstance(rate, str) for rate in found.values())
    return [
        [
            f"folder of {FRAMES * specimens} photographs, {size[0]}×{size[1]}, {name}",
            rate if isinstance(rate, str) else spread(rate),
            "" if failed else spread(ratios(rate, found[ALONE]), "{:.2f}"),
            "",
            "",
        ]
        for name, rate in found.items()
    ]


def inspecting(size, specimens, shared):
    """Return a turn of inspecting a folder, without the start of TensorFlow and of the processes, and its pictures."""
    from crack_utils.data import synthetic
    from crack_utils.inference.inspect import inspect_all, start_workers
    from crack_utils.inference.photographs import find_photographs
    from crack_utils.inference.predictor import load_trained

    place = Path(tempfile.mkdtemp())
    synthetic.generate(place, specimens=specimens, frames=FRAMES, size=size, seed=0)
    photographs = find_photographs(place / "old") + find_photographs(place / "new")
    trained = load_trained("default")
    workers = ExitStack().enter_context(start_workers(photographs)) if shared else None  # as long as this process

    def run():
        shutil.rmtree(place / "found", ignore_errors=True)
        inspect_all(trained, photographs, place / "found", workers=workers)

    return run, len(photographs)
