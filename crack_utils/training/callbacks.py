"""What happens beside the steps of a training: checkpoints, progress, and the stop when the loss is no number."""

import time

import keras
import numpy as np

from crack_utils.runtime.atomic import atomic_write


class Checkpoint(keras.callbacks.Callback):
    """Keeps weights, optimizer state and history of the last two complete epochs, one file each.

    The older file is replaced, as a whole: should a power cut or a failing disk spoil the newer one all the same, the
    training continues one epoch earlier.
    """

    def __init__(self, folder, model, history, say):
        super().__init__()
        self.files = [folder / "even.npz", folder / "odd.npz"]
        self.set_model(model)
        self.history, self.say = history, say

    def restore(self):
        """Set model and history to the end of the last epoch that is kept; return how many are complete."""
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
        state = {f"variable_{i}": np.asarray(variable) for i, variable in enumerate(self._variables())}
        state |= {f"history_{name}": np.asarray(values) for name, values in self.history.items()}
        file = self.files[(epoch + 1) % 2]
        file.parent.mkdir(exist_ok=True)
        with atomic_write(file) as draft:
            np.savez(draft, epochs=epoch + 1, **state)

    def _read(self, file):
        """Return what a file holds, all of it checked by its checksums, or None."""
        try:
            # NumPy leaves a damaged file open if it has opened it itself.
            with open(file, "rb") as stream, np.load(stream) as arrays:
                return dict(arrays)
        except FileNotFoundError:
            return None
        except Exception as error:  # a damaged archive can raise anything
            self.say(f"{file} is damaged and left out ({error})")
            return None

    def _variables(self):
        return [*self.model.variables, *self.model.optimizer.variables]


class StopOnNaN(keras.callbacks.Callback):
    """Stops before a broken epoch is kept."""

    def on_train_batch_end(self, batch, logs=None):
        self._check(logs["loss"], f"at step {batch} of this epoch")

    def on_epoch_end(self, epoch, logs=None):
        # The last update of an epoch may have broken what its loss did not show yet.
        self._check(logs.get("val_loss", logs["loss"]), "on validation after this epoch")

    def _check(self, loss, where):
        if not np.isfinite(loss):
            raise FloatingPointError(
                f"the loss is {loss} {where}; the epochs before it are kept. "
                "A lower learning rate or precision='float32' may help."
            )


class NothingLearntError(ValueError):
    """A training whose network tells crack from background no better than before it began."""


class StopIfNothingLearnt(keras.callbacks.Callback):
    """Ends a training that has failed: early, where possible, and in any case before its network is used.

    Crack and background are told apart by `metrics.Separation`, on training crops or on validation, whichever says
    more. Losses are no sign: BCE on its plateau is small, and Dice that calls everything crack moves slowly on.
    """

    EARLY = 600  # updates after which it is looked at for the first time: BCE alone takes some 200 to begin
    LEAST = 0.05  # separation; healthy trainings are beyond 0.2 by then, whatever the loss

    def on_epoch_end(self, epoch, logs=None):
        values = [logs[name] for name in ("separation", "val_separation") if np.isfinite(logs.get(name, np.nan))]
        parts, done = self.params["epochs"], epoch + 1
        in_time = done < parts and done * self.params["steps"] < self.EARLY
        if not in_time and values and max(values) < self.LEAST:
            raise NothingLearntError(
                f"after {done} of {parts} parts of the training, the probability on crack is only "
                f"{max(values):.3f} higher than on background: nothing is learnt"
            )


class Progress(keras.callbacks.Callback):
    """Says how far the training is, on the screen and in the log, and collects the history."""

    EVERY = 30  # [s] between two lines within an epoch

    MEASURED = (4, 12)  # steps, after those that compile, whose time is announced for the whole training

    def __init__(self, epochs, steps, log, history, announce=False):
        super().__init__()
        self.epochs, self.steps, self.log, self.history, self.announce = epochs, steps, log, history, announce

    def say(self, line):
        print(line, flush=True)
        print(line, file=self.log, flush=True)

    def on_train_begin(self, logs=None):
        self.began, self.epochs_done = time.time(), 0

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch, self.spoke = epoch, time.time()

    def on_train_batch_end(self, batch, logs=None):
        if self.announce and not self.epochs_done:
            self._announce(batch)
        if time.time() - self.spoke > self.EVERY:
            self.spoke = time.time()
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
        rate = self.model.optimizer.learning_rate  # a schedule's boundary belongs to the phase that it ends
        for name, value in (logs | {"learning_rate": rate}).items():
            self.history.setdefault(name, []).append(float(value))
        self.epochs_done += 1
        left = (time.time() - self.began) / self.epochs_done * (self.epochs - epoch - 1)
        self.say(
            f"epoch {epoch + 1}/{self.epochs}: loss {logs['loss']:.5f}, mIoU {logs['miou']:.3f}; "
            f"validation loss {logs['val_loss']:.5f}, mIoU {logs['val_miou']:.3f}; about {left / 60:.1f} min left"
        )
