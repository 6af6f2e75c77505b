"""What a study will cost on this machine, before it starts."""

import time

import numpy as np

from crack_utils import hardware
from crack_utils.study import cases as study_cases
from crack_utils.training import compiled_model

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
    steps = sum(study_cases.image_steps(case.experiment) for case in left)
    rate = images_per_second(left[0].experiment)
    minutes = (steps / rate + START * len(left) / workers) / 60
    return (
        f"{text}, {len(left)} to do: {steps:,} image steps of {'×'.join(map(str, left[0].experiment.size))} pixels.\n"
        f"At {rate:.0f} images a second, as measured just now, {workers} at a time: about {minutes:.0f} minutes. "
        "It can be interrupted at any moment; the same command goes on."
    )


def images_per_second(experiment):
    """Return how many pictures a second this machine trains on, all of its processors together."""
    precision, xla = hardware.resolve(experiment.precision)
    model = compiled_model(experiment, STEPS, precision, xla)
    batch = np.zeros((experiment.batch, *experiment.size, 1), np.float32)
    for step in range(STEPS + 2):
        if step == 2:
            began = time.perf_counter()
        model.train_on_batch(batch, batch)
    return STEPS * experiment.batch / (time.perf_counter() - began)
