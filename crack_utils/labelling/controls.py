"""What the editor looks like: its buttons, sliders and lists, arranged around the picture."""

import ipywidgets as widgets

from crack_utils.labelling.session import HAND_TOOLS

HAND = {  # tool: icon, label, tooltip
    "polyline": (
        "pencil",
        "Line",
        "Line: click along the crack; it follows the crack between clicks. Enter ends it (L)",
    ),
    "flood_fill": ("tint", "Fill", "Fill: click on the crack; similar, connected pixels are selected (F)"),
    "brush": ("paint-brush", "Brush", "Brush: drag along the crack (B)"),
    "eraser": ("eraser", "Eraser", "Eraser: drag over what is not crack (E)"),
    "polygon": (
        "star-o",
        "Shape",
        "Polygon: click the corners; click on the first one or press Enter to close it (P)",
    ),
    "rectangle": ("square-o", "Box", "Rectangle: drag from corner to corner (R)"),
    "freehand": ("scissors", "Lasso", "Lasso: drag around the crack (D)"),
    "disk": ("circle-o", "Disk", "Disk: drag from its centre outwards (O)"),
    "tip": ("crosshairs", "Tip", "Tip: click on the primary crack's tip (T)"),
    "tip2": ("plus", "2nd tip", "Second tip: of a crack that ends at two places inside the picture (G)"),
    "scale": ("arrows-h", "Scale", "Scale: click on both ends of a known length, then type the length (M)"),
}
MASK = {
    "active_contour": ("magnet", "Contour", "Active contour: move the mask's boundary to the crack's boundary (A)"),
    "dilate": ("plus-circle", "Wider", "Dilation: widen by the radius (W)"),
    "erode": ("minus-circle", "Narrower", "Erosion: narrow by the radius (Q)"),
    "opening": ("scissors", "Open", "Opening: remove parts narrower than the radius"),
    "closing": ("link", "Close", "Closing: bridge gaps narrower than the radius (C)"),
    "fill_holes": ("circle", "Holes", "Fill the holes of the mask (H)"),
    "clear_border": ("crop", "Border", "Remove regions that touch the picture's border"),
    "remove_small": ("eraser", "Specks", "Remove regions smaller than the area"),
}
KEYS = {  # key: text of the help
    "L F B E": "line, fill, brush, eraser",
    "P R D O": "polygon, box, lasso, disk",
    "T G M": "tip, second tip, scale",
    "Enter": "end the line, close the polygon",
    "Esc": "cancel it; deselect the vertices",
    "⌫": "remove its last vertex",
    "[ ]": "thinner, thicker: brush, next or touched vertex",
    "1 2": "primary, secondary crack",
    "X": "add or subtract",
    "A": "active contour",
    "W Q": "wider, narrower",
    "C H": "close gaps, fill holes",
    "Z Y": "undo, redo",
    "V": "the mask alone",
    "+ - 0": "zoom in, out, whole picture",
    "← ↑ → ↓": "pan; so do space and the right button",
    "S": "save; accepts a network's draft as it is",
    "N ⇧N": "next, previous photograph",
}
CONTROLS_OF = {  # tool: the settings that it uses
    "polyline": ("mode", "width", "follow"),
    "flood_fill": ("mode", "tolerance"),
    "brush": ("mode", "width"),
    "eraser": ("width",),
    "scale": ("length_box",),
    **dict.fromkeys(("polygon", "rectangle", "freehand", "disk"), ("mode",)),
}


class Controls(widgets.VBox):
    """The editor's widgets, not yet connected with anything.

    Parameters
    ----------
    picture : PictureView
    """

    def __init__(self, picture):
        style = widgets.HTML(STYLE, layout={"display": "none"})
        tools = widgets.VBox([self._hand(), self._refine()], layout={"width": "236px", "flex": "0 0 auto"})
        middle = widgets.VBox([picture], layout={"margin": "0 8px", "flex": "1000 1 540px", "min_width": "0"})
        right = widgets.HBox([self._steps(), self._view(), self._help()])
        right.layout = {"flex_flow": "row wrap", "flex": "1 1 226px", "align_content": "flex-start"}
        work = widgets.HBox([tools, middle, right], layout={"flex_flow": "row wrap", "align_items": "flex-start"})
        super().__init__([style, self._top(), work], layout={"padding": "4px"})
        self.add_class("crack-editor")

    def _top(self):
        """Make the top rows: the folder's photographs, saving, and what was done last."""
        self.before = _button("chevron-left", "", "Previous photograph (Shift+N)", "40px")
        self.after = _button("chevron-right", "", "Next photograph (N)", "40px")
        self.photograph = widgets.Dropdown(layout={"width": "220px"})
        self.count = widgets.HTML()
        self.save = _button("save", "Save", "Write recipe and mask now (also done after every step) (S)", "76px")
        self.pans = widgets.ToggleButton(icon="arrows", description="Pan", tooltip="Drag to pan with the left button")
        self.pans.layout.width = "76px"
        self.whole = _button("expand", "Whole", "Show the whole photograph (0)", "88px")
        self.message = widgets.HTML(layout={"min_height": "28px", "flex": "1 1 300px"})
        row = [self.before, self.photograph, self.after, self.count, self.save, self.pans, self.whole, self.message]
        return widgets.HBox(row, layout={"flex_flow": "row wrap"})

    def _hand(self):
        """Make the controls of the tools that are used on the picture."""
        self.tool = widgets.ToggleButtons(
            options=[(HAND[tool][1], tool) for tool in HAND_TOOLS],
            icons=[HAND[tool][0] for tool in HAND_TOOLS],
            tooltips=[HAND[tool][2] for tool in HAND_TOOLS],
            style={"button_width": "74px"},
        )
        self.part = _choice(
            {"Primary": "primary", "Secondary": "secondary"}, ["The crack with the tip (1)", "Others (2)"]
        )
        self.mode = _choice({"Add": "add", "Subtract": "subtract"}, ["Add to the mask (X)", "Remove from it (X)"])
        self.follow = _choice(
            {"Dark": "dark", "Bright": "bright", "Straight": "straight"},
            ["Between clicks the line follows a dark crack", "… a bright crack", "… goes straight"],
        )
        self.tolerance = _slider(
            widgets.FloatSlider, "Tolerance", 0, 0.5, 0.005, "Fill: largest difference from the clicked pixel"
        )
        self.tolerance.readout_format = ".3f"
        self.width = _slider(widgets.FloatSlider, "Width", 1, 60, 0.5, "Of the next vertex, the brush, the eraser [px]")
        self.length = widgets.FloatText(value=10, description="mm", layout={"width": "130px"})
        self.length.style.description_width = "30px"
        self.set_scale = _button("check", "Set", "Write the scale into metadata.csv", "76px")
        self.length_box = widgets.HBox([self.length, self.set_scale])
        content = [self.tool, self.part, self.mode, self.follow, self.width, self.tolerance, self.length_box]
        return _group("On the picture", content)

    def show_settings_of(self, tool):
        """Show the settings that a tool uses, and hide the others."""
        for name in ("mode", "width", "follow", "tolerance", "length_box"):
            getattr(self, name).layout.display = None if name in CONTROLS_OF.get(tool, ()) else "none"

    def _refine(self):
        """Make the controls of the tools that are used on the whole mask of a part."""
        self.refine = {tool: _button(icon, label, tip, "112px") for tool, (icon, label, tip) in MASK.items()}
        self.method = _choice(
            {"Region": "chan_vese", "Edge": "edge"},
            ["Compare with the means inside and outside (Chan–Vese)", "Shrink onto the nearest edges"],
        )
        slider = widgets.IntSlider
        self.iterations = _slider(slider, "Iterations", 1, 400, 1, "Active contour: largest number of iterations")
        self.reach = _slider(slider, "Reach", 1, 80, 1, "Largest outward movement of the contour [px]")
        self.radius = _slider(slider, "Radius", 1, 25, 1, "Radius of dilation, erosion, opening and closing [px]")
        self.area = _slider(slider, "Area", 1, 500, 1, "Smaller regions are specks [px²]")
        self.progress = widgets.IntProgress(layout={"width": "112px", "visibility": "hidden"})
        rows = [self.refine["active_contour"], self.progress], [self.method], [self.iterations], [self.reach]
        rows += ([self.refine["dilate"], self.refine["erode"]], [self.refine["opening"], self.refine["closing"]])
        rows += ([self.radius], [self.refine["fill_holes"], self.refine["clear_border"]])
        rows += ([self.refine["remove_small"]], [self.area])
        return _group("On the whole mask", [widgets.HBox(row) for row in rows])

    def _steps(self):
        """Make the list of steps."""
        self.undo = _button("undo", "Undo", "Undo the last edit (Z)", "105px")
        self.redo = _button("repeat", "Redo", "Redo the last undone edit (Y)", "105px")
        self.steps = widgets.Select(rows=9, layout={"width": "218px"})
        self.remove = _button("trash", "Remove", "Remove the selected step", "105px")
        self.again = _button("sliders", "Change", "Apply the current settings to the selected step", "105px")
        rows = [widgets.HBox([self.undo, self.redo]), self.steps, widgets.HBox([self.remove, self.again])]
        return _group("Steps", rows)

    def _view(self):
        """Make the controls of the view, which changes no mask."""
        self.opacity = _slider(widgets.FloatSlider, "Opacity", 0, 1, 0.05, "Of the mask over the photograph")
        self.brightness = _slider(widgets.FloatSlider, "Bright", 0.2, 3, 0.05, "Of the photograph on the screen")
        self.contrast = _slider(widgets.FloatSlider, "Contrast", 0.2, 5, 0.05, "Of the photograph on the screen")
        self.binary = widgets.ToggleButton(icon="adjust", description="Mask alone", tooltip="White on black (V)")
        self.binary.layout.width = "110px"
        self.clear_tip = _button("times", "No tip", "Remove the marks of the tips", "96px")
        self.tip = widgets.HTML()
        row = widgets.HBox([self.binary, self.clear_tip])
        return _group("View", [self.opacity, self.brightness, self.contrast, row, self.tip])

    def _help(self):
        keys = "".join(f"<tr><td><kbd>{key}</kbd></td><td>{text}</td></tr>" for key, text in KEYS.items())
        text = widgets.HTML(f"<p>Wheel: zoom. Right button: pan.</p><table>{keys}</table>")
        shortcuts = widgets.Accordion([text], layout={"width": "222px"})
        shortcuts.set_title(0, "Shortcuts")
        return shortcuts


STYLE = """<style>
.crack-editor .crack-title { font-weight: 600; margin: 6px 0 2px; border-bottom: 1px solid var(--jp-border-color2); }
.crack-editor .crack-hint { color: var(--jp-ui-font-color2); }
.crack-editor .crack-done { color: var(--jp-success-color1, #2a7d2a); }
.crack-editor .crack-error { color: var(--jp-error-color1, #c62828); font-weight: 600; }
.crack-editor .widget-toggle-buttons { margin-bottom: 6px; }
.crack-editor .widget-toggle-button { padding: 0 4px; }
.crack-editor .widget-toggle-button i { margin-left: 4px; }
.crack-editor kbd { border: 1px solid var(--jp-border-color1); border-radius: 3px; padding: 0 4px; }
.crack-editor .widget-vbox, .crack-editor .widget-hbox { overflow: visible; }
.crack-editor td { vertical-align: top; line-height: 1.5; }
.crack-editor td:first-child { white-space: nowrap; }
</style>"""


def _group(title, children):
    title = widgets.HTML(f'<div class="crack-title">{title}</div>')
    return widgets.VBox([title, *children], layout={"width": "236px", "overflow": "visible"})


def _button(icon, text, tooltip, width):
    return widgets.Button(icon=icon, description=text, tooltip=tooltip, layout={"width": width})


def _choice(options, tooltips):
    width = f"{round(228 / len(options)) - 2}px"
    return widgets.ToggleButtons(options=list(options.items()), tooltips=tooltips, style={"button_width": width})


def _slider(kind, text, low, high, step, tooltip):
    return kind(
        description=text,
        min=low,
        max=high,
        step=step,
        tooltip=tooltip,
        continuous_update=False,
        layout={"width": "226px"},
        style={"description_width": "66px"},
    )
