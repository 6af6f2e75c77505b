"""A run's folder belongs to one process at a time."""

import json
import os
import subprocess
import sys

import pytest

from crack_utils import load_run
from crack_utils.training.run import Run, model_file

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


def test_a_name_stands_for_a_model(tmp_path, monkeypatch):
    monkeypatch.setenv("CRACK_UTILS_ARTIFACTS", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "runs" / "unet-a"
    folder.mkdir(parents=True)
    (folder / "model.keras").touch()
    (folder / "provenance.json").write_text("{}")
    (tmp_path / "stored").touch()
    (tmp_path / "linked.keras").symlink_to(tmp_path / "stored")
    for name in ("unet-a", "latest", folder, folder / "model.keras", "runs/unet-a"):
        assert model_file(name).resolve() == folder / "model.keras"
    assert model_file("linked.keras").absolute() == tmp_path / "linked.keras", "its calibration lies beside the link"
    assert model_file("default").name == "model.keras"
    for name, message in (
        ("unet-b", "unet-b: no such model"),
        ("runs", r"runs: no model\.keras"),
        ("stored", "not a model"),
    ):
        with pytest.raises(ValueError, match=message):
            model_file(name)
