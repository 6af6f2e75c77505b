"""The commands of a study that the workflow uses: `python -m crack_utils.study cost|train|gather SCALE …`."""

import argparse
import sys
import time
from pathlib import Path

from crack_utils.runtime.workers import cores
from crack_utils.study import cases as study_cases
from crack_utils.study.cases import SCALES


def main(arguments=None):
    """Run one step of a study."""
    parser = argparse.ArgumentParser(prog="python -m crack_utils.study", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, run, explanation in (
        ("cost", _cost, "print the number of trainings left and the expected time on this machine"),
        ("train", _train, "train and measure one case"),
        ("gather", _gather, "write the tables of the finished trainings"),
    ):
        command = commands.add_parser(name, help=explanation)
        command.add_argument("scale", choices=SCALES)
        command.set_defaults(run=run)
        if name == "train":
            command.add_argument("case", help="a name such as dice-0-1a2b3c4d")
            command.add_argument("marker", type=Path, help="file to write the run's id to")
    options = parser.parse_args(arguments)
    return options.run(options)


def _cost(options):
    """Print an estimate from a few timed steps on this machine."""
    from crack_utils.study.cost import table

    print(table(options.scale, workers=cores()))


def _train(options):
    from crack_utils.evaluation.evaluate import evaluate
    from crack_utils.training.fit import fit

    case = study_cases.case(options.scale, options.case)
    began = time.time()
    run = fit(case.experiment)
    evaluate(run)
    options.marker.parent.mkdir(parents=True, exist_ok=True)
    options.marker.write_text(f"{run.id}\n", encoding="utf-8")
    print(f"{case.name}: {run.id}, {time.time() - began:.0f} s")


def _gather(options):
    from crack_utils.evaluation.evaluate import evaluate
    from crack_utils.study import claims, fingerprint, tables
    from crack_utils.training.run import load_run

    finished = [each for each in study_cases.cases(options.scale) if study_cases.marker(options.scale, each).exists()]
    complete, left = study_cases.complete(options.scale, finished)
    runs = [load_run(study_cases.marker(options.scale, case).read_text(encoding="utf-8").strip()) for case in complete]
    for run in runs:
        evaluate(run)  # does nothing unless the measures have changed since the training
    folder = tables.folder_of(options.scale)
    tables.write(folder, tables.gather(complete, runs), options.scale)
    if options.scale in claims.JUDGED:
        claims.write_measures(folder, tables.read(folder))
    if options.scale == fingerprint.SCALE:
        fingerprint.keep_networks(runs, folder)
    print(f"Gathered {len(runs)} trainings" + (f"; not yet complete: {', '.join(left)}" if left else ""))


if __name__ == "__main__":
    sys.exit(main())
