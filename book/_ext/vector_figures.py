"""Figures as SVG beside the PNG that a page shows: for download, in the dialog that enlarges a figure.

A notebook keeps each figure in both forms (`crack_utils.report.figures.use_style`). The SVG is taken out of it
before MyST-NB reads it, kept under the name that the PNG will have, and put beside it in the built pages. The picture
on the page gets the class ``has-svg``, by which `reading.js` knows that it can be downloaded.
"""

import base64
import hashlib
import json
import shutil
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx


def take_out(notebook: dict, folder: Path) -> None:
    """Move the SVG of each figure out of an executed notebook, in place, into a file named after the figure's PNG.

    Parameters
    ----------
    notebook : dict
        As parsed from its JSON.
    folder : Path
        Made if needed.
    """
    for cell in notebook["cells"]:
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if {"image/png", "image/svg+xml"} <= data.keys():
                picture = base64.b64decode("".join(data["image/png"]))
                keep(data.pop("image/svg+xml"), folder / f"{hashlib.sha256(picture).hexdigest()}.svg")


def keep(drawing: str | list[str], file: Path) -> None:
    """Write an SVG, which a notebook holds as a text or as lines."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(drawing), encoding="utf-8")


def folder_of(app: Sphinx) -> Path:
    """Return where the SVG of this book's figures are kept."""
    return Path(app.srcdir) / app.config.live_values_folder / "figures"


def _on_source_read(app: Sphinx, docname: str, source: list[str]) -> None:
    if str(app.env.doc2path(docname)).endswith(".ipynb"):
        notebook = json.loads(source[0])
        take_out(notebook, folder_of(app))
        source[0] = json.dumps(notebook)


def _on_resolved(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    for picture in doctree.findall(nodes.image):
        if (folder_of(app) / f"{Path(picture['uri']).stem}.svg").is_file():
            picture["classes"].append("has-svg")


def _on_finished(app: Sphinx, problem: Exception | None) -> None:
    pictures = Path(app.outdir) / "_images"
    if problem is None and app.builder.name == "html":
        for file in folder_of(app).glob("*.svg"):
            if (pictures / f"{file.stem}.png").is_file():
                shutil.copy(file, pictures)


def setup(app: Sphinx) -> dict:
    """Connect before `executed_notebooks`, and to the end of the build."""
    app.setup_extension("live_values")
    app.connect("source-read", _on_source_read, priority=400)
    app.connect("doctree-resolved", _on_resolved)
    app.connect("build-finished", _on_finished)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
