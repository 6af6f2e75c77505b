"""The editor's picture: the photograph with its mask overlaid, drawn in the browser, which zooms and pans by itself."""

from pathlib import Path

import anywidget
import numpy as np
import traitlets
from PIL import Image

from crack_utils.data.colours import CRACK, SECONDARY, TIP
from crack_utils.data.contrast import contrast_stretch
from crack_utils.data.encoding import as_file

PREVIEW = TIP  # of a fill, before the click
WHITE = "#ffffff"
REDUCED = 1600  # [px] a mask's longer side, for a view from afar: there a thin crack must not vanish
HERE = Path(__file__).parent


class PictureView(anywidget.AnyWidget):
    """Shows a photograph and its labels, and reports what a person does with mouse and keys.

    Photograph, mask and number are sent together: the browser never shows one photograph's mask over another.

    Parameters
    ----------
    on_message : callable
        Called with a message of the browser, a dict with "kind": "click", "draw", "close", "vertex", "hover" or "key".
    """

    _esm = (HERE / "picture.js").read_text(encoding="utf-8") + (HERE / "view.js").read_text(encoding="utf-8")
    number = traitlets.Int(0).tag(sync=True)  # of the photographs shown so far
    size = traitlets.List([1, 1]).tag(sync=True)  # height, width [px]
    photograph = traitlets.Bytes().tag(sync=True)  # a JPEG file
    mask = traitlets.Bytes().tag(sync=True)  # a PNG file with a palette, transparent where there is no crack
    reduced = traitlets.Bytes().tag(sync=True)  # the same from afar; empty if the photograph is small
    preview = traitlets.Bytes().tag(sync=True)  # of a flood fill
    tool = traitlets.Unicode("polyline").tag(sync=True)
    width = traitlets.Float(3.0).tag(sync=True)  # of the brush [px]
    line = traitlets.List().tag(sync=True)  # the open line, points [row, column]
    vertices = traitlets.List().tag(sync=True)  # that can be moved, [row, column]
    active = traitlets.Int(-1).tag(sync=True)  # the vertex that was touched last
    continues = traitlets.Bool(False).tag(sync=True)  # whether a next vertex may follow the last one
    marks = traitlets.List().tag(sync=True)  # tips, [row, column]
    pans = traitlets.Bool(False).tag(sync=True)  # with the left button
    opacity = traitlets.Float(0.7).tag(sync=True)
    brightness = traitlets.Float(1.0).tag(sync=True)
    contrast = traitlets.Float(1.0).tag(sync=True)
    binary = traitlets.Bool(False).tag(sync=True)  # the mask alone, in white on black

    def __init__(self, on_message):
        super().__init__()
        self._labels = None
        self.on_msg(lambda _widget, content, _buffers: on_message(content))
        self.observe(lambda _change: self._send_mask(), "binary")

    def show_photograph(self, image, labels):
        """Show another photograph, all of it, with its labels.

        Parameters
        ----------
        image : array of shape (H, W) or (H, W, 3)
            The contrast of a gray one is stretched.
        labels : Labels
        """
        shown = image
        if image.ndim == 2:
            shown = np.rint(contrast_stretch(image) * np.float32(255)).astype(np.uint8)
        self._labels = labels
        with self.hold_sync():
            self.number += 1
            self.size = list(image.shape[:2])
            self.photograph = as_file(Image.fromarray(shown), "JPEG", quality=95)
            self.preview = b""
            self._send_mask()

    def show_labels(self, labels):
        """Show other labels on the same photograph."""
        if labels is not self._labels:
            self._labels = labels
            self._send_mask()

    def show_preview(self, region=None):
        """Show a region (bool array) that a click would select; None takes it away."""
        self.preview = b"" if region is None else _palette(region.astype(np.uint8), [PREVIEW])

    def back_to_whole(self):
        """Show all of the photograph."""
        self.send({"kind": "whole"})

    def _send_mask(self):
        if self._labels is None:
            return
        parts = self._labels.parts
        colours = [WHITE, WHITE] if self.binary else [CRACK, SECONDARY]
        step = -(-max(parts.shape) // REDUCED)
        with self.hold_sync():
            self.mask = _palette(parts, colours)
            self.reduced = _palette(_reduce(parts, step), colours) if step > 1 else b""


def _reduce(parts, step):
    """Reduce the parts of a mask by a whole number; a block with one pixel of a crack shows it, the primary first."""
    high, wide = (-(-side // step) for side in parts.shape)
    padded = np.zeros((high * step, wide * step), np.uint8)
    padded[: parts.shape[0], : parts.shape[1]] = (3 - parts) * (parts > 0)  # primary 2, secondary 1
    rows = padded.reshape(high, step, wide * step).max(axis=1)  # one axis after the other is faster
    strongest = rows.reshape(high, wide, step).max(axis=2)
    return (3 - strongest) * (strongest > 0)


def _palette(values, colours):
    """Return whole numbers as a PNG file: 0 transparent, 1, 2, … in the given colours."""
    picture = Image.fromarray(values)
    picture.putpalette(bytes.fromhex("000000" + "".join(colour[1:] for colour in colours)))
    return as_file(picture, compress_level=1, transparency=0)
