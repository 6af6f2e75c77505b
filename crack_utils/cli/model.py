"""Commands for trained networks: ``crack-utils calibrate``, ``card``, ``export`` and ``model``."""

from pathlib import Path

CHECKED = 4  # pictures on which an exported network is compared with Keras


def add_commands(subparsers):
    """Add the commands to a command line; their option ``run`` is a function that returns the exit status.

    Parameters
    ----------
    subparsers : argparse._SubParsersAction
    """
    calibrate = subparsers.add_parser(
        "calibrate",
        help="fit temperature and threshold of a run on its validation set",
        description="Fit the temperature and the threshold of a run on its validation set. If the run has a test "
        "set, measure the errors of length and tip on it, so that predictions get bounds. A training ends with this.",
        epilog="example: crack-utils calibrate latest",
    )
    calibrate.add_argument("model", metavar="RUN", help="a run's folder or id, or 'latest'")
    calibrate.set_defaults(run=_calibrate)

    card = subparsers.add_parser(
        "card",
        help="write a run's model card: data, measures, intended use, limits",
        description="Write a run's model card as Markdown: its data, measures with intervals, intended use and limits.",
        epilog="example: crack-utils card latest --to card.md",
    )
    card.add_argument("model", metavar="RUN", help="a run's folder or id, or 'latest'")
    card.add_argument("--to", type=Path, metavar="FILE", help="default: card.md in the run's folder")
    card.set_defaults(run=_card)

    export = subparsers.add_parser(
        "export",
        help="write a run's network for use without Keras, and compare both",
        description="Write a run's network for use without Keras, with its calibration and model card. Each file is "
        "compared with Keras on real pictures before it is kept.",
        epilog="example: crack-utils export latest --to exported --format savedmodel",
    )
    export.add_argument("model", metavar="RUN", help="a run's folder or id, or 'latest'")
    export.add_argument("--to", type=Path, required=True, metavar="FOLDER", help="made if it does not exist")
    export.add_argument(
        "--format",
        action="append",
        metavar="NAME",
        help="savedmodel, onnx or litert; can be repeated; default: all whose packages are installed",
    )
    export.set_defaults(run=_export)

    model = subparsers.add_parser(
        "model",
        help="make the default model again: draw its pictures and train (an hour)",
        description="Draw the pictures of the default model and train it again.",
        epilog="example: crack-utils model --to my_default",
    )
    model.add_argument("--to", type=Path, metavar="FOLDER", help="default: the package's folder for 'predict default'")
    model.add_argument("--updates", type=int, metavar="N", help="of the training; default: as for the package's model")
    model.set_defaults(run=_model)


def _calibrate(options):
    from crack_utils.training.run import load_run

    run = load_run(options.model)  # refused before the next line loads TensorFlow
    from crack_utils.data.split import NO_CRACK, is_cracked
    from crack_utils.evaluation.calibration import calibrate
    from crack_utils.evaluation.sets import split_of

    calibration = calibrate(run)
    if not any(map(is_cracked, split_of(run).validation)):
        print(f"no crack in validation: {NO_CRACK['validation']}")
    print(f"{run.folder}: temperature {calibration.temperature:.2f}, threshold {calibration.threshold:g}")
    for name, measures in calibration.measured.items():
        before, after = (measures[f"expected_calibration_error_{when}"] for when in ("before", "after"))
        print(f"- {name}: expected calibration error {before:.4f}, calibrated {after:.4f}")
    return 0


def _card(options):
    from crack_utils.training.run import load_run

    run = load_run(options.model)
    from crack_utils.runtime.atomic import check_file

    if options.to:
        check_file(options.to)
    from crack_utils.evaluation.evaluate import evaluate
    from crack_utils.evaluation.model_card import NAME, write_card

    evaluate(run)
    place = options.to or run.folder / NAME
    write_card(run, place)
    print(place)
    return 0


def _export(options):
    from crack_utils.data.pairs import spread
    from crack_utils.inference.export import OPSET, check_formats, check_place, export_model
    from crack_utils.models import shipped
    from crack_utils.training.run import load_run

    check_formats(options.format or ())  # first, so that an error comes early
    run = load_run(options.model)
    check_place(options.to, run.folder / shipped.NETWORK)
    from crack_utils.evaluation.calibration import calibrate
    from crack_utils.evaluation.default_model import copy_model
    from crack_utils.evaluation.evaluate import evaluate
    from crack_utils.evaluation.predictions import arrays
    from crack_utils.evaluation.sets import split_of

    evaluate(run)
    calibrate(run)
    split = split_of(run)
    images, _ = arrays(spread(split[split.evaluated], CHECKED), run.experiment.picture_size)
    images = [*images, images[0][:-3, :-5]]  # also a size that is not a multiple of the network's stride
    copy_model(run, options.to)  # first: after an interruption, the folder is known to be this network's
    for name, (place, difference) in export_model(run.model(), options.to, images, options.format).items():
        opset = f", opset {OPSET}" if name == "onnx" else ""
        print(f"{place}: {name}{opset}, at most {difference:.1e} from Keras on {len(images)} pictures")
    return 0


def _model(options):
    from crack_utils.evaluation.default_model import make_default_model

    given = {"folder": options.to, "updates": options.updates}
    print(make_default_model(**{name: value for name, value in given.items() if value is not None}))
    return 0
