"""Train an experiment with Keras `fit`, with a checkpoint after every epoch from which it continues (R40–R46)."""

import json
import math
import shutil
import time

import numpy as np

from crack_utils import losses, models
from crack_utils.data import check_pairs, crops, pipeline, targets
from crack_utils.data.split import warnings_of
from crack_utils.data.split_file import write_split
from crack_utils.runtime import devices, provenance
from crack_utils.runtime.atomic import atomic_write, explain_full_disk
from crack_utils.training import start
from crack_utils.training.callbacks import Checkpoint, NothingLearntError, Progress, StopIfNothingLearnt, StopOnNaN
from crack_utils.training.compiling import compiled_model
from crack_utils.training.prepare import prepare

STEPS = 2**32  # more than the updates of any training, so that trainings with different seeds never share a seed


def fit(experiment):
    """Train an experiment; if it was trained before, return that run.

    An interrupted training continues after its last complete epoch. Use `crack_utils.train` to also evaluate and
    calibrate the run.

    Parameters
    ----------
    experiment : Experiment

    Returns
    -------
    Run
        Finished, with model, history, split and provenance in its folder; not evaluated or calibrated.

    Raises
    ------
    DataError
        If the data set cannot be used.
    NothingLearntError
        If the training and all of its restarts failed.
    FloatingPointError
        If the loss is NaN or infinite; the last good epoch is kept.
    FullDiskError
        If the disk is full; the next call continues after the last epoch that was saved.
    """
    started = time.time()
    prepared = prepare(experiment)
    experiment, run = prepared.experiment, prepared.run
    if run.finished:
        _remove_checkpoint(run)
        print(f"Run {run.id} is done already: {run.folder}")
        _tell_other_versions(run)
        return run
    needs = _check(experiment, prepared)
    # With crops, whole pictures of different sizes are validated one by one; devices cannot share a single picture.
    validated = 1 if experiment.fit == "crop" else len(prepared.split.validation)
    strategy = devices.strategy(experiment.batch, validated)
    run.folder.mkdir(parents=True, exist_ok=True)
    with (
        explain_full_disk(run.folder),
        run.lock("trains"),
        open(run.folder / "log.txt", "a", encoding="utf-8") as log,
    ):
        if run.finished:  # by another process, while this one waited for the lock
            return run
        provenance.write_json(run.folder / "experiment.json", experiment.to_dict())
        with atomic_write(run.folder / "split.csv") as draft:
            write_split(prepared.split, draft)
        model, history, failures = _fit_until_learnt(prepared, needs, strategy, log)
        with atomic_write(run.folder / "history.npz") as draft:
            np.savez(draft, **history)
        _save_for_prediction(model, experiment, run.folder / "model.keras")
        training = {
            "run": run.id,
            "precision": prepared.precision,
            "xla": prepared.xla,
            "devices": strategy.num_replicas_in_sync,
            "data_hash": prepared.manifest,
        } | ({"restarted_after": failures} if failures else {})
        provenance.write_json(run.marker, training | provenance.describe(started))
        _remove_checkpoint(run)
    return run


def repeats(experiment, images):
    """Return how often an epoch uses each training image: `experiment.repeat`, or up to `images_per_epoch` in total.

    Parameters
    ----------
    experiment : Experiment
    images : int
        Number of training images.
    """
    return experiment.repeat or math.ceil(experiment.images_per_epoch / images)


def training_batches(model, pictures, seed, first_step):
    """Return the training batches of a network: pictures and masks, or what its method `training_data` makes of them.

    Parameters
    ----------
    model : keras.Model
        May have a method ``training_data(dataset, seed)``. The first batch gets this seed, and each following batch the
        next one, so that a continued training has the same random numbers as an uninterrupted one.
    pictures : tf.data.Dataset of (image, mask)
        Batches, from `make_dataset`.
    seed : int
        Seed of the training.
    first_step : int
        Number of batches that were already used in the training.

    Returns
    -------
    tf.data.Dataset
    """
    if not hasattr(model, "training_data"):
        return pictures
    return model.training_data(pictures, seed * STEPS + first_step)


def _check(experiment, prepared):
    """Raise an error for pairs that cannot be used, and print warnings; return the channels that the loss needs."""
    pairs = prepared.pairs
    if experiment.start:
        start.check(experiment.start, experiment.model)
    for note in check_pairs(pairs) + warnings_of(prepared.split):
        print(f"- note: {note}", flush=True)
    needs = losses.needs(experiment.loss, **experiment.loss_options)
    if "tip" in needs:
        targets.check_tips(pairs, experiment.loss)
    if experiment.fit == "crop":
        crops.check(pairs, experiment.size, experiment.reduction)
    return needs


def _tell_other_versions(run):
    """Print which libraries had another version when a run was trained."""
    trained = run.provenance.get("packages", {})
    now = provenance.versions()
    if other := [
        f"{name} {trained[name]} (here {now[name]})" for name in now if trained.get(name, now[name]) != now[name]
    ]:
        print(f"It was trained with {', '.join(other)}; a new training here may give slightly different numbers")


def _fit_until_learnt(prepared, needs, strategy, log):
    """Train; start again with another seed and a smaller learning rate if nothing is learnt, up to `restarts` times.

    Failed attempts are recorded in a file, so that an interrupted training continues with its current attempt.
    """
    run, record = prepared.run, prepared.run.folder / "failed_attempts.json"
    failures = json.loads(record.read_text(encoding="utf-8")) if record.exists() else []
    while True:
        attempt = prepared.experiment.attempt(len(failures))
        try:
            model, history = _fit(prepared, attempt, needs, strategy, log)
        except (NothingLearntError, FloatingPointError) as error:
            if not prepared.experiment.restarts:
                raise
            failures.append({"seed": attempt.seed, "learning_rate": attempt.learning_rates[0], "why": str(error)})
            _remove_checkpoint(run)
            if len(failures) > prepared.experiment.restarts:
                record.unlink(missing_ok=True)
                raise NothingLearntError(f"{run.id}: {_advice(failures)}") from None
            provenance.write_json(record, failures)
            again = prepared.experiment.attempt(len(failures))
            line = f"{error}; it starts again with seed {again.seed} and learning rate {again.learning_rates[0]:g}"
            print(line, flush=True)
            print(line, file=log, flush=True)
        else:
            return model, history, failures


def _advice(failures):
    return (
        f"{len(failures)} attempts learnt nothing (the last: {failures[-1]['why']}). Look at the pictures and masks "
        "with crack-utils check: are the masks on the cracks, and are the cracks visible? Then try "
        "--loss dice+bce, --start default, another --seed, or --set updates=… for a longer training"
    )


def _fit(prepared, experiment, needs, strategy, log):
    split, run = prepared.split, prepared.run
    # A careless pipeline draws new training images each epoch, and leaves out as many as validation has (S2).
    drawn = len(split.train) - (len(split.validation) if experiment.leak == "drawn each epoch" else 0)
    # With `updates`, the training is one pass over all repeats, divided into epochs; otherwise each epoch is one pass.
    in_one = experiment.updates is not None
    repeat = math.ceil(experiment.updates * experiment.batch / drawn) if in_one else repeats(experiment, drawn)
    per_epoch = pipeline.epoch_length(drawn, repeat, experiment.batch, training=True)
    steps = experiment.updates // experiment.epochs if in_one else per_epoch // experiment.batch
    with strategy.scope():
        model = compiled_model(experiment, steps * experiment.epochs, prepared.precision, prepared.xla)
    history = {}
    progress = Progress(experiment.epochs, steps, log, history, announce=in_one)
    progress.say(
        f"{run.id}: {len(split.train)} training, {len(split.validation)} validation, {len(split.test)} test images "
        f"{'in crops ' if experiment.fit == 'crop' else ''}of {experiment.size[0]}×{experiment.size[1]}; "
        f"{experiment.epochs} epochs of {steps} steps "
        f"of {experiment.batch}; {prepared.precision}{', XLA' if prepared.xla else ''}; "
        f"devices: {strategy.num_replicas_in_sync}"
    )
    checkpoint = Checkpoint(run.folder / "checkpoint", model, history, progress.say)
    with strategy.scope():  # restoring creates the optimizer's variables
        first_epoch = checkpoint.restore()
    if first_epoch:
        progress.say(f"{run.id}: continues after epoch {first_epoch}")
    if first_epoch == experiment.epochs:  # it was interrupted after the last epoch
        model.optimizer.finalize_variable_values(model.trainable_variables)  # as in `fit`: weights become their average
    else:
        whole_epochs = {"first_epoch": first_epoch, "epochs": experiment.epochs - first_epoch}
        pictures = pipeline.make_dataset(
            split.train,
            experiment.size,
            experiment.batch,
            repeat=repeat,
            training=True,
            augment=experiment.augment,
            augmentation=experiment.augmentation,
            seed=experiment.seed,
            drawn=drawn,
            fit=experiment.fit,
            reduction=experiment.reduction,
            needs=needs,
            **({"first": first_epoch * steps * experiment.batch} if in_one else whole_epochs),
        )
        model.fit(
            training_batches(model, pictures, experiment.seed, first_epoch * steps),
            validation_data=pipeline.make_dataset(
                split.validation,
                experiment.size,
                devices.even_batch(experiment.batch, len(split.validation), strategy.num_replicas_in_sync),
                fit=experiment.fit,
                reduction=experiment.reduction,
                needs=needs,
            ),
            initial_epoch=first_epoch,
            epochs=experiment.epochs,
            steps_per_epoch=steps,
            shuffle=False,  # the pipeline shuffles
            verbose=0,
            callbacks=[StopOnNaN(), *([StopIfNothingLearnt()] if experiment.restarts else []), progress, checkpoint],
        )
    return model, {name: np.asarray(values) for name, values in history.items()}


def _remove_checkpoint(run):
    """Remove the checkpoints of a finished training; they remain if a process was killed just before this."""
    shutil.rmtree(run.folder / "checkpoint", ignore_errors=True)


def _save_for_prediction(model, experiment, path):
    """Save the weights in a float32 network: mixed precision may be slow or unsupported on other hardware."""
    portable = models.build(experiment.model, dtype="float32", **experiment.model_options)
    portable.set_weights(model.get_weights())
    with atomic_write(path) as draft:
        portable.save(draft)
