"""What a link to the glossary or the bibliography leads to, and what an item such as R54 says, shown on hover.

The text becomes the link's ``title``, or that of an abbreviation, so it works from the file system and without scripts.
Items are those of the checklist on the page *fidelity*.
"""

import re

from docutils import nodes
from sphinx.application import Sphinx

LONGEST = 400  # letters; a browser cuts longer titles somewhere
CHECKLIST = "book/fidelity"
ITEM = re.compile(r"\b([RS]\d{1,2})\b")
AS_IT_IS = (nodes.literal, nodes.literal_block, nodes.math, nodes.math_block, nodes.raw, nodes.title, nodes.reference)


def setup(app: Sphinx) -> dict:
    """Hook into pages whose links are resolved."""
    app.connect("doctree-resolved", _on_resolved)
    return {"version": "2", "parallel_read_safe": True, "parallel_write_safe": True}


def _on_resolved(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    texts: dict[str, dict[str, str]] = {}
    for reference in doctree.findall(nodes.reference):
        page, _, anchor = reference.get("refuri", "").partition("#")
        name = page.rpartition("/")[2].removesuffix(".html")
        if name in ("glossary", "references") and anchor:
            if name not in texts:
                texts[name] = _explained(app.env.get_doctree(f"book/{name}"))
            if anchor in texts[name]:
                reference["reftitle"] = texts[name][anchor]
    if docname != CHECKLIST and CHECKLIST in app.env.found_docs:
        explain_items(doctree, statements(app.env.get_doctree(CHECKLIST)))


def statements(checklist: nodes.document) -> dict[str, str]:
    """Return what each item of the checklist says, by its code: the first two cells of the rows of its tables."""
    rows = ([cell.astext() for cell in row.children[:2]] for row in checklist.findall(nodes.row))
    return {code: _short(words) for code, words in rows if ITEM.fullmatch(code)}


def explain_items(doctree: nodes.document, said: dict[str, str]) -> None:
    """Give each code of an item in running text its words; in place."""
    for text in list(doctree.findall(nodes.Text)):
        parts = ITEM.split(text)
        if len(parts) == 1 or any(isinstance(parent, AS_IT_IS) for parent in _parents(text)):
            continue
        explained = [
            nodes.abbreviation("", part, explanation=said[part]) if part in said else nodes.Text(part)
            for part in parts
            if part
        ]
        text.parent.replace(text, explained)


def _parents(node: nodes.Node):
    while node.parent is not None:
        node = node.parent
        yield node


def _explained(page: nodes.document) -> dict[str, str]:
    """Return by anchor what a page says there: a term's meaning, or a reference without its label."""
    texts = {}
    for item in page.findall(nodes.definition_list_item):
        for term in item.findall(nodes.term):
            texts |= dict.fromkeys(term["ids"], _short(item.children[-1].astext()))
    for entry in page.findall(nodes.citation):
        texts |= dict.fromkeys(entry["ids"], _short(" ".join(each.astext() for each in entry.children[1:])))
    return texts


def _short(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= LONGEST else words[:LONGEST].rpartition(" ")[0] + " …"
