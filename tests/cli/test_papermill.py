"""The papermill lines that people type, run as they type them, and how parameters reach a notebook's name."""

import json
import os
import pty
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

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


# Calls papermill's command for many command lines, as its own script does: to load it takes seconds.
RUN = """
import contextlib, io, json, os, sys, traceback
commands, sys.argv = json.loads(sys.argv[1]), ["papermill"]
from papermill.__main__ import papermill
for words, folder in commands:
    os.chdir(folder)
    out, error = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.StringIO()  # papermill writes notebooks as bytes
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(error):
        try:
            status = papermill(words)
        except SystemExit as end:
            status = end.code
        except BaseException:
            traceback.print_exc()
            status = 1
    out.flush()
    print(json.dumps([status, out.buffer.getvalue().decode(), error.getvalue()]))
"""


@pytest.fixture(scope="module")
def environment(artifacts):
    return {**os.environ, "CRACK_UTILS_ARTIFACTS": str(artifacts), "PATH": f"{BIN}:{os.environ['PATH']}"}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Return a folder with a file of parameters, and in it another project with a notebook of the same name."""
    folder = tmp_path_factory.mktemp("elsewhere")
    (folder / "given.yaml").write_text("{seed: 3, preset: paper}")
    (folder / "notebooks").mkdir()
    shutil.copy(paths.root() / "notebooks" / "train.ipynb", folder / "notebooks")
    return folder


@pytest.fixture(scope="module")
def answers(environment, place):
    """Return by name what papermill answers to a command line: its exit status, and what it prints."""
    notebook, root = "notebooks/train.ipynb", str(paths.root())
    options = ["-f", str(place / "given.yaml"), "-y", "overrides: {epochs: 2}", "-r", "loss", "bce", *SMOKE]
    commands = {
        "a wrong loss": ([notebook, "-p", "loss", "dise", *SMOKE], root),
        "a wrong preset": ([notebook, "-p", "loss", "dice", "-p", "preset", "huge"], root),
        "every way": ([*options, "--prepare-only", "-k", "python3", notebook, "--no-progress-bar"], root),
        "an output": ([notebook, str(place / "own.ipynb"), "-p", "loss", "focal", "--prepare-only"], root),
        "help": (["--help-notebook", notebook], root),
        "an unknown parameter": ([notebook, "-p", "size", "3"], root),
        "another project": ([notebook, "--prepare-only"], str(place)),
    }
    command = [sys.executable, "-c", RUN, json.dumps(list(commands.values()))]
    options = {"stdin": subprocess.DEVNULL, "capture_output": True, "text": True, "timeout": 600}
    done = subprocess.run(command, cwd=root, env=environment, **options)
    lines = done.stdout.splitlines()
    assert len(lines) == len(commands), done.stderr
    return {
        name: SimpleNamespace(**dict(zip(("status", "out", "error"), json.loads(line), strict=True)))
        for name, line in zip(commands, lines, strict=True)
    }


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


def test_papermill_in_a_subprocess_finds_the_notebook_and_its_name(environment, artifacts):
    """With the output redirected, a pipe on standard input, as a module, from another folder, parameters as YAML."""
    notebook = os.path.relpath(paths.root() / "notebooks" / "train.ipynb", artifacts)
    command = [sys.executable, "-m", "papermill", notebook, "--log-output", "-y", "{loss: bce, preset: smoke}"]
    options = {"cwd": artifacts, "env": environment, "input": "", "capture_output": True, "text": True, "timeout": 600}
    done = subprocess.run([*command, "--prepare-only"], **options)
    assert done.returncode == 0, done.stderr
    assert "prepared, not executed: logs/train_bce_smoke.ipynb" in done.stderr
    assert given_to(artifacts / "logs" / "train_bce_smoke.ipynb") == {"loss": "bce", "preset": "smoke"}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [("loss", "bce, dice, focal, tversky"), ("preset", "smoke, quick, photo, paper")],
)
def test_a_value_that_is_not_valid_fails_within_seconds(answers, artifacts, wrong, message):
    answer = answers[f"a wrong {wrong}"]
    assert answer.status == 1
    assert message in answer.error
    kept = artifacts / "logs" / {"loss": "train_dise_smoke.ipynb", "preset": "train_dice_huge.ipynb"}[wrong]
    assert f"it is saved, with the error, in {kept}" in answer.error
    assert errors_in(kept)
    assert seconds_in_cells(kept) < 10  # before TensorFlow is loaded, which alone takes about as long
    assert not (artifacts / "executed" / kept.name).exists()


def test_every_way_to_give_parameters_reaches_the_name(answers, artifacts):
    answer = answers["every way"]
    assert answer.status == 0, answer.error
    prepared = artifacts / "logs" / "train_bce_smoke_seed3_epochs2.ipynb"
    assert f"prepared, not executed: {prepared}" in answer.error
    assert given_to(prepared) == {"seed": 3, "preset": "smoke", "overrides": {"epochs": 2}, "loss": "bce"}
    assert not (artifacts / "executed" / prepared.name).exists()


def test_an_output_that_is_named_is_left_alone(answers, artifacts, place):
    assert answers["an output"].status == 0, answers["an output"].error
    assert given_to(place / "own.ipynb") == {"loss": "focal"}
    assert not list(artifacts.rglob("*focal*"))


def test_help_on_a_notebook_lists_what_is_valid(answers):
    assert answers["help"].status == 0, answers["help"].error
    lines = {line.split()[0]: line for line in answers["help"].out.splitlines() if line.startswith("  ")}
    assert list(lines) == ["loss", "preset", "model", "data", "seed", "overrides"]
    assert "'dice'" in lines["loss"] and "tversky" in lines["loss"] and "mask_rcnn" in lines["model"]


def test_an_unknown_parameter_is_refused_before_anything_runs(answers, artifacts):
    answer = answers["an unknown parameter"]
    assert answer.status == 2 and "has no parameter size; valid are loss (default 'dice')" in answer.error
    assert not list(artifacts.rglob("*size*"))


def test_a_notebook_of_another_project_is_left_alone(answers):
    # What papermill itself does where its output is redirected.
    assert json.loads(answers["another project"].out)["nbformat"] == 4


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
