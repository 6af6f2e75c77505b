"""Experiment → run folder: Keras `fit`, checkpointed after every epoch, continued where it stopped (R40–R46)."""

import functools
import math
import shutil
import time

import keras
import numpy as np

from crack_utils import hardware, losses, metrics, models, notebooks, paths, provenance, replicas
from crack_utils.callbacks import Checkpoint, Events, Progress, StopOnNaN
from crack_utils.data import check_pairs, crops, pipeline, sources, truth
from crack_utils.data.pairs import manifest_hash
from crack_utils.data.split import write_split
from crack_utils.files import full_disk_told, whole
from crack_utils.run import Run

# The modules that decide what a training gives, beside those of its architecture: their code is part of the run's id.
DECISIVE = (
    "data/augmentation.py",
    "data/images.py",
    "data/cache.py",
    "data/content.py",
    "data/crops.py",
    "data/leaks.py",
    "data/pipeline.py",
    "data/sources.py",
    "data/split.py",
    "data/truth.py",
    "losses",
    "metrics.py",
    "replicas.py",
    "training.py",
)

STEPS = 2**32  # between the seeds of two trainings for what is drawn in a step: more than any has steps
MOMENTUM = 0.9  # of "momentum" and "nesterov", the usual value; all else is Keras' default

OPTIMIZERS = {
    "adam": keras.optimizers.Adam,
    "sgd": keras.optimizers.SGD,
    "momentum": functools.partial(keras.optimizers.SGD, momentum=MOMENTUM),
    "nesterov": functools.partial(keras.optimizers.SGD, momentum=MOMENTUM, nesterov=True),
    "adagrad": keras.optimizers.Adagrad,
    "rmsprop": keras.optimizers.RMSprop,
}


def train(experiment):
    """Train an experiment, or return its run if that was done before.

    Parameters
    ----------
    experiment : Experiment

    Returns
    -------
    Run
        Finished: model, history, split and provenance are in its folder.

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
    pairs = sources.load(experiment)
    precision, xla = hardware.resolve(experiment.precision)
    xla = xla and len(replicas.devices()) < 2  # steps that several share are not compiled
    manifest = manifest_hash(pairs)
    run = _run_of(experiment, manifest, precision, xla)
    if run.finished:
        _remove_checkpoint(run)
        print(f"Run {run.id} is done already: {run.folder}")
        return run
    check_pairs(pairs)
    if "tip" in losses.needs(experiment.loss, **experiment.loss_options):
        truth.check_tips(pairs, experiment.loss)
    cropped = experiment.fit == "crop"
    if cropped:
        crops.check(pairs, experiment.size)
    split = sources.split(experiment, pairs)
    # Whole pictures are validated one by one, which several devices cannot share.
    strategy = replicas.strategy(experiment.batch, 1 if cropped else len(split.validation))
    run.folder.mkdir(parents=True, exist_ok=True)
    with (
        full_disk_told(run.folder),
        run.alone("trains"),
        open(run.folder / "log.txt", "a", encoding="utf-8") as log,
    ):
        if run.finished:  # by the process that was waited for
            return run
        provenance.write_json(run.folder / "experiment.json", experiment.to_dict())
        with whole(run.folder / "split.csv") as draft:
            write_split(split, draft)
        model, history = _fit(experiment, split, run, strategy, precision, xla, log)
        with whole(run.folder / "history.npz") as draft:
            np.savez(draft, **history)
        _save_for_prediction(model, experiment, run.folder / "model.keras")
        facts = {
            "run": run.id,
            "precision": precision,
            "xla": xla,
            "devices": strategy.num_replicas_in_sync,
            "data_hash": manifest,
        }
        provenance.write_json(run.marker, facts | provenance.describe(started))
        _remove_checkpoint(run)
    return run


def learning_rate_schedule(experiment, steps):
    """Return R41's three phases over `steps` updates, as Keras' piecewise constant schedule."""
    boundaries = [round(share * steps) for share in experiment.boundaries]
    return keras.optimizers.schedules.PiecewiseConstantDecay(boundaries, list(experiment.learning_rates))


def compiled_model(experiment, steps, precision="float32", xla=False):
    """Return the network, compiled with the optimizer, the schedule, the loss and the metrics of R44.

    A network with an attribute `own_loss` that is true brings its loss itself.

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
        None if getattr(model, "own_loss", False) else losses.get(experiment.loss, **experiment.loss_options),
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


def learnt_from(model, pictures, seed, first_step):
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


def files_of(model):
    """Return the files that an architecture's code is in, those it imports included, relative to the package.

    >>> files_of("fcn")
    ['models/any_size.py', 'models/blocks.py', 'models/fcn.py', 'models/graph.py']
    """
    folder = paths.root() / "crack_utils"
    file = folder / "models" / f"{model}.py"
    own = [file] if file.is_file() else sorted((folder / "models" / model).rglob("*.py"))
    imported = {paths.root() / name for each in own for name in notebooks.sources(each)}
    return sorted(each.relative_to(folder).as_posix() for each in {*own, *imported})


def _run_of(experiment, manifest, precision, xla):
    code = provenance.fingerprint(*DECISIVE, *files_of(experiment.model))
    digest = experiment.digest(manifest, precision, str(xla), code)
    return Run(paths.runs() / f"{experiment.model}-{experiment.loss.replace('*', 'x')}-{digest[:10]}")


def _fit(experiment, split, run, strategy, precision, xla, log):
    # A careless pipeline draws its training images anew each epoch, and leaves as many out as validation has (S2).
    drawn = len(split.train) - (len(split.validation) if experiment.leak == "drawn each epoch" else 0)
    repeat = repeats(experiment, drawn)
    per_epoch = pipeline.epoch_length(drawn, repeat, experiment.batch, training=True)
    steps = per_epoch // experiment.batch
    needs = losses.needs(experiment.loss, **experiment.loss_options)
    with strategy.scope():
        model = compiled_model(experiment, steps * experiment.epochs, precision, xla)
    history = {}
    progress = Progress(experiment.epochs, steps, log, history)
    progress.say(
        f"{run.id}: {len(split.train)} training, {len(split.validation)} validation, {len(split.test)} test images "
        f"{'in crops ' if experiment.fit == 'crop' else ''}of {experiment.size[0]}×{experiment.size[1]}; "
        f"{experiment.epochs} epochs of {steps} steps "
        f"of {experiment.batch}; {precision}{', XLA' if xla else ''}; devices: {strategy.num_replicas_in_sync}"
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
            learnt_from(model, pictures, experiment.seed, first_epoch * steps),
            validation_data=pipeline.make_dataset(
                split.validation,
                experiment.size,
                replicas.even_batch(experiment.batch, len(split.validation), strategy.num_replicas_in_sync),
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
    with whole(path) as draft:
        portable.save(draft)
