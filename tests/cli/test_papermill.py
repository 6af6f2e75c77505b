"""The papermill lines that people type, run as they type them, and how parameters reach a notebook's name."""

import json
import os
import pty
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from crack_utils import Experiment
from crack_utils.report.papermill_engine import given_parameters, runs_papermill
from crack_utils.runtime import paths
from crack_utils.training.prepare import prepare

BIN = Path(sys.executable).parent
PAPERMILL = str(BIN / "papermill")
SMOKE = ["-p", "preset", "smoke"]


@pytest.fixture(scope="module")
def artifacts(tmp_path_factory):
    """Return a folder for all that the commands of this module make, so that the project's own stays as it is."""
    return tmp_path_factory.mktemp("artifacts")


@pytest.fixture
def run(artifacts):
    """Return a function that runs a command to its end, by default in the project's root, with its output caught."""

    def run(*command, cwd=None, **options):
        environment = {**os.environ, "CRACK_UTILS_ARTIFACTS": str(artifacts), "PATH": f"{BIN}:{os.environ['PATH']}"}
        options = {"stdin": subprocess.DEVNULL, **options}
        return subprocess.run(
            command, cwd=cwd or paths.root(), env=environment, capture_output=True, text=True, timeout=600, **options
        )

    return run


def run_at_terminal(command, environment):
    """Run a command at a pseudo-terminal, as at the user's keyboard; return its exit status and what it showed."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        command, cwd=paths.root(), env=environment, stdin=theirs, stdout=theirs, stderr=theirs, close_fds=True
    )
    os.close(theirs)
    shown = b""
    while True:
        try:
            block = os.read(ours, 4096)
        except OSError:  # Linux's way of telling that the other end is closed
            break
        if not block:
            break
        shown += block
    os.close(ours)
    return process.wait(), shown.decode(errors="replace")


def errors_in(notebook):
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return [out for cell in cells for out in cell.get("outputs", []) if out["output_type"] == "error"]


def seconds_in_cells(notebook):
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return sum(cell["metadata"].get("papermill", {}).get("duration") or 0 for cell in cells)


def given_to(notebook):
    return json.loads(notebook.read_text(encoding="utf-8"))["metadata"]["papermill"]["parameters"]


def test_papermill_at_a_terminal_without_an_output(artifacts, tmp_path, monkeypatch):
    """The very line of the README."""
    environment = {**os.environ, "CRACK_UTILS_ARTIFACTS": str(artifacts), "TERM": "xterm"}
    command = [PAPERMILL, "notebooks/train.ipynb", "-p", "loss", "dice", *SMOKE]
    status, shown = run_at_terminal(command, environment)
    assert status == 0, shown
    executed = artifacts / "executed" / "train_dice_smoke.ipynb"
    lines = [line for line in shown.splitlines() if line.strip()]
    assert lines[-1] == f"The executed notebook is {executed}"
    assert lines[-2].startswith("At a threshold of") and [line for line in lines if line.startswith("epoch 2/2")]
    for other in ("Executing Cell", "Input Notebook", "WARNING", "<Figure", "object at"):
        assert other not in shown
    assert errors_in(executed) == []
    assert not (artifacts / "logs" / executed.name).exists()
    runs = [folder for folder in (artifacts / "runs").iterdir() if (folder / "metrics.json").is_file()]
    assert len(runs) == 1
    # Another process in another folder, with other ways of giving the settings, finds this training done.
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CRACK_UTILS_ARTIFACTS", str(artifacts))
    assert prepare(Experiment.preset("smoke", loss="dice")).run.folder == runs[0]


def test_papermill_in_a_subprocess_finds_the_notebook_and_its_name(run, artifacts):
    """With the output redirected, a pipe on standard input, as a module, from another folder, parameters as YAML."""
    notebook = os.path.relpath(paths.root() / "notebooks" / "train.ipynb", artifacts)
    command = [sys.executable, "-m", "papermill", notebook, "--log-output", "-y", "{loss: bce, preset: smoke}"]
    done = run(*command, "--prepare-only", cwd=artifacts, stdin=None, input="")
    assert done.returncode == 0, done.stderr
    assert "prepared, not executed: logs/train_bce_smoke.ipynb" in done.stderr
    assert given_to(artifacts / "logs" / "train_bce_smoke.ipynb") == {"loss": "bce", "preset": "smoke"}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["-p", "loss", "dise", *SMOKE], "bce, dice, focal, tversky"),
        (["-p", "loss", "dice", "-p", "preset", "huge"], "smoke, quick, photo, paper"),
    ],
    ids=["loss", "preset"],
)
def test_a_value_that_is_not_valid_fails_within_seconds(run, artifacts, given, message):
    done = run(PAPERMILL, "notebooks/train.ipynb", *given)
    assert done.returncode == 1
    assert message in done.stderr
    kept = artifacts / "logs" / ("train_dise_smoke.ipynb" if "dise" in given else "train_dice_huge.ipynb")
    assert f"it is saved, with the error, in {kept}" in done.stderr
    assert errors_in(kept)
    assert seconds_in_cells(kept) < 10  # before TensorFlow is loaded, which alone takes about as long
    assert not (artifacts / "executed" / kept.name).exists()


def test_every_way_to_give_parameters_reaches_the_name(run, artifacts, tmp_path):
    (tmp_path / "given.yaml").write_text("{seed: 3, preset: paper}")
    options = ["-f", tmp_path / "given.yaml", "-y", "overrides: {epochs: 2}", "-r", "loss", "bce", *SMOKE]
    done = run(PAPERMILL, *options, "--prepare-only", "-k", "python3", "notebooks/train.ipynb", "--no-progress-bar")
    assert done.returncode == 0, done.stderr
    prepared = artifacts / "logs" / "train_bce_smoke_seed3_epochs2.ipynb"
    assert f"prepared, not executed: {prepared}" in done.stderr
    assert given_to(prepared) == {"seed": 3, "preset": "smoke", "overrides": {"epochs": 2}, "loss": "bce"}
    assert not (artifacts / "executed" / prepared.name).exists()


def test_an_output_that_is_named_is_left_alone(run, artifacts, tmp_path):
    own = tmp_path / "own.ipynb"
    done = run(PAPERMILL, "notebooks/train.ipynb", str(own), "-p", "loss", "focal", "--prepare-only")
    assert done.returncode == 0, done.stderr
    assert given_to(own) == {"loss": "focal"}
    assert not list(artifacts.rglob("*focal*"))


def test_help_on_a_notebook_lists_what_is_valid(run):
    done = run(PAPERMILL, "--help-notebook", "notebooks/train.ipynb")
    assert done.returncode == 0
    lines = {line.split()[0]: line for line in done.stdout.splitlines() if line.startswith("  ")}
    assert list(lines) == ["loss", "preset", "model", "data", "seed", "overrides"]
    assert "'dice'" in lines["loss"] and "tversky" in lines["loss"] and "mask_rcnn" in lines["model"]


def test_an_unknown_parameter_is_refused_before_anything_runs(run, artifacts):
    done = run(PAPERMILL, "notebooks/train.ipynb", "-p", "size", "3")
    assert done.returncode == 2 and "has no parameter size; valid are loss (default 'dice')" in done.stderr
    assert not list(artifacts.rglob("*size*"))


def test_a_notebook_of_another_project_is_left_alone(run, tmp_path):
    (tmp_path / "notebooks").mkdir()
    shutil.copy(paths.root() / "notebooks" / "train.ipynb", tmp_path / "notebooks")
    done = run(PAPERMILL, "notebooks/train.ipynb", "--prepare-only", cwd=tmp_path)
    assert json.loads(done.stdout)["nbformat"] == 4  # what papermill itself does where its output is redirected


@pytest.mark.parametrize(
    ("argv", "original", "answer"),
    [
        (["/x/bin/papermill", "a.ipynb"], ["python", "/x/bin/papermill", "a.ipynb"], True),
        (["-m", "a.ipynb"], ["python", "-X", "dev", "-m", "papermill", "a.ipynb"], True),
        (["-m", "tests"], ["python", "-m", "pytest", "tests"], False),
        (["/x/bin/snakemake"], ["python", "/x/bin/snakemake"], False),
        ([""], ["python"], False),
    ],
)
def test_runs_papermill(argv, original, answer):
    assert runs_papermill(argv, original) is answer


def test_given_parameters_override_each_other_as_papermill_has_it(tmp_path):
    file = tmp_path / "given.yaml"
    file.write_text("{a: file, b: file, c: file, d: file}")
    options = {
        "parameters_base64": ["e2E6IGJhc2U2NCwgZTogYmFzZTY0fQ=="],  # {a: base64, e: base64}
        "parameters_file": [str(file)],
        "parameters_yaml": ["{b: yaml, c: yaml, d: yaml}", ""],
        "parameters": (("c", "p"), ("d", "p")),
        "parameters_raw": (("d", "raw"),),
    }
    assert given_parameters(options) == {"a": "file", "b": "yaml", "c": "p", "d": "raw", "e": "base64"}
