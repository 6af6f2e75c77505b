"""The state and the actions of the editor, without a browser; every step is saved at once."""

import math

from crack_utils.data.contrast import as_unit
from crack_utils.labelling import lines, tools
from crack_utils.labelling.folder import KEEP, LabelFolder
from crack_utils.labelling.steps import PARTS, TOOLS, Step
from crack_utils.labelling.trail import Trail

HAND_TOOLS = (  # used on the picture
    "polyline",
    "flood_fill",
    "brush",
    "eraser",
    "polygon",
    "rectangle",
    "freehand",
    "disk",
    "tip",
    "tip2",
    "scale",
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
    width : float [px]
        Of the next vertex of a polyline, of the brush and the eraser.
    follow : {"dark", "bright", "straight"}
        What a polyline follows between its vertices.
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
        self.tolerance, self.width, self.follow = 0.05, 3.0, "dark"
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
        self.outline = []  # vertices of a polyline or polygon that is not finished yet, or of a scale, (row, column)
        self.widths = []  # of the vertices of an open polyline [px]
        self.chosen = None  # index of the step whose vertices can be moved
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
        """Open a photograph with its recipe and tips; if one of them cannot be read, the current one stays open."""
        folder = self.folder
        image, recipe, tip = folder.photo(name), folder.recipe(name), folder.tip(name)
        tip2, scale = folder.second_tip(name), folder.scale(name)
        trail = Trail(image)
        labels = trail.follow(recipe)
        self.name, self.image, self.recipe, self.labels, self._trail = name, image, recipe, labels, trail
        self.tip, self.tip2, self.mm_per_px = tip, tip2, scale
        self._unit, self._lines = None, {}
        self.chosen = None
        self.drop_outline()

    def move(self, by):
        """Open the photograph `by` positions later, within the folder; return whether the photograph changed."""
        target = min(max(self.position + by, 0), len(self.folder.names) - 1)
        if target == self.position:
            return False
        self.open(self.folder.names[target])
        return True

    def click(self, row, column):
        """Use the selected tool at a point [px]: a seed, the next vertex, a tip, or an end of the known length."""
        self._check_inside(row, column)
        tool = self.settings.tool
        if tool == "flood_fill":
            self.add("flood_fill", seed=(round(row), round(column)))
        elif tool == "polyline":
            self.chosen = None
            self.outline.append(lines.snapped(self.unit, (row, column), self.settings.follow, self.settings.width))
            self.widths.append(self.settings.width)
        elif tool == "polygon":
            self.chosen = None
            self.outline.append((row, column))
        elif tool == "scale":
            self.outline = [*(self.outline if len(self.outline) == 1 else []), (row, column)]
        elif tool in ("tip", "tip2"):
            self.mark_tip(row, column, second=tool == "tip2")

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
        elif tool == "brush":
            self.add("polyline", points=points, widths=[self.settings.width], follow="straight")
        elif tool == "eraser":
            self._erase({"points": points, "widths": [self.settings.width], "follow": "straight", "mode": "subtract"})

    def close_outline(self):
        """Finish the open polygon or polyline. With too few vertices an error is raised, and they are kept."""
        if self.settings.tool == "scale":
            raise ValueError("the scale needs a second click")
        if self.settings.tool == "polyline":
            self.add("polyline", points=self.outline, widths=self.widths)
        else:
            self.add("draw_roi", shape="polygon", points=self.outline)
        self.drop_outline()
        self.chosen = len(self.recipe) - 1

    def step_back_outline(self):
        """Remove the last vertex of the open shape; return whether there was one."""
        self.widths = self.widths[:-1]
        return bool(self.outline and [self.outline.pop()])

    def drop_outline(self):
        """Cancel the open polygon, polyline or scale; without one, no step is chosen any more."""
        if not self.outline:
            self.chosen = None
        self.outline, self.widths = [], []

    @property
    def vertices(self):
        """The vertices that can be moved, (row, column): those of the open shape, or of the chosen step."""
        step = self._chosen_step()
        return list(self.outline) if self.outline or step is None else list(step.parameters["points"])

    def sketch(self):
        """Return the open line as it will be drawn, a list of (row, column)."""
        if self.settings.tool != "polyline" or len(self.outline) < 2:
            return list(self.outline)
        follow, points = self.settings.follow, []
        for first, last, width in zip(self.outline, self.outline[1:], self.widths[1:], strict=False):
            key = first, last, follow, width
            if key not in self._lines:
                self._lines[key] = [tuple(point) for point in lines.centre_line(self.unit, *key)]
            points += self._lines[key]
        return points

    def move_vertex(self, index, row, column):
        """Move a vertex of the open shape, or of the chosen step.

        Parameters
        ----------
        index : int
            Of the vertex.
        row, column : float [px]
            Its new position.

        Raises
        ------
        IndexError
            If there is no such vertex.
        """
        self._check_vertex(index)
        if self.outline:
            self.outline[index] = (row, column)
        else:
            points = self.vertices
            points[index] = (row, column)
            self._change(points=points)

    def set_width(self, index, width):
        """Set the width of a vertex of the open polyline, or of the chosen one [px]."""
        self._check_vertex(index)
        if self.outline:
            if self.widths:
                self.widths[index] = width
        elif self._chosen_step().tool == "polyline":
            widths = list(self._chosen_step().parameters["widths"])
            widths = widths * (len(self.vertices) if len(widths) == 1 else 1)
            widths[index] = width
            self._change(widths=widths)

    def preview(self, row, column):
        """Return the region that a flood fill from a point [px] would select, a bool array of shape (H, W)."""
        self._check_inside(row, column)
        return tools.flood_fill(self.image, (round(row), round(column)), self.settings.tolerance)

    def add(self, tool, progress=None, part=None, **parameters):
        """Append a step to the recipe, and write everything.

        Parameters
        ----------
        tool : str
            A key of `TOOLS`.
        progress : callable, optional
            As for `active_contour`.
        part : {"primary", "secondary"}, optional
            By default that of the controls' settings.
        **parameters
            Of the tool; those that are missing come from the controls' settings.

        Raises
        ------
        RecipeError
            If the tool or a parameter is not valid.
        ValueError
            If the step cannot be applied; nothing changes then.
        """
        given = self.settings.of(tool) | ({"radius": None} if tool == "draw_roi" else {}) | parameters
        recipe = self.recipe.copy()
        recipe.insert(len(recipe), Step(tool, given, part or self.settings.part))
        self._commit(recipe, progress)
        self.chosen = None

    def remove(self, index):
        """Remove a step from the recipe."""
        recipe = self.recipe.copy()
        recipe.remove(index)
        self._commit(recipe)
        self.chosen = None

    def set_again(self, index, progress=None):
        """Apply the controls' current settings to a step; its position, part and mode do not change."""
        step = self.recipe.steps[index]
        changed = dict(step.parameters)
        if step.tool != "draw_roi":  # its radius was drawn
            changed |= {name: value for name, value in self.settings.of(step.tool).items() if name != "mode"}
        if step.tool == "polyline":
            changed["widths"] = [self.settings.width] * len(step.parameters["widths"])
            changed["follow"] = step.parameters["follow"] if len(step.parameters["widths"]) == 1 else changed["follow"]
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

    def mark_tip(self, row, column, second=False):
        """Label a tip of the primary crack, and write it.

        Parameters
        ----------
        row, column : float [px]
        second : bool
            Whether it is the second tip of a crack with two tips; if there is no first tip, it becomes the first.

        Raises
        ------
        ValueError
            If it lies outside the image.
        """
        self._check_inside(row, column)
        self._commit(self.recipe, **{"tip2" if second and self.tip is not None else "tip": (row, column)})

    def clear_tip(self):
        """Remove the labels of the tips."""
        self._commit(self.recipe, tip=None, tip2=None)

    def set_scale(self, length_mm):
        """Set the scale of the photograph from the length between the two clicks of the tool "scale" [mm].

        Raises
        ------
        ValueError
            If the tool is not "scale" with two clicks at least 1 px apart, or the length is not above 0.
        """
        if self.settings.tool != "scale" or len(self.outline) != 2:
            raise ValueError("click on the two ends of a known length first, with the tool Scale")
        if not (math.isfinite(length_mm) and length_mm > 0):
            raise ValueError(f"the length must be a number above 0, not {length_mm}")
        distance = math.dist(*self.outline)
        if distance < 1:
            raise ValueError("the two ends of the known length must be at least a pixel apart")
        self._commit(self.recipe, mm_per_px=length_mm / distance)
        self.drop_outline()

    def save(self):
        """Write all files of the open photograph, also for one without cracks and therefore without steps."""
        self._commit(self.recipe)

    @property
    def unit(self):
        """The open photograph as float32 in [0, 1], as polylines see it."""
        if self._unit is None:
            self._unit = as_unit(self.image)
        return self._unit

    def _erase(self, parameters):
        """Subtract a stroke from the part of the settings; if there is nothing under it, from the other one."""
        step = Step("polyline", parameters)

        def touches(part):
            mask = getattr(self.labels, part)
            return (mask & ~step.run(self.image, mask)).any()

        part, other = sorted(PARTS, key=lambda part: part != self.settings.part)
        self.add("polyline", part=other if touches(other) and not touches(part) else part, **parameters)

    def _chosen_step(self):
        """Return the chosen step if it has vertices, else None."""
        if self.chosen is None or not 0 <= self.chosen < len(self.recipe):
            return None
        step = self.recipe.steps[self.chosen]
        return step if step.tool == "polyline" or step.parameters.get("shape") == "polygon" else None

    def _change(self, **parameters):
        """Replace parameters of the chosen step."""
        step = self._chosen_step()
        recipe = self.recipe.copy()
        recipe.replace(self.chosen, Step(step.tool, {**step.parameters, **parameters}, step.part))
        self._commit(recipe)

    def _commit(self, recipe, progress=None, tip=KEEP, tip2=KEEP, mm_per_px=KEEP):
        """Apply the recipe, write everything, and only then change the state."""
        labels = self._trail.follow(recipe, progress)
        self.folder.save(self.name, recipe, labels, tip, tip2, mm_per_px)
        self.recipe, self.labels = recipe, labels
        self.tip = self.tip if tip is KEEP else tip
        self.tip2 = self.tip2 if tip2 is KEEP else tip2
        self.mm_per_px = self.mm_per_px if mm_per_px is KEEP else mm_per_px
        if self.chosen is not None and self.chosen >= len(recipe):
            self.chosen = None

    def _check_vertex(self, index):
        if not 0 <= index < len(self.vertices):
            raise IndexError(f"there is no vertex {index}: {len(self.vertices)} can be moved")

    def _check_inside(self, row, column):
        height, width = self.size
        if not (-0.5 <= row < height - 0.5 and -0.5 <= column < width - 0.5):
            raise ValueError(f"row {row:.0f}, column {column:.0f} lies outside the image of {height}×{width} px")
