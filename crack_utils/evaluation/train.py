"""Train an experiment, evaluate the run and calibrate it, so that it is ready to use."""

from crack_utils.evaluation.calibration import calibrate
from crack_utils.evaluation.evaluate import evaluate
from crack_utils.training.fit import fit


def train(experiment):
    """Train an experiment, evaluate the run and calibrate it; steps that were done before are not repeated.

    Use it to get a network that is ready for `predict`, `serve` and `export`. A study that needs only the measures
    calls `fit` and `evaluate`.

    Parameters
    ----------
    experiment : Experiment

    Returns
    -------
    Run
        With model.keras, metrics.json and calibration.json.

    Raises
    ------
    DataError, FloatingPointError, FullDiskError, NothingLearntError
        As for `fit`.
    """
    run = fit(experiment)
    evaluate(run)
    calibrate(run)
    return run
