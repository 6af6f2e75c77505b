"""make and the workflow behind it: which commands they start, and which steps are made again after a change."""

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from crack_utils.runtime import paths

BIN = Path(sys.executable).parent
CHAPTERS = {
    "labelling",
    "data_prep",
    "augmentation",
    "architecture",
    "train",
    "comparison",
    "your_images",
    "crack_growth",
}


@pytest.fixture
def made(tmp_path):
    """Return a function that runs make in a folder with our Makefile, where the tools only say how they were called."""
    shutil.copy(paths.root() / "Makefile", tmp_path)
    tools = tmp_path / ".venv" / "bin"
    tools.mkdir(parents=True)
    for name in ("python", "pytest"):
        (tools / name).write_text('#!/bin/sh\necho "$(basename "$0") $*"\n')
        (tools / name).chmod(0o755)
    for name in ("requirements.lock", "pyproject.toml", ".venv/.ready"):
        (tmp_path / name).touch()

    def make(*arguments):
        # The tests themselves may have been started by make, which tells its children what it was given.
        told = {"MAKEFLAGS", "MAKELEVEL", "MFLAGS", "MAKEOVERRIDES", "PRESET", "DATA", "STUDY", "PYTHON"}
        environment = {name: value for name, value in os.environ.items() if name not in told}
        return subprocess.run(
            ["make", *arguments], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60
        )

    return make


def test_make_lists_its_targets(made):
    shown = made().stdout
    for target in ("help", "setup", "book", "test", "coverage", "acceptance", "lab", "lint", "lock", "clean"):
        assert f"make {target} " in shown


@pytest.mark.parametrize(
    ("given", "config"),
    [
        ([], "preset= data=synthetic"),
        (["PRESET=smoke"], "preset=smoke data=synthetic"),
        (["DATA=crackforest"], "preset= data=crackforest"),
        (["DATA=my photos"], "preset= data={here}/my photos"),
        (["DATA=my photos/:old"], "preset= data={here}/my photos:old"),
    ],
)
def test_make_book_takes_folders_from_where_it_is_run(made, tmp_path, given, config):
    (tmp_path / "my photos").mkdir()
    done = made("book", *given)
    assert done.stdout.startswith("python -m crack_utils.report.workflow book "), done.stderr
    assert done.stdout.rstrip().endswith(f"--config {config.format(here=tmp_path.resolve())}")


@pytest.mark.parametrize(
    ("study", "module"),
    [("smoke", "study cost smoke"), ("photographs", "study.photographs"), ("thin_cracks", "study.thin_cracks")],
)
def test_make_study_starts_every_study(made, study, module):
    done = made("study", f"STUDY={study}")
    assert done.stdout.splitlines()[0] == f"python -m crack_utils.{module}", done.stderr


def test_coverage_runs_the_same_tests(made):
    fast, measured = (made(target).stdout.strip() for target in ("test", "coverage"))
    assert measured.startswith(f"{fast} --cov ") and measured.endswith("--cov-fail-under=90")


def test_make_says_which_python_it_needs(made, tmp_path):
    os.utime(tmp_path / ".venv" / ".ready", (0, 0))
    done = made("setup", "PYTHON=false")
    assert done.returncode == 2
    assert "false is not Python 3.11, 3.12 or 3.13" in done.stderr


def jobs_of(shown):
    """Read which steps a dry run of the workflow lists, and how often each."""
    return {name: int(count) for name, count in re.findall(r"^(\w+) +(\d+)$", shown, re.MULTILINE) if name != "total"}


@pytest.mark.parametrize("given", [["preset=smoke"], ["preset=", "data=synthetic"]], ids=["smoke", "plain make book"])
def test_the_workflow_knows_every_step(tmp_path, given):
    environment = {**os.environ, "CRACK_UTILS_ARTIFACTS": str(tmp_path), "PATH": f"{BIN}:{os.environ['PATH']}"}
    command = ["snakemake", "book", "-n", "--cores", "2", "--quiet", "reason", "--config", *given]
    done = subprocess.run(
        command, cwd=paths.root(), env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    shown = done.stdout + done.stderr
    jobs = jobs_of(shown)
    assert "-p data synthetic -p loss dice" in shown
    assert ("-p preset" in shown) == (given == ["preset=smoke"])  # none that nobody gave
    pages = {*CHAPTERS, "table1", "models", "tips", "certainty", "large_pictures", "real_photographs"}
    assert jobs.keys() == {"data", *pages, "study_training", "study_tables", "stage", "html", "book"}
    assert jobs["train"] == 4 and jobs["study_training"] == 8


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """Return a copy of the project in which things can be edited."""
    folder = tmp_path_factory.mktemp("project") / "report"
    left = shutil.ignore_patterns(".venv", ".git", "artifacts", "_build", ".snakemake", "__pycache__", "*.egg-info")
    shutil.copytree(paths.root(), folder, ignore=left)
    return folder


@pytest.mark.acceptance
def test_the_book_is_made_once_and_only_what_changed_is_made_again(project):
    environment = {**os.environ, "PYTHONPATH": str(project), "PATH": f"{BIN}:{os.environ['PATH']}"}
    environment.pop("CRACK_UTILS_ARTIFACTS", None)

    def book(*options, target="book"):
        command = ["snakemake", target, "--cores", "2", "--show-failed-logs", *options, "--config", "preset=smoke"]
        done = subprocess.run(
            command, cwd=project, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    # The user's own line, once the data are there: the workflow takes that training as done.
    book(target="data")
    line = ["papermill", "notebooks/train.ipynb", "-p", "loss", "dice", "-p", "preset", "smoke"]
    subprocess.run(line, cwd=project, env=environment, stdin=subprocess.DEVNULL, capture_output=True, check=True)
    jobs = book("-n")
    assert jobs_of(jobs)["train"] == 3
    assert "-p loss bce" in jobs and "-p loss dice" not in jobs

    shown = book()
    assert (project / "_build" / "html" / "index.html").as_uri() in shown
    started = time.monotonic()
    assert "Nothing had to be made" in book()
    assert time.monotonic() - started < 20

    (project / "notebooks" / "comparison.ipynb").touch()
    assert jobs_of(book("-n")).keys() == {"book"}
    edit(project / "notebooks" / "comparison.ipynb", "# Comparison", "# The comparison")
    assert jobs_of(book("-n")).keys() == {"comparison", "stage", "html", "book"}
    edit(project / "book" / "introduction.md", "# ", "#  ")
    edit(project / "notebooks" / "comparison.ipynb", "# The comparison", "# Comparison")
    assert jobs_of(book("-n")).keys() == {"html", "book"}
    edit(project / "crack_utils" / "losses" / "__init__.py", '"""', '"""\n', last=True)
    jobs = jobs_of(book("-n"))
    assert jobs["train"] == 4
    assert not {"data", "data_prep"} & jobs.keys()


def edit(file, old, new, last=False):
    """Replace the first (or the last) occurrence of a text in a file."""
    text = file.read_text(encoding="utf-8")
    assert old in text
    parts = text.rsplit(old, 1) if last else text.split(old, 1)
    file.write_text(new.join(parts), encoding="utf-8")
