"""Training on the command line: ``crack-utils train``."""

import argparse
import ast

from crack_utils.data.options import AUGMENTATIONS, FITS
from crack_utils.losses.registry import LOSSES
from crack_utils.models.registry import MODELS
from crack_utils.training.experiment import PRESETS, Experiment

FLAGS = ("start", "loss", "model", "seed", "fit", "augmentation")  # fields with a separate option


def add_commands(subparsers):
    """Add the command ``train`` to a command line; its option ``run`` is a function that returns the exit status.

    Parameters
    ----------
    subparsers : argparse._SubParsersAction
    """
    train = subparsers.add_parser(
        "train",
        help="train a network on a folder of photographs and masks",
        description="Train, evaluate and calibrate a network. After an interruption, the same command continues.",
        epilog="example: crack-utils train my_photographs --loss dice+bce --set epochs=20",
    )
    train.add_argument("data", help="a folder with images/ and masks/, several joined by ':', or 'synthetic'")
    train.add_argument(
        "--preset", help=f"one of {', '.join(PRESETS)}; default: photo for photographs, quick for synthetic ones"
    )
    train.add_argument(
        "--start",
        metavar="MODEL",
        help="start with the weights of a run, a .keras file, or 'default' (as the preset photo does)",
    )
    train.add_argument("--loss", help=f"one of {', '.join(LOSSES)}, or a sum such as dice+bce; default: the preset's")
    train.add_argument("--model", help=f"one of {', '.join(MODELS)}; default: the preset's")
    train.add_argument("--seed", type=int, help="of initial weights, order of images and augmentation; default: 0")
    train.add_argument(
        "--fit", help=f"one of {', '.join(FITS)}: resized photographs, or crops of them; default: the preset's"
    )
    train.add_argument("--augmentation", help=f"one of {', '.join(AUGMENTATIONS)}; default: the preset's")
    train.add_argument("--split", metavar="FILE", help="repeat the split in a run's split.csv instead of drawing one")
    train.add_argument(
        "--set",
        action="append",
        default=[],
        type=_setting,
        metavar="NAME=VALUE",
        help="any other field of the experiment, such as epochs=20 or model_options={'filters':32}; can be repeated",
    )
    train.set_defaults(run=_train)


def _setting(text):
    """Read ``name=value``; the value is a Python literal, or otherwise a text."""
    name, sign, value = text.partition("=")
    if not (sign and name.strip()):
        raise argparse.ArgumentTypeError(f"{text!r}: write NAME=VALUE, as in epochs=20")
    try:
        return name.strip(), ast.literal_eval(value)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):  # Python's own names and brackets too
        return name.strip(), value


def _train(options):
    from crack_utils.data import check_pairs, sources
    from crack_utils.training import start
    from crack_utils.training.run import LATEST, load_run

    fields = dict(options.set)
    if "data" in fields:
        raise ValueError(f"--set data={fields['data']}: give the folders right after `train`, where {options.data} is")
    fields["data"] = options.data
    fields |= {name: getattr(options, name) for name in FLAGS if getattr(options, name) is not None}
    fields |= {"split_by": options.split} if options.split else {}
    if fields.get("start") == LATEST:  # afterwards, this training will be the latest one
        fields["start"] = load_run(LATEST).id
    experiment = Experiment.preset(options.preset or "", **fields)
    if experiment.start:  # refused before the photographs are read, which can take minutes
        start.check(experiment.start, experiment.model)
    check_pairs(sources.load(experiment))

    from crack_utils.evaluation.native import against_start  # loads TensorFlow, so it comes after all checks
    from crack_utils.evaluation.train import train
    from crack_utils.evaluation.words import has_crack, in_words

    run = train(experiment)
    measured = run.metrics
    print(in_words(measured).replace("**", ""))
    if not has_crack(measured):
        print(run.folder)
        return 0
    measures = measured[measured["evaluated"]]
    miou, f1 = measures["mean_iou"], measures["f1_tolerance_2"]
    print(f"{run.folder} ({measured['evaluated']} set): mIoU {miou:.3f}, F1 {f1:.3f} at 2 px")
    try:
        if found := against_start(run):
            _print_start(found, run)
    except ValueError as error:  # the training itself has succeeded, so this is no failure
        print(f"not compared with the network that it started from: {error}")
    return 0


def _print_start(found, run):
    """Compare the trained network with the one that the training started from, and say which to use."""
    trained, start = (found[name]["f1_tolerance_2"] for name in ("trained", "start"))
    name, count = run.experiment.start, found["start"]["photographs"]
    print(
        f"F1 within 2 px on {count} photographs of this set, each network at its own threshold: {trained:.3f} trained, "
        f"{start:.3f} with {name!r}, which it started from"
    )
    if round(start, 3) > round(trained, 3):
        commands = f"`crack-utils predict {name}` and `crack-utils predict {run.id}`"
        print(f"the training did not improve {name!r}; compare the results of {commands}")
