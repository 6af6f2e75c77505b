"""The editor's picture: the photograph with its mask overlaid, with zoom and pan, on an ipympl canvas."""

import math

import numpy as np
from ipympl.backend_nbagg import Canvas, FigureManager
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from crack_utils.data.contrast import contrast_stretch

__all__ = ["PictureView", "compose"]

CRACK, SECONDARY = "#d55e00", "#56b4e9"  # the book's colours; an import of its figures would take seconds
TIP = "#ffe14d"
SKETCH = "#39ff14"  # colour of an open outline: no photograph contains this green
NEAR = 10  # [screen px] a click within this distance of a polygon's first corner closes it
ZOOM = 1.3  # per notch of the wheel


class PictureView:
    """Shows a photograph and its labels, and reports clicks and drags of the mouse.

    Only the visible part is drawn, at the screen's resolution, so that large photographs of 2048×2560 pixels are fast.

    Parameters
    ----------
    on_click, on_draw, on_close, on_key : callable
        Called with (row, column) of a click, with the list of such points of a drag, without arguments when a polygon
        is to be closed, and with the name of a key.
    width, height : float [inch of 100 px]
    """

    def __init__(self, on_click, on_draw, on_close, on_key, width=7.6, height=6.08):
        self._on_click, self._on_draw, self._on_close = on_click, on_draw, on_close
        self.hold("flood_fill")
        self.opacity, self.binary = 0.5, False
        self.figure = Figure(figsize=(width, height), dpi=100, facecolor="#2b2b2b")
        self.canvas = Canvas(self.figure)
        self.manager = FigureManager(self.canvas, 0)
        self.canvas.manager = self.manager
        self.canvas.header_visible = self.canvas.footer_visible = False
        self.canvas.toolbar_visible, self.canvas.capture_scroll = False, True
        self.canvas.mpl_disconnect(self.manager.key_press_handler_id)  # otherwise "s" would save a figure, "p" pan, ……
        self.axes = self.figure.add_axes((0, 0, 1, 1))
        self.axes.set_axis_off()
        self._picture = self.axes.imshow(np.zeros((1, 1, 3), np.uint8), interpolation="nearest")
        (self._sketch,) = self.axes.plot([], [], "-o", color=SKETCH, lw=1.5, ms=4)
        (self._tip,) = self.axes.plot([], [], "+", color=TIP, ms=18, mew=2)
        self._gray = self._labels = None
        self._corners, self._path, self._pan = [], [], False
        for name, handler in {
            "button_press_event": self._press,
            "motion_notify_event": self._move,
            "button_release_event": self._release,
            "scroll_event": self._scroll,
            "key_press_event": lambda event: on_key(event.key),
        }.items():
            self.canvas.mpl_connect(name, handler)
        for change in ("xlim_changed", "ylim_changed"):
            self.axes.callbacks.connect(change, lambda _axes: self._redraw())

    def hold(self, tool):
        """Select a tool; it determines whether the left button clicks, drags, or draws a line."""
        self.shape, self.traces = tool, tool == "freehand"
        self.drags = tool in ("rectangle", "freehand", "disk")

    def navigate(self, mode):
        """Let the left button "zoom" or "pan"; with an empty text, it uses the selected tool again."""
        toolbar = self.manager.toolbar
        if toolbar.mode:  # pressing the active one again ends it
            (toolbar.zoom if toolbar.mode.name == "ZOOM" else toolbar.pan)()
        if mode:
            getattr(toolbar, mode)()

    def open(self, image):
        """Show another photograph, all of it."""
        stretched = contrast_stretch(image) if image.ndim == 2 else image.astype(np.float32) / 255
        self._gray, self._labels = stretched, None
        self.whole()
        self.manager.toolbar.update()

    def whole(self):
        """Show the whole photograph."""
        height, width = self._gray.shape[:2]
        self.axes.set(xlim=(-0.5, width - 0.5), ylim=(height - 0.5, -0.5))

    def show(self, labels, outline=(), tip=None):
        """Show labels, the corners of an open outline, and a tip."""
        self._labels, self._corners = labels, list(outline)
        self._sketch.set_data(*_columns_and_rows(self._corners))
        self._tip.set_data(*_columns_and_rows([] if tip is None else [tip]))
        self._redraw()

    def _redraw(self):
        """Compute the visible part again and draw it."""
        if self._gray is None:
            return
        rows, columns, step = self._visible()
        if self._labels is not None and rows.start < rows.stop and columns.start < columns.stop:
            gray = _reduce(self._gray[rows, columns], step, np.mean)
            primary = _reduce(self._labels.primary[rows, columns], step, np.any)  # any: a thin crack stays visible
            secondary = _reduce(self._labels.secondary[rows, columns], step, np.any)
            self._picture.set_data(compose(gray, primary, secondary, self.opacity, self.binary))
            # The reduction omits incomplete blocks at the bottom and right border.
            bottom, right = rows.start + step * gray.shape[0], columns.start + step * gray.shape[1]
            self._picture.set_extent((columns.start - 0.5, right - 0.5, bottom - 0.5, rows.start - 0.5))
        self.canvas.draw_idle()

    def _visible(self):
        """Return the slices of the visible rows and columns, and the reduction factor."""
        left, right = sorted(self.axes.get_xlim())
        top, bottom = sorted(self.axes.get_ylim())
        height, width = self._gray.shape[:2]
        rows = slice(max(math.floor(top), 0), min(math.ceil(bottom) + 1, height))
        columns = slice(max(math.floor(left), 0), min(math.ceil(right) + 1, width))
        wide, high = self.axes.bbox.size
        step = max(1, min(int((bottom - top) / high), int((right - left) / wide)))
        return rows, columns, step

    def _press(self, event):
        if event.inaxes is None or self.manager.toolbar.mode:
            return
        if event.button != 1:  # any other button pans, with every tool
            self._pan = True
            self.axes.start_pan(event.x, event.y, 1)
        elif self.drags:
            self._path = [(event.ydata, event.xdata)]
        elif self._corners and (event.dblclick or self._closes(event)):
            self._on_close()
        elif not event.dblclick:  # its two clicks have been handled already
            self._on_click(event.ydata, event.xdata)

    def _move(self, event):
        if self._pan:
            self.axes.drag_pan(1, event.key, event.x, event.y)
        elif event.inaxes is not None and self._path:
            self._path = [*(self._path if self.traces else self._path[:1]), (event.ydata, event.xdata)]
            self._sketch.set_data(*_columns_and_rows(self._path if self.traces else self._preview(*self._path)))
            self.canvas.draw_idle()
        elif event.inaxes is not None and self._corners:
            self._sketch.set_data(*_columns_and_rows([*self._corners, (event.ydata, event.xdata)]))
            self.canvas.draw_idle()

    def _release(self, event):
        if self._pan:
            self._pan = False
            self.axes.end_pan()
            self.manager.toolbar.push_current()
        path, self._path = self._path, []
        if len(path) > 1:
            self._on_draw(path)

    def _scroll(self, event):
        if event.inaxes is None:
            return
        scale = ZOOM**-event.step
        for limits, set_limits, centre in (
            (self.axes.get_xlim(), self.axes.set_xlim, event.xdata),
            (self.axes.get_ylim(), self.axes.set_ylim, event.ydata),
        ):
            set_limits(*(centre + (limit - centre) * scale for limit in limits))
        self.manager.toolbar.push_current()

    def _closes(self, event):
        """Return whether a click lies on the first corner of a polygon that can be closed."""
        if len(self._corners) < 3:
            return False
        row, column = self._corners[0]
        return math.dist(self.axes.transData.transform((column, row)), (event.x, event.y)) <= NEAR

    def _preview(self, first, last):
        """Return the outline of the rectangle or disk that a drag would draw."""
        if self.shape == "rectangle":
            return [first, (first[0], last[1]), last, (last[0], first[1]), first]
        angles, radius = np.linspace(0, 2 * np.pi, 60), math.dist(first, last)
        return [(first[0] + radius * math.sin(angle), first[1] + radius * math.cos(angle)) for angle in angles]


def compose(gray, primary, secondary, opacity, binary):
    """Return a picture of the labels: in colour over the photograph, or alone in black and white (R10).

    Parameters
    ----------
    gray : float array of shape (H, W) or (H, W, 3) in [0, 1]
    primary, secondary : bool arrays of shape (H, W)
    opacity : float in [0, 1]
    binary : bool

    Returns
    -------
    uint8 array of shape (H, W, 3)
    """
    if binary:
        return np.repeat((255 * (primary | secondary).astype(np.uint8))[..., None], 3, axis=2)
    picture = np.repeat(gray[..., None], 3, axis=2) if gray.ndim == 2 else gray.copy()
    for mask, colour in ((secondary, SECONDARY), (primary, CRACK)):
        picture[mask] = (1 - opacity) * picture[mask] + opacity * np.array(to_rgb(colour), dtype=np.float32)
    return np.rint(255 * picture).astype(np.uint8)


def _reduce(values, step, how):
    """Reduce an array by a whole number in both directions; a function such as `numpy.mean` combines each block."""
    if step == 1:
        return values
    high, wide = (size // step for size in values.shape[:2])
    blocks = values[: high * step, : wide * step].reshape(high, step, wide, step, *values.shape[2:])
    return how(blocks, axis=(1, 3))


def _columns_and_rows(points):
    """Return points (row, column) as x and y for matplotlib."""
    return [column for _, column in points], [row for row, _ in points]
