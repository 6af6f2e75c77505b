"""What a link to the glossary or the bibliography leads to, shown when the pointer rests on it.

The text becomes the link's ``title``, so it works from the file system and without scripts.
"""

from docutils import nodes
from sphinx.application import Sphinx

LONGEST = 400  # letters; a browser cuts longer titles somewhere


def setup(app: Sphinx) -> dict:
    """Hook into pages whose links are resolved."""
    app.connect("doctree-resolved", _on_resolved)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}


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
