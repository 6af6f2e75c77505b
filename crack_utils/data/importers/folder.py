"""List the files of an input folder; a name in an annotation only selects one of them and is never used as a path."""

import contextlib
import json
import os
import posixpath
from collections import Counter
from pathlib import Path, PureWindowsPath

from crack_utils.data.images import SUFFIXES
from crack_utils.data.names import normal, printable, problem_of
from crack_utils.data.stored import DataError

FIRST = 20  # files of a kind that are read to recognise a format
LARGEST = 256 * 2**20  # [bytes] of an annotation file; read as a whole, JSON takes some ten times as much memory


class MissingPictureError(DataError):
    """An annotation names a picture that does not exist."""


class Folder:
    """An input folder, or one annotation file and the folder that contains it.

    Attributes
    ----------
    given, root : pathlib.Path
        The given path, and the folder.
    files : list of pathlib.Path
        All regular files in the folder and below, sorted, without hidden ones.
    problems : list of str
        What readers could not use, each with the file's name.
    notes : list of str
        What readers left out that is not a fault.
    elsewhere : list of str
        Pictures that were found by the last part of a name only, in another folder than the name says.

    Raises
    ------
    DataError
        If there is neither such a folder nor such a file.
    """

    def __init__(self, path):
        path = Path(path)
        if not (path.is_dir() or path.is_file()):
            raise DataError(f"{path}: no such file or folder")
        self.given = path
        self.root = path if path.is_dir() else path.parent
        self.files, self.problems, self.notes, self.elsewhere = [], [], [], []
        for file in sorted(_regular_files(self.root)):
            why = problem_of(file)
            if why:
                self.problems.append(f"{printable(file)}: {why}")
            else:
                self.files.append(file)
        self._places = {self.place(file): file for file in self.files}
        self._pictures, self._by_name, self._holding = {}, {}, {}
        for place, file in self._places.items():
            if file.suffix.lower() in SUFFIXES:
                self._by_name.setdefault(posixpath.basename(place), []).append(file)
                self._pictures.setdefault(normal(file.stem), []).append(file)

    def place(self, file):
        """Return the path of a file within the folder, as text with slashes, in Unicode's composed form."""
        return normal(file.relative_to(self.root).as_posix())

    def ending(self, *suffixes):
        """Return the annotation files with these endings: those in the folder, or only the file that was given."""
        files = self.files if self.given == self.root else [self.given]
        return [file for file in files if file.suffix.lower() in suffixes]

    def holds(self, suffixes, test):
        """Return whether one of the first annotation files with these endings passes a test; a `DataError` means no."""
        for file in self.ending(*suffixes)[:FIRST]:
            with contextlib.suppress(DataError):
                if test(file):
                    return True
        return False

    def pictures(self):
        """Return all pictures in the folder, sorted."""
        return [file for file in self.files if file.suffix.lower() in SUFFIXES]

    def picture(self, name, annotation, shared=()):
        """Return the picture that an annotation file names.

        It is searched for beside the annotation, in the folder and in its `images/`. Otherwise it is the picture whose
        path ends with the name, or at least with the last part of the name, if there is only one such picture.

        Parameters
        ----------
        name : str
            The name in the annotation, with slashes or backslashes.
        annotation : pathlib.Path
        shared : collection of str
            Last parts of names that several pictures have, from `shared_last_parts`.

        Raises
        ------
        DataError
            If the name leads out of the folder, or to several pictures; `MissingPictureError` if there is no picture.
        """
        wanted = normal(PureWindowsPath(name).as_posix())
        beside = posixpath.dirname(self.place(annotation))
        if PureWindowsPath(name).anchor or posixpath.normpath(posixpath.join(beside, wanted)).startswith(".."):
            raise DataError(f"{annotation}: the picture {name!r} lies outside {self.root}; name the folder of both")
        for place in (beside, "", "images"):
            file = self._places.get(posixpath.normpath(posixpath.join(place, wanted)))
            if file is not None and file.suffix.lower() in SUFFIXES:
                return file
        # Pictures beside other annotations belong to those: in folders such as train/ and val/, one may lack a picture.
        others = self._folders_of(annotation.suffix) - {beside, ""}
        named = [
            file
            for file in self._by_name.get(posixpath.basename(wanted), [])
            if posixpath.dirname(self.place(file)) not in others or posixpath.dirname(wanted)
        ]
        exact = [file for file in named if f"/{self.place(file)}".endswith(f"/{wanted}")]
        if not exact and posixpath.basename(wanted) in shared:
            named = []  # it may be the picture of another name
        file = self._only(exact or named, annotation, name)
        if not exact and posixpath.dirname(wanted):
            self.elsewhere.append(f"{name!r} is {self.place(file)}")
        return file

    def _folders_of(self, suffix):
        """Return the folders that hold files of an ending: set of str, as `place`."""
        if suffix not in self._holding:
            self._holding[suffix] = {
                posixpath.dirname(self.place(file)) for file in self.files if file.suffix == suffix
            }
        return self._holding[suffix]

    def picture_of(self, stems, annotation, but=()):
        """Return the picture that belongs to an annotation.

        Parameters
        ----------
        stems : sequence of str
            Names without ending, at least one; the first with a picture is taken.
        annotation : pathlib.Path
            Its file, for messages.
        but : collection of pathlib.Path
            Pictures that do not count.

        Returns
        -------
        pathlib.Path

        Raises
        ------
        DataError
            If there are several; `MissingPictureError` if there is none.
        """
        for stem in stems:
            files = [file for file in self._pictures.get(normal(stem), []) if file not in but]
            if files:
                break
        return self._only(files, annotation, stems[0])

    def _only(self, files, annotation, name):
        if not files:
            raise MissingPictureError(f"{annotation}: no picture {name!r} in {self.root} ({', '.join(SUFFIXES)})")
        if len(files) > 1:
            places = ", ".join(self.place(file) for file in files[:4])
            raise DataError(f"{annotation}: several pictures {name!r}: {places}")
        return files[0]


def shared_last_parts(names):
    """Return the last parts that several names share, such as "a.png" of "train/a.png" and "val/a.png".

    Parameters
    ----------
    names : iterable
        Names in an annotation; items that are not text are ignored.

    Returns
    -------
    set of str
    """
    wanted = {normal(PureWindowsPath(name).as_posix()) for name in names if isinstance(name, str)}
    count = Counter(map(posixpath.basename, wanted))
    return {part for part, number in count.items() if number > 1}


def read_text(path):
    """Return the text of an annotation file in UTF-8; a `DataError` if it is too large or not text."""
    if path.stat().st_size > LARGEST:
        raise DataError(f"{path}: larger than {LARGEST // 2**20} MiB")
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not in UTF-8 (byte {error.start})") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from None


def read_json(path):
    """Return the content of a JSON file; a `DataError` if it is not valid JSON."""
    try:
        return json.loads(read_text(path))
    except DataError:
        raise
    except RecursionError:
        raise DataError(f"{path}: cannot be read as JSON (nested too deeply)") from None
    except ValueError as error:
        raise DataError(f"{path}: cannot be read as JSON ({error})") from None


def _regular_files(root):
    """Yield the regular files in a folder and below, also through links to folders; each folder is read once."""
    visited = set()
    for place, folders, names in os.walk(root, followlinks=True):
        if os.path.realpath(place) in visited:
            folders.clear()
            continue
        visited.add(os.path.realpath(place))
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in names:
            file = Path(place, name)
            if not name.startswith(".") and file.is_file():
                yield file
