"""Run: the folder of a training, and functions to read it. TensorFlow is loaded only for the model."""

import csv
import zipfile
from numbers import Real
from pathlib import Path

import numpy as np

from crack_utils.models import shipped
from crack_utils.runtime import paths, typed
from crack_utils.runtime.atomic import lock
from crack_utils.runtime.provenance import read_json
from crack_utils.training.experiment import Experiment

LATEST = "latest"
SETS = "train", "validation", "test"
ORIGIN = {  # the entries of `provenance.json` that other modules read, and their types
    "commit": str,
    "data_hash": str,
    "packages": dict,
    "precision": str,
    "seconds": float | None,
    "finished": str,
    "peak_memory_gib": float | None,
}
MOST_HISTORY = 2**26  # [bytes] 1000 times the size of a long training's history


class Run:
    """The folder of a training.

    The properties read its files. They raise a ValueError with the name of the file if it is missing or damaged.

    Parameters
    ----------
    folder : path-like
        `artifacts/runs/<id>/`.
    """

    def __init__(self, folder):
        self.folder = Path(folder)

    @property
    def id(self):
        """The name of the folder."""
        return self.folder.name

    @property
    def marker(self):
        """The file that is written last; if it exists, the training is finished."""
        return self.folder / "provenance.json"

    @property
    def finished(self):
        """True if the training is finished."""
        return self.marker.exists()

    @property
    def experiment(self):
        """The Experiment that was trained."""
        return read_experiment(self.folder / "experiment.json")

    @property
    def provenance(self):
        """How the run was made: a dict with commit, packages, machine, time [s], precision and hash of the data.

        A ValueError names the file if it is missing or damaged; so do `history` and `metrics`.
        """
        values = self._json("provenance.json")
        wrong = [name for name, kind in ORIGIN.items() if name not in values or not typed.fits(values[name], kind)]
        if wrong:
            raise ValueError(f"{self.marker}: {', '.join(wrong)} missing, or not as a training writes it")
        return values

    @property
    def history(self):
        """Values of each epoch: dict of ndarray, shape (epochs,) (R44).

        loss, miou, unthresholded_miou, accuracy (of all pixels), pixel_accuracy (mean over the two classes), the same
        names with the prefix val_, and learning_rate.
        """
        file = self.folder / "history.npz"
        try:
            with zipfile.ZipFile(file) as archive:
                if sum(member.file_size for member in archive.infolist()) > MOST_HISTORY:
                    raise ValueError(f"it unpacks to more than {MOST_HISTORY // 2**20} MiB")
            with np.load(file) as arrays:
                history = dict(arrays)
            if len({np.shape(values) for values in history.values()}) != 1 or np.ndim(history.get("loss")) != 1:
                raise ValueError("it must have one number per epoch for each quantity")
        except (Exception, MemoryError) as error:  # a damaged file can raise almost any error
            raise ValueError(f"{file}: not the history of a training ({str(error) or type(error).__name__})") from None
        return history

    @property
    def metrics(self):
        """Measures of each set, a dict from `evaluation.evaluate`."""
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
            raise ValueError(f"{self.folder / 'metrics.json'}: not the measures of a run; delete it and evaluate again")
        return values

    def lock(self, work):
        """Let only one process at a time write into the folder; other processes print a message and wait.

        Parameters
        ----------
        work : str
            What the process does, for the message: "trains", "evaluates", "calibrates".

        Returns
        -------
        context manager
        """
        return lock(self.folder, f"Another process works on {self.id}; this one {work} it after that")

    def names(self):
        """Return the pairs of each set: a dict of lists of (source, name).

        Raises
        ------
        ValueError
            If split.csv is missing or damaged.
        """
        sets, path = {name: [] for name in SETS}, self.folder / "split.csv"
        try:
            with open(path, newline="", encoding="utf-8") as file:
                for row in csv.DictReader(file, strict=True):
                    sets[row["set"]].append((row["source"] or "", row["name"] or ""))
        except (KeyError, TypeError, ValueError, csv.Error, OSError) as error:
            raise ValueError(f"{path}: not the split of a training ({type(error).__name__}: {error})") from None
        return sets

    def model(self):
        """Return the trained network, a keras.Model in float32."""
        from crack_utils import models

        return models.load(self.folder / "model.keras")

    def __repr__(self):
        return f"Run({str(self.folder)!r})"

    def _json(self, name):
        return read_json(self.folder / name)


def read_experiment(file):
    """Read an experiment from the `experiment.json` of a run or a model.

    Parameters
    ----------
    file : path-like

    Returns
    -------
    Experiment

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
    """Return a finished run.

    Parameters
    ----------
    path : path-like
        A run's folder, the id of a run in `artifacts/runs`, or "latest" for the training that finished last.

    Returns
    -------
    Run

    Raises
    ------
    ValueError
        If it does not exist or is not finished; the message lists the finished runs.
    """
    candidates = [Path(path), paths.runs() / path]
    for folder in candidates:
        if Run(folder).finished:
            return Run(folder)
    finished = [run for run in map(Run, paths.runs().glob("*")) if run.finished]
    if path == LATEST and finished:
        return max(finished, key=lambda run: run.marker.stat().st_mtime_ns)
    ids = sorted(run.id for run in finished)
    raise ValueError(f"{path}: no finished run; finished runs: {', '.join(ids) or 'none yet'}")


def model_file(name):
    """Return the `.keras` file for a name, without loading the network; a ValueError if the name is not valid.

    Parameters
    ----------
    name : path-like
        A run's folder or id, "latest": the training that ended last, a `.keras` file, a folder with `model.keras`, or
        "default": the one that comes with the package. A path is relative to the working directory or, failing that,
        to the project.

    Returns
    -------
    pathlib.Path

    Raises
    ------
    ValueError
        If there is no such file, or if files of the default model were changed.
    """
    if str(name) == shipped.DEFAULT:
        return shipped.folder() / shipped.NETWORK
    if str(name) == LATEST:
        name = load_run(LATEST).folder
    # A link is not resolved, because the calibration is beside the link.
    for place in (Path(name).expanduser(), paths.runs() / name, paths.root() / name):
        if place.is_file():
            if place.suffix != ".keras":
                raise ValueError(f"{place}: not a model; valid are a run, a .keras file, or '{shipped.DEFAULT}'")
            return place
        if (place / shipped.NETWORK).is_file():
            return place / shipped.NETWORK
        if place.is_dir():
            raise ValueError(f"{place}: no {shipped.NETWORK} in this folder; is its training finished?")
    raise ValueError(
        f"{name}: no such model; valid are a run's folder or id, '{LATEST}', a .keras file, or '{shipped.DEFAULT}'"
    )
