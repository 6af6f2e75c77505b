"""What the editor knows and does, without a browser: a photograph open, a tool in hand, every step saved at once."""

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
    """The positions of the editor's controls: which tool, on which part, and how strongly.

    Attributes
    ----------
    tool : str
        One of `HAND_TOOLS`.
    part : {"primary", "secondary"}
    mode : {"add", "subtract"}
    tolerance : float in [0, 1]
        Of the flood fill.
    iterations, reach, smoothing : int
    method : {"chan_vese", "edge"}
        Of the active contour.
    radius : int [px]
        Of the morphology.
    area : int [px²]
        Below which regions are removed.
    """

    def __init__(self):
        self.tool, self.part, self.mode = "flood_fill", "primary", "add"
        self.tolerance = 0.05
        self.iterations, self.method, self.reach, self.smoothing = 100, "chan_vese", 20, 1
        self.radius, self.area = 1, 30

    def of(self, tool):
        """Return the settings that a tool takes, by the names of its parameters; none for a tool that is unknown."""
        known = TOOLS[tool].parameters() if tool in TOOLS else ()
        return {name: getattr(self, name) for name in known if hasattr(self, name)}


class Session:
    """Labelling one folder, photograph by photograph.

    Every method that changes something writes it to disk before it takes hold here. If that fails, or if a step cannot
    be done, the error is raised and everything, here and on disk, is as it was.

    Parameters
    ----------
    folder : path-like
        Holds ``images/``; see `LabelFolder`. Work goes on at the first photograph that is not labelled yet.
    """

    def __init__(self, folder):
        self.folder = LabelFolder(folder)
        self.settings = Settings()
        self.outline = []  # corners of a polygon that is not closed yet, (row, column)
        waiting = (name for name in self.folder.names if self.folder.state(name) == "new")
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
        """Open a photograph with its recipe and tip; if any of them cannot be read, the one before stays open."""
        image, recipe, tip = self.folder.photo(name), self.folder.recipe(name), self.folder.tip(name)
        trail = Trail(image)
        labels = trail.follow(recipe)
        self.name, self.image, self.recipe, self.tip = name, image, recipe, tip
        self.labels, self._trail, self.outline = labels, trail, []

    def move(self, by):
        """Open the photograph that many places on, stopping at the folder's ends; return whether it is another one."""
        target = min(max(self.position + by, 0), len(self.folder.names) - 1)
        if target == self.position:
            return False
        self.open(self.folder.names[target])
        return True

    def click(self, row, column):
        """Use the tool in hand at a point [px]: a seed, a polygon's next corner, or the tip."""
        self._check_inside(row, column)
        tool = self.settings.tool
        if tool == "flood_fill":
            self.add("flood_fill", seed=(round(row), round(column)))
        elif tool == "polygon":
            self.outline.append((row, column))
        elif tool == "tip":
            self.mark_tip(row, column)

    def draw(self, points):
        """Use the tool in hand along a drag from the first to the last of some points (row, column) [px]."""
        tool, first, last = self.settings.tool, points[0], points[-1]
        if tool == "rectangle":
            self.add("draw_roi", shape=tool, points=[first, last])
        elif tool == "disk":
            radius = math.dist(first, last)
            self.add("draw_roi", shape=tool, points=[first], radius=radius)
        elif tool == "freehand":
            self.add("draw_roi", shape=tool, points=points)

    def close_outline(self):
        """Close the polygon being drawn. With too few corners the error is raised and the corners stay."""
        self.add("draw_roi", shape="polygon", points=self.outline)
        self.outline = []

    def step_back_outline(self):
        """Take the polygon's last corner away; return whether there was one."""
        return bool(self.outline and [self.outline.pop()])

    def drop_outline(self):
        """Forget the polygon being drawn."""
        self.outline = []

    def add(self, tool, progress=None, **parameters):
        """Append a step to the recipe, with the controls' settings for the parameters that are not given."""
        given = self.settings.of(tool) | ({"radius": None} if tool == "draw_roi" else {}) | parameters
        recipe = self.recipe.copy()
        recipe.insert(len(recipe), Step(tool, given, self.settings.part))
        self._commit(recipe, progress)

    def remove(self, index):
        """Take a step out of the recipe."""
        recipe = self.recipe.copy()
        recipe.remove(index)
        self._commit(recipe)

    def set_again(self, index, progress=None):
        """Give a step the strengths that the controls show now; where it works and what it adds to stays."""
        step = self.recipe.steps[index]
        changed = dict(step.parameters)
        if step.tool != "draw_roi":  # its radius is drawn
            changed |= {name: value for name, value in self.settings.of(step.tool).items() if name != "mode"}
        recipe = self.recipe.copy()
        recipe.replace(index, Step(step.tool, changed, step.part))
        self._commit(recipe, progress)

    def undo(self):
        """Take the last edit back; return whether there was one. A polygon being drawn loses its last corner first."""
        if self.step_back_outline():
            return True
        if not self.recipe.can_undo:
            return False
        recipe = self.recipe.copy()
        recipe.undo()
        self._commit(recipe)
        return True

    def redo(self):
        """Make the last undone edit again; return whether there was one."""
        if not self.recipe.can_redo:
            return False
        recipe = self.recipe.copy()
        recipe.redo()
        self._commit(recipe)
        return True

    def mark_tip(self, row, column):
        """Set the primary crack's tip [px]."""
        self._check_inside(row, column)
        self._commit(self.recipe, tip=(row, column))

    def clear_tip(self):
        """Remove the tip's mark."""
        self._commit(self.recipe, tip=None)

    def save(self):
        """Write all files of the open photograph again: also for one without cracks, which has no step to save it."""
        self._commit(self.recipe)

    def _commit(self, recipe, progress=None, **tip):
        """Do the recipe, write everything, and only then take it over."""
        labels = self._trail.follow(recipe, progress)
        tip = tip.get("tip", self.tip)
        self.folder.save(self.name, recipe, labels, tip)
        self.recipe, self.labels, self.tip = recipe, labels, tip

    def _check_inside(self, row, column):
        height, width = self.size
        if not (-0.5 <= row < height - 0.5 and -0.5 <= column < width - 0.5):
            raise ValueError(f"row {row:.0f}, column {column:.0f} lies outside the image of {height}×{width} px")


class Trail:
    """The labels after each step done so far, so that an edit repeats only the steps that come after it.

    Kept as single bits: a hundred steps on 2048×2560 pixels take 130 MB instead of 1 GB.
    """

    def __init__(self, image):
        self.image = image
        self._steps, self._stages = [], []

    def follow(self, recipe, progress=None):
        """Return what a recipe makes of the image; raise `RecipeError` naming the step that cannot be done."""
        steps, size = recipe.steps, self.image.shape[:2]
        known = 0
        while known < min(len(steps), len(self._steps)) and steps[known] == self._steps[known]:
            known += 1
        labels = self._unpack(known - 1) if known else Labels.empty(size)
        new = []
        for number, step in enumerate(steps[known:], start=known + 1):
            try:
                labels = labels.after(step, self.image, progress)
            except ValueError as error:
                raise RecipeError(f"step {number} ({step.tool}): {error}") from error
            new.append(tuple(np.packbits(getattr(labels, part), axis=1) for part in PARTS))
        if new:  # what an undo leaves behind stays, for the redo
            self._steps[known:], self._stages[known:] = steps[known:], new
        return labels

    def _unpack(self, index):
        width = self.image.shape[1]
        return Labels(*(np.unpackbits(bits, axis=1, count=width).astype(bool) for bits in self._stages[index]))
