"""Killed at any moment, a command that is given again ends with the same files, byte for byte."""

import os
import random
import shutil
import signal
import time

import numpy as np
import pytest
from PIL import Image

from crack_utils.cli.main import main
from crack_utils.inference import predictor
from crack_utils.labelling.recipe import Recipe
from tests.helpers.darkness import darkness

KILLS = 5


def write_photographs(folder):
    generator = np.random.default_rng(0)
    folder.mkdir(parents=True)
    for number in range(12):
        values = generator.integers(180, 250, (60, 80), dtype=np.uint8)
        values[20 + number : 24 + number, 5:60] = 20
        Image.fromarray(values).save(folder / f"p{number:02d}.png")


def predict(folder):
    write_photographs(folder / "photographs")
    return ["predict", "darkness", str(folder / "photographs"), "--out", str(folder / "out")]


def label(folder):
    write_photographs(folder / "images")
    recipe = Recipe()
    recipe.add("flood_fill", seed=(30, 30), tolerance=0.3)
    recipe.add("closing", radius=2)
    recipe.save(folder / "recipe.json")
    return ["label", "run", str(folder / "recipe.json"), str(folder)]


def replay(folder):
    write_photographs(folder / "images")
    (folder / "recipes").mkdir()
    recipe = Recipe()
    recipe.add("flood_fill", seed=(30, 30), tolerance=0.3)
    recipe.add("active_contour", iterations=20)
    for picture in (folder / "images").iterdir():
        recipe.save(folder / "recipes" / f"{picture.stem}.json")
    return ["label", "replay", str(folder)]


def in_child(command, seconds=None):
    """Run a command in a fork of this process; kill it after a time. Return how it ended, and after how long."""
    started = time.monotonic()
    if not (child := os.fork()):
        status = 1
        try:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
            status = main(command)
        finally:
            os._exit(status)
    if seconds is not None:
        time.sleep(seconds)
        os.kill(child, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), time.monotonic() - started


def contents(folder):
    """Return what stands in each file, but in the lock; that a folder's name stands in a result is not a difference."""
    files = {path.relative_to(folder): path for path in folder.rglob("*") if path.is_file() and path.name != ".lock"}
    return {str(name): file.read_bytes().replace(str(folder).encode(), b"") for name, file in files.items()}


@pytest.mark.acceptance
@pytest.mark.parametrize("command", [predict, label, replay])
def test_the_same_command_goes_on(command, tmp_path, monkeypatch):
    monkeypatch.setattr(predictor, "load_trained", lambda name, engine=None: darkness())
    assert main(command(tmp_path / "reference" / "data")) == 0  # here, so that the children need not import anything
    expected = contents(tmp_path / "reference" / "data")
    status, seconds = in_child(command(tmp_path / "timed" / "data"))
    assert status == 0
    random_ = random.Random(command.__name__)
    for number in range(KILLS):
        folder, killed = tmp_path / str(number) / "data", 0  # a source has its name
        while not killed:  # on a machine that does other things too, it may end before
            shutil.rmtree(folder.parent, ignore_errors=True)
            words = command(folder)
            for _ in range(2):  # twice: what goes on is killed too
                killed += in_child(words, random_.uniform(0.1, 0.9) * seconds)[0] == -signal.SIGKILL
            seconds *= 1 if killed else 0.7
        assert in_child(words)[0] == 0
        assert contents(folder) == expected, f"attempt {number}"


def test_label_run_goes_on_where_it_was_killed_between_recipe_and_mask(tmp_path, capsys):
    words = label(tmp_path)
    assert main(words) == 0
    expected = contents(tmp_path)
    (tmp_path / "masks" / "p03.png").unlink()
    (tmp_path / "masks" / ".draft-0-p03.png").write_bytes(b"half")
    assert main(words) == 0
    assert contents(tmp_path) == expected
    assert "p03: labelled" in capsys.readouterr().out
