"""Tables made from the values that a notebook recorded: the directive ``live-table``.

    ```{live-table} table1.findings
    item | claim | ours
    {item} | {claim} | {value:+.3f} [{low:+.3f}, {high:+.3f}]
    ```

The argument names an object of objects in a staged notebook's record. The first line is the head, the second is
written once for each entry: every field in braces becomes a ``{val}`` (see ``live_values``), which says where it comes
from. A field ``{verdict}`` gets a colour. With ``:only: R61 R62`` there is a row for the entries of these names alone,
R61_2 and its like among them.
"""

import csv
import re
from collections import Counter
from pathlib import Path
from typing import ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from live_values import ValueMissing, follow, kind_of_verdict, read_records
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

logger = logging.getLogger(__name__)

_field = re.compile(r"\{(\w+)(:[^{}]*)?\}")


def lines(way: str, entries: dict, head: str, template: str) -> list[str]:
    """Return a Markdown table: a head, and a row for each entry.

    Parameters
    ----------
    way : str
        Path to the entries, such as ``table1.findings``.
    entries : dict
    head, template : str
        Cells separated by ``|``.
    """
    rule = "|".join("---" for _ in head.split("|"))
    rows = (
        _field.sub(
            lambda field, key=key: f"{{{_role(field[1])}}}`{way}.{key}.{field[1]}{field[2] or ''}`",
            template,
        )
        for key in entries
    )
    return [f"| {line.strip()} |" for line in (head, rule, *rows)]


def tally(entries: dict) -> str:
    """Return in Markdown how many verdicts there are of each kind."""
    kinds = Counter(kind_of_verdict(entry["verdict"]) for entry in entries.values())
    words = {"supported": "supported", "contradicted": "contradicted", "same": "no difference that matters"}
    words["open"] = "not decided by this study"
    return " ".join(f"[**{kinds[kind]}** {text}]{{.verdict .verdict-{kind}}}" for kind, text in words.items())


def chosen(entries: dict, only: str | None, way: str) -> dict:
    """Return the entries with the names in ``only``, in the order of the entries; all entries if it is None.

    Raises
    ------
    ValueMissing
        If there is no entry for a name.
    """
    if only is None:
        return entries
    names = only.split()
    if missing := set(names) - {key.partition("_")[0] for key in entries}:
        raise ValueMissing(f"{way} has no {', '.join(sorted(missing))}; it has: {', '.join(entries)}")
    return {key: value for key, value in entries.items() if key.partition("_")[0] in names}


def without_notes(rows: list[list[str]]) -> tuple[list[list[str]], list[str]]:
    """Return the rows of a stored table without the notes at its end, and the notes as sentences."""
    rows, notes = list(rows), []
    while rows and not any(rows[-1][1:]):
        note = rows.pop()[0]
        notes.insert(0, f"{note[:1].upper()}{note[1:]}.")
    return rows, notes


class LiveTable(SphinxDirective):
    """The directive ``live-table``; see the head of this file."""

    has_content = True
    required_arguments = 1
    option_spec: ClassVar = {"only": directives.unchanged_required}

    def run(self) -> list[nodes.Node]:
        way = self.arguments[0]
        name, *keys = way.split(".")
        notebook = Path(self.env.srcdir) / self.config.live_values_folder / f"{name}.ipynb"
        self.env.note_dependency(str(notebook))
        try:
            entries = chosen(follow(read_records(notebook), keys, name), self.options.get("only"), way)
        except ValueMissing as problem:
            logger.warning("live table %s: %s", way, problem, type="live_values", location=self.get_location())
            return []
        head, template = self.content[:2]
        return self.parse_text_to_nodes("\n".join(lines(way, entries, head, template)))


class LiveTally(SphinxDirective):
    """The directive ``live-tally``: how many claims of a record are supported, contradicted and open."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        name, *keys = self.arguments[0].split(".")
        notebook = Path(self.env.srcdir) / self.config.live_values_folder / f"{name}.ipynb"
        self.env.note_dependency(str(notebook))
        try:
            return self.parse_text_to_nodes(tally(follow(read_records(notebook), keys, name)))
        except ValueMissing as problem:
            logger.warning("live tally: %s", problem, type="live_values", location=self.get_location())
            return []


class StoredTable(SphinxDirective):
    """The directive ``stored-table``: a CSV of the project, or how it is made where nobody has made it yet.

    The argument is its path from the project's root; ``:made-by:`` is the command, ``:class:`` a class of the table.
    Rows at the end that have a first cell alone are notes, and become a paragraph below the table.
    """

    required_arguments = 1
    option_spec: ClassVar = {"made-by": directives.unchanged_required, "class": directives.class_option}

    def run(self) -> list[nodes.Node]:
        file = Path(self.env.srcdir) / self.arguments[0]
        self.env.note_dependency(str(file))
        if not file.is_file():
            return self.parse_text_to_nodes(f"*Not measured yet: `{self.options['made-by']}` does it.*")
        with open(file, newline="", encoding="utf-8") as text:
            head, *rows = csv.reader(text)
        rows, notes = without_notes(rows)
        cells = [head, ["---"] * len(head), *rows]
        table = self.parse_text_to_nodes("\n".join(f"| {' | '.join(row)} |" for row in cells))
        table[0]["classes"] += self.options.get("class", [])
        return [*table, *self.parse_text_to_nodes(" ".join(notes))]


def _role(field: str) -> str:
    return "verdict" if field == "verdict" else "val"


def setup(app: Sphinx) -> dict:
    """Register the directive, which uses the role of ``live_values``."""
    app.setup_extension("live_values")
    app.add_directive("live-table", LiveTable)
    app.add_directive("live-tally", LiveTally)
    app.add_directive("stored-table", StoredTable)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
