"""Show numbers from the notebooks in the prose: the role ``{val}``.

A notebook calls ``record(mean_iou=…)``, which stores a JSON object in the executed notebook. The
workflow stages that notebook as ``artifacts/book/<stem>.ipynb``, and a page of the book writes

    {val}`train_dice.test.mean_iou:.3f`

The first word names the staged notebook, and the rest is the path in its record (a number selects from a list:
``size.0``). A Python format specification follows the colon. A bar chooses between two words, so that a sentence is
true for both values: ``{val}`comparison.agrees_with_report:agrees|disagrees` ``.

When the pointer rests on a number, the page shows its origin: the notebook, the path in its record, and the ``source``
that the record names next to the value or closest above it.

The role ``{verdict}`` is the same for a verdict on a claim, and gives it a colour.

A missing value, or a specification that does not fit the value, gives a Sphinx warning. The book is built with warnings
as errors, so no page can show a number that no notebook computed.
"""

import json
import math
from pathlib import Path

import nbformat
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.docutils import SphinxRole

from crack_utils.runtime.typeset import number

RECORD_MIME = "application/papermill.record/text/plain"

logger = logging.getLogger(__name__)


class ValueMissing(LookupError):
    """No staged notebook recorded this value; the message lists the values that exist."""


def is_record(output: dict) -> bool:
    """Return whether a code cell's output contains recorded values (and nothing to show)."""
    return RECORD_MIME in output.get("data", {})


def read_records(path: Path) -> dict:
    """Read everything an executed notebook recorded.

    Parameters
    ----------
    path : Path
        An executed notebook, nbformat 4.

    Returns
    -------
    dict
        The JSON objects of all ``record`` calls in cell order, merged level by level; later values win.

    Raises
    ------
    ValueMissing
        If there is no such notebook.
    """
    if not path.is_file():
        raise ValueMissing(f"there is no executed notebook {path}")
    records: dict = {}
    for cell in nbformat.read(path, as_version=4).cells:
        for output in cell.get("outputs", []):
            if is_record(output):
                _merge(records, json.loads(output["data"][RECORD_MIME]))
    return records


def follow(records: dict, keys: list[str], name: str):
    """Follow ``keys`` through nested objects and lists.

    Raises
    ------
    ValueMissing
        If a key is missing; the message lists the possible keys.
    """
    value = records
    for depth, key in enumerate(keys):
        if isinstance(value, list) and key.isdigit() and int(key) < len(value):
            value = value[int(key)]
        elif isinstance(value, dict) and key in value:
            value = value[key]
        else:
            where = ".".join([name, *keys[:depth]])
            raise ValueMissing(f"{where} has no {key!r}; it has: {_names(value)}")
    return value


def look_up(records: dict, keys: list[str], name: str):
    """Follow ``keys`` to a single value.

    Raises
    ------
    ValueMissing
        If a key is missing, or the path does not end at a single value.
    """
    value = follow(records, keys, name)
    if isinstance(value, dict | list):
        raise ValueMissing(f"{'.'.join([name, *keys])} is not one value; choose from: {_names(value)}")
    return value


def source_of(records: dict, keys: list[str]) -> str:
    """Return the ``source`` that a record names for a value, in brackets; empty without one."""
    source, value = "", records
    for key in keys:
        if isinstance(value, dict) and isinstance(value.get("source"), str):
            source = f" ({value['source']})"
        value = value[int(key)] if isinstance(value, list) else value[key]
    return source


def format_value(value, specification: str) -> str:
    """Return a value as text, by a Python format specification, or by ``yes|no`` for a truth value.

    Raises
    ------
    ValueError
        If the specification does not fit the value (for example ``.3f`` for a word).
    """
    if "|" in specification:
        if not isinstance(value, bool):
            raise ValueError(
                f"{specification!r} chooses between two words by a truth value, but the value is {value!r}"
            )
        yes, _, no = specification.partition("|")
        return yes if value else no
    if value is None:
        return "none"
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"the value is {value}, which is not a number to show")
    if isinstance(value, bool) and not specification:
        return "yes" if value else "no"
    return number(value, specification) if isinstance(value, int | float) else format(value, specification)


def kind_of_verdict(words: str) -> str:
    """Return the colour of a verdict, which has words too: ``supported``, ``contradicted``, ``same`` or ``open``."""
    kinds = {"supported": "supported", "contradicted": "contradicted", "no difference": "same"}
    return next((kind for start, kind in kinds.items() if words.startswith(start)), "open")


class LiveValue(SphinxRole):
    """The role ``{val}``; see the head of this file."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        path, _, specification = self.text.partition(":")
        name, *keys = path.strip().split(".")
        notebook = Path(self.env.srcdir) / self.config.live_values_folder / f"{name}.ipynb"
        self.env.note_dependency(str(notebook))  # a page is read again when its numbers change
        try:
            value = look_up(_cached_records(notebook), keys, name)
            text = format_value(value, specification)
        except (ValueMissing, ValueError) as problem:
            logger.warning("live value %r: %s", self.text, problem, type="live_values", location=self.get_location())
            return [nodes.strong(self.rawtext, "(missing)")], []
        origin = f"notebook {name}: {'.'.join(keys)}" + source_of(_cached_records(notebook), keys)
        classes = ["live-value", "live-words"] if isinstance(value, str) else ["live-value"]
        if self.name == "verdict":
            classes = ["verdict", f"verdict-{kind_of_verdict(text)}"]
        return [live_value(self.rawtext, text, classes=classes, origin=origin)], []


class live_value(nodes.inline):
    """A number that shows its origin when the pointer rests on it."""


def setup(app: Sphinx) -> dict:
    """Register the role, its node, and the folder of the staged notebooks."""
    plain = (lambda writer, node: None, lambda writer, node: None)
    app.add_node(live_value, html=(_visit_html, _depart_html), latex=plain, text=plain)
    app.add_config_value("live_values_folder", "artifacts/book", "env")
    app.add_role("val", LiveValue())
    app.add_role("verdict", LiveValue())
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}


_cache: dict[Path, tuple[int, dict]] = {}


def _cached_records(path: Path) -> dict:
    """Read a notebook once, and again only if the file changed, because pages need many numbers."""
    stamp = path.stat().st_mtime_ns if path.is_file() else -1
    if path not in _cache or _cache[path][0] != stamp:
        _cache[path] = (stamp, read_records(path))
    return _cache[path][1]


def _visit_html(writer, node: live_value) -> None:
    writer.body.append(writer.starttag(node, "span", "", title=node["origin"]))


def _depart_html(writer, node: live_value) -> None:
    writer.body.append("</span>")


def _merge(into: dict, more: dict) -> None:
    for key, value in more.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            _merge(into[key], value)
        else:
            into[key] = value


def _names(value) -> str:
    if isinstance(value, dict):
        return ", ".join(value) or "nothing"
    return f"0 to {len(value) - 1}" if isinstance(value, list) and value else f"a single {type(value).__name__}"
