"""The JupyterLab editor: widgets for a `Session`, which stores the state.

    from crack_utils import labelling

    labelling.edit("my_photographs")      # contains images/

Every step is saved at once, so the tab can be closed at any time.
"""

from functools import partial

import ipywidgets as widgets

from crack_utils.labelling.controls import HAND, Controls
from crack_utils.labelling.session import Session
from crack_utils.labelling.view import PictureView

STATES = {"new": "○", "draft": "◔", "labelled": "●", "stale": "◐", "foreign": "◌"}
TOOL_KEYS = {
    "l": "polyline",
    "f": "flood_fill",
    "b": "brush",
    "e": "eraser",
    "p": "polygon",
    "r": "rectangle",
    "d": "freehand",
    "o": "disk",
    "t": "tip",
    "g": "tip2",
    "m": "scale",
}
MASK_KEYS = {"a": "active_contour", "w": "dilate", "q": "erode", "c": "closing", "h": "fill_holes"}
SETTINGS = ("tool", "part", "mode", "tolerance", "width", "follow", "method", "iterations", "reach", "radius", "area")


class Editor(Controls):
    """Label the photographs of a folder.

    Parameters
    ----------
    folder : path-like
        Contains ``images/``. Recipes, masks, parts, tips and scales are written next to it; see `LabelFolder`.
    """

    def __init__(self, folder):
        self.session = Session(folder)
        self.view = PictureView(self._hear)
        self._refreshing = False
        self._active = None  # the vertex that was touched last
        self._states = {name: self.session.folder.state(name) for name in self.session.folder.names}
        super().__init__(self.view)
        self._connect()
        self._opened()

    def _connect(self):
        """Connect the controls with the session's settings, and the buttons with their actions."""
        session, settings = self.session, self.session.settings
        for name in SETTINGS:
            control = getattr(self, name)
            control.value = getattr(settings, name)
            control.observe(lambda change, name=name: setattr(settings, name, change["new"]), "value")
        self.tool.observe(lambda change: self._hold(change["new"]), "value")
        self.follow.observe(lambda _change: self._refresh(), "value")
        for name in ("opacity", "brightness", "contrast", "pans", "binary"):  # without a way to the kernel and back
            getattr(self, name).value = getattr(self.view, name)
            link = widgets.link if name == "binary" else widgets.jslink
            link((getattr(self, name), "value"), (self.view, name))
        widgets.link((self.width, "value"), (self.view, "width"))
        self.whole.on_click(lambda _button: self.view.back_to_whole())
        for tool, button in self.refine.items():
            button.on_click(lambda _button, tool=tool: self._refine_mask(tool))
        actions = {self.undo: session.undo, self.redo: session.redo, self.save: session.save}
        actions |= {self.clear_tip: session.clear_tip, self.set_scale: self._scale}
        for button, action in actions.items():
            button.on_click(lambda _button, action=action: self._do(action))
        self.remove.on_click(lambda _button: self._on_step(session.remove))
        self.again.on_click(lambda _button: self._on_step(partial(session.set_again, progress=self._progress)))
        self.before.on_click(lambda _button: self._do(session.move, -1, opens=True))
        self.after.on_click(lambda _button: self._do(session.move, 1, opens=True))
        self.photograph.observe(self._choose, "value")
        self.steps.observe(self._choose_step, "index")

    def _hear(self, message):
        """Do what a person did on the picture; see `PictureView` for the messages."""
        kind, session = message.get("kind"), self.session
        if kind == "click":
            self._active = None
            self._do(session.click, *message["point"])
        elif kind == "draw":
            self._do(session.draw, message["points"])
        elif kind == "close":
            self._do(session.close_outline)
        elif kind == "vertex":
            self._active = message["index"]
            if message["point"] is None:
                self._refresh()
            else:
                self._do(session.move_vertex, self._active, *message["point"])
        elif kind == "hover":
            self._preview(message["point"])
        elif kind == "key":
            self._key(message["key"])

    def _key(self, key):
        """Run the action of a key."""
        session, low = self.session, key.lower()
        actions = {
            "z": session.undo,
            "ctrl+z": session.undo,
            "y": session.redo,
            "ctrl+y": session.redo,
            "enter": session.close_outline,
            "escape": session.drop_outline,
            "backspace": session.step_back_outline,
            "s": session.save,
        }
        if low in TOOL_KEYS:
            self.tool.value = TOOL_KEYS[low]
        elif low in MASK_KEYS:
            self._refine_mask(MASK_KEYS[low])
        elif low in actions and (low != "enter" or session.outline):
            self._do(actions[low])
        elif key in ("1", "2"):
            self.part.value = ("primary", "secondary")[int(key) - 1]
        elif key in ("[", "]"):
            self._thicker(1 if key == "]" else -1)
        elif low == "x":
            self.mode.value = "subtract" if self.mode.value == "add" else "add"
        elif low == "v":
            self.binary.value = not self.binary.value
        elif low == "n":
            self._do(session.move, 1 if key == "n" else -1, opens=True)

    def _thicker(self, by):
        """Change the width by a pixel, of the vertex that was touched last too."""
        self.width.value = min(max(self.width.value + by, self.width.min), self.width.max)
        if self._active is not None and self._active < len(self.session.vertices):
            self._do(self.session.set_width, self._active, self.width.value)

    def _do(self, action, *arguments, opens=False, **keywords):
        """Run an action; show the result or the error."""
        session, steps, before = self.session, len(self.session.recipe), self.session.name
        try:
            action(*arguments, **keywords)
        except (ValueError, IndexError, OSError) as error:
            self._say(str(error), "error")
            self._refresh()
            return
        if opens:
            if session.name != before:
                self._opened()
            return
        if session.outline:
            self._say(self._about_outline())
        elif len(session.recipe) > steps:
            self._say(f"{session.recipe.steps[-1]}: saved.", "done")
        else:
            self._say("Saved.", "done")
        self._refresh()

    def _about_outline(self):
        count, tool = len(self.session.outline), self.session.settings.tool
        if tool == "scale":
            return "Click on the other end." if count == 1 else "Type the length between the two ends in mm; then Set."
        if tool == "polygon":
            return f"Polygon, corner {count}; click on the first one or press Enter to close it."
        return f"Line, vertex {count}; double-click or press Enter to end it. [ ] changes the next width."

    def _refine_mask(self, tool):
        """Append a step for the whole mask, with a progress bar for active contours."""
        progress = {"progress": self._progress} if tool == "active_contour" else {}
        self._do(self.session.add, tool, **progress)
        self.progress.layout.visibility = "hidden"

    def _scale(self):
        self.session.set_scale(self.length.value)

    def _preview(self, point):
        """Show what a fill at a point would select; nothing for None, and outside the photograph."""
        try:
            self.view.show_preview(None if point is None else self.session.preview(*point))
        except ValueError:
            self.view.show_preview(None)

    def _progress(self, iteration, iterations, changed):
        self.progress.layout.visibility = "visible"
        self.progress.max, self.progress.value = iterations, iteration
        self.progress.tooltip = f"{changed} pixels changed"

    def _on_step(self, action):
        """Run an action on the step selected in the list."""
        if self.steps.index is None:
            self._say("Select a step in the list first.", "error")
        else:
            self._do(action, self.steps.index)
            self.progress.layout.visibility = "hidden"

    def _choose(self, change):
        if not self._refreshing and change["new"] != self.session.name:
            self._do(self.session.open, change["new"], opens=True)

    def _choose_step(self, change):
        """Show the vertices of the step that was selected in the list."""
        if not self._refreshing:
            self.session.chosen, self._active = change["new"], None
            self._refresh()

    def _hold(self, tool):
        """Select a tool; what is open is cancelled."""
        self.session.drop_outline()
        self._active = None
        self.show_settings_of(tool)
        self._say(HAND[tool][2])
        self._refresh()

    def _opened(self):
        """Show a photograph that was just opened."""
        session = self.session
        self.view.show_photograph(session.image, session.labels)
        self._hold(session.settings.tool)
        height, width = session.size
        drafted = session.folder.state(session.name) == "draft"
        hint = " A network's draft: correct it, or press S to accept it as it is." if drafted else ""
        self._say(f"{session.name}: {height}×{width} px, {len(session.recipe)} steps.{hint}")

    def _refresh(self):
        """Update picture, lists and buttons from the session."""
        session, names, view = self.session, self.session.folder.names, self.view
        tool = session.settings.tool
        with view.hold_sync():
            view.tool, view.preview = tool, b""
            view.show_labels(session.labels)
            view.line = [list(point) for point in session.sketch()]
            view.vertices = [list(point) for point in session.vertices]
            view.continues = bool(session.outline) and tool in ("polyline", "polygon")
            view.active = -1 if self._active is None else self._active
            view.marks = [list(tip) for tip in (session.tip, session.tip2) if tip is not None]
        self._states[session.name] = session.folder.state(session.name)
        self._refreshing = True  # new options select the first entry, which is not a choice of the user
        options = tuple((f"{STATES[self._states[name]]} {name}", name) for name in names)
        if options != self.photograph.options:
            self.photograph.options = options
        self.photograph.value = session.name
        steps = tuple(
            (f"{number}  {'②' if step.part == 'secondary' else '①'}  {step}", number - 1)
            for number, step in enumerate(session.recipe.steps, start=1)
        )
        if steps != self.steps.options:
            self.steps.options = steps
        self.steps.index = session.chosen
        self._refreshing = False
        done = list(self._states.values()).count("labelled")
        self.count.value = f"&nbsp;{session.position + 1} of {len(names)} · {done} labelled&nbsp;"
        self.before.disabled, self.after.disabled = session.position == 0, session.position == len(names) - 1
        self.undo.disabled = not (session.recipe.can_undo or session.outline)
        self.redo.disabled = not session.recipe.can_redo
        self.remove.disabled = self.again.disabled = not len(session.recipe)
        self.clear_tip.disabled = session.tip is None
        self.tip.value = _about_marks(session)

    def _say(self, text, kind="hint"):
        text = text.replace("&", "&amp;").replace("<", "&lt;")
        self.message.value = f'<div class="crack-{kind}">{text}</div>'


def _about_marks(session):
    """Say where the tips are, and what the scale is."""
    tips = [
        f"{word} at row {tip[0]:.1f}, column {tip[1]:.1f}"
        for word, tip in (("tip", session.tip), ("second tip", session.tip2))
        if tip is not None
    ]
    scale = [] if session.mm_per_px is None else [f"{session.mm_per_px:.4g} mm a pixel"]
    return "<br>".join([*(tips or ["no tip marked"]), *scale])
