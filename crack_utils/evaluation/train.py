"""Train an experiment, evaluate the run and calibrate it, so that it is ready to use."""

from crack_utils.evaluation.calibration import calibrate
from crack_utils.evaluation.evaluate import evaluate
from crack_utils.training.fit import fit


def train(experiment):
    """Train an experiment, measure the run and calibrate it; what was done before is not done again.

    This is the one call from settings to a network that `predict`, `serve` and `export` can use. A study that needs
    the measures alone calls `fit` and `evaluate`.

    Parameters
    ----------
    experiment : Experiment

    Returns
    -------
    Run
        With model.keras, metrics.json and calibration.json.

    Raises
    ------
    DataError, FloatingPointError, FullDiskError
        As for `fit`.
    """
    run = fit(experiment)
    evaluate(run)
    calibrate(run)
    return run
