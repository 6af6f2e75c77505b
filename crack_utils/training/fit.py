"""Experiment → run folder: Keras `fit`, checkpointed after every epoch, continued where it stopped (R40–R46)."""

import functools
import math
import shutil
import time

import keras
import numpy as np

from crack_utils import losses, models
from crack_utils.data import check_pairs, crops, pipeline, targets
from crack_utils.data.split import write_split
from crack_utils.runtime import devices, provenance
from crack_utils.runtime.atomic import atomic_write, explain_full_disk
from crack_utils.training import metrics
from crack_utils.training.callbacks import Checkpoint, Events, Progress, StopOnNaN
from crack_utils.training.prepare import prepare

STEPS = 2**32  # between the seeds of two trainings: no training has so many updates, so no two draw the same
MOMENTUM = 0.9  # of "momentum" and "nesterov", the usual value; all else is Keras' default

OPTIMIZERS = {
    "adam": keras.optimizers.Adam,
    "sgd": keras.optimizers.SGD,
    "momentum": functools.partial(keras.optimizers.SGD, momentum=MOMENTUM),
    "nesterov": functools.partial(keras.optimizers.SGD, momentum=MOMENTUM, nesterov=True),
    "adagrad": keras.optimizers.Adagrad,
    "rmsprop": keras.optimizers.RMSprop,
}


def fit(experiment):
    """Train an experiment, or return its run if that was done before.

    Parameters
    ----------
    experiment : Experiment

    Returns
    -------
    Run
        Finished: model, history, split and provenance are in its folder. Not yet measured, not calibrated: for that,
        `crack_utils.train`.

    Raises
    ------
    DataError
        If the data set cannot be used.
    FloatingPointError
        If the loss is no longer a number; the last good epoch is kept.
    FullDiskError
        If there is no room to write; the last epoch that could be kept is, and the next call continues after it.
    """
    started = time.time()
    prepared = prepare(experiment)
    experiment, run = prepared.experiment, prepared.run
    if run.finished:
        _remove_checkpoint(run)
        print(f"Run {run.id} is done already: {run.folder}")
        _tell_other_versions(run)
        return run
    needs = _check(experiment, prepared.pairs)
    # Whole pictures are validated one by one, which several devices cannot share.
    validated = 1 if experiment.fit == "crop" else len(prepared.split.validation)
    strategy = devices.strategy(experiment.batch, validated)
    run.folder.mkdir(parents=True, exist_ok=True)
    with (
        explain_full_disk(run.folder),
        run.lock("trains"),
        open(run.folder / "log.txt", "a", encoding="utf-8") as log,
    ):
        if run.finished:  # by the process that was waited for
            return run
        provenance.write_json(run.folder / "experiment.json", experiment.to_dict())
        with atomic_write(run.folder / "split.csv") as draft:
            write_split(prepared.split, draft)
        model, history = _fit(prepared, needs, strategy, log)
        with atomic_write(run.folder / "history.npz") as draft:
            np.savez(draft, **history)
        _save_for_prediction(model, experiment, run.folder / "model.keras")
        training = {
            "run": run.id,
            "precision": prepared.precision,
            "xla": prepared.xla,
            "devices": strategy.num_replicas_in_sync,
            "data_hash": prepared.manifest,
        }
        provenance.write_json(run.marker, training | provenance.describe(started))
        _remove_checkpoint(run)
    return run


def learning_rate_schedule(experiment, steps):
    """Return R41's three phases over `steps` updates, as Keras' piecewise constant schedule."""
    boundaries = [round(share * steps) for share in experiment.boundaries]
    return keras.optimizers.schedules.PiecewiseConstantDecay(boundaries, list(experiment.learning_rates))


def compiled_model(experiment, steps, precision="float32", xla=False):
    """Return the network, compiled with the optimizer, the schedule, the loss and the metrics of R44.

    A network that brings its own loss (see `models.registry`) is compiled without one.

    Parameters
    ----------
    experiment : Experiment
    steps : int
        Updates of the whole training; the schedule's phases are shares of it.
    precision : str
        A Keras dtype policy.
    xla : bool
    """
    keras.utils.set_random_seed(experiment.seed)
    model = models.build(experiment.model, dtype=precision, **experiment.model_options)
    optimizer = OPTIMIZERS[experiment.optimizer](learning_rate_schedule(experiment, steps))
    if precision == "mixed_float16":
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
    model.compile(
        optimizer,
        losses.get(experiment.loss, **experiment.loss_options) if models.MODELS[experiment.model].uses_loss else None,
        metrics=[
            metrics.MeanIoU(name="miou"),
            metrics.UnthresholdedMeanIoU(name="unthresholded_miou"),
            metrics.PixelAccuracy(name="accuracy"),
            metrics.MeanPixelAccuracy(name="pixel_accuracy"),
        ],
        jit_compile=xla,
    )
    return model


def repeats(experiment, images):
    """Return how often an epoch sees each of `images` training images."""
    return experiment.repeat or math.ceil(experiment.images_per_epoch / images)


def training_batches(model, pictures, seed, first_step):
    """Return what a network learns from: pictures and masks, or what its own `training_data` makes of them.

    Parameters
    ----------
    model : keras.Model
        May have a method ``training_data(dataset, seed)``. The seed is that of the first batch; each following batch
        has the next one, so that a training which continues draws what it would have drawn.
    pictures : tf.data.Dataset of (image, mask)
        Batches, as `make_dataset` returns them.
    seed : int
        Of the training.
    first_step : int
        How many batches the training has seen before.

    Returns
    -------
    tf.data.Dataset
    """
    if not hasattr(model, "training_data"):
        return pictures
    return model.training_data(pictures, seed * STEPS + first_step)


def _check(experiment, pairs):
    """Refuse pairs that cannot be trained on; return what the loss needs beside the mask."""
    check_pairs(pairs)
    needs = losses.needs(experiment.loss, **experiment.loss_options)
    if "tip" in needs:
        targets.check_tips(pairs, experiment.loss)
    if experiment.fit == "crop":
        crops.check(pairs, experiment.size)
    return needs


def _tell_other_versions(run):
    """Say which libraries were of another version when a run was trained: its numbers may differ here."""
    trained = run.provenance.get("packages", {})
    now = provenance.versions()
    if other := [
        f"{name} {trained[name]} (here {now[name]})" for name in now if trained.get(name, now[name]) != now[name]
    ]:
        print(f"It was trained with {', '.join(other)}; another training here may give slightly other numbers")


def _fit(prepared, needs, strategy, log):
    experiment, split, run = prepared.experiment, prepared.split, prepared.run
    # A careless pipeline draws its training images anew each epoch, and leaves as many out as validation has (S2).
    drawn = len(split.train) - (len(split.validation) if experiment.leak == "drawn each epoch" else 0)
    repeat = repeats(experiment, drawn)
    per_epoch = pipeline.epoch_length(drawn, repeat, experiment.batch, training=True)
    steps = per_epoch // experiment.batch
    with strategy.scope():
        model = compiled_model(experiment, steps * experiment.epochs, prepared.precision, prepared.xla)
    history = {}
    progress = Progress(experiment.epochs, steps, log, history)
    progress.say(
        f"{run.id}: {len(split.train)} training, {len(split.validation)} validation, {len(split.test)} test images "
        f"{'in crops ' if experiment.fit == 'crop' else ''}of {experiment.size[0]}×{experiment.size[1]}; "
        f"{experiment.epochs} epochs of {steps} steps "
        f"of {experiment.batch}; {prepared.precision}{', XLA' if prepared.xla else ''}; "
        f"devices: {strategy.num_replicas_in_sync}"
    )
    checkpoint = Checkpoint(run.folder / "checkpoint", model, history, progress.say)
    with strategy.scope():  # the optimizer's variables are made here
        first_epoch = checkpoint.restore()
    if first_epoch:
        progress.say(f"{run.id}: continues after epoch {first_epoch}")
    events = Events(run.folder / "tensorboard", history)
    if first_epoch == experiment.epochs:  # only what comes after the last epoch was interrupted
        events.on_train_begin()
        events.on_train_end()
    else:
        pictures = pipeline.make_dataset(
            split.train,
            experiment.size,
            experiment.batch,
            repeat=repeat,
            training=True,
            augment=experiment.augment,
            augmentation=experiment.augmentation,
            seed=experiment.seed,
            first_epoch=first_epoch,
            epochs=experiment.epochs - first_epoch,
            drawn=drawn,
            fit=experiment.fit,
            needs=needs,
        )
        model.fit(
            training_batches(model, pictures, experiment.seed, first_epoch * steps),
            validation_data=pipeline.make_dataset(
                split.validation,
                experiment.size,
                devices.even_batch(experiment.batch, len(split.validation), strategy.num_replicas_in_sync),
                fit=experiment.fit,
                needs=needs,
            ),
            initial_epoch=first_epoch,
            epochs=experiment.epochs,
            steps_per_epoch=steps,
            shuffle=False,  # the pipeline has done it
            verbose=0,
            callbacks=[StopOnNaN(), progress, checkpoint, events],
        )
    return model, {name: np.asarray(values) for name, values in history.items()}


def _remove_checkpoint(run):
    """Remove what only an unfinished training needs; a process that was killed just before left it."""
    shutil.rmtree(run.folder / "checkpoint", ignore_errors=True)


def _save_for_prediction(model, experiment, path):
    """Save the weights in a float32 network: a mixed policy would be slow, or wrong, on other hardware."""
    portable = models.build(experiment.model, dtype="float32", **experiment.model_options)
    portable.set_weights(model.get_weights())
    with atomic_write(path) as draft:
        portable.save(draft)
