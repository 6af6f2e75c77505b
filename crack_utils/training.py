"""Experiment → run folder: Keras `fit`, checkpointed after every epoch, continued where it stopped (R40–R46)."""

import contextlib
import math
import os
import shutil
import time

import filelock
import keras
import numpy as np

from crack_utils import hardware, losses, metrics, models, paths, provenance
from crack_utils.data import pairs as data_pairs
from crack_utils.data import pipeline, sources
from crack_utils.experiment import Experiment
from crack_utils.run import Run

# The modules that decide what a training gives: their code is part of the run's id.
DECISIVE = (
    "data/images.py",
    "data/cache.py",
    "data/pipeline.py",
    "data/pairs.py",
    "models",
    "losses.py",
    "metrics.py",
    "training.py",
)


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
    """
    started = time.time()
    pairs = sources.load(experiment)
    precision, xla = hardware.resolve(experiment.precision)
    manifest = data_pairs.manifest_hash(pairs)
    run = _run_of(experiment, manifest, precision, xla)
    if run.finished:
        print(f"Run {run.id} is done already: {run.folder}")
        return run
    data_pairs.check_pairs(pairs)
    split = sources.split(experiment, pairs)
    run.folder.mkdir(parents=True, exist_ok=True)
    with _sole_trainer(run), open(run.folder / "log.txt", "a", encoding="utf-8") as log:
        if run.finished:  # by the process that was waited for
            return run
        provenance.write_json(run.folder / "experiment.json", experiment.to_dict())
        data_pairs.write_split(split, run.folder / "split.csv")
        model, history = _fit(experiment, split, run, precision, xla, log)
        np.savez(run.folder / "history.npz", **history)
        _save_for_prediction(model, experiment, run.folder / "model.keras")
        facts = {"run": run.id, "precision": precision, "xla": xla, "data_hash": manifest}
        provenance.write_json(run.marker, facts | provenance.describe(started))
        shutil.rmtree(run.folder / "checkpoint", ignore_errors=True)
    return run


def learning_rate_schedule(experiment, steps):
    """Return R41's three phases over `steps` updates, as Keras' piecewise constant schedule."""
    boundaries = [round(share * steps) for share in experiment.boundaries]
    return keras.optimizers.schedules.PiecewiseConstantDecay(boundaries, list(experiment.learning_rates))


def compiled_model(experiment, steps, precision="float32", xla=False):
    """Return the network, compiled with Adam, the schedule, the loss and the metrics of R44.

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
    optimizer = keras.optimizers.Adam(learning_rate_schedule(experiment, steps))
    if precision == "mixed_float16":
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
    model.compile(
        optimizer,
        losses.get(experiment.loss, **experiment.loss_options),
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


def _run_of(experiment, manifest, precision, xla):
    digest = experiment.digest(manifest, precision, str(xla), provenance.fingerprint(*DECISIVE))
    return Run(paths.runs() / f"{experiment.model}-{experiment.loss.replace('*', 'x')}-{digest[:10]}")


@contextlib.contextmanager
def _sole_trainer(run):
    """One process trains a run; a second one says so and waits."""
    lock = filelock.FileLock(run.folder / ".lock")
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        print(f"Another process trains {run.id}; waiting for it", flush=True)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _fit(experiment, split, run, precision, xla, log):
    repeat = repeats(experiment, len(split.train))
    per_epoch = pipeline.epoch_length(len(split.train), repeat, experiment.batch, training=True)
    steps = per_epoch // experiment.batch
    model = compiled_model(experiment, steps * experiment.epochs, precision, xla)
    checkpoint = Checkpoint(run.folder / "checkpoint", model)
    first_epoch, history = checkpoint.restore()
    report = Progress(experiment, steps, log, history)
    report.say(
        f"{run.id}: {len(split.train)} training, {len(split.validation)} validation, {len(split.test)} test images of "
        f"{experiment.size[0]}×{experiment.size[1]}; {experiment.epochs} epochs of {steps} steps of {experiment.batch}; "
        f"{precision}{', XLA' if xla else ''}" + (f"; continues after epoch {first_epoch}" if first_epoch else "")
    )
    options = {"size": experiment.size, "batch": experiment.batch}
    model.fit(
        pipeline.make_dataset(
            split.train,
            **options,
            repeat=repeat,
            training=True,
            augment=experiment.augment,
            seed=experiment.seed,
            first_epoch=first_epoch,
            epochs=experiment.epochs - first_epoch,
        ),
        validation_data=pipeline.make_dataset(split.validation, **options),
        initial_epoch=first_epoch,
        epochs=experiment.epochs,
        steps_per_epoch=steps,
        verbose=0,
        callbacks=[
            StopOnNaN(),
            report,
            checkpoint,
            keras.callbacks.TensorBoard(run.folder / "tensorboard", write_graph=False),
        ],
    )
    return model, {name: np.asarray(values) for name, values in history.items()}


def _save_for_prediction(model, experiment, path):
    """Save the weights in a float32 network: a mixed policy would be slow, or wrong, on other hardware."""
    portable = models.build(experiment.model, dtype="float32", **experiment.model_options)
    portable.set_weights(model.get_weights())
    draft = path.with_name(f"draft-{path.name}")
    portable.save(draft)
    os.replace(draft, path)


class Checkpoint(keras.callbacks.Callback):
    """Keeps weights, optimizer state and history of the last complete epoch in one file, replaced as a whole."""

    def __init__(self, folder, model):
        super().__init__()
        self.file = folder / "state.npz"
        self.set_model(model)
        self.history = {}

    def restore(self):
        """Return the number of complete epochs and their history, after setting the model to where they ended."""
        self.model.optimizer.build(self.model.trainable_variables)
        if not self.file.exists():
            return 0, self.history
        with np.load(self.file) as state:
            for position, variable in enumerate(self._variables()):
                variable.assign(state[f"variable_{position}"])
            self.history.update({name[8:]: list(state[name]) for name in state.files if name.startswith("history_")})
            return int(state["epochs"]), self.history

    def on_epoch_end(self, epoch, logs=None):
        state = {f"variable_{i}": np.asarray(variable) for i, variable in enumerate(self._variables())}
        state |= {f"history_{name}": np.asarray(values) for name, values in self.history.items()}
        self.file.parent.mkdir(exist_ok=True)
        draft = self.file.with_name("draft.npz")
        np.savez(draft, epochs=epoch + 1, **state)
        os.replace(draft, self.file)

    def _variables(self):
        return [*self.model.variables, *self.model.optimizer.variables]


class StopOnNaN(keras.callbacks.Callback):
    """Stops before a broken epoch is kept."""

    def on_train_batch_end(self, batch, logs=None):
        if not np.isfinite(logs["loss"]):
            raise FloatingPointError(
                f"the loss is {logs['loss']} at step {batch} of this epoch; the epochs before it are kept. "
                "A lower learning rate or precision='float32' may help."
            )


class Progress(keras.callbacks.Callback):
    """Says how far the training is, on the screen and in the log, and collects the history."""

    EVERY = 30  # [s] between two lines within an epoch

    def __init__(self, experiment, steps, log, history):
        super().__init__()
        self.experiment, self.steps, self.log, self.history = experiment, steps, log, history
        self.schedule = learning_rate_schedule(experiment, steps * experiment.epochs)

    def say(self, line):
        print(line, flush=True)
        print(line, file=self.log, flush=True)

    def on_train_begin(self, logs=None):
        self.began, self.epochs_done = time.time(), 0

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch, self.spoke = epoch, time.time()

    def on_train_batch_end(self, batch, logs=None):
        if time.time() - self.spoke > self.EVERY:
            self.spoke = time.time()
            self.say(f"epoch {self.epoch + 1}/{self.experiment.epochs}, step {batch + 1}/{self.steps}: loss {logs['loss']:.5f}")

    def on_epoch_end(self, epoch, logs=None):
        rate = float(self.schedule((epoch + 1) * self.steps - 1))
        for name, value in (logs | {"learning_rate": rate}).items():
            self.history.setdefault(name, []).append(float(value))
        self.epochs_done += 1
        left = (time.time() - self.began) / self.epochs_done * (self.experiment.epochs - epoch - 1)
        self.say(
            f"epoch {epoch + 1}/{self.experiment.epochs}: loss {logs['loss']:.5f}, mIoU {logs['miou']:.3f}; "
            f"validation loss {logs['val_loss']:.5f}, mIoU {logs['val_miou']:.3f}; about {left / 60:.1f} min left"
        )


__all__ = ["Experiment", "Run", "compiled_model", "learning_rate_schedule", "train"]
