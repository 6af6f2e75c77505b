"""Measure, print and write down: `python -m benchmarks` (minutes), or `python -m benchmarks --smallest` (seconds).

The full measurement writes `results/benchmark.md` and puts the same text into the README, between two markers.
"""

import argparse
import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # before TensorFlow is imported

from benchmarks import inputs, networks, pytorch_unet
from crack_utils import Experiment
from crack_utils.runtime import hardware, paths

BEGIN, END = "<!-- benchmark:begin -->", "<!-- benchmark:end -->"


def main(arguments=None):
    """Run the benchmark that the command line asks for; see the module's head."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__.splitlines()[0])
    parser.add_argument("--smallest", action="store_true", help="only to see that it works; README stays as it is")
    parser.add_argument("--output", type=Path, help="file to write to, instead of results/benchmark.md and README.md")
    options = parser.parse_args(arguments)
    text = report(**_extent(options.smallest))
    print(text)
    if options.output:
        options.output.write_text(text, encoding="utf-8")
    elif not options.smallest:
        target = paths.root() / "results" / "benchmark.md"
        target.parent.mkdir(exist_ok=True)
        target.write_text(text, encoding="utf-8")
        readme = paths.root() / "README.md"
        readme.write_text(embedded(readme.read_text(encoding="utf-8"), text), encoding="utf-8")
    return 0


def report(experiment, steps, rounds, side, specimens):
    """Return what was measured, as Markdown that names the machine.

    Parameters
    ----------
    experiment : Experiment
    steps : int
        Batches in a contender's turn.
    rounds : int
        Turns of each contender.
    side : int
        Of the matrices that are multiplied.
    specimens : int
        Of the pictures that are decoded and read.
    """
    machine = hardware.describe()
    gpus = ", ".join(machine["gpus"]) or "no GPU"
    height, width = experiment.size
    parts = [
        f"{machine['cpu']}, {machine['cores']} cores, {machine['memory_gib']} GiB, {gpus}; "
        f"pictures of {height}×{width}, batches of {experiment.batch}. "
        f"Median (least–greatest) of {rounds} rounds in which all take turns.",
        networks.table(experiment, steps, rounds, side),
        inputs.table(experiment, specimens, steps, rounds),
    ]
    if not pytorch_unet.is_installed():
        parts.append(pytorch_unet.HINT)
    return "\n\n".join(parts) + "\n"


def embedded(document, text):
    """Return a document with `text` between the two markers, instead of what stood there.

    Raises
    ------
    ValueError
        If the markers are not there, once each and in order.
    """
    before, begin, rest = document.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"README.md must hold {BEGIN} and, after it, {END}")
    return f"{before}{BEGIN}\n{text}{END}{after}"


def _extent(smallest):
    if smallest:
        experiment = Experiment.preset("smoke", size=(32, 40), batch=2, model_options={"filters": 2})
        return {"experiment": experiment, "steps": 1, "rounds": 1, "side": 32, "specimens": 2}
    return {"experiment": Experiment.preset("quick"), "steps": 8, "rounds": 7, "side": 2048, "specimens": 20}


if __name__ == "__main__":
    sys.exit(main())
