"""Measure, print and write down: `python -m benchmarks` (minutes), or `python -m benchmarks --smallest` (seconds).

The full measurement writes `results/benchmark.csv`, which the book's page on speed shows.
"""

import argparse
import csv
import io
import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # before TensorFlow is imported

from benchmarks import folders, inputs, networks, pytorch_unet
from crack_utils import Experiment
from crack_utils.runtime import hardware, paths
from crack_utils.runtime.atomic import atomic_write

HEADER = ["work", "images or pairs a second", "times the usual way", "TFLOP/s", "share of the matrix product"]


def main(arguments=None):
    """Run the benchmark that the command line asks for; see the module's head."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__.splitlines()[0])
    parser.add_argument("--smallest", action="store_true", help="only to see that it works; the table stays as it is")
    parser.add_argument("--output", type=Path, help="file to write to, instead of results/benchmark.csv")
    options = parser.parse_args(arguments)
    text = report(**_extent(options.smallest))
    print(text)
    committed = None if options.smallest else paths.root() / "results" / "benchmark.csv"
    if place := options.output or committed:
        with atomic_write(place) as draft:
            draft.write_text(text, encoding="utf-8")
    if not pytorch_unet.is_installed():
        print(pytorch_unet.HINT)
    return 0


def report(experiment, steps, rounds, side, specimens, larger, photograph, folder_specimens):
    """Return what was measured as CSV, a row a contender; the last row names the machine.

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
    larger : sequence of (height, width) [px]
        Of the larger pictures that are predicted.
    photograph : (height, width) [px]
        Of the photographs of a folder.
    folder_specimens : sequence of int
        Of each folder.
    """
    machine = hardware.describe()
    gpus = ", ".join(machine["gpus"]) or "no GPU"
    measured_on = (
        f"measured on {machine['cpu']}, {machine['cores']} cores, {machine['memory_gib']} GiB, {gpus}; "
        f"prediction one picture a call where nothing else is said; {rounds} rounds, {min(rounds, 3)} with the largest "
        "pictures and with folders"
    )
    rows = [
        HEADER,
        *networks.rows(experiment, steps, rounds, side, larger),
        *folders.rows(photograph, folder_specimens, min(rounds, 3)),
        *inputs.rows(experiment, specimens, steps, rounds),
        [measured_on, *[""] * (len(HEADER) - 1)],
    ]
    file = io.StringIO()
    csv.writer(file, lineterminator="\n").writerows(rows)
    return file.getvalue()


def _extent(smallest):
    if smallest:
        experiment = Experiment.preset("smoke", size=(32, 40), batch=2, model_options={"filters": 2})
        sizes = {"larger": [(48, 64)], "photograph": (64, 96), "folder_specimens": [3]}
        return {"experiment": experiment, "steps": 1, "rounds": 1, "side": 32, "specimens": 2, **sizes}
    sizes = {"larger": [(512, 640), (2048, 2560)], "photograph": (400, 600), "folder_specimens": [4, 10, 50]}
    return {"experiment": Experiment.preset("quick"), "steps": 8, "rounds": 7, "side": 2048, "specimens": 20, **sizes}


if __name__ == "__main__":
    sys.exit(main())
