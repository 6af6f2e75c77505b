"""The notebooks as they are committed, what is read from them, and (slowly) that each runs in its own folder."""

import ast
import json
import re

import pytest

from crack_utils.report import notebooks
from crack_utils.runtime import imports, paths

NOTEBOOKS = sorted((paths.root() / "notebooks").glob("*.ipynb"))
LONGEST_CELL = 20  # lines

each_notebook = pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)


def cells_of(notebook, kind="code"):
    return [cell for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == kind]


def source_of(cell):
    return "".join(cell["source"])


def test_the_notebooks_of_the_report_are_there():
    assert {"architecture", "augmentation", "comparison", "data_prep", "train"} <= {path.stem for path in NOTEBOOKS}


@each_notebook
def test_no_output_is_committed(notebook):
    for cell in cells_of(notebook):
        assert cell["outputs"] == [] and cell["execution_count"] is None, source_of(cell)


@each_notebook
def test_metadata_is_the_kernel_and_the_language(notebook):
    content = json.loads(notebook.read_text(encoding="utf-8"))
    assert set(content["metadata"]) == {"kernelspec", "language_info"}
    assert content["metadata"]["kernelspec"]["name"] == "python3"


@each_notebook
def test_one_parameters_cell_says_what_each_parameter_is(notebook):
    cells = [source_of(cell) for cell in cells_of(notebook) if "parameters" in cell["metadata"].get("tags", [])]
    assert len(cells) == 1
    for line in cells[0].splitlines():
        assert re.fullmatch(r"\w+ = .+  # .+", line), f"a parameter, its default and a comment on it: {line}"


@each_notebook
def test_no_output_is_folded(notebook):
    tags = {tag for cell in cells_of(notebook) for tag in cell["metadata"].get("tags", [])}
    assert not tags & {"hide-output", "hide-cell"}, "a fold that is not code: on paper it is an empty box"


@each_notebook
def test_notebooks_are_prose_and_short_calls(notebook):
    for cell in cells_of(notebook):
        source = source_of(cell)
        assert len(source.splitlines()) <= LONGEST_CELL, source
        defined = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef | ast.ClassDef)]
        assert not defined, f"functions belong in crack_utils: {source}"


@each_notebook
def test_every_figure_has_name_caption_and_alternative_text(notebook):
    for cell in cells_of(notebook):
        shown = cell["metadata"].get("mystnb", {})
        if "figure" in shown or re.search(r"^\s*figure\b", source_of(cell), re.MULTILINE):
            assert shown.get("figure", {}).get("name"), source_of(cell)
            assert shown["figure"].get("caption"), source_of(cell)
            moving = "figures.moving(" in source_of(cell)  # takes the text as an argument
            assert moving or shown.get("image", {}).get("alt"), source_of(cell)


@each_notebook
def test_cells_have_names_of_their_own(notebook):
    names = [cell["id"] for kind in ("code", "markdown") for cell in cells_of(notebook, kind)]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("name", ["data_prep", "labelling", "architecture"])
def test_pages_before_any_training_do_not_hang_on_losses(name):
    """A loss that is edited must not bring the pages of the data into doubt (see the Snakefile)."""
    needed = imports.sources(paths.notebook(name))
    assert needed and not {"crack_utils/losses/__init__.py", "crack_utils/training/fit.py"} & set(needed)


def test_default_parameters_come_in_the_cells_order():
    assert notebooks.default_parameters(paths.notebook("train")) == {
        "loss": "dice",
        "preset": "",
        "model": "",
        "data": "synthetic",
        "seed": 0,
        "overrides": {},
    }


def write_notebook(path, source, tags=("parameters",)):
    cell = {"cell_type": "code", "metadata": {"tags": list(tags)}, "source": source.splitlines(keepends=True)}
    path.write_text(json.dumps({"cells": [cell]}))
    return path


def test_default_parameters_without_such_a_cell(tmp_path):
    assert notebooks.default_parameters(write_notebook(tmp_path / "a.ipynb", "x = 1", tags=())) == {}


def test_default_parameters_may_be_annotated(tmp_path):
    notebook = write_notebook(tmp_path / "a.ipynb", 'size: int = 3  # px\nprint("not one")\nname = None\n')
    assert notebooks.default_parameters(notebook) == {"size": 3, "name": None}


def test_default_parameters_must_be_literals(tmp_path):
    notebook = write_notebook(tmp_path / "a.ipynb", "import os\nhome = os.getcwd()\n")
    with pytest.raises(ValueError, match=r"a\.ipynb: the parameter home must be a literal"):
        notebooks.default_parameters(notebook)


@pytest.mark.parametrize(
    ("stem", "parameters", "name"),
    [
        ("train", {}, "train_dice"),
        ("train", {"loss": "dice"}, "train_dice"),
        ("train", {"loss": "bce", "preset": "quick"}, "train_bce_quick"),
        ("train", {"preset": "smoke", "loss": "dice"}, "train_dice_smoke"),
        ("train", {"loss": "dice+bce", "seed": "0"}, "train_dice+bce"),
        ("train", {"seed": 1}, "train_dice_seed1"),
        ("train", {"overrides": {"epochs": 3, "batch": 2}}, "train_dice_epochs3_batch2"),
        ("train", {"data": "/home/ada/my photographs/"}, "train_dice_my-photographs"),
        ("comparison", {"data": "/a/old:/a/new", "preset": "smoke"}, "comparison_smoke_old+new"),
        ("comparison", {"data": "/elsewhere/synthetic"}, "comparison_synthetic"),
        ("architecture", {"unknown": "x y"}, "architecture_x-y"),
    ],
)
def test_executed_name(stem, parameters, name):
    assert notebooks.executed_name(stem, parameters) == f"{name}.ipynb"


@pytest.mark.parametrize(("value", "text"), [("../x/crackforest", "crackforest"), ("..", "none"), (0.5, "0.5")])
def test_slug_can_stand_in_a_file_name(value, text):
    assert notebooks.slug(value) == text


def test_sources_follow_imports_through_public_names_and_functions():
    found = imports.sources(paths.notebook("train"))
    # `from crack_utils import train` leads to training, which imports the losses; no cell of the notebook does.
    used = (
        "evaluation/train.py",
        "training/fit.py",
        "losses/__init__.py",
        "losses/tips.py",
        "data/synthetic/__init__.py",
    )
    assert {f"crack_utils/{name}" for name in used} <= set(found)
    assert not {
        "crack_utils/report/papermill_engine.py",
        "crack_utils/report/build_times.py",
        "crack_utils/cli/main.py",
    } & set(found)


def test_sources_resolve_relative_imports_and_skip_what_only_ipython_reads(tmp_path, monkeypatch):
    package = tmp_path / "crack_utils"
    package.mkdir()
    for name, text in {
        "__init__": "",
        "a": "from . import b",
        "b": "from .c import x",
        "c": "import numpy",
        "d": "",
    }.items():
        (package / f"{name}.py").write_text(text)
    monkeypatch.setattr(paths, "root", lambda: tmp_path)
    imports._package_files.cache_clear()
    notebook = write_notebook(tmp_path / "n.ipynb", "%matplotlib inline\n!ls\nfrom crack_utils.a import y\n")
    try:
        assert imports.sources(notebook) == [f"crack_utils/{name}.py" for name in ("a", "b", "c")]
    finally:
        imports._package_files.cache_clear()


@pytest.fixture(scope="module")
def artifacts(tmp_path_factory):
    """Return a folder that the notebooks of this module share, so that data and trainings are made once."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("artifacts")
        patch.setenv("CRACK_UTILS_ARTIFACTS", str(folder))
        yield folder


@pytest.mark.acceptance
@each_notebook
@pytest.mark.filterwarnings("default")  # papermill's own dependencies
def test_all_cells_run_from_a_clean_kernel_in_the_notebooks_folder(notebook, artifacts):
    """JupyterLab starts a notebook's kernel in the notebook's folder."""
    import papermill

    output = artifacts / notebook.name
    given = {"preset": "smoke"} if "preset" in notebooks.default_parameters(notebook) else {}
    before = set(notebook.parent.iterdir())
    done = papermill.execute_notebook(notebook, output, given, cwd=notebook.parent, progress_bar=False)
    assert all(cell.execution_count for cell in done.cells if cell.cell_type == "code")
    assert set(notebook.parent.iterdir()) == before, "a notebook leaves nothing beside itself"
