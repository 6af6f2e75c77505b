"""The study as a command: it says what it costs, is killed, goes on, and gives the same numbers a second time."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

from crack_utils.runtime import paths
from crack_utils.study import cases

pytestmark = pytest.mark.acceptance
BIN = Path(sys.executable).parent
MARKERS = [f"{case.name}.run" for case in cases.cases("smoke")]


@pytest.fixture
def study(tmp_path):
    """Return a function that starts the smallest study in a folder of its own."""

    def start(name):
        folder = tmp_path / name
        environment = {**os.environ, "CRACK_UTILS_ARTIFACTS": str(folder), "PATH": f"{BIN}:{os.environ['PATH']}"}
        target = os.path.relpath(folder / "study" / "smoke" / "tables.done", paths.root())
        # Snakemake locks the folder that it works in, so it keeps its books elsewhere.
        command = ["snakemake", target, "--cores", "2", "--nolock", "--rerun-incomplete", "--config", "preset=smoke"]
        with open(tmp_path / f"{name}.log", "a", encoding="utf-8") as log:
            process = subprocess.Popen(
                command, cwd=paths.root(), env=environment, stdout=log, stderr=log, start_new_session=True
            )
        return folder / "study" / "smoke", process

    return start


def cost(folder):
    """Return what the study says that it will cost, before it starts."""
    environment = {**os.environ, "CRACK_UTILS_ARTIFACTS": str(folder), "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, "-m", "crack_utils.study", "cost", "smoke"]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=120).stdout


def test_a_killed_study_goes_on_and_repeats(study, tmp_path):
    folder, process = study("first")
    while process.poll() is None and not list(folder.glob("*.run")):
        time.sleep(0.5)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    kept = list(folder.glob("*.run"))
    assert 0 < len(kept) < len(MARKERS)
    trained = {file: file.stat().st_mtime_ns for file in (tmp_path / "first" / "runs").glob("*/provenance.json")}
    assert len(trained) >= len(kept)
    told, left = cost(tmp_path / "first"), len(MARKERS) - len(kept)
    assert re.search(rf"{len(MARKERS)} trainings, {len(kept)} already done, {left} to do", told), told

    _, process = study("first")
    assert process.wait(timeout=600) == 0, (tmp_path / "first.log").read_text()
    assert {file.name for file in folder.glob("*.run")} == set(MARKERS)
    # Snakemake may ask again for a step whose end it did not see; the training behind it is found done.
    assert {file: file.stat().st_mtime_ns for file in trained} == trained, "what was trained is not trained again"
    assert "Nothing is left to train" in cost(tmp_path / "first")

    again, process = study("second")
    assert process.wait(timeout=600) == 0, (tmp_path / "second.log").read_text()
    for name in ("specimens", "thresholds"):
        pd.testing.assert_frame_equal(pd.read_csv(folder / f"{name}.csv"), pd.read_csv(again / f"{name}.csv"))
