"""Keras callbacks of a training: checkpoints, progress, and stops if the loss is NaN or if nothing is learnt."""

import time

import keras
import numpy as np

from crack_utils.runtime.atomic import atomic_write


class Checkpoint(keras.callbacks.Callback):
    """Saves weights, optimizer state and history after each epoch, and keeps the last two epochs, one file each.

    Each save replaces the older file atomically. If a power failure or a bad disk damages the newer file, the training
    continues one epoch earlier.

    Parameters
    ----------
    folder : pathlib.Path
        Folder of the two files; made when needed.
    model : keras.Model
        Compiled.
    history : dict of list
        Values of each epoch by name; `restore` fills it.
    say : callable
        Function that prints one line.
    """

    def __init__(self, folder, model, history, say):
        super().__init__()
        self.files = [folder / "even.npz", folder / "odd.npz"]
        self.set_model(model)
        self.history, self.say = history, say

    def restore(self):
        """Set model, optimizer and history to the end of the last saved epoch; return the number of complete epochs."""
        self.model.optimizer.build(self.model.trainable_variables)
        states = [state for file in self.files if (state := self._read(file))]
        if not states:
            return 0
        state = max(states, key=lambda state: state["epochs"])
        for position, variable in enumerate(self._variables()):
            variable.assign(state[f"variable_{position}"])
        self.history.update({name[8:]: list(state[name]) for name in state if name.startswith("history_")})
        return int(state["epochs"])

    def on_epoch_end(self, epoch, logs=None):
        """Save the state after an epoch."""
        state = {f"variable_{i}": np.asarray(variable) for i, variable in enumerate(self._variables())}
        state |= {f"history_{name}": np.asarray(values) for name, values in self.history.items()}
        file = self.files[(epoch + 1) % 2]
        file.parent.mkdir(exist_ok=True)
        with atomic_write(file) as draft:
            np.savez(draft, epochs=epoch + 1, **state)

    def _read(self, file):
        """Return the arrays of a file, checked by their checksums; None if it does not exist or is damaged."""
        try:
            # NumPy does not close a damaged file that it has opened itself.
            with open(file, "rb") as stream, np.load(stream) as arrays:
                return dict(arrays)
        except FileNotFoundError:
            return None
        except Exception as error:  # a damaged archive can raise anything
            self.say(f"{file} is damaged and ignored ({error})")
            return None

    def _variables(self):
        return [*self.model.variables, *self.model.optimizer.variables]


class StopOnNaN(keras.callbacks.Callback):
    """Stops a training whose loss is NaN or infinite, before the checkpoint of this epoch is written."""

    def on_train_batch_end(self, batch, logs=None):
        """Check the loss of a step; raise a FloatingPointError if it is not finite."""
        self._check(logs["loss"], f"at step {batch} of this epoch")

    def on_epoch_end(self, epoch, logs=None):
        """Check the validation loss: the last update may have damaged the weights after the last training loss."""
        self._check(logs.get("val_loss", logs["loss"]), "on validation after this epoch")

    def _check(self, loss, where):
        if not np.isfinite(loss):
            raise FloatingPointError(
                f"the loss is {loss} {where}; earlier epochs are kept. "
                "A lower learning rate or precision='float32' may help."
            )


class NothingLearntError(ValueError):
    """A training failed: its network does not distinguish crack from background."""


class StopIfNothingLearnt(keras.callbacks.Callback):
    """Stops a training whose network does not distinguish crack from background.

    The criterion is `metrics.Separation` on training or validation, whichever is larger. The loss is not a criterion:
    BCE is small even if the network predicts no crack, and Dice still decreases slowly if it predicts crack everywhere.
    """

    EARLY = 600  # updates before the first check: BCE needs about 200 before it learns anything
    LEAST = 0.05  # smallest separation; successful trainings have more than 0.2 at the first check, with every loss

    def on_epoch_end(self, epoch, logs=None):
        """Check the separation after an epoch; raise a NothingLearntError if it is too small."""
        values = [logs[name] for name in ("separation", "val_separation") if np.isfinite(logs.get(name, np.nan))]
        parts, done = self.params["epochs"], epoch + 1
        too_early = done < parts and done * self.params["steps"] < self.EARLY
        if not too_early and values and max(values) < self.LEAST:
            raise NothingLearntError(
                f"after {done} of {parts} epochs, the mean probability of crack pixels is only {max(values):.3f} "
                "higher than that of background pixels: nothing is learnt"
            )


class Progress(keras.callbacks.Callback):
    """Prints the progress of a training, on the screen and in the log, and collects the history.

    Parameters
    ----------
    epochs, steps : int
        Epochs of the whole training, and steps of an epoch.
    log : file
        Open for writing.
    history : dict of list
        Is extended by the values of each epoch.
    announce : bool
        Whether to print an estimate of the total time after the first steps.
    """

    EVERY = 30  # [s] between two lines within an epoch

    MEASURED = (4, 12)  # first and last step that are timed for the estimate; earlier steps compile

    def __init__(self, epochs, steps, log, history, announce=False):
        super().__init__()
        self.epochs, self.steps, self.log, self.history, self.announce = epochs, steps, log, history, announce

    def say(self, line):
        """Print a line on the screen and in the log."""
        print(line, flush=True)
        print(line, file=self.log, flush=True)

    def on_train_begin(self, logs=None):
        """Start the clock of the training."""
        self.began, self.epochs_done = time.time(), 0

    def on_epoch_begin(self, epoch, logs=None):
        """Start the clock of an epoch."""
        self.epoch, self.printed_at = epoch, time.time()

    def on_train_batch_end(self, batch, logs=None):
        """Print the loss every 30 s, and once an estimate of the total time."""
        if self.announce and not self.epochs_done:
            self._announce(batch)
        if time.time() - self.printed_at > self.EVERY:
            self.printed_at = time.time()
            place = f"epoch {self.epoch + 1}/{self.epochs}, step {batch + 1}/{self.steps}"
            self.say(f"{place}: loss {logs['loss']:.5f}")

    def _announce(self, batch):
        first, last = self.MEASURED
        if batch == first:
            self.measured_from = time.time()
        elif batch == last:
            seconds = (time.time() - self.measured_from) / (last - first)
            minutes = seconds * self.steps * (self.epochs - self.epoch) / 60
            self.say(f"{self.steps * self.epochs} updates of {seconds:.2f} s: about {minutes:.0f} min and validation")

    def on_epoch_end(self, epoch, logs=None):
        """Add the epoch's values to the history, and print them."""
        rate = self.model.optimizer.learning_rate  # at a boundary of the schedule: the rate before it
        for name, value in (logs | {"learning_rate": rate}).items():
            self.history.setdefault(name, []).append(float(value))
        self.epochs_done += 1
        left = (time.time() - self.began) / self.epochs_done * (self.epochs - epoch - 1)
        self.say(
            f"epoch {epoch + 1}/{self.epochs}: loss {logs['loss']:.5f}, mIoU {logs['miou']:.3f}; "
            f"validation loss {logs['val_loss']:.5f}, mIoU {logs['val_miou']:.3f}; about {left / 60:.1f} min left"
        )
