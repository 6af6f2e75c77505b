"""Trainings killed by SIGKILL, continued, and compared with one that nobody stopped; says where each kill fell.

    python -m tests.helpers.kill_trainings FOLDER [SEED]

Ten die at a random step, ten at a random byte of a checkpoint, and some just before one of the run's files takes its
place. Exit status 1 if any ends with other weights, another history or other files than the uninterrupted training.

TensorFlow takes seconds to load, so each training is a fork of this process, which itself never runs an operation.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import io
import signal
import sys
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from crack_utils import Experiment
from crack_utils.runtime import atomic
from crack_utils.training import callbacks, fit
from tests.helpers.folders import ten_dark_lines

EPOCHS, STEPS = 6, 4
FILES = ("split.csv", "even.npz", "history.npz", "model.keras", "provenance.json")


def cases(seed):
    """Return where each training dies: dict of name to function that arms the death in the child."""
    generator = np.random.default_rng(seed)
    found = {}
    for number in range(10):
        epoch, step = int(generator.integers(EPOCHS)), int(generator.integers(STEPS))
        found[f"step {number}"] = lambda report, e=epoch, s=step: die_at_step(report, e, s)
    for number in range(10):
        epoch, share = int(generator.integers(EPOCHS)), float(generator.random())
        found[f"checkpoint {number}"] = lambda report, e=epoch, s=share: die_in_checkpoint(report, e, s)
    for name in FILES:
        found[f"before {name}"] = lambda report, n=name: die_before(report, n)
    return found


def die(report, text):
    report.write_text(text, encoding="utf-8")
    os.kill(os.getpid(), signal.SIGKILL)


def die_at_step(report, epoch, step):
    """Die after a step, before anything else is done with it."""

    class Killer(callbacks.StopOnNaN):
        def on_epoch_begin(self, number, logs=None):
            self.epoch = number

        def on_train_batch_end(self, batch, logs=None):
            if (self.epoch, batch) == (epoch, step):
                die(report, f"epoch {epoch + 1} of {EPOCHS}, step {step + 1} of {STEPS}")

    fit.StopOnNaN = Killer


def die_in_checkpoint(report, epoch, share):
    """Die when the given share of an epoch's checkpoint is written: the real writer, on a file that stops it."""
    savez = np.savez

    def killing(path, **arrays):
        if "epochs" not in arrays or arrays["epochs"] != epoch + 1:
            return savez(path, **arrays)
        savez(whole := io.BytesIO(), **arrays)
        size = len(whole.getvalue())

        class Stopped(io.FileIO):
            def write(self, content):
                content = bytes(content)
                left = int(share * size) - self.tell()
                if len(content) >= left:
                    super().write(content[: max(left, 0)])
                    die(report, f"checkpoint of epoch {epoch + 1} of {EPOCHS}, byte {int(share * size)} of {size}")
                return super().write(content)

        with Stopped(path, "w") as file:
            savez(file, **arrays)

    callbacks.np.savez = killing


def die_before(report, name):
    """Die when a file of the run is written, just before it takes its place."""
    replace = os.replace

    def killing(draft, path):
        if Path(path).name == name:
            die(report, f"before {name} took its place")
        replace(draft, path)

    atomic.os.replace = killing


def in_child(data, place, arm=None):
    """Train in a fork of this process; return how it ended, as `os.waitstatus_to_exitcode` has it."""
    place.mkdir(parents=True, exist_ok=True)
    if child := os.fork():
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    status = 1
    try:
        output = os.open(place / "output.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.environ["CRACK_UTILS_ARTIFACTS"] = str(place / "artifacts")
        if arm:
            arm(place / "killed.txt")
        options = {"model_options": {"filters": 2}, "repeat": 2, "learning_rates": (0.01, 0.005, 0.001)}
        run = fit.fit(Experiment.preset("smoke", data=str(data), epochs=EPOCHS, **options))
        np.savez(place / "weights.npz", *run.model().get_weights())
        status = 0
    except Exception:
        traceback.print_exc()
    os._exit(status)


def differences(place, reference):
    """Return in what a finished training differs from the reference: list of words."""
    runs = [next((each / "artifacts" / "runs").iterdir()) for each in (place, reference)]
    found = []
    for name, ours, theirs in (
        ("weights", place / "weights.npz", reference / "weights.npz"),
        ("history", runs[0] / "history.npz", runs[1] / "history.npz"),
    ):
        with np.load(ours) as first, np.load(theirs) as second:
            if first.files != second.files or any(first[key].tobytes() != second[key].tobytes() for key in first.files):
                found.append(name)
    listed = [{path.name for path in run.rglob("*") if "tfevents" not in path.name} for run in runs]
    return found + [f"file {name}" for name in sorted(listed[0] ^ listed[1])]


def attempt(data, place, arm, reference):
    """Kill a training, continue it, and return what happened: where it died, and what was wrong."""
    killed = in_child(data, place, arm)
    if killed != -signal.SIGKILL:
        return "nowhere", [f"first call ended with {killed}, see {place}/output.txt"]
    died = (place / "killed.txt").read_text(encoding="utf-8")
    if status := in_child(data, place):
        return died, [f"second call ended with {status}, see {place}/output.txt"]
    return died, differences(place, reference)


def main(arguments):
    """Kill and continue all, two at a time, and print a table."""
    folder, seed = Path(arguments[0]), int(arguments[1]) if len(arguments) > 1 else 0
    data, reference = folder / "data", folder / "uninterrupted"
    ten_dark_lines(data)
    if status := in_child(data, reference):
        print(f"the uninterrupted training ended with {status}, see {reference}/output.txt")
        return 1
    chosen = cases(seed)
    with ThreadPoolExecutor(2) as pool:
        ends = pool.map(lambda name: attempt(data, folder / name, chosen[name], reference), chosen)
        wrong = 0
        for name, (died, found) in zip(chosen, ends, strict=True):
            wrong += bool(found)
            print(f"{name:<24}{died:<56}{', '.join(found) or 'same weights, history and files'}", flush=True)
    print(f"{len(chosen) - wrong} of {len(chosen)} trainings ended like the uninterrupted one (seed {seed})")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
