"""The shell's way to a network that says how sure it is: ``crack-utils calibrate`` and ``model``."""

__all__ = ["add_commands"]


def add_commands(subparsers):
    """Add the commands to a command line; what they set as ``run`` returns the exit status.

    Parameters
    ----------
    subparsers : argparse._SubParsersAction
    """
    calibrate = subparsers.add_parser("calibrate", help="fit temperature and threshold of a run on its validation set")
    calibrate.add_argument("model", metavar="RUN", help="a run's folder or id")
    calibrate.set_defaults(run=_calibrate)

    model = subparsers.add_parser("model", help="make the default model, trained on synthetic specimens")
    model.add_argument("--preset", default="quick", help="quick (minutes); smoke shows that it works")
    model.set_defaults(run=_model)


def _calibrate(options):
    from crack_utils.calibration import calibrate
    from crack_utils.run import load_run

    run = load_run(options.model)
    found = calibrate(run)
    print(f"{run.folder}: temperature {found.temperature:.2f}, threshold {found.threshold:g}")
    for name, each in found.measured.items():
        before, after = (each[f"expected_calibration_error_{when}"] for when in ("before", "after"))
        print(f"- {name}: expected calibration error {before:.4f}, calibrated {after:.4f}")
    return 0


def _model(options):
    from crack_utils.default_model import make_default_model

    print(make_default_model(options.preset))
    return 0
