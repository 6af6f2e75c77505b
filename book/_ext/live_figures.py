"""Show a notebook's figure on another page: the directive ``live-figure``.

    ```{live-figure} table1 fig-ranks
    :name: fig-found
    A caption for this page.
    ```

The arguments name a staged notebook and a figure in it, by the name in the ``mystnb`` metadata of its cell. Picture and
alternative text come from the notebook; the caption is that of the page.
"""

import base64
from pathlib import Path

import nbformat
from dark_figures import write_dark
from docutils import nodes
from executed_notebooks import fields, fill
from sphinx.application import Sphinx
from sphinx.directives.patches import Figure
from sphinx.util import logging
from vector_figures import keep

logger = logging.getLogger(__name__)


class FigureMissing(LookupError):
    """No staged notebook has this figure; the message lists the figures that exist."""


def read_figure(path: Path, name: str) -> tuple[bytes, str, str]:
    """Return a figure's PNG, its alternative text and, if the notebook keeps one, its SVG (else an empty text).

    Parameters
    ----------
    path : Path
        An executed notebook, nbformat 4.
    name : str
        The cell's ``mystnb.figure.name``.

    Raises
    ------
    FigureMissing
        If there is no such notebook, or no such figure in it.
    """
    if not path.is_file():
        raise FigureMissing(f"there is no executed notebook {path}")
    figures = {}
    notebook = nbformat.read(path, as_version=4)
    values = fields(notebook)  # of a notebook that stands in the book several times
    for cell in notebook.cells:
        options = cell.metadata.get("mystnb", {})
        outputs = [output.get("data", {}) for output in cell.get("outputs", [])]
        pictures = [data for data in outputs if "image/png" in data]
        if pictures and "figure" in options:
            alternative = fill(options.get("image", {}).get("alt", ""), values, set())
            name_here = fill(options["figure"]["name"], values, set())
            drawing = "".join(pictures[0].get("image/svg+xml", ""))
            figures[name_here] = (base64.b64decode(pictures[0]["image/png"]), alternative, drawing)
    if name not in figures:
        raise FigureMissing(f"{path.stem} has no figure {name!r}; it has: {', '.join(figures) or 'none'}")
    return figures[name]


class LiveFigure(Figure):
    """The directive ``live-figure``; see the head of this file."""

    required_arguments = 2

    def run(self) -> list[nodes.Node]:
        environment = self.state.document.settings.env
        stem, name = self.arguments
        folder = Path(environment.srcdir) / environment.config.live_values_folder
        environment.note_dependency(str(folder / f"{stem}.ipynb"))
        try:
            picture, alternative, drawing = read_figure(folder / f"{stem}.ipynb", name)
        except FigureMissing as problem:
            where = ":".join(map(str, self.state_machine.get_source_and_line(self.lineno)))
            logger.warning("live figure: %s", problem, type="live_values", location=where)
            return []
        file = folder / "figures" / f"{stem}-{name}.png"
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(picture)
        if environment.app.builder.name == "html":
            write_dark(picture, file)
        if drawing:
            keep(drawing, file.with_suffix(".svg"))
        self.arguments = [f"/{file.relative_to(environment.srcdir)}"]
        self.options.setdefault("alt", alternative)
        return super().run()


def setup(app: Sphinx) -> dict:
    """Register the directive."""
    app.setup_extension("live_values")
    app.add_directive("live-figure", LiveFigure)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
