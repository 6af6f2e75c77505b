"""Figures for dark pages: letters and lines are light there.

A figure is transparent. Its letters and lines have a gray that must do on white and on dark, because a notebook or an
ePub does not know on which they will be. A page of the book knows. So each figure is written a second time, with the
colours of `crack_utils.report.figures.style.ON_DARK`, beside the PNG of the page. The picture gets the class
``has-dark``, and `reading.js` shows the second one while the page is dark.
"""

import base64
import hashlib
import io
import json
import shutil
from pathlib import Path

import numpy as np
from docutils import nodes
from PIL import Image
from sphinx.application import Sphinx
from vector_figures import folder_of

from crack_utils.report.figures.style import ON_DARK


def for_dark(png: bytes) -> bytes | None:
    """Return a figure with light letters and lines; None if it has none that would change.

    Parameters
    ----------
    png : bytes
        A transparent figure. What lies over something opaque, such as a photograph, is left as it is.
    """
    picture = Image.open(io.BytesIO(png))
    if picture.mode != "RGBA":
        return None
    pixels = np.array(picture)
    before, opacity = pixels[..., :3].astype(np.int16), pixels[..., 3:].astype(np.int16)
    rounded = 2 + 128 // np.maximum(opacity, 1)  # the edge of a letter is nearly transparent, and its colour is rounded
    for colour, light in ON_DARK.items():
        same = (np.abs(before - _levels(colour)) <= rounded).all(axis=-1) & (opacity[..., 0] > 0)
        pixels[same, :3] = _levels(light)
    if (pixels[..., :3] == before).all():
        return None
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", compress_level=4)
    return file.getvalue()


def _levels(colour: str) -> np.ndarray:
    return np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)])


def keep_dark(notebook: dict, folder: Path) -> None:
    """Write the dark form of each figure of an executed notebook into a folder, named after the figure's PNG."""
    for cell in notebook["cells"]:
        for output in cell.get("outputs", []):
            if content := output.get("data", {}).get("image/png"):
                png = base64.b64decode("".join(content))
                write_dark(png, folder / f"{hashlib.sha256(png).hexdigest()}.png")


def write_dark(png: bytes, file: Path) -> None:
    """Write the dark form of a figure beside the file of its PNG, if it has one."""
    if dark := for_dark(png):
        file.parent.mkdir(parents=True, exist_ok=True)
        beside(file).write_bytes(dark)
    else:
        beside(file).unlink(missing_ok=True)  # of an older figure


def beside(file: Path) -> Path:
    """Return the file of the dark form of a figure."""
    return file.with_name(f"{file.stem}-dark.png")


def _on_source_read(app: Sphinx, docname: str, source: list[str]) -> None:
    if app.builder.name == "html" and str(app.env.doc2path(docname)).endswith(".ipynb"):
        keep_dark(json.loads(source[0]), folder_of(app))


def _on_resolved(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    for picture in doctree.findall(nodes.image):
        if app.builder.name == "html" and beside(folder_of(app) / Path(picture["uri"]).name).is_file():
            picture["classes"].append("has-dark")


def _on_finished(app: Sphinx, problem: Exception | None) -> None:
    pictures = Path(app.outdir) / "_images"
    if problem is None and app.builder.name == "html":
        for picture in list(pictures.glob("*.png")):
            if (dark := beside(folder_of(app) / picture.name)).is_file():
                shutil.copy(dark, pictures)


def setup(app: Sphinx) -> dict:
    """Connect to the reading of notebooks and to the end of the build."""
    app.setup_extension("vector_figures")
    app.connect("source-read", _on_source_read)
    app.connect("doctree-resolved", _on_resolved)
    app.connect("build-finished", _on_finished)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
