"""No line break between a typed number and its per cent sign; `runtime.typeset` does the same for computed ones."""

import re

from docutils import nodes
from sphinx.application import Sphinx

PER_CENT = re.compile(r"(?<=\d) ?%")


def setup(app: Sphinx) -> dict:
    """Hook into pages as they are read."""
    app.connect("doctree-read", fix_spaces)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}


def fix_spaces(app: Sphinx, doctree: nodes.document) -> None:
    """Write "95 %" and "95%" with a space that does not break, outside code and formulas; in place."""
    as_it_is = (nodes.FixedTextElement, nodes.literal, nodes.math, nodes.math_block, nodes.raw)
    for text in list(doctree.findall(nodes.Text)):
        fixed = PER_CENT.sub("\u00a0%", text)
        if fixed != text and not isinstance(text.parent, as_it_is):
            text.parent.replace(text, nodes.Text(fixed))
