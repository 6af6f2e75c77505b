"""The JupyterLab editor: widgets for a `Session`, which stores the state.

    from crack_utils import labelling

    labelling.edit("my_photographs")      # contains images/

Every step is saved at once, so the tab can be closed at any time.
"""

from functools import partial

import ipywidgets as widgets

from crack_utils.labelling.session import HAND_TOOLS, Session
from crack_utils.labelling.view import PictureView

__all__ = ["KEYS", "Editor"]

HAND = {  # tool: icon, label, tooltip
    "flood_fill": (
        "tint",
        "Fill",
        "Flood fill: click on the crack; similar, connected pixels are selected (F)",
    ),
    "rectangle": ("square-o", "Box", "Rectangle: drag from corner to corner (R)"),
    "polygon": (
        "star-o",
        "Polygon",
        "Polygon: click the corners; click on the first one or press Enter to close it (P)",
    ),
    "freehand": ("pencil", "Draw", "Freehand: drag around the crack (D)"),
    "disk": ("circle-o", "Disk", "Disk: drag from its centre outwards (O)"),
    "tip": ("crosshairs", "Tip", "Tip: click on the primary crack's tip (T)"),
}
MASK = {
    "active_contour": ("magnet", "Contour", "Active contour: move the mask's boundary to the crack's boundary (A)"),
    "dilate": ("plus-circle", "Dilate", "Dilation: widen by the radius (+)"),
    "erode": ("minus-circle", "Erode", "Erosion: narrow by the radius (-)"),
    "opening": ("scissors", "Open", "Opening: remove parts narrower than the radius"),
    "closing": ("link", "Close", "Closing: bridge gaps narrower than the radius (C)"),
    "fill_holes": ("paint-brush", "Holes", "Fill the holes of the mask (H)"),
    "clear_border": ("crop", "Border", "Remove regions that touch the picture's border"),
    "remove_small": ("eraser", "Specks", "Remove regions smaller than the area"),
}
KEYS = {  # key: text of the help
    "f": "flood fill",
    "r": "rectangle",
    "p": "polygon",
    "d": "freehand",
    "o": "disk",
    "t": "tip",
    "a": "active contour",
    "+": "dilate",
    "-": "erode",
    "c": "closing",
    "h": "fill holes",
    "1": "primary crack",
    "2": "secondary crack",
    "x": "add or subtract",
    "z": "undo",
    "y": "redo",
    "enter": "close the polygon",
    "escape": "cancel the polygon",
    "v": "binary view",
    "0": "whole picture",
    "s": "save",
    "n": "next photograph",
    "b": "previous photograph",
}
STATES = {"new": "○", "draft": "◔", "labelled": "●", "stale": "◐", "foreign": "◌"}


class Editor(widgets.VBox):
    """Label the photographs of a folder.

    Parameters
    ----------
    folder : path-like
        Contains ``images/``. Recipes, masks, parts and tips are written next to it; see `LabelFolder`.
    """

    def __init__(self, folder):
        self.session = Session(folder)
        self.view = PictureView(
            lambda *point: self._do(self.session.click, *point),
            lambda path: self._do(self.session.draw, path),
            lambda: self._do(self.session.close_outline),
            self._key,
        )
        self._refreshing = False
        self._states = {name: self.session.folder.state(name) for name in self.session.folder.names}
        self._build_top()
        self._build_hand()
        self._build_refine()
        self._build_steps()
        self._connect()
        left = widgets.VBox([self._hand_box, self._refine_box], layout=_side())
        right = widgets.VBox([self._steps_box, self._view_box, self._help], layout=_side())
        middle = widgets.VBox([self.view.canvas], layout={"margin": "0 8px", "flex": "1 1 auto"})
        style = widgets.HTML(STYLE, layout={"display": "none"})
        work = widgets.HBox([left, middle, right])
        super().__init__([style, self._top, self.message, work], layout={"padding": "4px"})
        self.add_class("crack-editor")
        self._opened()

    def _build_top(self):
        """Make the top row: the folder's photographs, saving, and the mode of the mouse."""
        self.before = _button("chevron-left", "", "Previous photograph (B)", "40px")
        self.after = _button("chevron-right", "", "Next photograph (N)", "40px")
        self.photograph = widgets.Dropdown(layout={"width": "260px"})
        self.count = widgets.HTML()
        self.save = _button("save", "Save", "Write recipe and mask now (also done after every step) (S)", "80px")
        self.mouse = widgets.ToggleButtons(
            options=[("Label", ""), ("Zoom", "zoom"), ("Pan", "pan")],
            icons=["pencil", "search-plus", "arrows"],
            tooltips=[
                "Use the selected tool",
                "Drag a box to zoom in; the wheel zooms too",
                "Drag to pan; the right button pans too",
            ],
            style={"button_width": "88px"},
        )
        self.whole = _button("expand", "Whole", "Show the whole photograph (0)", "80px")
        moves = [self.before, self.photograph, self.after, self.count, self.save]
        self._top = widgets.HBox([*moves, widgets.HTML("&emsp;"), self.mouse, self.whole])
        self.message = widgets.HTML(layout={"min_height": "28px"})
        self.progress = widgets.IntProgress(layout={"width": "auto", "visibility": "hidden"})

    def _build_hand(self):
        """Make the controls of the tools that are used on the picture."""
        labels = {tool: label for tool, (_, label, _) in HAND.items()}
        self.tool = widgets.ToggleButtons(
            options=[(labels[tool], tool) for tool in HAND_TOOLS],
            icons=[HAND[tool][0] for tool in HAND_TOOLS],
            tooltips=[HAND[tool][2] for tool in HAND_TOOLS],
            style={"button_width": "101px"},
        )
        self.part = widgets.ToggleButtons(
            options=[("Primary", "primary"), ("Secondary", "secondary")],
            tooltips=["The crack with the tip (1)", "All other cracks (2)"],
            style={"button_width": "101px"},
        )
        self.mode = widgets.ToggleButtons(
            options=[("Add", "add"), ("Subtract", "subtract")],
            icons=["plus", "minus"],
            tooltips=["Add to the mask (X)", "Remove from the mask (X)"],
            style={"button_width": "101px"},
        )
        self.tolerance = _slider(
            widgets.FloatSlider, "Tolerance", 0, 0.5, 0.005, "Flood fill: largest difference from the seed"
        )
        self.tolerance.readout_format = ".3f"
        self._hand_box = _group("On the picture", [self.tool, self.part, self.mode, self.tolerance])

    def _build_refine(self):
        """Make the controls of the tools that are used on the whole mask of a part."""
        self.refine = {tool: _button(icon, label, tip, "101px") for tool, (icon, label, tip) in MASK.items()}
        self.method = widgets.ToggleButtons(
            options=[("Region", "chan_vese"), ("Edge", "edge")],
            tooltips=["Compare with the means inside and outside (Chan–Vese)", "Shrink onto the nearest edges"],
            style={"button_width": "101px"},
        )
        self.iterations = _slider(
            widgets.IntSlider, "Iterations", 1, 400, 1, "Active contour: largest number of iterations"
        )
        self.reach = _slider(widgets.IntSlider, "Reach", 1, 80, 1, "Largest outward movement of the contour [px]")
        self.radius = _slider(
            widgets.IntSlider, "Radius", 1, 25, 1, "Radius of dilation, erosion, opening and closing [px]"
        )
        self.area = _slider(widgets.IntSlider, "Area", 1, 500, 1, "Smaller regions are specks [px²]")
        rows = [self.refine["active_contour"], self.progress], [self.method], [self.iterations], [self.reach]
        rows += ([self.refine["dilate"], self.refine["erode"]], [self.refine["opening"], self.refine["closing"]])
        rows += ([self.radius], [self.refine["fill_holes"], self.refine["clear_border"]])
        rows += ([self.refine["remove_small"]], [self.area])
        self._refine_box = _group("On the whole mask", [widgets.HBox(row) for row in rows])

    def _build_steps(self):
        """Make the list of steps, the view's controls and the help."""
        self.undo = _button("undo", "Undo", "Undo the last edit (Z)", "101px")
        self.redo = _button("repeat", "Redo", "Redo the last undone edit (Y)", "101px")
        self.steps = widgets.Select(rows=11, layout={"width": "210px"})
        self.remove = _button("trash", "Remove", "Remove the selected step", "101px")
        self.again = _button("sliders", "Change", "Apply the current settings to the selected step", "101px")
        edits = [widgets.HBox([self.undo, self.redo]), self.steps, widgets.HBox([self.remove, self.again])]
        self._steps_box = _group("Steps", edits)
        self.opacity = _slider(widgets.FloatSlider, "Opacity", 0, 1, 0.05, "Opacity of the mask over the photograph")
        self.binary = widgets.ToggleButton(
            icon="adjust", description="Binary", tooltip="The mask alone, black and white (V)"
        )
        self.binary.layout.width = "101px"
        self.clear_tip = _button("times", "No tip", "Remove the tip's mark", "101px")
        self.tip = widgets.HTML()
        self._view_box = _group("View", [self.opacity, widgets.HBox([self.binary, self.clear_tip]), self.tip])
        keys = "".join(f"<tr><td><kbd>{key}</kbd></td><td>{text}</td></tr>" for key, text in KEYS.items())
        mouse = "<p>Wheel: zoom. Right button: pan. Keys work after a click on the picture.</p>"
        self._help = widgets.Accordion([widgets.HTML(f"{mouse}<table>{keys}</table>")], layout={"width": "226px"})
        self._help.set_title(0, "Shortcuts")

    def _connect(self):
        """Connect the controls with the session's settings, and the buttons with their actions."""
        session, settings = self.session, self.session.settings
        for name in ("tool", "part", "mode", "tolerance", "method", "iterations", "reach", "radius", "area"):
            control = getattr(self, name)
            control.value = getattr(settings, name)
            control.observe(lambda change, name=name: setattr(settings, name, change["new"]), "value")
        self.tool.observe(lambda change: self._hold(change["new"]), "value")
        self.mouse.observe(lambda change: self.view.navigate(change["new"]), "value")
        self.whole.on_click(lambda _button: self.view.whole())
        self.opacity.value = self.view.opacity
        for name in ("opacity", "binary"):
            getattr(self, name).observe(lambda change, name=name: self._look(name, change["new"]), "value")
        for tool, button in self.refine.items():
            button.on_click(lambda _button, tool=tool: self._refine(tool))
        for button, action in {
            self.undo: session.undo,
            self.redo: session.redo,
            self.save: session.save,
            self.clear_tip: session.clear_tip,
        }.items():
            button.on_click(lambda _button, action=action: self._do(action))
        self.remove.on_click(lambda _button: self._on_step(session.remove))
        self.again.on_click(lambda _button: self._on_step(partial(session.set_again, progress=self._progress)))
        self.before.on_click(lambda _button: self._do(session.move, -1, opens=True))
        self.after.on_click(lambda _button: self._do(session.move, 1, opens=True))
        self.photograph.observe(self._choose, "value")

    def _key(self, key):
        """Run the action of a key."""
        tools = {"f": "flood_fill", "r": "rectangle", "p": "polygon", "d": "freehand", "o": "disk", "t": "tip"}
        refine = {"a": "active_contour", "+": "dilate", "-": "erode", "c": "closing", "h": "fill_holes"}
        actions = {
            "z": self.session.undo,
            "ctrl+z": self.session.undo,
            "y": self.session.redo,
            "ctrl+y": self.session.redo,
            "enter": self.session.close_outline,
            "escape": self.session.drop_outline,
            "backspace": self.session.step_back_outline,
            "s": self.session.save,
        }
        if key in tools:
            self.tool.value = tools[key]
        elif key in refine:
            self._refine(refine[key])
        elif key in actions:
            self._do(actions[key])
        elif key in ("1", "2"):
            self.part.value = ("primary", "secondary")[int(key) - 1]
        elif key == "x":
            self.mode.value = "subtract" if self.mode.value == "add" else "add"
        elif key == "v":
            self.binary.value = not self.binary.value
        elif key == "0":
            self.view.whole()
        elif key in ("n", "b"):
            self._do(self.session.move, 1 if key == "n" else -1, opens=True)

    def _do(self, action, *arguments, opens=False, **keywords):
        """Run an action; show the result or the error."""
        steps = len(self.session.recipe)
        try:
            action(*arguments, **keywords)
        except (ValueError, IndexError, OSError) as error:
            self._say(str(error), "error")
            self._refresh()
            return
        if opens:
            self._opened()
            return
        added = len(self.session.recipe) > steps
        corners = len(self.session.outline)
        if corners:
            self._say(
                f"Polygon of {corners} corner{'s' * (corners > 1)}; click on the first one or press Enter to close it."
            )
        else:
            self._say(f"{self.session.recipe.steps[-1]}: saved." if added else "Saved.", "done")
        self._refresh()

    def _refine(self, tool):
        """Append a step for the whole mask, with a progress bar for active contours."""
        progress = {"progress": self._progress} if tool == "active_contour" else {}
        self._do(self.session.add, tool, **progress)
        self.progress.layout.visibility = "hidden"

    def _progress(self, iteration, iterations, changed):
        self.progress.layout.visibility = "visible"
        self.progress.max, self.progress.value = iterations, iteration
        self.progress.tooltip = f"{changed} pixels changed"

    def _on_step(self, action):
        """Run an action on the step selected in the list."""
        if self.steps.value is None:
            self._say("Select a step in the list first.", "error")
        else:
            self._do(action, self.steps.value)
            self.progress.layout.visibility = "hidden"

    def _choose(self, change):
        if not self._refreshing and change["new"] != self.session.name:
            self._do(self.session.open, change["new"], opens=True)

    def _hold(self, tool):
        """Select a tool; an open polygon is cancelled."""
        self.session.drop_outline()
        self.view.hold(tool)
        self._say(HAND[tool][2])
        self._refresh()

    def _look(self, name, value):
        setattr(self.view, name, value)
        self._refresh()

    def _opened(self):
        """Show a photograph that was just opened."""
        self.view.open(self.session.image)
        self._hold(self.session.settings.tool)
        height, width = self.session.size
        self._say(f"{self.session.name}: {height}×{width} px, {len(self.session.recipe)} steps.")

    def _refresh(self):
        """Update picture, lists and buttons from the session."""
        session, names = self.session, self.session.folder.names
        self.view.show(session.labels, session.outline, session.tip)
        self._states[session.name] = session.folder.state(session.name)
        options = tuple((f"{STATES[self._states[name]]} {name}", name) for name in names)
        self._refreshing = True  # new options select the first entry, which is not a choice of the user
        if options != self.photograph.options:
            self.photograph.options = options
        self.photograph.value = session.name
        self._refreshing = False
        done = list(self._states.values()).count("labelled")
        self.count.value = f"&nbsp;{session.position + 1} of {len(names)} · {done} labelled&nbsp;"
        self.before.disabled, self.after.disabled = session.position == 0, session.position == len(names) - 1
        chosen = self.steps.index
        self.steps.options = [
            (f"{number}  {'②' if step.part == 'secondary' else '①'}  {step}", number - 1)
            for number, step in enumerate(session.recipe.steps, start=1)
        ]
        self.steps.index = chosen if chosen is not None and chosen < len(session.recipe) else None
        self.undo.disabled = not (session.recipe.can_undo or session.outline)
        self.redo.disabled = not session.recipe.can_redo
        self.remove.disabled = self.again.disabled = not len(session.recipe)
        self.clear_tip.disabled = session.tip is None
        self.tip.value = (
            "no tip marked" if session.tip is None else "tip at row {:.1f}, column {:.1f}".format(*session.tip)
        )

    def _say(self, text, kind="hint"):
        text = text.replace("&", "&amp;").replace("<", "&lt;")
        self.message.value = f'<div class="crack-{kind}">{text}</div>'


STYLE = """<style>
.crack-editor .crack-title { font-weight: 600; margin: 6px 0 2px; border-bottom: 1px solid var(--jp-border-color2); }
.crack-editor .crack-hint { color: var(--jp-ui-font-color2); }
.crack-editor .crack-done { color: var(--jp-success-color1, #2a7d2a); }
.crack-editor .crack-error { color: var(--jp-error-color1, #c62828); font-weight: 600; }
.crack-editor .widget-toggle-buttons { margin-bottom: 6px; }
.crack-editor .widget-toggle-button i { margin-left: 6px; }
.crack-editor kbd { border: 1px solid var(--jp-border-color1); border-radius: 3px; padding: 0 4px; }
</style>"""


def _side():
    return widgets.Layout(width="232px", flex="0 0 auto")


def _group(title, children):
    return widgets.VBox([widgets.HTML(f'<div class="crack-title">{title}</div>'), *children])


def _button(icon, text, tooltip, width):
    return widgets.Button(icon=icon, description=text, tooltip=tooltip, layout={"width": width})


def _slider(kind, text, low, high, step, tooltip):
    return kind(
        description=text,
        min=low,
        max=high,
        step=step,
        tooltip=tooltip,
        continuous_update=False,
        layout={"width": "216px"},
        style={"description_width": "62px"},
    )
