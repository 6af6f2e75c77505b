"""What becomes of an executed notebook as Sphinx reads it.

- ``notebooks/train.ipynb`` is executed once per loss and stands in the book four times. Titles, figure names and
  captions must differ from page to page, so the notebook writes ``{{ loss }}`` and ``{{ loss_title }}`` in its markdown
  cells and in the ``mystnb`` metadata of its code cells. They are filled from the parameters that papermill wrote into
  the notebook. A block from ``<!-- only: loss=dice -->`` to ``<!-- end -->`` stays on the pages with that parameter.
- Code is hidden behind a click. The cell that papermill injected is left out; the cell of the parameters says what this
  page was given.
- Remarks of libraries (all that went to the error stream, and what TensorFlow prints) and folders of the machine are
  left out of the outputs.
- Recorded values (see ``live_values``) are left out too: they are data, and MyST-NB would warn that a notebook records
  twice under one name.
"""

import json
import re
from pathlib import Path

from live_values import is_record
from sphinx.application import Sphinx
from sphinx.util import logging

from crack_utils.losses.registry import TITLES

logger = logging.getLogger(__name__)

_field = re.compile(r"\{\{ *([a-z]\w*) *\}\}")
_remark = re.compile(r"^(?:INFO|WARNING|ERROR):(?:tensorflow|absl):.*\n?", re.MULTILINE)
_only = re.compile(r"<!-- only: (\w+)=(\S+) -->\n(.*?)<!-- end -->\n?", re.DOTALL)


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
        filled["loss_title"] = " + ".join(TITLES.get(part, part) for part in filled["loss"].split("+"))
    return filled


def fill(text: str, values: dict[str, str], missing: set[str]) -> str:
    """Replace each ``{{ name }}`` by its value; names without a value stay and are added to ``missing``."""

    def replace(match: re.Match) -> str:
        if match[1] not in values:
            missing.add(match[1])
        return values.get(match[1], match[0])

    return _field.sub(replace, text)


def prepare(notebook: dict, folders: tuple[str, ...] = ()) -> set[str]:
    """Make an executed notebook a page, in place; see the head of this file.

    Parameters
    ----------
    notebook : dict
        As parsed from its JSON.
    folders : tuple of str
        Folders of the machine, which do not belong on a page; files in them are shown relative to them.

    Returns
    -------
    set of str
        Names of fields without a parameter.
    """
    values, missing = fields(notebook), set()
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            cell["source"] = fill(only_for(source, values), values, missing)
        elif cell["cell_type"] == "code":
            tags = set(cell["metadata"].get("tags", []))
            if "parameters" in tags:
                cell["source"] = source + _given(notebook)
            cell["metadata"]["tags"] = sorted(tags | {"remove-cell" if "injected-parameters" in tags else "hide-input"})
            if "mystnb" in cell["metadata"]:
                cell["metadata"]["mystnb"] = _fill_all(cell["metadata"]["mystnb"], values, missing)
            cell["outputs"] = [
                _without_folders(output, folders)
                for output in map(_without_remarks, cell["outputs"])
                if not is_record(output) and output.get("name") != "stderr" and output.get("text") != ""
            ]
    return missing


def only_for(text: str, known: dict[str, str]) -> str:
    """Return markdown with the conditional blocks that hold for this page, and without the others."""
    return _only.sub(lambda block: block[3] if known.get(block[1]) == block[2] else "", text)


def setup(app: Sphinx) -> dict:
    """Connect to Sphinx's reading of pages."""
    app.connect("source-read", _on_source_read)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}


def _on_source_read(app: Sphinx, docname: str, source: list[str]) -> None:
    if not str(app.env.doc2path(docname)).endswith(".ipynb"):
        return
    notebook = json.loads(source[0])
    missing = prepare(notebook, (str(app.srcdir), str(Path(app.srcdir).resolve()), str(Path.home())))
    for name in sorted(missing):
        logger.warning("no parameter for {{ %s }}", name, type="executed_notebooks", location=docname)
    source[0] = json.dumps(notebook)


def _given(notebook: dict) -> str:
    """Return a comment that says which parameters papermill was given."""
    given = notebook.get("metadata", {}).get("papermill", {}).get("parameters", {})
    return (
        "\n# this page was given: " + ", ".join(f"{name}={value!r}" for name, value in given.items()) if given else ""
    )


def _without_remarks(output: dict) -> dict:
    """Take TensorFlow's remarks out of a printed text; in a notebook they are printed like any other line."""
    if output.get("name") != "stdout":
        return output
    return output | {"text": _remark.sub("", "".join(output["text"]))}


def _without_folders(value, folders: tuple[str, ...]):
    """Cut folders of the machine out of the texts anywhere inside an output; pictures hold none."""
    if isinstance(value, str):
        for folder in folders:
            value = value.replace(folder + "/", "")
        return value
    if isinstance(value, dict):
        return {
            key: entry if key.startswith("image/") else _without_folders(entry, folders) for key, entry in value.items()
        }
    return [_without_folders(entry, folders) for entry in value] if isinstance(value, list) else value


def _fill_all(value, values: dict[str, str], missing: set[str]):
    """Fill all texts inside nested metadata."""
    if isinstance(value, str):
        return fill(value, values, missing)
    if isinstance(value, dict):
        return {key: _fill_all(entry, values, missing) for key, entry in value.items()}
    return [_fill_all(entry, values, missing) for entry in value] if isinstance(value, list) else value
