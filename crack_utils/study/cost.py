"""Estimate the time of a study on this machine before it starts."""

import time

import numpy as np
import tensorflow as tf

from crack_utils.runtime import hardware
from crack_utils.study import cases as study_cases
from crack_utils.training.compiling import compiled_model
from crack_utils.training.fit import training_batches

START = 20  # [s] per training, to start Python and TensorFlow, read the data and measure the result
STEPS = 12  # timed steps, after two untimed ones, of which the first compiles


def table(scale, workers=1):
    """Return a text with the number of trainings left and the expected time.

    Parameters
    ----------
    scale : str
    workers : int
        Number of trainings in parallel, with one thread each.

    Returns
    -------
    str

    Raises
    ------
    ValueError
        If there is no such scale.
    """
    everything = study_cases.cases(scale)
    left = [case for case in everything if not study_cases.marker(scale, case).exists()]
    text = f"Study of scale {scale}: {len(everything)} trainings, {len(everything) - len(left)} already done"
    if not left:
        return f"{text}. Nothing is left to train."
    by_model = {}
    for case in left:
        by_model.setdefault(case.experiment.model, []).append(case.experiment)
    rates = {model: images_per_second(experiments[0]) for model, experiments in by_model.items()}
    steps = {model: sum(map(study_cases.image_steps, experiments)) for model, experiments in by_model.items()}
    seconds = sum(steps[model] / rate for model, rate in rates.items())
    minutes = (seconds + START * len(left) / workers) / 60
    size = "×".join(map(str, left[0].experiment.size))
    speed = ", ".join(f"{rate:.0f}" if len(rates) == 1 else f"{rate:.0f} ({model})" for model, rate in rates.items())
    return (
        f"{text}, {len(left)} to do: {sum(steps.values()):,} image steps of {size} pixels.\n"
        f"At the measured {speed} images per second and {workers} trainings at a time: about {minutes:.0f} minutes. "
        "You can interrupt it at any time; the same command continues."
    )


def images_per_second(experiment):
    """Return the training speed of this machine, with all processors, in images per second."""
    precision, xla = hardware.resolve(experiment.precision, study_cases.image_steps(experiment))
    model = compiled_model(experiment, STEPS, precision, xla)
    black = np.zeros((experiment.batch, *experiment.size, 1), np.float32)
    pictures = tf.data.Dataset.from_tensors((black, black)).repeat(STEPS + 2)
    for step, batch in enumerate(training_batches(model, pictures, experiment.seed, 0)):
        if step == 2:
            began = time.perf_counter()
        model.train_on_batch(*batch)
    return STEPS * experiment.batch / (time.perf_counter() - began)
