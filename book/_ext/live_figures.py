"""A notebook's figure on a page of prose: the directive ``live-figure``.

    ```{live-figure} table1 fig-ranks
    :name: fig-found
    A caption for this page.
    ```

The arguments name a staged notebook, and a figure in it by the name that its cell's ``mystnb`` metadata gives. Picture
and alternative text are the notebook's; the caption is the page's own.
"""

import base64
from pathlib import Path

import nbformat
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.directives.patches import Figure
from sphinx.util import logging

logger = logging.getLogger(__name__)


class FigureMissing(LookupError):
    """A figure that no staged notebook has; the message lists what there is."""


def read_figure(path: Path, name: str) -> tuple[bytes, str]:
    """Return a figure's PNG and its alternative text.

    Parameters
    ----------
    path : Path
        An executed notebook, nbformat 4.
    name : str
        As the cell's ``mystnb.figure.name`` has it.

    Raises
    ------
    FigureMissing
        When there is no such notebook, or no such figure in it.
    """
    if not path.is_file():
        raise FigureMissing(f"there is no executed notebook {path}")
    found = {}
    for cell in nbformat.read(path, as_version=4).cells:
        shown = cell.metadata.get("mystnb", {})
        pictures = [
            each["data"]["image/png"] for each in cell.get("outputs", []) if "image/png" in each.get("data", {})
        ]
        if pictures and "figure" in shown:
            found[shown["figure"]["name"]] = base64.b64decode(pictures[0]), shown.get("image", {}).get("alt", "")
    if name not in found:
        raise FigureMissing(f"{path.stem} has no figure {name!r}; it has: {', '.join(found) or 'none'}")
    return found[name]


class LiveFigure(Figure):
    """The directive ``live-figure``; see the head of this file."""

    required_arguments = 2

    def run(self) -> list[nodes.Node]:
        environment = self.state.document.settings.env
        stem, name = self.arguments
        folder = Path(environment.srcdir) / environment.config.live_values_folder
        environment.note_dependency(str(folder / f"{stem}.ipynb"))
        try:
            picture, alternative = read_figure(folder / f"{stem}.ipynb", name)
        except FigureMissing as problem:
            where = ":".join(map(str, self.state_machine.get_source_and_line(self.lineno)))
            logger.warning("live figure: %s", problem, type="live_values", location=where)
            return []
        file = folder / "figures" / f"{stem}-{name}.png"
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(picture)
        self.arguments = [f"/{file.relative_to(environment.srcdir)}"]
        self.options.setdefault("alt", alternative)
        return super().run()


def setup(app: Sphinx) -> dict:
    """Register the directive."""
    app.setup_extension("live_values")
    app.add_directive("live-figure", LiveFigure)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
