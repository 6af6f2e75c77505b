"""What happens beside the steps of a training: checkpoints, progress, and the stop when the loss is no number."""

import os
import time

import keras
import numpy as np


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

    def __init__(self, epochs, steps, log, history):
        super().__init__()
        self.epochs, self.steps, self.log, self.history = epochs, steps, log, history

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
            place = f"epoch {self.epoch + 1}/{self.epochs}, step {batch + 1}/{self.steps}"
            self.say(f"{place}: loss {logs['loss']:.5f}")

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
