"""Make four pages from one notebook: fill ``{{ loss }}`` in executed notebooks when Sphinx reads them.

``notebooks/train.ipynb`` is executed once per loss and appears in the book four times. Titles, figure names and
captions must differ from page to page. The notebook therefore writes ``{{ loss }}`` and ``{{ loss_title }}`` in its
markdown cells and in the ``mystnb`` metadata of its code cells. This extension fills them from the parameters that
papermill wrote into the executed notebook. Code and outputs do not change.

It also removes the recorded values (see ``live_values``) from the page: they are data, and MyST-NB would warn if a
notebook records twice under one name.
"""

import json
import re

from live_values import is_record
from sphinx.application import Sphinx
from sphinx.util import logging

LOSS_TITLES = {"bce": "BCE", "dice": "Dice", "focal": "focal", "tversky": "Tversky"}

logger = logging.getLogger(__name__)

_field = re.compile(r"\{\{ *([a-z]\w*) *\}\}")


def fields(notebook: dict) -> dict[str, str]:
    """Return the fields that can be filled: papermill's parameters, and the title of the loss.

    Parameters
    ----------
    notebook : dict
        An executed notebook, as parsed from its JSON.

    Returns
    -------
    dict of str
        Parameter name to text. ``loss_title`` is added where there is a ``loss``; a sum such as ``dice+bce`` becomes
        ``Dice + BCE``.
    """
    parameters = notebook.get("metadata", {}).get("papermill", {}).get("parameters", {})
    filled = {name: str(value) for name, value in parameters.items()}
    if "loss" in filled:
        filled["loss_title"] = " + ".join(LOSS_TITLES.get(part, part) for part in filled["loss"].split("+"))
    return filled


def fill(text: str, values: dict[str, str], missing: set[str]) -> str:
    """Replace each ``{{ name }}`` by its value; names without a value stay and are added to ``missing``."""

    def replace(match: re.Match) -> str:
        if match[1] not in values:
            missing.add(match[1])
        return values.get(match[1], match[0])

    return _field.sub(replace, text)


def prepare(notebook: dict) -> set[str]:
    """Fill the fields of an executed notebook and remove its records, in place.

    Returns
    -------
    set of str
        Names of fields without a parameter.
    """
    values, missing = fields(notebook), set()
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            cell["source"] = fill("".join(cell["source"]), values, missing)
        elif cell["cell_type"] == "code":
            if "mystnb" in cell["metadata"]:
                cell["metadata"]["mystnb"] = _fill_all(cell["metadata"]["mystnb"], values, missing)
            cell["outputs"] = [output for output in cell["outputs"] if not is_record(output)]
    return missing


def setup(app: Sphinx) -> dict:
    """Connect to Sphinx's reading of pages."""
    app.connect("source-read", _on_source_read)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}


def _on_source_read(app: Sphinx, docname: str, source: list[str]) -> None:
    if not str(app.env.doc2path(docname)).endswith(".ipynb"):
        return
    notebook = json.loads(source[0])
    missing = prepare(notebook)
    for name in sorted(missing):
        logger.warning("no parameter for {{ %s }}", name, type="executed_notebooks", location=docname)
    source[0] = json.dumps(notebook)


def _fill_all(value, values: dict[str, str], missing: set[str]):
    """Fill all texts inside nested metadata."""
    if isinstance(value, str):
        return fill(value, values, missing)
    if isinstance(value, dict):
        return {key: _fill_all(entry, values, missing) for key, entry in value.items()}
    return [_fill_all(entry, values, missing) for entry in value] if isinstance(value, list) else value
