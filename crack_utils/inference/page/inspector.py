"""The inspector's page: drop a photograph, see its cracks outlined and measured, download the results.

    from crack_utils.inference.page import Inspector

    Inspector("default")      # in JupyterLab; `crack-utils serve` opens the same in a browser

Widgets only: what is shown is computed by `Predictor.predict` and `measure`, as `crack-utils predict` does.
"""

import base64
import io
import tempfile
from html import escape
from pathlib import Path

import ipywidgets as widgets
import numpy as np
import pandas as pd
from IPython.display import Javascript
from PIL import Image

from crack_utils.data.images import SUFFIXES, read_image
from crack_utils.data.stored import DataError
from crack_utils.inference.certainty import how_sure
from crack_utils.inference.measure import measure
from crack_utils.inference.overlay import overlay

LIMIT = 10  # [MB] what a Jupyter server takes in one message; `crack-utils serve` takes more
SHOWN = 1400  # [px] longest side of the picture on the screen; the download has all pixels
LISTED = 10  # cracks in the table on the page; the download has all
COLUMNS = {  # of the table on the page: measure → heading
    "length": "length",
    "mean_width": "mean width",
    "max_width": "greatest width",
    "area": "area",
    "tip_row": "tip row",
    "tip_column": "tip column",
    "tip_uncertainty": "tip ±",
}


class Inspector(widgets.VBox):
    """Look for cracks in one photograph after the other.

    Parameters
    ----------
    model : path-like
        As for `load_trained`; loaded with the first photograph, so that the page is there at once.
    megabytes : float
        Largest file that is taken [MB]. Above 10 the Jupyter server has to take such messages.
    """

    def __init__(self, model="default", megabytes=LIMIT):
        self._name, self._megabytes = model, megabytes
        self._trained = self._photograph = self._image = self._probability = None
        kinds = ", ".join(suffix[1:].upper() for suffix in SUFFIXES if suffix not in (".jpeg", ".tiff"))
        self.upload = widgets.FileUpload(
            accept=",".join(SUFFIXES), description="Photograph", layout={"width": "150px"}, button_style="primary"
        )
        hint = widgets.HTML(f"<span class='crack-hint'>or drop it here: {kinds}, up to {megabytes:g} MB</span>")
        self.threshold = widgets.FloatSlider(
            0.5, min=0.02, max=0.98, step=0.01, description="Threshold", continuous_update=False, disabled=True
        )
        self.threshold.tooltip = "A pixel at least as probable is crack"
        self.mm_per_px = widgets.FloatText(0, description="mm per px", step=0.001, layout={"width": "190px"})
        self.mm_per_px.tooltip = "Scale of the photograph; 0: not known"
        self.message = widgets.HTML()
        self.picture = widgets.Image(format="png", layout={"display": "none"})
        self.table, self.sure, self.downloads = widgets.HTML(), widgets.HTML(), widgets.HTML()
        script = widgets.Output(layout={"height": "0"})
        drop = (Path(__file__).parent / "drop.js").read_text(encoding="utf-8")
        script.append_display_data(Javascript(drop.replace("LIMIT", str(int(megabytes * 1e6)))))
        controls = widgets.HBox([self.upload, hint, self.threshold, self.mm_per_px], layout={"flex_flow": "row wrap"})
        beside = widgets.VBox(
            [self.table, self.sure, self.downloads], layout={"flex": "1 1 380px", "overflow": "visible"}
        )
        results = widgets.HBox([self.picture, beside], layout={"flex_flow": "row wrap"})
        super().__init__([widgets.HTML(STYLE), script, controls, self.message, results])
        self.add_class("crack-inspector")
        self.upload.observe(self._take, "value")
        for control in (self.threshold, self.mm_per_px):
            control.observe(lambda _change: self._image is not None and self._attempt(self._show), "value")
        self._say("Give a photograph to begin.")

    def inspect(self, name, content):
        """Look for cracks in a photograph.

        Parameters
        ----------
        name : str
            Of its file.
        content : bytes
            Of its file. What is wrong with it is shown as a message. The result of the photograph before goes
            first, so that it is never taken for this one's.
        """
        self._clear()
        self._attempt(self._inspect, name, content)

    def _take(self, change):
        """Take what was uploaded; the button is emptied, so that the same file can be given again."""
        if not change["new"]:
            return
        file = change["new"][0]
        self.upload.value = ()
        if file["type"].startswith("too-large/"):  # as drop.js says it
            size = int(file["type"].split("/")[1]) / 1e6
            self._say(f"{file['name']}: {size:.1f} MB; up to {self._megabytes:g} MB can be taken.", "error")
        else:
            self.inspect(file["name"], bytes(file["content"]))

    def _attempt(self, action, *arguments):
        self.upload.disabled = True
        try:
            action(*arguments)
        except (Exception, MemoryError) as error:  # whatever it is, the page says so and goes on
            self._clear()
            expected = isinstance(error, (ValueError, OSError)) and str(error)
            self._say(str(error) if expected else f"This failed: {type(error).__name__} {error}", "error")
        finally:
            self.upload.disabled = False

    def _clear(self):
        """Take the last photograph's result from the page."""
        self._photograph = self._image = self._probability = None
        self.picture.layout.display = "none"
        for part in (self.table, self.sure, self.downloads):
            part.value = ""

    def _inspect(self, name, content):
        image = _read(name, content)
        if self._trained is None:
            from crack_utils.inference.predictor import load_trained

            self._say("Loading the network …")
            self._trained = load_trained(self._name)
        self._say(f"{name}: looking for cracks …")
        probability = self._trained.predict(image)
        if self.threshold.disabled:  # the first photograph: nothing is shown yet, so the slider's observer does nothing
            self.threshold.value, self.threshold.disabled = self._trained.threshold, False
        self._photograph, self._image, self._probability = Path(name).stem, image, probability
        self._show()

    def _show(self):
        """Draw and measure what was found, at the threshold and scale that are set."""
        scale = self.mm_per_px.value or None
        mask = self._probability >= np.float32(self.threshold.value)
        native = self._trained if self._trained.scale(self._image.shape) < 1 else None
        cracks = measure(self._image, self._probability, self.threshold.value, scale, native)
        drawn = overlay(self._image, mask, cracks, self._photograph, scale)
        rows = pd.DataFrame(
            {"photograph": self._photograph, "crack": number, **crack.to_dict()}
            for number, crack in enumerate(cracks, start=1)
        ).round(4)
        # Without the strip of words below: they stand beside.
        self.picture.value = _png(_reduced(drawn.crop((0, 0, *mask.shape[::-1]))))
        self.picture.layout.display = ""
        self.table.value = _table(rows, scale)
        self.sure.value = _told(*how_sure(self._trained, self._image, cracks, self.threshold.value))
        self.downloads.value = self._links(drawn, mask, rows)
        height, width = self._image.shape
        count = {0: "no crack", 1: "1 crack"}.get(len(cracks), f"{len(cracks)} cracks")
        self._say(f"{self._photograph}: {height}×{width} px, {count}. Network: {self._trained.source}.", "done")

    def _links(self, drawn, mask, rows):
        files = {
            "overlay.png": ("image/png", _png(drawn)),
            "mask.png": ("image/png", _png(Image.fromarray(np.uint8(255 * mask)))),
            "measures.csv": ("text/csv", rows.to_csv(index=False).encode()),
        }
        links = [_link(f"{self._photograph}_{name}", *file) for name, file in files.items()]
        return f"<p>Download: {' · '.join(links)}</p>"

    def _say(self, text, kind="hint"):
        self.message.value = f'<div class="crack-{kind}" role="status">{escape(text)}</div>'


def _read(name, content):
    """Read a photograph from what a browser sent; messages name it as the person does."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"photograph{Path(name).suffix}"
        path.write_bytes(content)
        try:
            return read_image(path)
        except DataError as error:
            raise DataError(str(error).replace(str(path), name)) from None


def _reduced(picture):
    picture = picture.copy()
    picture.thumbnail((SHOWN, SHOWN), Image.Resampling.BOX)
    return picture


def _png(picture):
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def _table(rows, scale):
    """Return the measures as HTML, in mm where the scale is known, else in px."""
    if rows.empty:
        return ""
    unit = "mm" if scale else "px"
    table = pd.DataFrame({"crack": rows["crack"]})
    for name, heading in COLUMNS.items():
        table[heading] = rows[_column(name, rows, unit)].astype(float)
    html = table.head(LISTED).to_html(index=False, border=0, float_format=_number, na_rep="–", classes="crack-measures")
    more = f" {len(rows) - LISTED} shorter ones stand in measures.csv." if len(rows) > LISTED else ""
    return f"{html}<p class='crack-hint'>In {unit} and {unit}², the tip's place in px.{more}</p>"


def _column(name, rows, unit):
    return next(column for column in (name, f"{name}_{unit}", f"{name}_{unit}2") if column in rows)


def _number(value):
    return f"{value:.3g}" if abs(value) < 100 else f"{value:.0f}"


def _told(sure, warnings):
    said = "".join(f"<li>{escape(sentence)}</li>" for sentence in sure)
    told = f"<details open><summary>How sure?</summary><ul>{said}</ul></details>"
    if warnings:
        ways = escape("; ".join(warnings))
        told = f'<div class="crack-error">Unlike the photographs of the training: {ways}.</div>{told}'
    return told


def _link(name, kind, content):
    data = base64.b64encode(content).decode()
    return f'<a download="{escape(name)}" href="data:{kind};base64,{data}">{escape(name)}</a>'


STYLE = """<style>
.crack-inspector { padding: 8px; border: 2px dashed transparent; min-height: 80vh; }
.crack-inspector .crack-hint { color: var(--jp-ui-font-color2); }
.crack-inspector .crack-done { color: var(--jp-success-color1, #2a7d2a); }
.crack-inspector .crack-error { color: var(--jp-error-color1, #c62828); font-weight: 600; white-space: pre-line; }
.crack-inspector img { flex: 1 1 480px; min-width: 0; max-width: 900px; max-height: 75vh; margin: 8px 12px 8px 0; }
.crack-inspector img { object-fit: contain; object-position: left top; }
.crack-inspector table { border-collapse: collapse; margin: 8px 0; }
.crack-inspector th, .crack-inspector td { padding: 3px 10px; text-align: right; border-bottom: 1px solid #ddd; }
.crack-inspector summary { font-weight: 600; cursor: pointer; }
</style>"""
