"""Recipes: the list of steps that made a mask; steps can be undone, repeated, reviewed and stored as text (R10, R15).

Applied to its photograph, a recipe always gives the same mask, byte for byte, on every machine. It contains pixels only
if it begins with a draft of a network.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from crack_utils.data.contrast import check_image
from crack_utils.data.decoding import is_regular
from crack_utils.labelling.steps import PARTS, RecipeError, Step
from crack_utils.runtime.atomic import write_together

FORMAT, VERSION = "crack-utils recipe", 1
MOST_STEPS = 10_000
MOST_BYTES = 2**24  # of a file
LONGEST_MESSAGE = 500  # characters of an error message, because it may quote a whole file


@dataclass(frozen=True)
class Labels:
    """The two parts of a mask (R15), each a bool array of shape (H, W)."""

    primary: np.ndarray
    secondary: np.ndarray

    @classmethod
    def empty(cls, size):
        """Return the labels of (height, width) pixels without cracks."""
        return cls(np.zeros(size, dtype=bool), np.zeros(size, dtype=bool))

    @property
    def mask(self):
        """Both parts together, a bool array of shape (H, W)."""
        return self.primary | self.secondary

    @property
    def parts(self):
        """A uint8 array of shape (H, W): background 0, primary crack 1, secondary crack 2; primary where both are."""
        return np.where(self.primary, np.uint8(1), np.uint8(2) * self.secondary)

    def after(self, step, image, progress=None):
        """Return the labels after one more step; this object does not change.

        Parameters
        ----------
        step : Step
        image : array of shape (H, W) or (H, W, 3)
        progress : callable, optional
            As for `active_contour`.

        Returns
        -------
        Labels

        Raises
        ------
        ValueError
            If the step cannot be applied to the image.
        """
        part = step.run(image, getattr(self, step.part), progress)
        return Labels(**{name: part if name == step.part else getattr(self, name) for name in PARTS})


@dataclass(frozen=True)
class Edit:
    """One change of the list of steps: at an index, `before` is replaced by `after`; None means no step."""

    index: int
    before: Step | None
    after: Step | None

    def made_on(self, steps):
        """Return the steps of a recipe with this edit applied.

        Parameters
        ----------
        steps : tuple of Step
            The steps before the edit; they do not change.

        Returns
        -------
        tuple of Step
        """
        middle = () if self.after is None else (self.after,)
        return steps[: self.index] + middle + steps[self.index + (self.before is not None) :]

    def reversed(self):
        """Return the edit that undoes this one."""
        return Edit(self.index, self.after, self.before)


class Recipe:
    """An ordered list of labelling steps, with undo and redo.

    Parameters
    ----------
    steps : iterable of Step

    Examples
    --------
    >>> recipe = Recipe()
    >>> recipe.add("flood_fill", seed=(40, 60), tolerance=0.1)
    >>> recipe.add("dilate", radius=2)
    >>> recipe.undo()
    >>> [str(step) for step in recipe.steps]
    ['flood fill at (40, 60), tolerance 0.1']
    """

    def __init__(self, steps=()):
        self.steps = ()
        self._done, self._undone = [], []  # edits
        for step in steps:
            self.insert(len(self.steps), step)

    def __eq__(self, other):
        return isinstance(other, Recipe) and self.steps == other.steps

    __hash__ = None  # a recipe can change; `digest` identifies its current steps

    def __len__(self):
        return len(self.steps)

    def add(self, tool, part="primary", **parameters):
        """Append a step; see `crack_utils.labelling.steps.TOOLS` for the tools and their parameters."""
        self.insert(len(self.steps), Step(tool, parameters, part))

    def insert(self, index, step):
        """Insert a step before position ``index``; ``len(recipe)`` appends.

        Raises
        ------
        IndexError
            If there is no such position.
        """
        if not 0 <= index <= len(self.steps):
            raise IndexError(f"cannot insert at {index}: the recipe has {len(self.steps)} steps")
        self._edit(Edit(index, None, step))

    def remove(self, index):
        """Remove the step at position ``index``."""
        self._edit(Edit(index, self._step(index), None))

    def replace(self, index, step):
        """Replace the step at position ``index``."""
        self._edit(Edit(index, self._step(index), step))

    @property
    def can_undo(self):
        """Whether there is an edit to undo."""
        return bool(self._done)

    @property
    def can_redo(self):
        """Whether there is an edit to redo."""
        return bool(self._undone)

    def undo(self):
        """Undo the last edit; in a loaded recipe, undo removes its steps one by one.

        Raises
        ------
        IndexError
            If there is nothing to undo.
        """
        if not self._done:
            raise IndexError("there is nothing to undo")
        edit = self._done.pop()
        self.steps = edit.reversed().made_on(self.steps)
        self._undone.append(edit)

    def redo(self):
        """Redo the last undone edit.

        Raises
        ------
        IndexError
            If there is nothing to redo.
        """
        if not self._undone:
            raise IndexError("there is nothing to redo")
        edit = self._undone.pop()
        self.steps = edit.made_on(self.steps)
        self._done.append(edit)

    def copy(self):
        """Return a recipe with the same steps and history, which can be changed and then kept or discarded."""
        twin = Recipe()
        twin.steps, twin._done, twin._undone = self.steps, list(self._done), list(self._undone)
        return twin

    @property
    def digest(self):
        """SHA-256, hexadecimal, of everything that determines the mask: the steps and the version of the format."""
        content = {"version": VERSION, "steps": [step.as_dict() for step in self.steps]}
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    def stages(self, image, progress=None):
        """Yield the `Labels` before the first step and after each one.

        Parameters
        ----------
        image : array of shape (H, W) or (H, W, 3)
        progress : callable, optional
            Passed to the active contours.

        Raises
        ------
        RecipeError
            If a step cannot be applied to this image; the message names the step.
        """
        image = check_image(image)
        labels = Labels.empty(image.shape[:2])
        yield labels
        for number, step in enumerate(self.steps, start=1):
            try:
                labels = labels.after(step, image, progress)
            except ValueError as error:
                raise RecipeError(f"step {number} ({step.tool}): {error}") from error
            yield labels

    def apply(self, image, progress=None):
        """Return the `Labels` after all steps; arguments and errors as for `stages`."""
        *_, labels = self.stages(image, progress)
        return labels

    def to_json(self):
        """Return the recipe as text: version, steps, and undone edits."""
        undone = [
            {"index": e.index, "before": e.before and e.before.as_dict(), "after": e.after and e.after.as_dict()}
            for e in self._undone
        ]
        lists = {"steps": [step.as_dict() for step in self.steps]} | ({"undone": undone} if undone else {})
        # One step per line, so that a diff of two versions is a list of changed steps.
        texts = [f'"{name}": [\n  ' + ",\n  ".join(map(json.dumps, list_)) + "\n ]" for name, list_ in lists.items()]
        return ",\n ".join([f'{{\n "format": "{FORMAT}"', f'"version": {VERSION}', *texts]) + "\n}\n"

    @classmethod
    def from_json(cls, text):
        """Return the recipe stored in a text.

        Raises
        ------
        RecipeError
            If the text is not JSON, not a recipe, of another version, or contains an invalid step.
        """
        try:
            content = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise RecipeError(f"not valid JSON: {error}") from None
        if not isinstance(content, dict) or content.get("format") != FORMAT:
            raise RecipeError(f'not a recipe: "format" must be "{FORMAT}"')
        if content.get("version") != VERSION or content["version"] is True:
            raise RecipeError(f"recipe of version {content.get('version')!r}; this program reads version {VERSION}")
        if unknown := content.keys() - {"format", "version", "steps", "undone"}:
            raise RecipeError(f"unknown entries: {', '.join(sorted(unknown))}")
        if "steps" not in content:
            raise RecipeError("it has no steps; for a photograph without a crack, steps is an empty list")
        recipe = cls()
        for number, entry in enumerate(_list(content, "steps"), start=1):
            recipe.insert(len(recipe), _read_step(entry, f"step {number}"))
        recipe._undone = [_read_edit(e, f"undone edit {n}") for n, e in enumerate(_list(content, "undone"), start=1)]
        trial = recipe.copy()
        while trial.can_redo:
            edit = trial._undone[-1]
            fits = edit.before is None or trial.steps[edit.index : edit.index + 1] == (edit.before,)
            if not fits or edit.index > len(trial.steps):
                raise RecipeError(f"undone edit {len(trial._undone)} does not fit the steps")
            trial.redo()
        return recipe

    def to_python(self):
        """Return a short Python script that writes the same mask file, byte for byte."""
        from crack_utils.labelling.script import script

        return script(self)

    def save(self, path):
        """Write the recipe as JSON, atomically."""
        write_together({Path(path): self.to_json().encode()})

    @classmethod
    def load(cls, path):
        """Read a recipe from a file; a RecipeError names the file and the step."""
        path = Path(path)
        if not path.exists():
            raise RecipeError(f"{path}: no such file")
        if not is_regular(path):
            raise RecipeError(f"{path}: not a regular file")
        if path.stat().st_size > MOST_BYTES:
            raise RecipeError(f"{path}: more than {MOST_BYTES // 2**20} MiB; that is not a recipe")
        try:
            return cls.from_json(path.read_text(encoding="utf-8"))
        except (RecipeError, UnicodeDecodeError, OSError) as error:
            raise RecipeError(f"{path}: {str(error)[:LONGEST_MESSAGE]}") from error

    def _step(self, index):
        if not 0 <= index < len(self.steps):
            raise IndexError(f"there is no step at {index}: the recipe has {len(self.steps)} steps")
        return self.steps[index]

    def _edit(self, edit):
        if edit.after is not None and not isinstance(edit.after, Step):
            raise TypeError(f"a recipe holds steps, not {type(edit.after).__name__}")
        self.steps = edit.made_on(self.steps)
        self._done.append(edit)
        self._undone.clear()


def _list(content, name):
    """Return a list from the file's content; empty if it is missing."""
    entries = content.get(name, [])
    if not isinstance(entries, list):
        raise RecipeError(f'"{name}" must be a list')
    if len(entries) > MOST_STEPS:
        raise RecipeError(f'"{name}" has {len(entries)} entries; at most {MOST_STEPS} are read')
    return entries


def _read_step(entry, where):
    """Return the step of a JSON entry; errors name its position."""
    if not isinstance(entry, dict):
        raise RecipeError(f"{where}: not a step: {entry!r}")
    where = f"{where} ({entry.get('tool')})"
    if unknown := entry.keys() - {"tool", "part", "parameters"}:
        raise RecipeError(f"{where}: unknown entries: {', '.join(sorted(unknown))}")
    try:
        return Step(entry.get("tool"), entry.get("parameters", {}), entry.get("part", "primary"))
    except ValueError as error:
        raise RecipeError(f"{where}: {error}") from None


def _read_edit(entry, where):
    """Return the edit of a JSON entry; errors name its position."""
    if not isinstance(entry, dict) or not isinstance(entry.get("index"), int) or entry["index"] < 0:
        raise RecipeError(f"{where}: not an edit: {entry!r}")
    sides = (entry.get(side) for side in ("before", "after"))
    before, after = (None if side is None else _read_step(side, where) for side in sides)
    return Edit(entry["index"], before, after)
