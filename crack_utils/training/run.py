"""Run: a training's folder, read back. NumPy only until a model is asked for."""

import csv
import zipfile
from numbers import Real
from pathlib import Path

import numpy as np

from crack_utils.runtime import typed
from crack_utils.runtime.atomic import lock
from crack_utils.runtime.provenance import read_json
from crack_utils.training.experiment import Experiment

LATEST = "latest"
SETS = "train", "validation", "test"
ORIGIN = {  # what others read of `provenance.json`; a training writes it all
    "commit": str,
    "data_hash": str,
    "packages": dict,
    "precision": str,
    "seconds": float | None,
    "finished": str,
    "peak_memory_gib": float | None,
}
MOST_HISTORY = 2**26  # [bytes] a thousand times that of a long training


class Run:
    """A finished training.

    Parameters
    ----------
    folder : path-like
        `artifacts/runs/<id>/`.

    Attributes
    ----------
    experiment : Experiment
    history : dict of ndarray, shape (epochs,)
        loss, miou, unthresholded_miou, accuracy (of all pixels), pixel_accuracy (mean of the two classes' own), the
        same with the prefix val_, and learning_rate (R44).
    provenance : dict
    """

    def __init__(self, folder):
        self.folder = Path(folder)

    @property
    def id(self):
        return self.folder.name

    @property
    def marker(self):
        """The file that is written last."""
        return self.folder / "provenance.json"

    @property
    def finished(self):
        return self.marker.exists()

    @property
    def experiment(self):
        return read_experiment(self.folder / "experiment.json")

    @property
    def provenance(self):
        values = self._json("provenance.json")
        wrong = [name for name, kind in ORIGIN.items() if name not in values or not typed.fits(values[name], kind)]
        if wrong:
            raise ValueError(f"{self.marker}: {', '.join(wrong)} missing, or not as a training writes it")
        return values

    @property
    def history(self):
        file = self.folder / "history.npz"
        try:
            with zipfile.ZipFile(file) as archive:
                if sum(member.file_size for member in archive.infolist()) > MOST_HISTORY:
                    raise ValueError(f"it unpacks to more than {MOST_HISTORY // 2**20} MiB")
            with np.load(file) as arrays:
                history = dict(arrays)
            if len({np.shape(values) for values in history.values()}) != 1 or np.ndim(history.get("loss")) != 1:
                raise ValueError("needed is one number an epoch for each quantity")
        except (Exception, MemoryError) as error:  # each kind of damage fails in its own way
            raise ValueError(f"{file}: not the history of a training ({str(error) or type(error).__name__})") from None
        return history

    @property
    def metrics(self):
        """Measures of each set, as `evaluation.evaluate` wrote them."""
        values = self._json("metrics.json")
        evaluated = values.get("evaluated")
        sets = [values.get(name, {}) for name in SETS]
        numbers = [number for measured in sets if isinstance(measured, dict) for number in measured.values()]
        if (
            evaluated not in SETS[1:]
            or not isinstance(values.get(evaluated), dict)
            or not all(isinstance(measured, dict) for measured in sets)
            or not all(number is None or isinstance(number, Real) for number in numbers)
        ):
            raise ValueError(f"{self.folder / 'metrics.json'}: no measures of a training; delete it, and evaluate anew")
        return values

    def lock(self, work):
        """Let one process at a time write into the folder; another one says so and waits.

        Parameters
        ----------
        work : str
            What the process does, for the message: "trains", "evaluates".

        Returns
        -------
        context manager
        """
        return lock(self.folder, f"Another process works on {self.id}; this one {work} it after that")

    def names(self):
        """Return the (source, name) of the pairs of each set: dict of list."""
        sets, path = {name: [] for name in SETS}, self.folder / "split.csv"
        try:
            with open(path, newline="", encoding="utf-8") as file:
                for row in csv.DictReader(file, strict=True):
                    sets[row["set"]].append((row["source"] or "", row["name"] or ""))
        except (KeyError, TypeError, ValueError, csv.Error, OSError) as error:
            raise ValueError(f"{path}: not the split of a training ({type(error).__name__}: {error})") from None
        return sets

    def model(self):
        """Return the trained network, in float32."""
        from crack_utils import models

        return models.load(self.folder / "model.keras")

    def __repr__(self):
        return f"Run({str(self.folder)!r})"

    def _json(self, name):
        return read_json(self.folder / name)


def read_experiment(file):
    """Return the experiment that a run's or a model's `experiment.json` holds.

    Raises
    ------
    ValueError
        If the file cannot be read, or a value in it is of a wrong type or out of range; the message names the file.
    """
    settings = read_json(file)
    try:
        return Experiment(**settings)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{file}: not the settings of a training of this version ({error})") from None


def load_run(path):
    """Return the run in a folder, of an id below `artifacts/runs`, or "latest": the training that ended last.

    Raises
    ------
    ValueError
        If there is none, or it is unfinished.
    """
    from crack_utils.runtime import paths

    candidates = [Path(path), paths.runs() / path]
    for folder in candidates:
        if Run(folder).finished:
            return Run(folder)
    finished = [run for run in map(Run, paths.runs().glob("*")) if run.finished]
    if path == LATEST and finished:
        return max(finished, key=lambda run: run.marker.stat().st_mtime_ns)
    known = sorted(run.id for run in finished)
    raise ValueError(f"{path}: no finished run; known are {', '.join(known) or 'none yet'}")
