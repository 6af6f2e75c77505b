"""The photographs on the page: the state of each, the work that is done on it, and what was found.

All of it exists as long as the server runs. Uploaded files and probabilities are in a temporary folder; only the
pictures in use are in memory. One thread looks for cracks, another measures them. So a person can correct one
photograph while others wait.
"""

import copy
import queue
import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import numpy as np

from crack_utils.data.decoding import open_stored
from crack_utils.data.images import SUFFIXES, gray_values
from crack_utils.data.names import LONGEST, normal, printable
from crack_utils.data.stored import DataError, TooLarge
from crack_utils.inference.certainty import unlike_the_training
from crack_utils.inference.page.examine import corrected, examine, outlines
from crack_utils.inference.page.settings import Settings
from crack_utils.runtime.typeset import joined

MOST = 200  # photographs at once
MOST_PIXELS = 500e6  # [px] of all photographs; their probabilities take 2 GB of disk
LARGEST = 700e6  # [bytes] of one photograph, decoded: 90 megapixels in colour
IN_USE = 2  # photographs whose pixels are in memory

WAITING, LOOKING, MEASURING, DONE, FAILED = "waiting", "looking", "measuring", "done", "failed"


@dataclass(eq=False)
class Photograph:
    """A photograph on the page.

    Attributes
    ----------
    key : str
        The name by which a browser asks for it.
    name : str
        Its file's name without the ending; a number is added if another photograph has this name.
    file : pathlib.Path
        A copy of the photograph, in a temporary folder.
    mm_per_px : float, optional
        Its scale, if it was known when the photograph was added.
    example : bool
        Whether it came with the page.
    state : str
        `WAITING`, `LOOKING`, `MEASURING`, `DONE` or `FAILED`.
    problem : str
        Why it failed.
    shape : (height, width) [px]
    settings : Settings, or None
        None until cracks have been looked for.
    revision : int
        Increases with each change of the settings, so that results of older settings are never shown.
    lines : list of ndarray
        Outlines of the cracks, as soon as they are known.
    findings : Findings, or None
        For these settings.
    unlike : list of str
        In which ways the photograph differs from those of the training.
    """

    key: str
    name: str
    file: Path
    mm_per_px: float | None = None
    example: bool = False
    state: str = WAITING
    problem: str = ""
    shape: tuple = ()
    settings: Settings | None = None
    revision: int = 0
    lines: list = field(default_factory=list)
    findings: object = None
    unlike: list = field(default_factory=list)


@dataclass(eq=False)
class _Pixels:
    """The pixels of a photograph in use: gray values, probability, and the probability with the corrections so far."""

    image: np.ndarray
    probability: np.ndarray
    strokes: tuple
    field: np.ndarray


class _Worker:
    """A thread that does jobs one after another. The process can end without waiting for it."""

    def __init__(self):
        self._jobs, self._stopped = queue.SimpleQueue(), False
        threading.Thread(target=self._work, daemon=True).start()

    def submit(self, job, *arguments):
        self._jobs.put((job, arguments))

    def stop(self):
        self._stopped = True
        self._jobs.put((None, ()))

    def _work(self):
        while not self._stopped:
            job, arguments = self._jobs.get()
            if not self._stopped:
                job(*arguments)


class Desk:
    """Photographs that are looked at, measured, corrected and closed.

    Parameters
    ----------
    trained : Predictor
    folder : path-like
        An empty folder for temporary files.
    """

    def __init__(self, trained, folder):
        self.trained = trained
        self.photographs = {}
        self._folder = Path(folder)
        self._keys = count(1)
        self._lock = threading.RLock()
        self._pixels = OrderedDict()
        self._looker, self._measurer = _Worker(), _Worker()

    def add(self, name, content, mm_per_px=None, example=False):
        """Take a photograph and begin to look for cracks.

        Parameters
        ----------
        name : str
            The name of its file, as the browser gives it.
        content : bytes
        mm_per_px : float, optional
        example : bool

        Returns
        -------
        Photograph

        Raises
        ------
        ValueError
            If there are too many photographs, or the name is not a valid file name of a picture.
        """
        stem, suffix = _check_name(name)
        with self._lock:  # so that uploads at the same time get different names
            if len(self.photographs) >= MOST:
                raise ValueError(f"{name}: there are {MOST} photographs already; close some first")
            key = str(next(self._keys))
            file = self._folder / f"{key}{suffix}"
            file.write_bytes(content)
            photograph = Photograph(key, self._new_name(stem), file, mm_per_px, example)
            self.photographs[key] = photograph
        self._looker.submit(self._look, photograph)
        return photograph

    def close(self, photograph):
        """Forget a photograph and its files."""
        with self._lock:
            self.photographs.pop(photograph.key, None)
            self._pixels.pop(photograph.key, None)
            photograph.revision += 1
            for file in self._folder.glob(f"{photograph.key}.*"):
                file.unlink(missing_ok=True)

    def set(self, photograph, settings):
        """Change the settings of a photograph: the outlines follow at once, the measures when they are ready.

        Raises
        ------
        ValueError
            If the photograph is not ready yet, or a correction lies outside of it. Then nothing is changed.
        """
        if not photograph.settings:
            raise ValueError(f"{photograph.name}: {photograph.problem or 'wait until cracks have been looked for'}")
        lines = outlines(self._field(photograph, settings), settings.threshold)
        with self._lock:
            photograph.settings, photograph.lines = settings, lines
            photograph.findings, photograph.problem = None, ""
            photograph.revision += 1
            photograph.state = MEASURING
        self._measurer.submit(self._measure, photograph, photograph.revision)

    def measured(self, photograph):
        """Return a copy of a measured photograph, so that later changes of the settings have no effect on it.

        Raises
        ------
        ValueError
            If it is not measured, or a change of the settings is being measured.
        """
        now = self.now(photograph)
        if not now.findings:
            raise ValueError(now.problem or f"{now.name}: not measured yet; wait a moment")
        return now

    def now(self, photograph):
        """Return a copy of a photograph with settings and findings that belong together."""
        with self._lock:
            return copy.copy(photograph)

    def image(self, photograph):
        """Return the gray values of a photograph: float32, shape (H, W), in [0, 1]."""
        return self._pixels_of(photograph).image if photograph.settings else _read(photograph)

    def mask(self, photograph):
        """Return the mask of a photograph with the settings that it has: bool, shape (H, W)."""
        settings = photograph.settings
        return self._field(photograph, settings) >= np.float32(settings.threshold)

    def stop(self):
        """Start no more jobs. The process can end even while one is running."""
        self._looker.stop()
        self._measurer.stop()

    def _look(self, photograph):
        """Predict the probability of a photograph; called in a separate thread."""
        if photograph.key not in self.photographs:
            return
        photograph.state = LOOKING
        try:
            image = _read(photograph)
            if sum(np.prod(other.shape) for other in list(self.photographs.values())) + image.size > MOST_PIXELS:
                most = f"{MOST_PIXELS / 1e6:.0f} megapixels"
                raise DataError(f"{photograph.name}: open photographs may have {most} together; close some first")
            photograph.shape = image.shape
            np.save(photograph.file.with_suffix(".npy"), self.trained.predict(image))
            photograph.unlike = unlike_the_training(self.trained, image)
            if photograph.key not in self.photographs:  # closed meanwhile
                photograph.file.with_suffix(".npy").unlink()
                return
            photograph.settings = Settings(self.trained.threshold, photograph.mm_per_px)
            self.set(photograph, photograph.settings)
        except (Exception, MemoryError) as error:
            self._fail(photograph, error)

    def _measure(self, photograph, revision):
        """Measure a photograph, if its settings have not changed since; called in a separate thread."""
        if photograph.revision != revision:
            return
        settings, lines = photograph.settings, photograph.lines
        try:
            image = self.image(photograph)
            field = self._field(photograph, settings)
            findings = examine(self.trained, image, field, settings, lines, photograph.unlike)
        except (Exception, MemoryError) as error:
            if photograph.revision == revision:
                self._fail(photograph, error)
            return
        with self._lock:
            if photograph.revision == revision:
                photograph.findings, photograph.state = findings, DONE

    def _fail(self, photograph, error):
        """Store why a photograph cannot be measured, and remove what was found in it."""
        expected = isinstance(error, ValueError | OSError) and str(error)
        with self._lock:
            photograph.findings, photograph.lines, photograph.state = None, [], FAILED
            photograph.problem = str(error) if expected else f"{photograph.name}: {type(error).__name__} {error}"

    def _pixels_of(self, photograph):
        """Return the pixels of a photograph; those of the photographs used last stay in memory."""
        with self._lock:
            if photograph.key not in self._pixels:
                probability = np.load(photograph.file.with_suffix(".npy"))
                self._pixels[photograph.key] = _Pixels(_read(photograph), probability, (), probability)
            self._pixels.move_to_end(photograph.key)
            while len(self._pixels) > IN_USE:
                self._pixels.popitem(last=False)
            return self._pixels[photograph.key]

    def _field(self, photograph, settings):
        """Return the probability of a photograph with its corrections; if only new ones were added, it adds these."""
        with self._lock:
            pixels = self._pixels_of(photograph)
            done = pixels.strokes if settings.strokes[: len(pixels.strokes)] == pixels.strokes else ()
            field = pixels.field if done else pixels.probability
            pixels.field = corrected(pixels.image, field, settings.strokes[len(done) :])
            pixels.strokes = settings.strokes
            return pixels.field

    def _new_name(self, stem):
        """Return a name that no other photograph has."""
        taken = {photograph.name for photograph in self.photographs.values()}
        names = (stem if number == 1 else f"{stem} ({number})" for number in count(1))
        return next(name for name in names if name not in taken)


def _check_name(name):
    """Return the stem and the ending of a photograph's name; a ValueError if the name is not valid."""
    path = Path(name)
    if path.name != name or "\\" in name or printable(name) != name or not path.stem.strip("."):
        raise ValueError(f"{printable(name)[:LONGEST]!r} is not a valid file name; rename it")
    if path.suffix.lower() not in SUFFIXES:
        raise ValueError(f"{name}: not a photograph; its name must end in {joined(SUFFIXES, 'or')}")
    if len(name.encode()) > LONGEST:
        raise ValueError(f"{name[:40]}…: rename it to at most {LONGEST} bytes")
    return normal(path.stem), path.suffix.lower()


def _read(photograph):
    """Read a photograph; error messages contain the name that the person gave, not that of the copy."""
    try:
        return gray_values(open_stored(photograph.file, LARGEST))
    except TooLarge as error:
        raise DataError(f"{photograph.name}: {error}") from None
    except ValueError as error:
        said = str(error).replace(str(photograph.file), photograph.name)
        raise DataError(said if photograph.name in said else f"{photograph.name}: {said}") from None
