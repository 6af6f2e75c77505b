"""A run's folder belongs to one process at a time."""

import json
import os
import subprocess
import sys

import pytest

from crack_utils import load_run
from crack_utils.training.run import Run

HOLD = (
    "import sys, time; from crack_utils.training.run import Run\n"
    "with Run(sys.argv[1]).lock('trains'): print('has it', flush=True); sys.stdin.readline()"
)


def start(folder):
    return subprocess.Popen(
        [sys.executable, "-c", HOLD, folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def test_a_second_process_says_so_and_waits_until_the_first_is_killed(tmp_path):
    with start(tmp_path) as first:
        assert first.stdout.readline() == "has it\n"
        with start(tmp_path) as second:
            assert (
                second.stdout.readline() == f"Another process works on {tmp_path.name}; this one trains it after that\n"
            )
            assert second.poll() is None
            (tmp_path / ".draft-1-split.csv").write_text("half")
            first.kill()
            assert second.stdout.readline() == "has it\n"
            assert not list(tmp_path.glob(".draft-*"))
            assert second.communicate("\n")[0] == "" and second.returncode == 0


ORIGIN = {
    **{"commit": "0", "data_hash": "0", "packages": {"numpy": "2"}, "precision": "float32"},
    **{"seconds": 1.5, "finished": "2026-11-26T22:00:00Z", "peak_memory_gib": None},
}


@pytest.mark.parametrize("name", ORIGIN)
@pytest.mark.parametrize("wrong", [{}, [1]])
def test_provenance_without_a_field_is_refused_by_name(tmp_path, name, wrong):
    origin = {key: value for key, value in ORIGIN.items() if key != name} | ({name: wrong} if wrong else {})
    (tmp_path / "provenance.json").write_text(json.dumps(origin))
    with pytest.raises(ValueError, match=rf"provenance\.json: {name} missing, or not as a training writes it"):
        _ = Run(tmp_path).provenance
    (tmp_path / "provenance.json").write_text(json.dumps(ORIGIN))
    assert Run(tmp_path).provenance == ORIGIN


def test_latest_is_the_training_that_ended_last(tmp_path, monkeypatch):
    monkeypatch.setenv("CRACK_UTILS_ARTIFACTS", str(tmp_path))
    with pytest.raises(ValueError, match="latest: no finished run"):
        load_run("latest")
    for number, name in enumerate(("unet-a", "unet-c", "unet-b", "unet-unfinished")):
        folder = tmp_path / "runs" / name
        folder.mkdir(parents=True)
        if name != "unet-unfinished":
            (folder / "provenance.json").write_text("{}")
            os.utime(folder / "provenance.json", (number, number))
    assert load_run("latest").id == "unet-b"
