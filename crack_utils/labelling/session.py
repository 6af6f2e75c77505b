"""The state and the actions of the editor, without a browser; every step is saved at once."""

import math

import numpy as np

from crack_utils.labelling.folder import LabelFolder
from crack_utils.labelling.recipe import Labels
from crack_utils.labelling.steps import PARTS, TOOLS, RecipeError, Step

__all__ = ["HAND_TOOLS", "MASK_TOOLS", "Session", "Settings"]

HAND_TOOLS = ("flood_fill", "rectangle", "polygon", "freehand", "disk", "tip")  # used on the picture
MASK_TOOLS = (  # used on the whole part at once
    "active_contour",
    "dilate",
    "erode",
    "opening",
    "closing",
    "fill_holes",
    "clear_border",
    "remove_small",
)


class Settings:
    """The settings of the editor's controls.

    Attributes
    ----------
    tool : str
        The selected tool, one of `HAND_TOOLS`.
    part : {"primary", "secondary"}
    mode : {"add", "subtract"}
    tolerance : float in [0, 1]
        Tolerance of the flood fill.
    iterations, reach, smoothing : int
    method : {"chan_vese", "edge"}
        Settings of the active contour.
    radius : int [px]
        Radius of the morphology.
    area : int [px²]
        Smaller regions are removed by "remove_small".
    """

    def __init__(self):
        self.tool, self.part, self.mode = "flood_fill", "primary", "add"
        self.tolerance = 0.05
        self.iterations, self.method, self.reach, self.smoothing = 100, "chan_vese", 20, 1
        self.radius, self.area = 1, 30

    def of(self, tool):
        """Return the settings of a tool by the names of its parameters; empty for an unknown tool."""
        names = TOOLS[tool].parameters() if tool in TOOLS else ()
        return {name: getattr(self, name) for name in names if hasattr(self, name)}


class Session:
    """The labelling of one folder, photograph by photograph.

    Every change is written to disk first and then applied here. If writing fails, or a step cannot be done, an error is
    raised, and nothing changes, neither here nor on disk.

    Parameters
    ----------
    folder : path-like
        Contains ``images/``; see `LabelFolder`. The first photograph without a label is opened.
    """

    def __init__(self, folder):
        self.folder = LabelFolder(folder)
        self.settings = Settings()
        self.outline = []  # corners of a polygon that is not closed yet, (row, column)
        waiting = (name for name in self.folder.names if self.folder.state(name) in ("new", "draft"))
        self.open(next(waiting, self.folder.names[0]))

    @property
    def size(self):
        """Height and width of the open photograph [px]."""
        return self.image.shape[:2]

    @property
    def position(self):
        """Number of the open photograph in the folder, from 0."""
        return self.folder.names.index(self.name)

    def open(self, name):
        """Open a photograph with its recipe and tip; if one of them cannot be read, the current one stays open."""
        image, recipe, tip = self.folder.photo(name), self.folder.recipe(name), self.folder.tip(name)
        trail = Trail(image)
        labels = trail.follow(recipe)
        self.name, self.image, self.recipe, self.tip = name, image, recipe, tip
        self.labels, self._trail, self.outline = labels, trail, []

    def move(self, by):
        """Open the photograph `by` positions later, within the folder; return whether it is another one."""
        target = min(max(self.position + by, 0), len(self.folder.names) - 1)
        if target == self.position:
            return False
        self.open(self.folder.names[target])
        return True

    def click(self, row, column):
        """Use the selected tool at a point [px]: a seed, the next corner of a polygon, or the tip."""
        self._check_inside(row, column)
        tool = self.settings.tool
        if tool == "flood_fill":
            self.add("flood_fill", seed=(round(row), round(column)))
        elif tool == "polygon":
            self.outline.append((row, column))
        elif tool == "tip":
            self.mark_tip(row, column)

    def draw(self, points):
        """Use the selected tool along a drag through points (row, column) [px]."""
        tool, first, last = self.settings.tool, points[0], points[-1]
        if tool == "rectangle":
            self.add("draw_roi", shape=tool, points=[first, last])
        elif tool == "disk":
            radius = math.dist(first, last)
            self.add("draw_roi", shape=tool, points=[first], radius=radius)
        elif tool == "freehand":
            self.add("draw_roi", shape=tool, points=points)

    def close_outline(self):
        """Close the open polygon. With too few corners an error is raised, and the corners are kept."""
        self.add("draw_roi", shape="polygon", points=self.outline)
        self.outline = []

    def step_back_outline(self):
        """Remove the polygon's last corner; return whether there was one."""
        return bool(self.outline and [self.outline.pop()])

    def drop_outline(self):
        """Cancel the open polygon."""
        self.outline = []

    def add(self, tool, progress=None, **parameters):
        """Append a step to the recipe; parameters that are not given come from the controls' settings."""
        given = self.settings.of(tool) | ({"radius": None} if tool == "draw_roi" else {}) | parameters
        recipe = self.recipe.copy()
        recipe.insert(len(recipe), Step(tool, given, self.settings.part))
        self._commit(recipe, progress)

    def remove(self, index):
        """Remove a step from the recipe."""
        recipe = self.recipe.copy()
        recipe.remove(index)
        self._commit(recipe)

    def set_again(self, index, progress=None):
        """Apply the controls' current settings to a step; its position, part and mode do not change."""
        step = self.recipe.steps[index]
        changed = dict(step.parameters)
        if step.tool != "draw_roi":  # its radius was drawn
            changed |= {name: value for name, value in self.settings.of(step.tool).items() if name != "mode"}
        recipe = self.recipe.copy()
        recipe.replace(index, Step(step.tool, changed, step.part))
        self._commit(recipe, progress)

    def undo(self):
        """Undo the last edit, or the last corner of an open polygon; return whether there was one."""
        if self.step_back_outline():
            return True
        if not self.recipe.can_undo:
            return False
        recipe = self.recipe.copy()
        recipe.undo()
        self._commit(recipe)
        return True

    def redo(self):
        """Redo the last undone edit; return whether there was one."""
        if not self.recipe.can_redo:
            return False
        recipe = self.recipe.copy()
        recipe.redo()
        self._commit(recipe)
        return True

    def mark_tip(self, row, column):
        """Label the primary crack's tip [px]."""
        self._check_inside(row, column)
        self._commit(self.recipe, tip=(row, column))

    def clear_tip(self):
        """Remove the label of the tip."""
        self._commit(self.recipe, tip=None)

    def save(self):
        """Write all files of the open photograph, also for one without cracks and therefore without steps."""
        self._commit(self.recipe)

    def _commit(self, recipe, progress=None, **tip):
        """Apply the recipe, write everything, and only then change the state."""
        labels = self._trail.follow(recipe, progress)
        tip = tip.get("tip", self.tip)
        self.folder.save(self.name, recipe, labels, tip)
        self.recipe, self.labels, self.tip = recipe, labels, tip

    def _check_inside(self, row, column):
        height, width = self.size
        if not (-0.5 <= row < height - 0.5 and -0.5 <= column < width - 0.5):
            raise ValueError(f"row {row:.0f}, column {column:.0f} lies outside the image of {height}×{width} px")


class Trail:
    """The labels after every step so far, so that an edit repeats only the later steps.

    They are stored as single bits: a hundred steps on 2048×2560 pixels take 130 MB instead of 1 GB.
    """

    def __init__(self, image):
        self.image = image
        self._steps, self._stages = [], []

    def follow(self, recipe, progress=None):
        """Return the labels of a recipe on the image; raise a `RecipeError` that names a step which cannot be done."""
        steps, size = recipe.steps, self.image.shape[:2]
        done = 0  # steps at the start that have not changed
        while done < min(len(steps), len(self._steps)) and steps[done] == self._steps[done]:
            done += 1
        labels = self._unpack(done - 1) if done else Labels.empty(size)
        new = []
        for number, step in enumerate(steps[done:], start=done + 1):
            try:
                labels = labels.after(step, self.image, progress)
            except ValueError as error:
                raise RecipeError(f"step {number} ({step.tool}): {error}") from error
            new.append(tuple(np.packbits(getattr(labels, part), axis=1) for part in PARTS))
        if new:  # otherwise, after an undo, later stages are kept for a redo
            self._steps[done:], self._stages[done:] = steps[done:], new
        return labels

    def _unpack(self, index):
        width = self.image.shape[1]
        return Labels(*(np.unpackbits(bits, axis=1, count=width).astype(bool) for bits in self._stages[index]))
