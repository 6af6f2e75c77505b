"""What a study will cost on this machine, before it starts."""

import time

import numpy as np
import tensorflow as tf

from crack_utils.runtime import hardware
from crack_utils.study import cases as study_cases
from crack_utils.training.fit import compiled_model, training_batches

START = 20  # [s] to start Python and TensorFlow, to read the data and to measure the result, in each training
STEPS = 12  # timed, after two that are not: the first compiles


def table(scale, workers=1):
    """Return in words how many trainings are left and how long they will take.

    Parameters
    ----------
    scale : str
    workers : int
        Trainings side by side, one thread each.
    """
    everything = study_cases.cases(scale)
    left = [case for case in everything if not study_cases.marker(scale, case).exists()]
    text = f"Study of scale {scale}: {len(everything)} trainings, {len(everything) - len(left)} done before"
    if not left:
        return f"{text}. Nothing is left to train."
    by_model = {}
    for case in left:
        by_model.setdefault(case.experiment.model, []).append(case.experiment)
    rates = {model: images_per_second(some[0]) for model, some in by_model.items()}
    steps = {model: sum(map(study_cases.image_steps, some)) for model, some in by_model.items()}
    seconds = sum(steps[model] / rate for model, rate in rates.items())
    minutes = (seconds + START * len(left) / workers) / 60
    size = "×".join(map(str, left[0].experiment.size))
    speed = ", ".join(f"{rate:.0f}" if len(rates) == 1 else f"{rate:.0f} ({model})" for model, rate in rates.items())
    return (
        f"{text}, {len(left)} to do: {sum(steps.values()):,} image steps of {size} pixels.\n"
        f"At {speed} images a second, as measured just now, {workers} at a time: about {minutes:.0f} minutes. "
        "It can be interrupted at any moment; the same command goes on."
    )


def images_per_second(experiment):
    """Return how many pictures a second this machine trains on, all of its processors together."""
    precision, xla = hardware.resolve(experiment.precision)
    model = compiled_model(experiment, STEPS, precision, xla)
    black = np.zeros((experiment.batch, *experiment.size, 1), np.float32)
    pictures = tf.data.Dataset.from_tensors((black, black)).repeat(STEPS + 2)
    for step, batch in enumerate(training_batches(model, pictures, experiment.seed, 0)):
        if step == 2:
            began = time.perf_counter()
        model.train_on_batch(*batch)
    return STEPS * experiment.batch / (time.perf_counter() - began)
