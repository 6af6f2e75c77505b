"""What can be taken from the book as a whole: the directives ``whole-book`` and ``executed-list``.

``whole-book`` leaves a place that `crack_utils.report.whole_book` fills after the build with links to PDF and ePub.
``executed-list`` lists every staged notebook for download. In an ePub, equations are MathML: readers run no scripts.
"""

import json
import re
from html import escape
from pathlib import Path

from docutils import nodes
from docutils.utils.math import MathError, latex2mathml
from executed_notebooks import fields, fill
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.util.math import get_node_equation_number

SHORT = re.compile(r"\\[dt]?frac *(\w)(\w)")  # as in \tfrac12, which would be read as twelve
FUNCTION = re.compile(
    r"(<mo>&ApplyFunction;</mo>)(?=\s*<m(?:i|n|frac|sqrt|sup|sub)\b)"
)  # as in \ln 2, set without a space
SPACING = re.compile(r"\\\\\[\w+\]")  # of lines, as in \\[6pt], which would come out as letters


class WholeBook(SphinxDirective):
    """The directive ``whole-book``; see the head of this file."""

    def run(self) -> list[nodes.Node]:
        text = '<p class="whole-book"><code>make book</code> also writes the whole book as PDF and as ePub.</p>'
        return [nodes.raw("", text, format="html")]


class ExecutedList(SphinxDirective):
    """The directive ``executed-list``; see the head of this file."""

    def run(self) -> list[nodes.Node]:
        folder = Path(self.env.srcdir) / self.config.live_values_folder
        self.env.note_reread()
        lines = [
            f"- *{title(file)}* ({{download}}`{file.name} </{file.relative_to(self.env.srcdir)}>`)"
            for file in notebooks(folder)
        ]
        return self.parse_text_to_nodes("\n".join(lines))


def notebooks(folder: Path) -> list[Path]:
    """Return the staged notebooks in alphabetical order."""
    return sorted(folder.glob("*.ipynb"))


def title(file: Path) -> str:
    """Return the heading of a notebook."""
    notebook = json.loads(file.read_text("utf-8"))
    texts = ("".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "markdown")
    heading = re.search(r"^# (.+)$", next(texts, ""), re.MULTILINE)
    return fill(heading[1], fields(notebook), set()) if heading else file.stem


def mathml(text: str, block: bool) -> str:
    """Return TeX as MathML, or as it is where something in it is not known."""
    text = SHORT.sub(r"\\frac{\1}{\2}", SPACING.sub(r"\\\\", text))
    if block and "&" in text and "\\begin" not in text:
        text = f"\\begin{{aligned}}{text}\\end{{aligned}}"
    try:
        return FUNCTION.sub(r'\1<mspace width="0.1667em"></mspace>', latex2mathml.tex2mathml(text, as_block=block))
    except MathError:
        return f"<code>{escape(text)}</code>"


def _visit_inline(writer, node: nodes.math) -> None:
    writer.body.append(mathml(node.astext(), block=False))
    raise nodes.SkipNode


def _visit_block(writer, node: nodes.math_block) -> None:
    writer.body.append(writer.starttag(node, "div", CLASS="math"))
    writer.body.append(mathml(node.astext(), block=True))
    if node["number"]:
        writer.body.append(f'<span class="eqno">({get_node_equation_number(writer, node)})</span>')
    writer.body.append("</div>")
    raise nodes.SkipNode


def _choose_renderer(app: Sphinx) -> None:
    # Told nothing, Sphinx takes the one that is not MathJax, and the pages' equations lose their numbers' places.
    app.config.html_math_renderer = "mathml" if app.builder.name == "epub" else "mathjax"


def setup(app: Sphinx) -> dict:
    """Register the directives, and the equations of an ePub."""
    app.setup_extension("live_values")
    app.add_directive("whole-book", WholeBook)
    app.add_directive("executed-list", ExecutedList)
    app.add_html_math_renderer("mathml", (_visit_inline, None), (_visit_block, None))
    app.connect("builder-inited", _choose_renderer)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
